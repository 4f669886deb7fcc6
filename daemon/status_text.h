#pragma once

#include <cstddef>
#include <limits>
#include <string>

#include "daemon/status_report.h"
#include "daemon/terminal.h"

namespace liteferry::daemon {

// How much of the lists is shown; of what is left off, the number is.
struct StatusLimits {
  std::size_t tables = std::numeric_limits<std::size_t>::max();  // the most important ones
  std::size_t problems = std::numeric_limits<std::size_t>::max();
};

// The status for a terminal, several lines, each ended by a line feed. Colours only when asked for.
std::string StatusText(const StatusReport& report, bool color, const StatusLimits& limits = {});

// The same on a screen of that size, the line of the cursor included: where it does not fit, tables
// and problems are left off, and at last what is below. Lines that wrap count as what they take.
std::string StatusScreen(const StatusReport& report, bool color, TerminalSize size);

}  // namespace liteferry::daemon
