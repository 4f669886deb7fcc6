#include <csignal>
#include <nlohmann/json.hpp>
#include <ostream>

#include "daemon/commands/commands.h"
#include "daemon/cutover_port.h"
#include "daemon/status_json.h"
#include "daemon/stop_signal.h"
#include "daemon/terminal.h"
#include "replication/base/text.h"
#include "replication/cutover/gates.h"
#include "replication/cutover/hook.h"
#include "replication/offline.h"
#include "replication/source/capture.h"
#include "replication/source/fence.h"

namespace liteferry::daemon {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kPoll(50);
// An engine of this process first has to take the stream over and to catch up.
constexpr std::chrono::minutes kCatchUp(2);

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

double Seconds(milliseconds time) { return std::chrono::duration<double>(time).count(); }

ExitCode RunPlan(const Invocation& invocation, Console& console) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  StopSignal stop;
  const cutover::Plan plan = cutover::MakePlan(settings, stop.event());
  const bool ready = cutover::AllOpen(plan.gates);
  if (invocation.json) {
    std::vector<std::string> blockers;
    for (const CutoverGate& gate : plan.gates) {
      if (!gate.ok) blockers.push_back(gate.name + ": " + gate.detail);
    }
    console.out << Dump({{"ready", ready},
                         {"blockers", blockers},
                         {"estimated_pause_seconds", Seconds(plan.estimated_pause)},
                         {"gates", GatesJson(plan.gates)}})
                << "\n";
  } else {
    for (const CutoverGate& gate : plan.gates) {
      console.out << (gate.ok ? "ok      " : "BLOCKED ") << gate.name << ": "
                  << Printable(gate.detail) << "\n";
      if (!gate.ok) console.out << "        " << Printable(gate.next_action) << "\n";
    }
    console.out << "writes would wait about " << FormatDuration(plan.estimated_pause)
                << ", at most " << FormatDuration(settings.cutover.max_pause) << "\n"
                << (ready ? "ready: run `liteferry cutover start`\n" : "not ready\n");
  }
  return ready ? ExitCode::kOk : ExitCode::kTryAgain;
}

// Waits until the engine stands where the command makes sense.
void AwaitState(CutoverPort& port, State wanted, Deadline deadline, const SignalEvent& stop) {
  if (port.IsDaemon()) return;
  for (;;) {
    const EngineStatus status = port.Status();
    const bool settled = status.state == wanted || status.state == State::kCutOver ||
                         status.state == State::kHalted || status.state == State::kPaused;
    if (settled || deadline.Passed() || stop.IsSet()) return;
    WaitFor(-1, 0, stop, nullptr, deadline.Earlier(Deadline::In(kPoll)));
  }
}

// Sends the command and follows it to its end. `on_fenced` is called once, when the source refuses
// writes.
template <typename OnFenced>
EngineStatus Follow(CutoverPort& port, const std::string& command, const Invocation& invocation,
                    Console& console, const SignalEvent& stop, const OnFenced& on_fenced) {
  const std::int64_t before = port.Status().cutover.attempt;
  port.Send(command);
  std::string shown;
  bool fenced = false;
  for (;;) {
    const EngineStatus status = port.Status();
    const CutoverStatus& cutover = status.cutover;
    if (cutover.attempt > before) {
      if (cutover.running && cutover.step != shown && !cutover.step.empty()) {
        shown = cutover.step;
        Say(invocation, console, shown);
      }
      if (cutover.fenced && !fenced && (!cutover.running || command == "cutover")) {
        fenced = true;
        on_fenced(status);
      }
      if (!cutover.running) return status;
    }
    if (stop.IsSet()) {
      throw Error(Disposition::kRetry, Component::kControl,
                  "interrupted; what the daemon is at goes on")
          .Hint("`liteferry status` tells where it stands.")
          .Exit(ExitCode::kTryAgain);
    }
    WaitFor(-1, 0, stop, nullptr, Deadline::In(kPoll));
  }
}

ExitCode Tell(const Invocation& invocation, Console& console, const EngineStatus& status) {
  const CutoverStatus& cutover = status.cutover;
  const bool done = cutover.result == "done";
  if (invocation.json) {
    Json json = {
        {"result", cutover.result},           {"message", cutover.message},
        {"next_action", cutover.next_action}, {"state", std::string(ToString(status.state))},
        {"position", status.applied},         {"write_pause_seconds", nullptr},
        {"gates", GatesJson(cutover.gates)}};
    if (cutover.write_pause_seconds) json["write_pause_seconds"] = *cutover.write_pause_seconds;
    console.out << Dump(json) << "\n";
  } else if (done) {
    console.out << Printable(cutover.message) << "\n";
  }
  if (done) return ExitCode::kOk;
  console.err << "liteferry: " << Printable(cutover.message) << "\n";
  if (!cutover.next_action.empty()) {
    console.err << "HINT: " << Printable(cutover.next_action) << "\n";
  }
  return static_cast<ExitCode>(cutover.exit_code);
}

// An engine would begin a replication where there is none.
void RequireStream(const config::Settings& settings, const SignalEvent& stop) {
  const EngineStatus status = ReadOfflineStatus(settings, stop);
  if (!status.target.up || !status.source.up || status.state == State::kStarting) {
    throw Error(Disposition::kRetry, Component::kControl,
                status.notes.empty() ? "no replication has been started" : status.notes.front())
        .Hint("Start it with `liteferry run`.")
        .Exit(ExitCode::kTryAgain);
  }
}

std::unique_ptr<CutoverPort> Open(const config::Settings& settings, const SignalEvent& stop) {
  if (!DaemonAnswers(settings, stop)) RequireStream(settings, stop);
  return FindCutoverPort(settings, stop);
}

ExitCode RunStart(const Invocation& invocation, Console& console) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  std::signal(SIGPIPE, SIG_IGN);
  StopSignal stop;
  const auto port = Open(settings, stop.event());
  AwaitState(*port, State::kFollowing, Deadline::In(kCatchUp), stop.event());
  const std::string command = invocation.Value("--on-ready", "");
  const auto on_fenced = [&](const EngineStatus& status) {
    const auto pause = status.cutover.write_pause_seconds;
    if (pause) {
      Say(invocation, console,
          "fenced; writes waited " +
              FormatDuration(milliseconds(static_cast<std::int64_t>(*pause * 1000))));
    }
    if (command.empty()) return;
    cutover::HookFacts facts;
    facts.source_path = settings.source.path;
    facts.target = status.target.address;
    facts.position = status.applied;
    facts.write_pause_seconds = pause.value_or(0);
    const std::string problem = cutover::RunHook(command, facts, stop.event());
    if (!problem.empty()) console.err << "liteferry: --on-ready: " << problem << "\n";
  };
  return Tell(invocation, console,
              Follow(*port, "cutover", invocation, console, stop.event(), on_fenced));
}

ExitCode RunAbort(const Invocation& invocation, Console& console) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  std::signal(SIGPIPE, SIG_IGN);
  StopSignal stop;
  const auto port = Open(settings, stop.event());
  AwaitState(*port, State::kCutOver, Deadline::In(kCatchUp), stop.event());
  return Tell(invocation, console,
              Follow(*port, "cutover-abort", invocation, console, stop.event(),
                     [](const EngineStatus&) {}));
}

// Both sides say so.
bool IsCutOver(const config::Settings& settings, const SignalEvent& stop) {
  if (ReadOfflineStatus(settings, stop).state != State::kCutOver) return false;
  source::Database database(settings.source.path, source::OpenMode::kReadOnly,
                            settings.source.busy_timeout);
  return source::Fence(database).Read() != source::FenceMark::kNone;
}

ExitCode RunGate(const Invocation& invocation, Console& console) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  const Deadline deadline = Deadline::In(DurationOption(invocation, "--timeout", "2m"));
  std::signal(SIGPIPE, SIG_IGN);
  StopSignal stop;
  bool told = false;
  for (;;) {
    if (IsCutOver(settings, stop.event())) {
      Say(invocation, console, "cut over: the application may start on PostgreSQL");
      return ExitCode::kOk;
    }
    if (!DaemonAnswers(settings, stop.event())) {
      RequireStream(settings, stop.event());
      Say(invocation, console, "no daemon is at it: finishing the cutover here");
      const auto port = FindCutoverPort(settings, stop.event());
      AwaitState(*port, State::kFollowing, deadline, stop.event());
      return Tell(
          invocation, console,
          Follow(*port, "cutover", invocation, console, stop.event(), [](const EngineStatus&) {}));
    }
    if (!told) Say(invocation, console, "waiting for the daemon to cut over");
    told = true;
    if (deadline.Passed() || stop.event().IsSet()) break;
    WaitFor(-1, 0, stop.event(), nullptr, deadline.Earlier(Deadline::In(milliseconds(500))));
  }
  throw Error(Disposition::kRetry, Component::kControl, "not cut over yet")
      .Hint("Run `liteferry cutover plan` to see what is in its way.")
      .Exit(ExitCode::kTryAgain);
}

}  // namespace

CommandSpec CutoverPlanSpec() {
  CommandSpec spec;
  spec.name = "cutover plan";
  spec.summary = "what stands in the way of the cutover, and how long writes would wait";
  spec.details = "Reads both sides, changes nothing. Exit code 75 while something is in the way.";
  spec.example = "liteferry cutover plan -c liteferry.yaml";
  spec.run = RunPlan;
  return spec;
}

CommandSpec CutoverStartSpec() {
  CommandSpec spec;
  spec.name = "cutover start";
  spec.summary = "move the application's database: drain, verify, fence SQLite";
  spec.details =
      "Writers of SQLite wait while the last changes are applied, cutover.max_pause at most, and "
      "are\n"
      "then refused; reads go on. Ends with 0 when every foreign key is back and valid. Whatever "
      "goes\n"
      "wrong before the fence is rolled back, and the application goes on: 75. By the daemon, or "
      "by\n"
      "itself where none runs.";
  spec.example = "liteferry cutover start -c liteferry.yaml --on-ready 'systemctl restart app'";
  spec.options = {
      {"--on-ready", "COMMAND", "run this, or post to this URL, once the application may start"}};
  spec.run = RunStart;
  return spec;
}

CommandSpec CutoverAbortSpec() {
  CommandSpec spec;
  spec.name = "cutover abort";
  spec.summary = "take the fence away and go on following SQLite";
  spec.details =
      "Refused (65) once somebody has written to the replicated tables on PostgreSQL. Stop the\n"
      "application there first.";
  spec.example = "liteferry cutover abort -c liteferry.yaml";
  spec.run = RunAbort;
  return spec;
}

CommandSpec CutoverGateSpec() {
  CommandSpec spec;
  spec.name = "cutover gate";
  spec.summary = "return once both sides are cut over: for an init container";
  spec.details =
      "Waits while a daemon runs; where none does, it finishes the cutover itself. Exit code 75 "
      "when\n"
      "something is in the way, and then nothing has changed.";
  spec.example = "liteferry cutover gate -c liteferry.yaml --timeout 2m";
  spec.options = {{"--timeout", "DURATION", "how long to wait (2m)"}};
  spec.run = RunGate;
  return spec;
}

}  // namespace liteferry::daemon
