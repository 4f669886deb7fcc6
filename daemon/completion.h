#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/command.h"

namespace liteferry::daemon {

// The completion script for bash, zsh or fish, made from the commands' specifications; "" for
// another shell.
std::string CompletionScript(std::string_view shell, const std::vector<CommandSpec>& commands);

}  // namespace liteferry::daemon
