#pragma once

#include <cstdint>

namespace liteferry {

// Notices that the changes which wait to be applied have outgrown changelog.max_size: once, and
// again whenever they have grown by half of it more, so that a person who goes on nevertheless is
// not stopped at once. What is over the limit when the daemon starts is no news either: most often
// it is being caught up. Pure; one thread.
class LogLimit {
 public:
  explicit LogLimit(std::int64_t bytes) : limit_(bytes) {}

  // The changes that wait take so many bytes now. Whether they have passed the limit.
  bool Passed(std::int64_t unapplied) noexcept {
    if (unapplied <= limit_) {
      next_ = limit_;
      return false;
    }
    const bool passed = next_ > 0 && unapplied > next_;
    if (next_ == 0 || passed) next_ = unapplied + limit_ / 2;
    return passed;
  }

 private:
  std::int64_t limit_;
  std::int64_t next_ = 0;  // 0: nothing was seen yet
};

}  // namespace liteferry
