#include "replication/check.h"

#include <unistd.h>

#include <ostream>

#include "daemon/check_report.h"
#include "daemon/commands/commands.h"
#include "daemon/scan_progress.h"
#include "daemon/stop_signal.h"
#include "daemon/suggested_config.h"
#include "daemon/terminal.h"

namespace liteferry::daemon {
namespace {

CheckReport Look(const Invocation& invocation, const config::Settings& settings,
                 const SignalEvent& stop) {
  Terminal terminal(STDERR_FILENO, IsTerminal(STDERR_FILENO));
  ScanDisplay display(terminal, std::chrono::steady_clock::now());
  CheckOptions options;
  options.suggest = invocation.Has("--suggest");
  options.scan = options.suggest || invocation.Has("--scan");
  options.scan_options.show_values = invocation.Has("--show-values");
  if (!invocation.quiet) {
    options.scan_options.progress = [&display](const ScanProgress& progress) {
      display.Show(progress, std::chrono::steady_clock::now());
    };
  }
  return RunCheck(settings, options, stop);
}

ExitCode Run(const Invocation& invocation, Console& console) {
  if (invocation.Has("--show-values") && !invocation.Has("--scan")) {
    throw Error(Disposition::kStop, Component::kConfig, "--show-values is for --scan")
        .Exit(ExitCode::kUsage);
  }
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  StopSignal stop;
  const CheckReport report = Look(invocation, settings, stop.event());
  // The signal ends the process; half a report would look like a whole one.
  if (stop.event().IsSet()) return ExitCode::kTryAgain;
  if (invocation.Has("--suggest") && !invocation.json) {
    console.out << SuggestedConfigYaml(report);
    for (const Finding& finding : report.findings) {
      if (finding.severity != Severity::kError) continue;
      Say(invocation, console,
          Printable((finding.object.empty() ? "" : finding.object + ": ") + finding.message));
    }
    return report.exit_code();
  }
  const std::size_t width = console.out_terminal ? SizeOfTerminal(STDOUT_FILENO).columns : 0;
  console.out << (invocation.json ? CheckReportJson(report) + "\n"
                                  : CheckReportText(report, width));
  return report.exit_code();
}

}  // namespace

CommandSpec CheckSpec() {
  CommandSpec spec;
  spec.name = "check";
  spec.summary = "read-only preflight: files, schemas and their pairing, types, privileges, values";
  spec.details =
      "Writes to neither side. Prints how tables and columns pair, what would stand aside during\n"
      "the copy, and every finding with advice. Exit code 0 when nothing stands in the way, else\n"
      "that of the first error. docs/CHECK.md describes the output and its JSON form.\n"
      "\n"
      "With --scan it reads every value and tells which would be rejected, and why (exit code "
      "65),\n"
      "except for what only PostgreSQL can find: CHECK, unique values, foreign keys.";
  spec.example =
      "liteferry check --source app.db --target postgresql://app@localhost/app\n"
      "liteferry check -c liteferry.yaml --scan --json | jq '.scan.tables[]'\n"
      "liteferry check --source app.db --target … --suggest > liteferry.yaml";
  spec.options = {
      {"--scan", "", "read every row and judge every value, as the copy would"},
      {"--show-values", "", "with --scan: show up to three values for each reason, not only keys"},
      {"--suggest", "", "scan, then print a configuration that lets more of the data arrive"},
  };
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
