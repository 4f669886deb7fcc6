#include "replication/lag_clock.h"

#include <gtest/gtest.h>

#include <random>

namespace liteferry {
namespace {

using std::chrono::seconds;
using Time = LagClock::Time;

Time At(int second) { return Time(seconds(second)); }

TEST(LagClockTest, HasNoLagWhileNothingWaits) {
  LagClock clock;
  EXPECT_FALSE(clock.OldestUnapplied());
  clock.Observe(5, At(1));
  clock.Applied(5);
  EXPECT_FALSE(clock.OldestUnapplied());
}

TEST(LagClockTest, TellsWhenTheOldestWaitingChangeWasFirstSeen) {
  LagClock clock;
  clock.Observe(3, At(10));
  clock.Observe(7, At(20));
  EXPECT_EQ(clock.OldestUnapplied(), At(10));
  clock.Applied(2);
  EXPECT_EQ(clock.OldestUnapplied(), At(10)) << "change 3 still waits";
  clock.Applied(3);
  EXPECT_EQ(clock.OldestUnapplied(), At(20));
  clock.Applied(7);
  EXPECT_FALSE(clock.OldestUnapplied());
}

TEST(LagClockTest, GrowsWhileTheTargetIsDown) {
  LagClock clock;
  clock.Observe(1, At(10));
  for (int second = 11; second < 100; ++second) clock.Observe(second, At(second));
  EXPECT_EQ(clock.OldestUnapplied(), At(10));
}

TEST(LagClockTest, DatesWhatItNeverSawByTheLastTimeOfBeingInSync) {
  LagClock clock;
  clock.Reset(10, 50, At(1000));
  EXPECT_EQ(clock.OldestUnapplied(), At(1000));
  clock.Applied(50);
  EXPECT_FALSE(clock.OldestUnapplied());
}

TEST(LagClockTest, KeepsOrderWhenTheClockIsSetBack) {
  LagClock clock;
  clock.Observe(1, At(100));
  clock.Observe(2, At(50));
  clock.Applied(1);
  EXPECT_EQ(clock.OldestUnapplied(), At(100));
}

// Under a flood samples are merged: the lag may be told too large, never too small.
TEST(LagClockTest, NeverTellsTheLagTooSmall) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  LagClock clock;
  std::vector<Time> first_seen(1);
  std::int64_t captured = 0;
  std::int64_t applied = 0;
  for (int second = 1; second < 30'000; ++second) {
    const std::int64_t more = static_cast<std::int64_t>(random() % 4);
    captured += more;
    for (std::int64_t i = 0; i < more; ++i) first_seen.push_back(At(second));
    clock.Observe(captured, At(second));
    if (random() % 100 == 0) applied += (captured - applied) / 3;
    clock.Applied(applied);
    const auto oldest = clock.OldestUnapplied();
    ASSERT_EQ(oldest.has_value(), captured > applied);
    if (oldest) {
      ASSERT_LE(*oldest, first_seen[static_cast<std::size_t>(applied + 1)]);
    }
  }
}

}  // namespace
}  // namespace liteferry
