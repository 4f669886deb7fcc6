#pragma once

#include <string>

#include "daemon/status_report.h"

namespace liteferry::daemon {

// The status for a terminal, several lines, each ended by a line feed. Colours only when asked for.
std::string StatusText(const StatusReport& report, bool color);

}  // namespace liteferry::daemon
