#include "replication/check.h"

#include "daemon/check_report.h"
#include "daemon/commands/commands.h"
#include "daemon/stop_signal.h"

#include <ostream>

namespace liteferry::daemon {
namespace {

ExitCode Run(const Invocation& invocation, Console& console) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  StopSignal stop;
  const CheckReport report = RunCheck(settings, stop.event());
  console.out << (invocation.json ? CheckReportJson(report) + "\n" : CheckReportText(report));
  return report.exit_code();
}

}  // namespace

CommandSpec CheckSpec() {
  CommandSpec spec;
  spec.name = "check";
  spec.summary = "read-only preflight: files, schemas and their pairing, types, privileges";
  spec.details =
      "Writes to neither side. Prints how tables and columns pair, what would stand aside during\n"
      "the copy, and every finding with advice. Exit code 0 when nothing stands in the way, else "
      "that\n"
      "of the first error.";
  spec.example =
      "liteferry check --source app.db --target postgresql://app@localhost/app\n"
      "liteferry check -c liteferry.yaml --json | jq '.findings[]'";
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
