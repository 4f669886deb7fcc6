#include "config/print.h"
#include "daemon/commands/commands.h"

namespace liteferry::daemon {
namespace {

ExitCode Print(const Invocation& invocation, Console& console) {
  const config::LoadResult load = LoadConfiguration(invocation, config::Purpose::kNothing);
  config::PrintEffective(load.settings, load.origins, console.out);
  return ExitCode::kOk;
}

ExitCode Reference(const Invocation&, Console& console) {
  config::PrintReference(console.out);
  return ExitCode::kOk;
}

ExitCode Sample(const Invocation&, Console& console) {
  config::PrintSample(console.out);
  return ExitCode::kOk;
}

}  // namespace

CommandSpec ConfigPrintSpec() {
  CommandSpec spec;
  spec.name = "config print";
  spec.summary = "the configuration in force, with where each value came from";
  spec.details =
      "As YAML. Secrets are replaced by ***. All problems are listed, with exit code 78.";
  spec.example = "liteferry config print -c liteferry.yaml";
  spec.run = Print;
  return spec;
}

CommandSpec ConfigReferenceSpec() {
  CommandSpec spec;
  spec.name = "config reference";
  spec.summary = "every key: meaning, unit, range, default (Markdown)";
  spec.example = "liteferry config reference | less";
  spec.run = Reference;
  return spec;
}

CommandSpec ConfigSampleSpec() {
  CommandSpec spec;
  spec.name = "config sample";
  spec.summary = "a configuration file with every key commented out";
  spec.example = "liteferry config sample > liteferry.yaml";
  spec.run = Sample;
  return spec;
}

}  // namespace liteferry::daemon
