#include <ostream>

#include "daemon/commands/commands.h"
#include "daemon/control_client.h"
#include "daemon/status_json.h"
#include "daemon/stop_signal.h"
#include "replication/base/text.h"
#include "replication/offline.h"

namespace liteferry::daemon {
namespace {

constexpr std::chrono::milliseconds kPoll(100);

// `newest`: what had been captured when the command began. Without it a commit made just before
// would be waited for only if the daemon happens to have seen it.
bool Reached(const StatusReport& report, config::Milliseconds limit, std::int64_t newest) {
  const std::optional<double> lag = report.LagSeconds();
  if (limit.count() == 0 && report.status.applied < newest) return false;
  return report.status.state == State::kFollowing && report.status.consistent && lag &&
         *lag * 1000 <= static_cast<double>(limit.count());
}

Error Halted(const EngineStatus& status) {
  return Error(Disposition::kRetry, Component::kControl, "the daemon is halted: " + status.reason)
      .Hint(status.next_action)
      .Exit(ExitCode::kTryAgain);
}

Error TimedOut(config::Milliseconds timeout, const std::optional<StatusReport>& last) {
  std::string where = "no daemon is running";
  if (last) {
    where = "state is " + std::string(ToString(last->status.state)) + ", backlog " +
            GroupDigits(last->status.backlog_changes);
  }
  return Error(Disposition::kRetry, Component::kControl,
               "not reached within " + FormatDuration(timeout) + ": " + where)
      .Hint("'liteferry status' shows why; --timeout gives it more time.")
      .Exit(ExitCode::kTryAgain);
}

// Zero when this command cannot read the source: then the daemon's word is all there is.
std::int64_t NewestChange(const config::Settings& settings) {
  if (settings.source.path.empty()) return 0;
  try {
    return ReadNewestChange(settings).value_or(0);
  } catch (const Error&) {
    return 0;
  }
}

ExitCode Run(const Invocation& invocation, Console& console) {
  const config::Milliseconds limit = DurationOption(invocation, "--lag", "0");
  const config::Milliseconds timeout = DurationOption(invocation, "--timeout", "60s");
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kControl);
  const std::string socket = config::SocketPath(settings);
  StopSignal stop;
  const Deadline deadline = Deadline::In(timeout);
  std::optional<StatusReport> last;
  const std::int64_t newest = limit.count() == 0 ? NewestChange(settings) : 0;
  // A daemon that is not there yet may be starting beside this command.
  for (;;) {
    const auto json =
        AskDaemon(socket, "status", Deadline::In(std::chrono::seconds(10)), stop.event());
    if (json) {
      last = ParseStatusJson(*json);
      if (Reached(*last, limit, newest)) {
        if (invocation.json) console.out << *json << "\n";
        return ExitCode::kOk;
      }
      if (last->status.state == State::kHalted) throw Halted(last->status);
    }
    if (deadline.Passed() || stop.event().IsSet()) throw TimedOut(timeout, last);
    WaitFor(-1, 0, stop.event(), nullptr, deadline.Earlier(Deadline::In(kPoll)));
  }
}

}  // namespace

CommandSpec WaitSpec() {
  CommandSpec spec;
  spec.name = "wait";
  spec.summary = "return once it follows and the lag is small enough";
  spec.details =
      "Exit code 0 when the daemon is following, the target is consistent and the lag is at most\n"
      "--lag; with a lag of 0 everything committed before this command is then on PostgreSQL. 75\n"
      "when that is not so within --timeout, or at once when the daemon is halted.";
  spec.example =
      "liteferry wait --source app.db --timeout 10m\n"
      "liteferry wait --lag 2s && echo nearly there";
  spec.options = {
      {"--lag", "DURATION", "the lag to wait for (0)"},
      {"--timeout", "DURATION", "how long to wait (60s)"},
  };
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
