#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace liteferry {

// How long the latest commits on the target took. Pure bookkeeping; one thread.
class CommitTimes {
 public:
  static constexpr std::size_t kKept = 512;

  void Add(double seconds) {
    if (seconds_.size() < kKept) {
      seconds_.push_back(seconds);
    } else {
      seconds_[next_] = seconds;
    }
    next_ = (next_ + 1) % kKept;
  }

  // The value that `share` (0 to 1) of them do not exceed; 0 before the first.
  double Quantile(double share) const {
    if (seconds_.empty()) return 0;
    std::vector<double> sorted = seconds_;
    const auto last = static_cast<double>(sorted.size() - 1);
    const auto rank = sorted.begin() + static_cast<std::ptrdiff_t>(share * last + 0.5);
    std::nth_element(sorted.begin(), rank, sorted.end());
    return *rank;
  }

 private:
  std::vector<double> seconds_;
  std::size_t next_ = 0;
};

}  // namespace liteferry
