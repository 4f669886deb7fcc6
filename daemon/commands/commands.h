#pragma once

#include <vector>

#include "daemon/command.h"

namespace liteferry::daemon {

// Every command, in the order of the help.
const std::vector<CommandSpec>& Commands();

// One per file of this folder.
CommandSpec RunSpec();
CommandSpec CheckSpec();
CommandSpec SchemaSpec();
CommandSpec StatusSpec();
CommandSpec WaitSpec();
CommandSpec VerifySpec();
CommandSpec PauseSpec();
CommandSpec ResumeSpec();
CommandSpec ResyncSpec();
CommandSpec CutoverPlanSpec();
CommandSpec CutoverStartSpec();
CommandSpec CutoverAbortSpec();
CommandSpec CutoverGateSpec();
CommandSpec CleanupSpec();
CommandSpec ConfigPrintSpec();
CommandSpec ConfigReferenceSpec();
CommandSpec ConfigSampleSpec();
CommandSpec VersionSpec();
CommandSpec CompletionSpec();

}  // namespace liteferry::daemon
