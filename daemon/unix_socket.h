#pragma once

#include <cstdint>
#include <string>

#include "replication/base/deadline.h"
#include "replication/base/signal_event.h"
#include "replication/base/unique_fd.h"

namespace liteferry::daemon {

// Connects to the unix socket at `path`. An invalid descriptor when nobody listens there (no file,
// or one that a daemon which is gone left behind). Throws Error when the path is too long (78),
// access is denied (77), or the deadline passes (75). The descriptor is non-blocking.
UniqueFd ConnectUnix(const std::string& path, Deadline deadline, const SignalEvent& stop);

// A listening unix socket at `path` with permissions `mode`, which nobody can connect to before
// they are set. A file that a dead daemon left is replaced. Throws Error: 75 when a live one
// listens there (its pid is in the message), 78 when the path is too long or is another kind of
// file, 77 or 74 when the socket cannot be made. The descriptor is non-blocking.
UniqueFd ListenUnix(const std::string& path, std::uint32_t mode, Deadline deadline,
                    const SignalEvent& stop);

}  // namespace liteferry::daemon
