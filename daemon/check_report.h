#pragma once

#include <cstddef>
#include <string>

#include "replication/check.h"

namespace liteferry::daemon {

// What `check` prints: several lines, each ended by a line feed, broken before `width` columns
// where that is not 0.
std::string CheckReportText(const CheckReport& report, std::size_t width = 0);
// The same as one line of JSON; docs/CHECK.md describes it.
std::string CheckReportJson(const CheckReport& report);

}  // namespace liteferry::daemon
