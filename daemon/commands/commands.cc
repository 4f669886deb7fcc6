#include "daemon/commands/commands.h"

namespace liteferry::daemon {

const std::vector<CommandSpec>& Commands() {
  static const std::vector<CommandSpec> commands = {
      RunSpec(),          CheckSpec(),       SchemaSpec(),       StatusSpec(),
      WaitSpec(),         VerifySpec(),      PauseSpec(),        ResumeSpec(),
      ResyncSpec(),       CutoverPlanSpec(), CutoverStartSpec(), CutoverAbortSpec(),
      CutoverGateSpec(),  CleanupSpec(),     ConfigPrintSpec(),  ConfigReferenceSpec(),
      ConfigSampleSpec(), VersionSpec(),     CompletionSpec()};
  return commands;
}

}  // namespace liteferry::daemon
