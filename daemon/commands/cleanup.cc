#include <nlohmann/json.hpp>
#include <ostream>

#include "daemon/commands/commands.h"
#include "daemon/control_client.h"
#include "daemon/stop_signal.h"
#include "daemon/terminal.h"
#include "replication/offline.h"

namespace liteferry::daemon {
namespace {

void RefuseBesideDaemon(const config::Settings& settings, const SignalEvent& stop) {
  const std::string socket = config::SocketPath(settings);
  if (!AskDaemon(socket, "ping", Deadline::In(std::chrono::seconds(5)), stop)) return;
  throw Error(Disposition::kRetry, Component::kControl, "the daemon is running, at " + socket)
      .Hint("Stop it first; while it runs it would install everything again.")
      .Exit(ExitCode::kTryAgain);
}

ExitCode Run(const Invocation& invocation, Console& console) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  StopSignal stop;
  RefuseBesideDaemon(settings, stop.event());
  const CleanupReport report = RunCleanup(settings, invocation.Has("--not-valid"), stop.event());
  if (invocation.json) {
    const nlohmann::ordered_json json = {{"done", report.done}, {"problems", report.problems}};
    console.out << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    for (const std::string& line : report.done) console.out << Printable(line) << "\n";
    if (report.done.empty() && report.problems.empty()) console.out << "nothing to clean up\n";
  }
  if (report.problems.empty()) return ExitCode::kOk;
  for (const std::string& problem : report.problems) {
    console.err << "liteferry: cannot put back " << Printable(problem) << "\n";
  }
  console.err
      << "HINT: Correct the data and run this again, or use --not-valid to put foreign keys "
         "back NOT VALID. Until then liteferry's state is kept.\n";
  return ExitCode::kDataError;
}

}  // namespace

CommandSpec CleanupSpec() {
  CommandSpec spec;
  spec.name = "cleanup";
  spec.summary = "remove every trace from SQLite and PostgreSQL, put back what is held";
  spec.details =
      "Drops liteferry's triggers and tables from SQLite and its schema from PostgreSQL, after "
      "putting\n"
      "constraints, indexes and triggers of the target back as they were. The data that was "
      "copied\n"
      "stays. Asks nothing, prints what it did, may be run again. Refused while the daemon runs "
      "(75).";
  spec.example = "liteferry cleanup --source app.db --target postgresql://app@localhost/app";
  spec.options = {
      {"--not-valid", "", "put foreign keys that the data violate back NOT VALID"},
  };
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
