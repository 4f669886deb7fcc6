#include "replication/log_limit.h"

#include <gtest/gtest.h>

namespace liteferry {
namespace {

TEST(LogLimitTest, IsPassedOnceAndAgainAfterHalfOfItMore) {
  LogLimit limit(100);
  EXPECT_FALSE(limit.Passed(100));
  EXPECT_TRUE(limit.Passed(101));
  EXPECT_FALSE(limit.Passed(102));
  EXPECT_FALSE(limit.Passed(151));
  EXPECT_TRUE(limit.Passed(152));
}

TEST(LogLimitTest, BelowItAllStartsAgain) {
  LogLimit limit(100);
  EXPECT_FALSE(limit.Passed(10));
  EXPECT_TRUE(limit.Passed(140));
  EXPECT_FALSE(limit.Passed(90));
  EXPECT_TRUE(limit.Passed(101));
}

TEST(LogLimitTest, WhatIsOverItAtTheStartIsNoNewsUntilItGrows) {
  LogLimit limit(100);
  EXPECT_FALSE(limit.Passed(500));
  EXPECT_FALSE(limit.Passed(550));
  EXPECT_TRUE(limit.Passed(551));
}

}  // namespace
}  // namespace liteferry
