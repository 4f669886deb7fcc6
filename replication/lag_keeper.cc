#include "replication/lag_keeper.h"

#include <algorithm>

namespace liteferry {

using std::chrono::system_clock;

LagKeeper::Time LastInSync(const target::StreamRow& stream) {
  const auto now = system_clock::now();
  if (stream.in_sync_at_ms <= 0) return now;
  return std::min(LagKeeper::Time(std::chrono::milliseconds(stream.in_sync_at_ms)), now);
}

bool LagKeeper::Observe(const source::Observation& observation) {
  const std::lock_guard lock(mutex_);
  const bool grown = observation.captured > clock_.captured();
  if (grown) last_change_ = SteadyClock::now();
  if (!observation.source_up) return true;
  // The newest entry is never deleted; an older one in its place is another database, restored into
  // the same file, of which nothing is known. (The clock may be ahead of what was observed, by what
  // the engine has read itself.)
  const bool went_back = observation.captured < observed_;
  observed_ = observation.captured;
  if (went_back && positioned_ && clock_.applied() <= observation.captured) {
    // The engine has seen it before us, and stands where the other one has entries.
    clock_.Reset(clock_.applied(), observation.captured, system_clock::now());
  } else if (went_back) {
    clock_ = LagClock();
    positioned_ = false;
  }
  clock_.Observe(observation.captured, system_clock::now());
  const bool other = observation.schema_version != schema_version_ ||
                     observation.triggers != triggers_ || observation.file != file_;
  schema_version_ = observation.schema_version;
  triggers_ = observation.triggers;
  file_ = observation.file;
  return grown || other || went_back;
}

std::int64_t LagKeeper::Position(const target::StreamRow& stream) {
  const std::lock_guard lock(mutex_);
  position_read_ = true;
  const std::int64_t before = clock_.applied();
  const bool rewound = positioned_ && before > stream.applied_seq;
  if (!positioned_ || rewound) {
    // Not as far as the clock: that counts what was applied of a source that has gone back since.
    clock_.Reset(stream.applied_seq, observed_, LastInSync(stream));
    positioned_ = true;
  } else {
    clock_.Applied(stream.applied_seq);
  }
  return rewound ? before - stream.applied_seq : 0;
}

std::optional<LagKeeper::Time> LagKeeper::Applied(std::int64_t to) {
  const std::lock_guard lock(mutex_);
  const auto oldest = clock_.OldestUnapplied();
  clock_.Applied(to);
  return oldest;
}

void LagKeeper::Settled(bool settled, const target::StreamRow& stream) {
  const std::lock_guard lock(mutex_);
  if (settled) {
    unsettled_since_.reset();
  } else if (!unsettled_since_) {
    unsettled_since_ = LastInSync(stream);
  }
}

void LagKeeper::Halted() {
  const std::lock_guard lock(mutex_);
  if (!unsettled_since_) unsettled_since_ = system_clock::now();
}

bool LagKeeper::in_sync() const {
  const std::lock_guard lock(mutex_);
  return !clock_.OldestUnapplied() && !unsettled_since_;
}

LagKeeper::SteadyClock::time_point LagKeeper::last_change() const {
  const std::lock_guard lock(mutex_);
  return last_change_;
}

void LagKeeper::Fill(EngineStatus& status) const {
  const std::lock_guard lock(mutex_);
  status.captured = std::max(clock_.captured(), status.captured);
  status.position_known = position_read_;
  status.oldest_unapplied_at = position_read_ ? clock_.OldestUnapplied() : std::nullopt;
  if (unsettled_since_ &&
      (!status.oldest_unapplied_at || *unsettled_since_ < *status.oldest_unapplied_at)) {
    status.oldest_unapplied_at = unsettled_since_;
  }
  status.backlog_changes =
      position_read_ ? std::max<std::int64_t>(status.captured - status.applied, 0) : 0;
}

}  // namespace liteferry
