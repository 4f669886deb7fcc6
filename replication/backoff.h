#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace liteferry {

// Growing, jittered delays between tries: 0.25 s doubling to 30 s, each drawn from the upper half
// of its span, so that several daemons do not come back in step. Pure but for its generator; one
// thread.
class Backoff {
 public:
  explicit Backoff(std::uint32_t seed) : random_(seed) {}

  // The delay before the next try.
  std::chrono::milliseconds Next() {
    ++attempt_;
    const int doublings = std::min(attempt_ - 1, 7);
    const auto span = std::min<std::int64_t>(kFirst << doublings, kMost);
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(span / 2, span)(random_));
  }
  void Reset() { attempt_ = 0; }
  int attempt() const { return attempt_; }

 private:
  static constexpr std::int64_t kFirst = 250;
  static constexpr std::int64_t kMost = 30'000;

  int attempt_ = 0;
  std::minstd_rand random_;
};

}  // namespace liteferry
