#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace liteferry {

// When each change was first seen in the changelog, which carries no clock itself (a clock in the
// trigger would nearly double its cost): from it comes the true lag (P8). Bounded: under a flood
// neighbouring observations are merged towards the older time, so lag is never told too small. Pure
// bookkeeping; one thread, or under the caller's lock.
class LagClock {
 public:
  using Time = std::chrono::system_clock::time_point;

  // The newest seq was `captured` at `now`. Never goes back.
  void Observe(std::int64_t captured, Time now);
  // All up to `applied` is on the target.
  void Applied(std::int64_t applied);
  // The position moved to `applied`, perhaps backwards (a rewind, a new stream); what is newer and
  // was never observed is said to be as old as `since`.
  void Reset(std::int64_t applied, std::int64_t captured, Time since);

  std::int64_t captured() const { return captured_; }
  std::int64_t applied() const { return applied_; }
  // When the oldest change that is not applied was first seen; nothing when there is none.
  std::optional<Time> OldestUnapplied() const;

 private:
  struct Sample {
    std::int64_t seq;  // everything up to here had been captured at `at`
    Time at;
  };

  std::deque<Sample> samples_;
  std::int64_t captured_ = 0;
  std::int64_t applied_ = 0;
};

}  // namespace liteferry
