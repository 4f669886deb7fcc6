#pragma once

#include <chrono>
#include <cstdint>

#include "replication/base/deadline.h"
#include "replication/session.h"

namespace liteferry {

// What the engine thread does beside applying: signs of life for the stream, and trimming the
// changelog behind the applied position. Bound to one session.
class Housekeeping {
 public:
  Housekeeping(EngineContext& context, Session& session);

  // Does what is due. `in_sync`: nothing is waiting to be applied. `last_change`: when the watcher
  // last saw the log grow. Returns how long it may be left alone. Never throws for a busy source;
  // faults of the target are thrown.
  std::chrono::milliseconds Run(bool in_sync, std::chrono::steady_clock::time_point last_change);

 private:
  using Clock = std::chrono::steady_clock;

  void Beat(bool in_sync);
  std::chrono::milliseconds Trim(Clock::time_point last_change);
  // Entries below this seq may go.
  std::int64_t TrimBound();

  EngineContext& context_;
  Session& session_;
  Clock::time_point last_beat_{};
  Clock::time_point last_trim_;
  Clock::time_point last_age_{};
  std::int64_t old_enough_ = 0;  // entries below this seq are older than changelog.retention
  std::int64_t times_limit_ = 0;
};

// Puts back held indexes, unique and exclusion constraints, one after the other; foreign keys and
// triggers stay aside until the end of the migration. What the data forbid stays held and is shown.
// False when interrupted.
bool ReleaseIndexes(EngineContext& context, Session& session);

}  // namespace liteferry
