#include "daemon/history.h"

#include <gtest/gtest.h>

#include "daemon/status_json.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One engine whose lag is set by hand, looked at as the supervisor does.
class HistoryTest : public ::testing::Test {
 protected:
  void Look(std::optional<milliseconds> lag) {
    status_.state = State::kFollowing;
    status_.backlog_changes = lag ? 1 : 5;
    status_.oldest_unapplied_at.reset();
    if (lag) status_.oldest_unapplied_at = wall_ - *lag;
    history_.Observe(status_, Progress(), now_, wall_);
    now_ += seconds(1);
    wall_ += seconds(1);
  }

  History history_;
  EngineStatus status_;
  SteadyTime now_{};
  std::chrono::system_clock::time_point wall_ = At(1'800'000'000'000);
};

TEST_F(HistoryTest, KeepsTenMinutesAndNoMore) {
  for (int i = 0; i < 2000; ++i) Look(milliseconds(i));
  const auto samples = history_.Samples();
  ASSERT_EQ(samples.size(), History::kMost);
  EXPECT_EQ(samples.back().at - samples.front().at, History::kInterval * (History::kMost - 1));
}

TEST_F(HistoryTest, APeakBetweenTwoSamplesIsInTheSecond) {
  Look(milliseconds(100));
  Look(milliseconds(9000));
  Look(milliseconds(200));
  const auto samples = history_.Samples();
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_DOUBLE_EQ(*samples[0].lag_seconds, 0.1);
  EXPECT_DOUBLE_EQ(*samples[1].lag_seconds, 9.0);
}

TEST_F(HistoryTest, AnUnknownLagIsAGap) {
  Look(std::nullopt);
  const auto samples = history_.Samples();
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_FALSE(samples[0].lag_seconds.has_value());
}

TEST_F(HistoryTest, TheTimeOnlyGoesForwardWhenTheClockIsSetBack) {
  for (int i = 0; i < 20; ++i) Look(milliseconds(5));
  wall_ -= seconds(10);
  for (int i = 0; i < 20; ++i) Look(milliseconds(5));
  const auto samples = history_.Samples();
  for (std::size_t i = 1; i < samples.size(); ++i) EXPECT_LT(samples[i - 1].at, samples[i].at);
}

TEST_F(HistoryTest, TravelsAsRowsOfNumbers) {
  Look(milliseconds(100));
  StatusReport report = FollowingReport();
  EXPECT_EQ(StatusJson(report).find("\"history\""), std::string::npos);
  report.history = history_.Samples();
  EXPECT_NE(StatusJson(report).find("\"samples\":[[1800000000000,0.1,1,null,null,null]]"),
            std::string::npos)
      << StatusJson(report);
}

}  // namespace
}  // namespace liteferry::daemon
