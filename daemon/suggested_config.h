#pragma once

#include <string>

#include "replication/check.h"

namespace liteferry::daemon {

// A configuration file with all that is not the default and not secret, and the reason for what was
// suggested. Offers that have a price, and all that is no setting, stand in it as comments; taking
// away their "# " makes them settings. It always parses. `report` is one with a suggestion.
std::string SuggestedConfigYaml(const CheckReport& report);

}  // namespace liteferry::daemon
