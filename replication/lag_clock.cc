#include "replication/lag_clock.h"

#include <algorithm>

namespace liteferry {
namespace {

constexpr std::size_t kMaxSamples = 4096;

}  // namespace

void LagClock::Observe(std::int64_t captured, Time now) {
  if (captured <= captured_) return;
  captured_ = captured;
  if (captured <= applied_) return;
  // A clock that was set back must not make a later change look older than an earlier one.
  if (!samples_.empty()) now = std::max(now, samples_.back().at);
  samples_.push_back({captured, now});
  if (samples_.size() <= kMaxSamples) return;
  // Halve the resolution: of two neighbours the later seq is kept with the earlier time.
  std::deque<Sample> merged;
  for (std::size_t i = 0; i + 1 < samples_.size(); i += 2) {
    merged.push_back({samples_[i + 1].seq, samples_[i].at});
  }
  if (samples_.size() % 2 == 1) merged.push_back(samples_.back());
  samples_.swap(merged);
}

void LagClock::Applied(std::int64_t applied) {
  applied_ = std::max(applied_, applied);
  captured_ = std::max(captured_, applied_);
  while (!samples_.empty() && samples_.front().seq <= applied_) samples_.pop_front();
}

void LagClock::Reset(std::int64_t applied, std::int64_t captured, Time since) {
  samples_.clear();
  applied_ = applied;
  captured_ = std::max(captured, applied);
  if (captured_ > applied_) samples_.push_back({captured_, since});
}

std::optional<LagClock::Time> LagClock::OldestUnapplied() const {
  if (samples_.empty()) return std::nullopt;
  return samples_.front().at;
}

}  // namespace liteferry
