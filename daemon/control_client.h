#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "replication/base/deadline.h"
#include "replication/base/signal_event.h"

namespace liteferry::daemon {

// Asks the daemon at `socket_path` and waits for its answer. Returns the JSON of the result, or
// nothing when no daemon listens there. Throws Error: what the daemon answered, or 75 when it does
// not answer within the deadline.
std::optional<std::string> AskDaemon(const std::string& socket_path, std::string_view command,
                                     Deadline deadline, const SignalEvent& stop);

// The same; throws Error (75) with a hint when no daemon listens.
std::string AskRunningDaemon(const std::string& socket_path, std::string_view command,
                             Deadline deadline, const SignalEvent& stop);

}  // namespace liteferry::daemon
