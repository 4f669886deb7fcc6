#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <ostream>

#include "daemon/commands/commands.h"
#include "daemon/control_client.h"
#include "daemon/status_json.h"
#include "daemon/status_text.h"
#include "daemon/stop_signal.h"
#include "daemon/terminal.h"
#include "replication/base/text.h"
#include "replication/offline.h"

namespace liteferry::daemon {
namespace {

using std::chrono::seconds;

// From the daemon, else from both databases.
StatusReport ReadStatus(const Invocation& invocation, const SignalEvent& stop) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kControl);
  const std::string socket = config::SocketPath(settings);
  if (const auto json = AskDaemon(socket, "status", Deadline::In(seconds(10)), stop)) {
    return ParseStatusJson(*json);
  }
  const config::Settings both = LoadSettings(invocation, config::Purpose::kBoth);
  StatusReport report;
  report.status = ReadOfflineStatus(both, stop);
  report.now = std::chrono::system_clock::now();
  report.version = LITEFERRY_VERSION;
  report.log_limit_bytes = both.changelog.max_size;
  report.verify_max_age = both.cutover.verify_max_age;
  return report;
}

// One line and 0 or 1, as monitoring plug-ins have it.
ExitCode CheckStatus(const Invocation& invocation, Console& console, const SignalEvent& stop) {
  const config::Milliseconds limit = DurationOption(invocation, "--check", "60s");
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kControl);
  const auto json =
      AskDaemon(config::SocketPath(settings), "status", Deadline::In(seconds(10)), stop);
  if (!json) {
    console.out << "CRITICAL: no daemon is running\n";
    return ExitCode::kDifferences;
  }
  const StatusReport report = ParseStatusJson(*json);
  const EngineStatus& status = report.status;
  const std::optional<double> lag = report.LagSeconds();
  const bool following = status.state == State::kFollowing && status.consistent && lag &&
                         *lag * 1000 <= static_cast<double>(limit.count());
  const bool good = following || status.state == State::kCutOver;
  std::string line = (good ? "OK: " : "CRITICAL: ") + std::string(ToString(status.state));
  line += lag ? ", lag " + FormatDuration(config::Milliseconds(std::llround(*lag * 1000)))
              : std::string(", lag unknown");
  line += " (limit " + FormatDuration(limit) + "), backlog " + GroupDigits(status.backlog_changes);
  if (!status.consistent) line += ", not consistent";
  if (!status.reason.empty()) line += ": " + status.reason;
  console.out << (invocation.json ? *json : Printable(line)) << "\n";
  return good ? ExitCode::kOk : ExitCode::kDifferences;
}

void Show(const StatusReport& report, const Invocation& invocation, Console& console) {
  console.out << (invocation.json ? StatusJson(report) + "\n" : StatusText(report, console.color));
}

ExitCode Watch(const Invocation& invocation, Console& console, StopSignal& stop) {
  while (!stop.event().IsSet()) {
    const StatusReport report = ReadStatus(invocation, stop.event());
    if (console.out_terminal && !invocation.json) {
      console.out << "\x1b[H\x1b[J"
                  << StatusScreen(report, console.color, SizeOfTerminal(STDOUT_FILENO));
    } else {
      Show(report, invocation, console);
      if (!invocation.json) console.out << "\n";
    }
    console.out.flush();
    if (!console.out) return ExitCode::kIo;
    WaitFor(-1, 0, stop.event(), nullptr, Deadline::In(seconds(1)));
  }
  stop.Accept();
  return ExitCode::kOk;
}

ExitCode Run(const Invocation& invocation, Console& console) {
  StopSignal stop;
  if (invocation.Has("--check")) return CheckStatus(invocation, console, stop.event());
  if (invocation.Has("--watch")) return Watch(invocation, console, stop);
  Show(ReadStatus(invocation, stop.event()), invocation, console);
  return ExitCode::kOk;
}

}  // namespace

CommandSpec StatusSpec() {
  CommandSpec spec;
  spec.name = "status";
  spec.summary = "where it stands; works without the daemon too";
  spec.details =
      "Asks the daemon over its control socket; when none runs it reads both databases. With "
      "--json\n"
      "the fields are a contract; ignore those you do not know.";
  spec.example =
      "liteferry status --source app.db\n"
      "liteferry status --watch\n"
      "liteferry status --check=30s     # for monitoring: one line, exit code 0 or 1";
  spec.options = {
      {"--watch", "", "show it again every second until Ctrl-C"},
      {"--check", "[=LAG]", "exit 1 unless following, consistent and lag is at most LAG (60s)"},
  };
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
