#include "replication/lag_keeper.h"

#include <gtest/gtest.h>

namespace liteferry {
namespace {

source::Observation Seen(std::int64_t captured) {
  source::Observation seen;
  seen.source_up = true;
  seen.captured = captured;
  return seen;
}

target::StreamRow At(std::int64_t applied) {
  target::StreamRow stream;
  stream.applied_seq = applied;
  return stream;
}

double Lag(const LagKeeper& keeper, std::chrono::seconds later) {
  EngineStatus status;
  keeper.Fill(status);
  return status.LagSeconds(std::chrono::system_clock::now() + later);
}

TEST(LagKeeperTest, AnOlderNewestEntryIsNewsAndTheLagIsNotZero) {
  LagKeeper keeper;
  keeper.Observe(Seen(100));
  keeper.Position(At(100));
  EXPECT_FALSE(keeper.Observe(Seen(100)));
  EXPECT_EQ(Lag(keeper, std::chrono::seconds(5)), 0);
  EXPECT_TRUE(keeper.Observe(Seen(40)));
  EXPECT_GT(Lag(keeper, std::chrono::seconds(5)), 4);
  // The stream goes on from there, and what the other database had captured is no backlog.
  EXPECT_EQ(keeper.Position(At(40)), 0);
  EXPECT_EQ(Lag(keeper, std::chrono::seconds(5)), 0);
  EngineStatus status;
  status.captured = status.applied = 40;
  keeper.Fill(status);
  EXPECT_EQ(status.backlog_changes, 0);
}

TEST(LagKeeperTest, WhatTheEngineReadAheadOfTheWatcherIsNoStepBack) {
  LagKeeper keeper;
  keeper.Observe(Seen(100));
  keeper.Position(At(100));
  keeper.Applied(105);
  EXPECT_FALSE(keeper.Observe(Seen(100)));
  EXPECT_EQ(Lag(keeper, std::chrono::seconds(5)), 0);
}

TEST(LagKeeperTest, ABatchThatEndsAfterTheSourceWentBackIsNoBacklogOfTheNewOne) {
  LagKeeper keeper;
  keeper.Observe(Seen(100));
  keeper.Position(At(90));
  keeper.Observe(Seen(40));
  keeper.Applied(100);
  keeper.Position(At(40));
  EXPECT_EQ(Lag(keeper, std::chrono::seconds(5)), 0);
}

TEST(LagKeeperTest, ASourceThatWentBackIsSeenAfterTheEngineHasAcceptedIt) {
  LagKeeper keeper;
  keeper.Observe(Seen(100));
  keeper.Position(At(100));
  EXPECT_EQ(keeper.Position(At(40)), 60);
  EXPECT_TRUE(keeper.Observe(Seen(40)));
  EXPECT_EQ(Lag(keeper, std::chrono::seconds(5)), 0);
}

TEST(LagKeeperTest, TheLagGrowsWhileHaltedAndNotAfter) {
  LagKeeper keeper;
  keeper.Observe(Seen(7));
  keeper.Position(At(7));
  keeper.Halted();
  EXPECT_FALSE(keeper.in_sync());
  EXPECT_GT(Lag(keeper, std::chrono::seconds(86400)), 86000);
  keeper.Settled(true, At(7));
  EXPECT_TRUE(keeper.in_sync());
  EXPECT_EQ(Lag(keeper, std::chrono::seconds(86400)), 0);
}

}  // namespace
}  // namespace liteferry
