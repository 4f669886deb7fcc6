#include <ostream>

#include "daemon/commands/commands.h"
#include "daemon/control_client.h"
#include "daemon/status_json.h"
#include "daemon/stop_signal.h"

namespace liteferry::daemon {
namespace {

constexpr std::chrono::milliseconds kPoll(50);
constexpr std::chrono::seconds kPatience(10);

// Sends `command` and waits a little until its effect shows.
ExitCode PauseOrResume(const Invocation& invocation, Console& console, bool pause) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kControl);
  const std::string socket = config::SocketPath(settings);
  StopSignal stop;
  const Deadline deadline = Deadline::In(kPatience);
  AskRunningDaemon(socket, pause ? "pause" : "resume", deadline, stop.event());
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
      "source grows meanwhile.";
  spec.example = "liteferry pause --source app.db";
  spec.run = RunPause;
  return spec;
}

CommandSpec ResumeSpec() {
  CommandSpec spec;
  spec.name = "resume";
  spec.summary = "go on applying, after pause or a halt";
  spec.details =
      "Also makes a halted daemon look again, and cuts short the delay before the next attempt.";
  spec.example = "liteferry resume --source app.db";
  spec.run = RunResume;
  return spec;
}

}  // namespace liteferry::daemon
