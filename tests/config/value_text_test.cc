#include "config/value_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace liteferry::config {
namespace {

using std::chrono::milliseconds;

TEST(Duration, ReadsEveryUnitAndTheirSums) {
  EXPECT_EQ(ParseDuration("0"), milliseconds(0));
  EXPECT_EQ(ParseDuration("0s"), milliseconds(0));
  EXPECT_EQ(ParseDuration("200ms"), milliseconds(200));
  EXPECT_EQ(ParseDuration("5s"), milliseconds(5000));
  EXPECT_EQ(ParseDuration("1h30m"), milliseconds(5'400'000));
  EXPECT_EQ(ParseDuration("24h"), milliseconds(86'400'000));
  EXPECT_EQ(ParseDuration("7d"), milliseconds(604'800'000));
  EXPECT_EQ(ParseDuration("1d1h1m1s1ms"), milliseconds(90'061'001));
}

TEST(Duration, RefusesWhatIsNotOne) {
  for (const char* text : {"", "5", "s", "-5s", "+5s", "5 s", "5x", "5S", "1.5s", "5s5s", "1m1h",
                           "5s ", " 5s", "106751991168d", "99999999999999999999s", "0x5s", "5ss"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(Duration, PrintsTheUnitsThatPeopleWrite) {
  EXPECT_EQ(DurationText(milliseconds(0)), "0s");
  EXPECT_EQ(DurationText(milliseconds(200)), "200ms");
  EXPECT_EQ(DurationText(milliseconds(5000)), "5s");
  EXPECT_EQ(DurationText(milliseconds(86'400'000)), "24h");
  EXPECT_EQ(DurationText(milliseconds(604'800'000)), "7d");
  EXPECT_EQ(DurationText(milliseconds(5'400'000)), "1h30m");
}

TEST(Duration, IsReadBackAsPrinted) {
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 5000; ++i) {
    const milliseconds value(static_cast<std::int64_t>(random() >> (1 + random() % 62)));
    EXPECT_EQ(ParseDuration(DurationText(value)), value) << DurationText(value);
  }
}

TEST(Size, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(ParseSize("0"), 0);
  EXPECT_EQ(ParseSize("4096"), 4096);
  EXPECT_EQ(ParseSize("4096B"), 4096);
  EXPECT_EQ(ParseSize("512MiB"), std::int64_t{512} << 20);
  EXPECT_EQ(ParseSize("512Mi"), std::int64_t{512} << 20);
  EXPECT_EQ(ParseSize("1GB"), 1'000'000'000);
  EXPECT_EQ(ParseSize("8388607TiB"), std::int64_t{8388607} << 40);
}

TEST(Size, RefusesWhatIsNotOne) {
  for (const char* text : {"", "MiB", "-1", "1.5GiB", "512 MiB", "1mib", "1M", "8388608TiB",
                           "9223372036854775808", "1MiB1KiB"}) {
    EXPECT_EQ(ParseSize(text), std::nullopt) << text;
  }
}

TEST(Size, IsReadBackAsPrinted) {
  EXPECT_EQ(SizeText(std::int64_t{512} << 20), "512MiB");
  EXPECT_EQ(SizeText(1'000'000'000), "1GB");
  EXPECT_EQ(SizeText(4097), "4097");
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 5000; ++i) {
    const auto value =
        static_cast<std::int64_t>((random() >> (1 + random() % 62)) << (random() % 2 * 10)) &
        std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(ParseSize(SizeText(value)), value) << SizeText(value);
  }
}

TEST(Mode, IsOctalWithOrWithoutZero) {
  EXPECT_EQ(ParseMode("0600"), 0600U);
  EXPECT_EQ(ParseMode("600"), 0600U);
  EXPECT_EQ(ModeText(0660), "0660");
  for (const char* text : {"", "0680", "1777", "-600", "rw-------", "0x180", "0600 "}) {
    EXPECT_EQ(ParseMode(text), std::nullopt) << text;
  }
  for (std::uint32_t mode = 0; mode <= 0777; ++mode) EXPECT_EQ(ParseMode(ModeText(mode)), mode);
}

TEST(Bool, TakesTheUsualWordsOnly) {
  for (const char* text : {"true", "True", "yes", "ON", "1"})
    EXPECT_EQ(ParseBool(text), true) << text;
  for (const char* text : {"false", "no", "Off", "0"}) EXPECT_EQ(ParseBool(text), false) << text;
  for (const char* text : {"", "2", "t", "enabled"})
    EXPECT_EQ(ParseBool(text), std::nullopt) << text;
}

TEST(List, IsCutAtCommasAndTrimmed) {
  EXPECT_TRUE(SplitList("").empty());
  EXPECT_TRUE(SplitList("  ").empty());
  EXPECT_EQ(SplitList("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(SplitList(" a , b c,,d"), (std::vector<std::string>{"a", "b c", "", "d"}));
}

}  // namespace
}  // namespace liteferry::config
