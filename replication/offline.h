#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/base/signal_event.h"
#include "replication/status.h"

namespace liteferry {

// Where it stands, read from both databases without the daemon. State is what the stream row says,
// with `reason` "no daemon is running"; an unreachable side leaves its part empty and says so in
// `notes`.
EngineStatus ReadOfflineStatus(const config::Settings& settings, const SignalEvent& stop);

// The newest position in the changelog, read from the source itself: the watcher of a daemon sees a
// commit a moment after it was made. Nothing when capture is not installed; throws Error when the
// source cannot be read.
std::optional<std::int64_t> ReadNewestChange(const config::Settings& settings);

struct CleanupReport {
  std::vector<std::string> done;      // one line per thing removed or put back
  std::vector<std::string> problems;  // constraints that the data forbid to put back
};

// Removes every trace: puts back what is held, drops hidden columns and the state schema on
// PostgreSQL, triggers and tables on SQLite. Idempotent. With problems nothing of the state is
// dropped, so that it can be run again, unless `not_valid`: then foreign keys that the data violate
// are put back NOT VALID. Throws Error when a side cannot be reached.
CleanupReport RunCleanup(const config::Settings& settings, bool not_valid, const SignalEvent& stop);

}  // namespace liteferry
