#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/command.h"

namespace liteferry::daemon {

// The list of commands with the common flags and exit codes; of one group only when `group` is not
// "".
std::string OverviewHelp(const std::vector<CommandSpec>& commands, std::string_view group);
// Everything one command needs to be told.
std::string CommandHelp(const CommandSpec& command);

}  // namespace liteferry::daemon
