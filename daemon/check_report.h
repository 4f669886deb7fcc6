#pragma once

#include <string>

#include "replication/check.h"

namespace liteferry::daemon {

// What `check` prints: several lines, each ended by a line feed.
std::string CheckReportText(const CheckReport& report);
// The same as one line of JSON.
std::string CheckReportJson(const CheckReport& report);

}  // namespace liteferry::daemon
