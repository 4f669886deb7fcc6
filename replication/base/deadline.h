#pragma once

#include <algorithm>
#include <chrono>

namespace liteferry {

// A point in monotonic time after which a wait gives up. Cheap to copy; every wait takes one.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline In(Clock::duration from_now) { return Deadline(Clock::now() + from_now); }

  bool Passed() const { return Clock::now() >= at_; }
  // Never negative; rounded up.
  std::chrono::milliseconds Remaining() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }
  Clock::duration RemainingExactly() const {
    return std::max(at_ - Clock::now(), Clock::duration(0));
  }
  Deadline Earlier(Deadline other) const { return Deadline(std::min(at_, other.at_)); }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}

  Clock::time_point at_;
};

}  // namespace liteferry
