#include <ostream>

#include "daemon/commands/commands.h"
#include "daemon/control_client.h"
#include "daemon/status_json.h"
#include "daemon/stop_signal.h"

namespace liteferry::daemon {
namespace {

constexpr std::chrono::milliseconds kPoll(50);
constexpr std::chrono::seconds kPatience(10);
constexpr std::string_view kRelease = "--release-capture";
constexpr std::string_view kReconcile = "--reconcile";

// Sends the command and waits a little until its effect shows.
ExitCode PauseOrResume(const Invocation& invocation, Console& console, bool pause) {
  const bool release = invocation.Has(kRelease);
  const std::string command = pause                        ? release ? "pause-release" : "pause"
                              : invocation.Has(kReconcile) ? "resume-reconcile"
                                                           : "resume";
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kControl);
  const std::string socket = config::SocketPath(settings);
  StopSignal stop;
  const Deadline deadline = Deadline::In(kPatience);
  AskRunningDaemon(socket, command, deadline, stop.event());
  std::string json;
  bool effective = false;
  for (;;) {
    json = AskRunningDaemon(socket, "status", Deadline::In(kPatience), stop.event());
    effective = (ParseStatusJson(json).status.state == State::kPaused) == pause;
    if (effective || deadline.Passed() || stop.event().IsSet()) break;
    WaitFor(-1, 0, stop.event(), nullptr, deadline.Earlier(Deadline::In(kPoll)));
  }
  if (invocation.json) console.out << json << "\n";
  if (!effective) {
    Say(invocation, console,
        pause ? "asked to pause; the daemon is still finishing what it does"
              : "asked to resume; the daemon has not gone on yet");
  } else if (pause && release) {
    Say(invocation, console,
        "paused, and the triggers are gone: migrate now, then run 'liteferry resume', which "
        "compares the tables");
  } else if (pause) {
    Say(invocation, console, "paused; changes are still captured, 'liteferry resume' goes on");
  } else {
    Say(invocation, console, "resumed");
  }
  return ExitCode::kOk;
}

ExitCode RunPause(const Invocation& invocation, Console& console) {
  return PauseOrResume(invocation, console, true);
}

ExitCode RunResume(const Invocation& invocation, Console& console) {
  return PauseOrResume(invocation, console, false);
}

}  // namespace

CommandSpec PauseSpec() {
  CommandSpec spec;
  spec.name = "pause";
  spec.summary = "stop applying; capture goes on";
  spec.details =
      "Finishes the batch under way. Remembered across restarts of the daemon. The changelog in "
      "the\n"
      "source grows meanwhile. With --release-capture the triggers are taken out of the source, "
      "so\n"
      "that none stands in the way of a migration; 'liteferry resume' puts them back, and the "
      "tables\n"
      "are compared, because nothing was captured in between.";
  spec.example =
      "liteferry pause --source app.db\n"
      "liteferry pause --release-capture && alembic upgrade head && liteferry resume";
  spec.options = {{kRelease, "", "also take the triggers out of the source"}};
  spec.run = RunPause;
  return spec;
}

CommandSpec ResumeSpec() {
  CommandSpec spec;
  spec.name = "resume";
  spec.summary = "go on applying, after pause or a halt";
  spec.details =
      "Also makes a halted daemon look again, and cuts short the delay before the next attempt. "
      "When it\n"
      "halted because a side went back in time (restored from a backup, failed over), --reconcile\n"
      "accepts both sides as they are: every table is compared, and PostgreSQL becomes equal to "
      "the\n"
      "source.";
  spec.example = "liteferry resume --source app.db";
  spec.options = {{kReconcile, "", "accept that a side went back in time, and compare all tables"}};
  spec.run = RunResume;
  return spec;
}

}  // namespace liteferry::daemon
