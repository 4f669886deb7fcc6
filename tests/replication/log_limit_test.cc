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

TEST(LogLimitTest, TellsOnceThatTheDiskIsAboutToBeFullOfThem) {
  LogLimit limit(100);
  EXPECT_FALSE(limit.FillsDisk(10, 50)) << "not of them";
  EXPECT_FALSE(limit.FillsDisk(500, 100));
  EXPECT_TRUE(limit.FillsDisk(501, 99));
  EXPECT_FALSE(limit.FillsDisk(502, 10));
  EXPECT_FALSE(limit.FillsDisk(50, 10));
  EXPECT_TRUE(limit.FillsDisk(101, 10));
  LogLimit started_so(100);
  EXPECT_FALSE(started_so.FillsDisk(500, 10));
}

}  // namespace
}  // namespace liteferry
