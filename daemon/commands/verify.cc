#include <unistd.h>

#include <charconv>
#include <ostream>

#include "daemon/commands/commands.h"
#include "daemon/control_client.h"
#include "daemon/stop_signal.h"
#include "daemon/terminal.h"
#include "daemon/verify_report.h"
#include "replication/base/text.h"
#include "replication/verify/run.h"

namespace liteferry::daemon {
namespace {

// A line of progress where standard error is no terminal.
constexpr std::chrono::seconds kLineEvery{10};

Error Usage(const std::string& message, const std::string& hint) {
  return Error(Disposition::kStop, Component::kVerify, message).Hint(hint).Exit(ExitCode::kUsage);
}

int Jobs(const Invocation& invocation) {
  const std::string text = invocation.Value("--jobs", "2");
  int jobs = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), jobs);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size() && jobs >= 1 && jobs <= 64) {
    return jobs;
  }
  throw Usage("--jobs is not a number from 1 to 64: " + text, "Write --jobs 4.");
}

bool DaemonRuns(const config::Settings& settings, const SignalEvent& stop) {
  try {
    return AskDaemon(config::SocketPath(settings), "ping", Deadline::In(std::chrono::seconds(5)),
                     stop)
        .has_value();
  } catch (const Error&) {
    return true;  // somebody listens, though without an answer
  }
}

// Shows how far it is: a status line, or a line now and then.
class Shown {
 public:
  Shown(const Invocation& invocation, Console& console)
      : quiet_(invocation.quiet),
        console_(console),
        terminal_(STDERR_FILENO, IsTerminal(STDERR_FILENO)),
        next_(Deadline::In(kLineEvery)) {}

  void operator()(const verify::RunProgress& progress) {
    if (quiet_) return;
    if (terminal_.is_terminal()) {
      terminal_.SetStatus(DescribeRun(progress));
    } else if (next_.Passed()) {
      console_.err << DescribeRun(progress) << "\n";
      next_ = Deadline::In(kLineEvery);
    }
  }

 private:
  const bool quiet_;
  Console& console_;
  Terminal terminal_;
  Deadline next_;
};

void SayWhatFollows(const Invocation& invocation, Console& console, const verify::RunResult& result,
                    bool daemon_running) {
  if (result.keys_logged > 0) {
    Say(invocation, console,
        GroupDigits(result.keys_logged) + " keys are logged; " +
            (daemon_running ? "the daemon brings them right."
                            : "no daemon is running: the next `liteferry run` brings them right."));
  }
  if (result.keys_unloggable > 0) {
    Say(invocation, console,
        GroupDigits(result.keys_unloggable) +
            " rows of the target have NULL in their key, and no entry can name them: delete them "
            "there by hand.");
  }
}

ExitCode CodeOf(const verify::RunResult& result, bool repairing) {
  bool later = false;
  for (const verify::Finding& finding : result.findings) {
    if (finding.kind == verify::Finding::Kind::kNotFollowed) return ExitCode::kDifferences;
    later = later || finding.kind == verify::Finding::Kind::kNotComparable;
  }
  const bool differs = result.Total().differences() > 0;
  if (differs && (!repairing || result.keys_unloggable > 0)) return ExitCode::kDifferences;
  return later ? ExitCode::kTryAgain : ExitCode::kOk;
}

void Store(const config::Settings& settings, const verify::RunResult& result,
           const Invocation& invocation, Console& console, const SignalEvent& stop) {
  if (!result.full) return;
  try {
    verify::StoreResult(settings, result, "command", stop);
  } catch (const Error& error) {
    Say(invocation, console, "the result is not stored on the target: " + error.message());
  }
}

ExitCode Compare(const Invocation& invocation, Console& console, verify::RunRequest request,
                 bool resync) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  StopSignal stop;
  request.jobs = Jobs(invocation);
  VerifyReport report(invocation.json);
  request.on_difference = [&](const std::string& table, const verify::Difference& difference) {
    report.Add(table, difference);
  };
  verify::RunResult result;
  {
    Shown shown(invocation, console);
    request.on_progress = [&](const verify::RunProgress& progress) { shown(progress); };
    result = verify::RunVerify(settings, request, stop.event());
  }
  const bool daemon_running = DaemonRuns(settings, stop.event());
  if (!resync) Store(settings, result, invocation, console, stop.event());
  if (invocation.json) {
    report.WriteJson(result, daemon_running, console.out);
  } else {
    report.WriteText(result, console.out);
  }
  SayWhatFollows(invocation, console, result, daemon_running);
  return CodeOf(result, resync);
}

ExitCode RunVerifyCommand(const Invocation& invocation, Console& console) {
  verify::RunRequest request;
  request.tables = invocation.List("--table");
  request.log_keys = invocation.Has("--repair");
  request.look_around = request.tables.empty();
  return Compare(invocation, console, std::move(request), false);
}

ExitCode RunResync(const Invocation& invocation, Console& console) {
  const bool all = invocation.Has("--all");
  if (all == !invocation.arguments.empty()) {
    throw Usage(all ? "--all and tables were given" : "no table was given",
                "Run 'liteferry resync TABLE...' or 'liteferry resync --all'.");
  }
  verify::RunRequest request;
  request.tables = invocation.arguments;
  request.log_keys = true;
  request.look_around = false;
  return Compare(invocation, console, std::move(request), true);
}

}  // namespace

CommandSpec VerifySpec() {
  CommandSpec spec;
  spec.name = "verify";
  spec.summary = "compare every row of both databases exactly, while writes go on";
  spec.details =
      "Works beside the daemon and without it, in short snapshots of SQLite. Prints what differs:\n"
      "keys, no values. A difference is real: the row was not logged after the position that the\n"
      "target stood at. Rejected rows are counted apart. Also looks for constraints that stand\n"
      "aside, sequences that are behind, and rows that refer to none. Exit code 0 when all is\n"
      "equal, 1 when something differs, 75 when a table cannot be compared yet.";
  spec.example =
      "liteferry verify --source app.db --target postgresql://app@localhost/app\n"
      "liteferry verify -c liteferry.yaml --table notes --table tags --repair";
  spec.options = {
      {"--table", "NAME", "only this table of the source; may be repeated", true},
      {"--repair", "", "log the keys that differ, so that the daemon brings them right"},
      {"--jobs", "N", "pairs of connections at work (2)"},
  };
  spec.run = RunVerifyCommand;
  return spec;
}

CommandSpec ResyncSpec() {
  CommandSpec spec;
  spec.name = "resync";
  spec.summary = "bring tables to equality again: compare, log the keys that differ";
  spec.details =
      "The daemon applies what is logged, or the next one does. Writes only to the changelog, a\n"
      "thousand keys at a time. Exit code 0 when everything that differs is logged, 75 when a\n"
      "table cannot be compared yet.";
  spec.example =
      "liteferry resync notes tags --source app.db --target postgresql://app@localhost/app\n"
      "liteferry resync --all -c liteferry.yaml";
  spec.options = {
      {"--all", "", "every replicated table"},
      {"--jobs", "N", "pairs of connections at work (2)"},
  };
  spec.argument = {"TABLE", {}, true};
  spec.run = RunResync;
  return spec;
}

}  // namespace liteferry::daemon
