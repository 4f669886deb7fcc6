#include "daemon/progress.h"

#include <gtest/gtest.h>

#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SteadyTime Steady(double s) {
  return SteadyTime(milliseconds(static_cast<std::int64_t>(s * 1000)));
}

EngineStatus Copying(std::int64_t done, std::int64_t expected) {
  EngineStatus status;
  status.state = State::kCopying;
  status.tables = {{"a", expected, done, 0, 0, true, false, ""}};
  return status;
}

EngineStatus CatchingUp(std::int64_t from, std::int64_t applied, std::int64_t captured) {
  EngineStatus status;
  status.state = State::kCatchingUp;
  status.catch_up_from = from;
  status.applied = applied;
  status.captured = captured;
  status.backlog_changes = captured - applied;
  return status;
}

TEST(RateWindowTest, ConstantSpeedIsFoundAtAnySampling) {
  std::mt19937 random(TestSeed());
  for (int round = 0; round < 100; ++round) {
    RateWindow window{seconds(30)};
    double time = 0;
    for (int i = 0; i < 500; ++i) {
      time += static_cast<double>(1 + random() % 3000) / 1000;
      window.Add(Steady(time), static_cast<std::int64_t>(time * 1000));
    }
    ASSERT_NEAR(window.PerSecond().value(), 1000, 2);
  }
}

TEST(RateWindowTest, ForgetsWhatIsOlderThanTheWindow) {
  RateWindow window{seconds(10)};
  for (int i = 0; i <= 100; ++i) window.Add(Steady(i), i * 50);
  for (int i = 101; i <= 130; ++i) window.Add(Steady(i), 5000);
  EXPECT_EQ(window.PerSecond(), 0);
}

TEST(RateWindowTest, SaysNothingOfLessThanASecond) {
  RateWindow window{seconds(10)};
  EXPECT_FALSE(window.PerSecond());
  window.Add(Steady(0), 0);
  window.Add(Steady(0.9), 100);
  EXPECT_FALSE(window.PerSecond());
  window.Add(Steady(2), 200);
  EXPECT_EQ(window.PerSecond(), 100);
}

TEST(RateWindowTest, ALowerTotalBeginsAnewAndIsNeverNegative) {
  RateWindow window{seconds(30)};
  for (int i = 0; i < 10; ++i) window.Add(Steady(i), 1000 + i);
  window.Add(Steady(10), 5);
  EXPECT_FALSE(window.PerSecond());
  window.Add(Steady(12), 25);
  EXPECT_EQ(window.PerSecond(), 10);
}

TEST(ProgressMeterTest, EtaOfASteadyCopyComesTrue) {
  ProgressMeter meter;
  constexpr std::int64_t kRows = 100'000;
  for (int s = 0; s < 100; ++s) {
    const Progress& progress = meter.Observe(Copying(s * 1000, kRows), Steady(s));
    ASSERT_EQ(progress.kind, Progress::Kind::kCopy);
    EXPECT_DOUBLE_EQ(*progress.fraction, s / 100.0);
    if (s >= 2) {
      EXPECT_EQ(progress.eta, seconds(100 - s)) << s;
    }
  }
}

TEST(ProgressMeterTest, NoEtaBelowOnePercentOrWithoutSpeed) {
  ProgressMeter meter;
  meter.Observe(Copying(0, 1'000'000), Steady(0));
  EXPECT_FALSE(meter.Observe(Copying(9'000, 1'000'000), Steady(5)).eta);
  EXPECT_TRUE(meter.Observe(Copying(11'000, 1'000'000), Steady(6)).eta);
  ProgressMeter stuck;
  stuck.Observe(Copying(500, 1000), Steady(0));
  EXPECT_FALSE(stuck.Observe(Copying(500, 1000), Steady(60)).eta);
}

// Whatever the estimates and totals do: the fraction stays within [0, 1), the ETA is never
// negative.
TEST(ProgressMeterTest, StaysWithinItsBounds) {
  std::mt19937 random(TestSeed());
  ProgressMeter meter;
  double time = 0;
  for (int i = 0; i < 5000; ++i) {
    time += static_cast<double>(random() % 5000) / 1000;
    const auto number = [&] { return static_cast<std::int64_t>(random() % 10'000); };
    const EngineStatus status =
        random() % 2 == 0 ? Copying(number(), number()) : CatchingUp(number(), number(), number());
    const Progress& progress = meter.Observe(status, Steady(time));
    ASSERT_TRUE(progress.fraction);
    ASSERT_GE(*progress.fraction, 0);
    ASSERT_LT(*progress.fraction, 1);
    ASSERT_GE(progress.total, progress.done);
    if (progress.eta) {
      ASSERT_GE(progress.eta->count(), 0);
      ASSERT_GE(*progress.fraction, 0.01);
    }
    ASSERT_GE(progress.applied_per_second.value_or(0), 0);
  }
}

TEST(ProgressMeterTest, CatchUpCountsWhatIsStillComingIn) {
  ProgressMeter meter;
  meter.Observe(CatchingUp(0, 0, 1000), Steady(0));
  const Progress& progress = meter.Observe(CatchingUp(0, 600, 1200), Steady(10));
  EXPECT_EQ(progress.kind, Progress::Kind::kCatchUp);
  EXPECT_EQ(progress.eta, seconds(15));  // 600 left at 60 - 20 per second
  ProgressMeter behind;
  behind.Observe(CatchingUp(0, 100, 1000), Steady(0));
  EXPECT_FALSE(behind.Observe(CatchingUp(0, 200, 3000), Steady(10)).eta);
}

TEST(ProgressMeterTest, TheFirstPositionIsNoSpeed) {
  ProgressMeter meter;
  EngineStatus status;
  meter.Observe(status, Steady(0));
  status.state = State::kFollowing;
  status.captured = status.applied = 1'000'000;
  meter.Observe(status, Steady(2));
  EXPECT_EQ(meter.Observe(status, Steady(4)).applied_per_second, 0);
}

TEST(ProgressMeterTest, FinishedTablesCountWhatTheyHad) {
  EngineStatus status = Copying(50, 100);
  status.tables.push_back({"empty after all", 1'000'000, 0, 0, 0, true, true, ""});
  ProgressMeter meter;
  EXPECT_EQ(meter.Observe(status, Steady(0)).total, 100);
}

int LinesIn(ProgressCadence& cadence, EngineStatus status, int from, int to, bool moving) {
  int lines = 0;
  for (int s = from; s < to; ++s) {
    if (moving) ++status.applied;
    if (cadence.Due(status, Steady(s))) ++lines;
  }
  return lines;
}

TEST(ProgressCadenceTest, SlowsDownWithTheAgeOfTheProcess) {
  ProgressCadence cadence(Steady(0));
  const EngineStatus status = Copying(0, 10);
  EXPECT_EQ(LinesIn(cadence, status, 0, 60, true), 60);
  EXPECT_EQ(LinesIn(cadence, status, 60, 180, true), 24);
  EXPECT_NEAR(LinesIn(cadence, status, 180, 1080, true), 30, 1);
}

TEST(ProgressCadenceTest, AnIdleDaemonLogsOnceInTenMinutes) {
  ProgressCadence cadence(Steady(0));
  EngineStatus status;
  status.state = State::kFollowing;
  EXPECT_TRUE(cadence.Due(status, Steady(1)));
  EXPECT_EQ(LinesIn(cadence, status, 2, 6002, false), 10);
}

TEST(ProgressCadenceTest, AChangedStateIsToldAtOnce) {
  ProgressCadence cadence(Steady(0));
  EngineStatus status;
  status.state = State::kFollowing;
  EXPECT_TRUE(cadence.Due(status, Steady(1000)));
  EXPECT_FALSE(cadence.Due(status, Steady(1001)));
  status.state = State::kRetrying;
  EXPECT_TRUE(cadence.Due(status, Steady(1001)));
  status.reason = "server closed the connection";
  EXPECT_TRUE(cadence.Due(status, Steady(1002)));
  EXPECT_FALSE(cadence.Due(status, Steady(1003)));
}

TEST(ProgressTextTest, CopyShowsCountsSpeedAndEta) {
  EngineStatus status = Copying(1'290'000, 2'110'000);
  status.tables.push_back({"b", 0, 0, 0, 0, true, true, ""});
  Progress progress;
  progress.kind = Progress::Kind::kCopy;
  progress.done = 1'290'000;
  progress.total = 2'110'000;
  progress.fraction = 0.6114;
  progress.rows_per_second = 48'123;
  progress.eta = seconds(17);
  EXPECT_EQ(DescribeProgress(status, progress, At(0)),
            "copying 61.1%  1/2 tables  1.29M/2.11M rows  48.1k rows/s  ETA 17.0 s");
}

TEST(ProgressTextTest, UnknownLagIsNotToldAsZero) {
  EngineStatus status;
  status.state = State::kRetrying;
  status.backlog_changes = 5;
  EXPECT_NE(DescribeProgress(status, {}, At(0)).find("lag unknown  backlog 5"), std::string::npos);
  EXPECT_EQ(ProgressFields(status, {}, At(0)).find("lag_seconds"), std::string::npos);
  status.backlog_changes = 0;
  EXPECT_NE(ProgressFields(status, {}, At(0)).find("lag_seconds=0.000"), std::string::npos);
}

TEST(ProgressTextTest, ShortNumbers) {
  EXPECT_EQ(ShortNumber(37), "37");
  EXPECT_EQ(ShortNumber(1'000), "1.00k");
  EXPECT_EQ(ShortNumber(48'123), "48.1k");
  EXPECT_EQ(ShortNumber(1'290'000), "1.29M");
  EXPECT_EQ(ShortNumber(412e9), "412G");
}

}  // namespace
}  // namespace liteferry::daemon
