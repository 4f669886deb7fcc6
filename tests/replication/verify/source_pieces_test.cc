#include "replication/verify/source_pieces.h"

#include <gtest/gtest.h>

namespace liteferry::verify {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

void WorkFor(milliseconds time) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
  }
}

// Only from below: whatever else the machine does makes it longer.
TEST(PaceTest, AQuarterOfTheTimeIsWork) {
  SignalEvent stop;
  Pace pace(0.25, stop);
  const auto begin = Clock::now();
  for (int i = 0; i < 3; ++i) {
    WorkFor(milliseconds(10));
    pace.Rest();
  }
  EXPECT_GE(Clock::now() - begin, milliseconds(3 * (10 + 29)));
}

TEST(PaceTest, ASignalEndsTheRest) {
  SignalEvent stop;
  stop.Set();
  Pace pace(0.0001, stop);
  const auto begin = Clock::now();
  WorkFor(milliseconds(10));
  pace.Rest();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(60)) << "of some 100 that it would be";
}

}  // namespace
}  // namespace liteferry::verify
