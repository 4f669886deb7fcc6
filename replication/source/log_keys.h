#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "replication/base/deadline.h"
#include "replication/base/signal_event.h"
#include "replication/base/value.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry::source {

// Logs `keys` of table `table_no` as if their rows had changed, so that the ordinary apply path
// brings them right: the one mechanism for repair, resync and drift (P1). Short write transactions
// of at most 1000 keys (about a millisecond of the write lock each); gives up at once when the
// application holds the lock and tries again until `deadline` (P4). `database` must be writable and
// outside a transaction.
//
// Throws Error (retry) when the deadline passes or `stop` is set: the keys logged until then are
// logged, and logging all of them again does no harm.
void LogKeys(Database& database, int table_no, const std::vector<PackedKey>& keys,
             const SignalEvent& stop, Deadline deadline);

}  // namespace liteferry::source
