#include "replication/commit_times.h"

#include <gtest/gtest.h>

namespace liteferry {
namespace {

TEST(CommitTimes, KnowsNoneBeforeTheFirst) { EXPECT_EQ(CommitTimes().Quantile(0.99), 0); }

TEST(CommitTimes, TellsWhatMostDoNotExceed) {
  CommitTimes times;
  for (int i = 100; i >= 1; --i) times.Add(i);
  EXPECT_EQ(times.Quantile(0), 1);
  EXPECT_EQ(times.Quantile(0.5), 51);
  EXPECT_EQ(times.Quantile(0.99), 99);
  EXPECT_EQ(times.Quantile(1), 100);
}

TEST(CommitTimes, ForgetsTheOldest) {
  CommitTimes times;
  times.Add(1000);
  for (std::size_t i = 0; i < CommitTimes::kKept; ++i) times.Add(1);
  EXPECT_EQ(times.Quantile(1), 1);
}

}  // namespace
}  // namespace liteferry
