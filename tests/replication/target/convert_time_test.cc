#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "replication/base/text.h"
#include "replication/target/convert.h"

namespace liteferry::target {
namespace {

using namespace std::string_literals;

constexpr const char* kRefused = "<refused>";

TargetType Type(TypeKind kind, const char* name, std::int32_t typmod = -1) {
  TargetType type;
  type.kind = kind;
  type.name = type.base_name = name;
  type.typmod = typmod;
  return type;
}

const TargetType kDate = Type(TypeKind::kDate, "date");
const TargetType kTime = Type(TypeKind::kTime, "time without time zone");
const TargetType kTimestamp = Type(TypeKind::kTimestamp, "timestamp without time zone");
const TargetType kTimestampTz = Type(TypeKind::kTimestampTz, "timestamp with time zone");
const TargetType kTimestamp0 = Type(TypeKind::kTimestamp, "timestamp(0)", 0);
const TargetType kTimestamp3 = Type(TypeKind::kTimestamp, "timestamp(3)", 3);
const TargetType kTime3 = Type(TypeKind::kTime, "time(3)", 3);

std::string Text(const Value& value, const TargetType& type, Epoch epoch = Epoch::kNone) {
  std::string out;
  bool is_null = false;
  const ConvertOptions options{OnInvalid::kReject, epoch};
  return ConvertText(value, type, options, out, is_null) ? kRefused : out;
}

std::string Text(const char* text, const TargetType& type) { return Text(Value::Text(text), type); }

std::string Hex(const char* text, const TargetType& type) {
  std::string out;
  bool is_null = false;
  if (ConvertBinary(Value::Text(text), type, {}, out, is_null)) return kRefused;
  return ToHex(out);
}

std::string Reason(const char* text, const TargetType& type) {
  std::string out;
  bool is_null = false;
  const auto error = ConvertBinary(Value::Text(text), type, {}, out, is_null);
  return error ? error->reason : "";
}

TEST(ConvertTimeTest, CountsFromTheYear2000) {
  EXPECT_EQ(Hex("2000-01-01", kDate), "00000000");
  EXPECT_EQ(Hex("1999-12-31", kDate), "ffffffff");
  EXPECT_EQ(Hex("2000-01-01 00:00:00.000001", kTimestamp), "0000000000000001");
  EXPECT_EQ(Hex("1999-12-31 23:59:59.999999", kTimestampTz), "ffffffffffffffff");
  EXPECT_EQ(Hex("00:00:01", kTime), "00000000000f4240");
  EXPECT_EQ(Hex("infinity", kDate), "7fffffff");
  EXPECT_EQ(Hex("-infinity", kDate), "80000000");
  EXPECT_EQ(Hex("Infinity", kTimestamp), "7fffffffffffffff");
  EXPECT_EQ(Hex("-INFINITY", kTimestampTz), "8000000000000000");
}

TEST(ConvertTimeTest, KeepsToTheCalendar) {
  for (const char* text : {"2024-02-29", "2000-02-29", "2023-12-31", "0001-01-01", "9999-12-31",
                           "10000-01-01", "294276-12-31", "0001-01-01 BC", "0005-02-29 BC",
                           "4714-11-24 BC", "infinity", "-infinity"}) {
    EXPECT_EQ(Text(text, kDate), text);
  }
  for (const char* text : {"2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01", "2024-00-10",
                           "2024-01-00", "2024-01-32", "0000-00-00", "0000-01-01", "0000-01-01 BC",
                           "0004-02-29 BC", "4714-11-23 BC"}) {
    EXPECT_EQ(Text(text, kDate), kRefused) << text;
    EXPECT_EQ(Text(text, kTimestamp), kRefused) << text;
  }
}

TEST(ConvertTimeTest, KnowsTheLastDayOfEachType) {
  EXPECT_EQ(Text("5874897-12-31", kDate), "5874897-12-31");
  EXPECT_EQ(Text("5874898-01-01", kDate), kRefused);
  EXPECT_EQ(Text("294276-12-31 23:59:59.999999", kTimestamp), "294276-12-31 23:59:59.999999");
  EXPECT_EQ(Text("294276-12-31 24:00:00", kTimestamp), kRefused);
  EXPECT_EQ(Text("294277-01-01", kTimestamp), kRefused);
  EXPECT_EQ(Text("9999999-01-01", kTimestampTz), kRefused);
  EXPECT_EQ(Text("294277-01-01 00:00:00+01", kTimestampTz), "294276-12-31 23:00:00+00");
  EXPECT_EQ(Text("294276-12-31 23:00:00-01", kTimestampTz), kRefused);
  EXPECT_EQ(Text("4714-11-24 00:00:00 BC", kTimestamp), "4714-11-24 00:00:00 BC");
  EXPECT_EQ(Text("4714-11-24 00:59:59+01 BC", kTimestampTz), kRefused);
  EXPECT_EQ(Text("4714-11-23 23:00:00-01 BC", kTimestampTz), "4714-11-24 00:00:00+00 BC");
}

TEST(ConvertTimeTest, TakesNothingButIsoText) {
  for (const char* text : {"",
                           " ",
                           "now",
                           "today",
                           "epoch",
                           "2024-1-5",
                           "24-01-05",
                           "2024/01/05",
                           "01/05/2024",
                           "20240105",
                           "2024-01-05 ",
                           " 2024-01-05",
                           "2024-01-05T",
                           "2024-01-05 1:02",
                           "2024-01-05  10:00",
                           "2024-01-05t10:00",
                           "2024-01-05 10",
                           "2024-01-05 10:00:",
                           "2024-01-05 10:00:00.",
                           "2024-01-05 10:00:00,5",
                           "2024-01-05 10:00:00z",
                           "2024-01-05 10:00:00 UTC",
                           "-2024-01-05",
                           "02024-01-05",
                           "2024-01-05Z",
                           "2024-01-05 10:00:00+",
                           "2024-01-05 10:00:00+1",
                           "2024-01-05 10:00:00+123",
                           "2024-01-05 10:00:00+12:3",
                           "2024-01-05 10:00:00+1200:30",
                           "2024-01-05 10:00:00  +01",
                           "2024-01-05 10:00:00+01x",
                           "2024-01-05 BC ",
                           "2024-01-05 AD",
                           "2024-01-05 bc",
                           "2024-01-05 10:00:00 BC+01",
                           "2024-W01-5",
                           "2024-005",
                           "1704448800",
                           "2460314.5",
                           "+infinity",
                           "inf",
                           "2024-01-05 10:00 PM"}) {
    EXPECT_EQ(Text(text, kDate), kRefused) << text;
    EXPECT_EQ(Text(text, kTimestamp), kRefused) << text;
    EXPECT_EQ(Text(text, kTimestampTz), kRefused) << text;
    EXPECT_EQ(Text(text, kTime), kRefused) << text;
  }
  EXPECT_EQ(Text(Value::Text("2024-01-05\0"s), kDate), kRefused);
}

TEST(ConvertTimeTest, ReadsTimesOfDay) {
  EXPECT_EQ(Text("10:20", kTime), "10:20:00");
  EXPECT_EQ(Text("10:20:30.5", kTime), "10:20:30.500000");
  EXPECT_EQ(Text("00:00:00.000001", kTime), "00:00:00.000001");
  EXPECT_EQ(Text("24:00:00", kTime), "24:00:00");
  for (const char* text :
       {"24:00:00.1", "24:00:01", "24:01", "25:00", "10:60", "10:20:61", "10:20Z", "10:20+00",
        "2024-01-05 10:20", "2024-01-05", "infinity", "T10:20"}) {
    EXPECT_EQ(Text(text, kTime), kRefused) << text;
  }
}

TEST(ConvertTimeTest, CarriesMidnightButRefusesLeapSeconds) {
  EXPECT_EQ(Text("2024-02-29 24:00:00", kTimestamp), "2024-03-01 00:00:00");
  EXPECT_EQ(Text("2023-12-31T24:00:00Z", kTimestampTz), "2024-01-01 00:00:00+00");
  EXPECT_EQ(Text("2016-12-31 23:59:60", kTimestamp), kRefused);
  EXPECT_EQ(Text("23:59:60", kTime), kRefused);
  EXPECT_EQ(Reason("23:59:60", kTime), "leap second");
}

TEST(ConvertTimeTest, RoundsToTheMicrosecondOnly) {
  EXPECT_EQ(Text("10:00:00.1234564", kTime), "10:00:00.123456");
  EXPECT_EQ(Text("10:00:00.1234566", kTime), "10:00:00.123457");
  EXPECT_EQ(Text("10:00:00.000000500", kTime), "10:00:00");
  EXPECT_EQ(Text("10:00:00.000001500", kTime), "10:00:00.000002");
  EXPECT_EQ(Text("10:00:00.999999999", kTime), "10:00:01");
  EXPECT_EQ(Text("23:59:59.999999999", kTime), "24:00:00");
  EXPECT_EQ(Text("2023-12-31 23:59:59.9999999", kTimestamp), "2024-01-01 00:00:00");
  EXPECT_EQ(Text("10:00:00.1234567890", kTime), kRefused);
  EXPECT_EQ(Text("294276-12-31 23:59:59.9999999", kTimestamp), kRefused);
}

TEST(ConvertTimeTest, RefusesFractionsThatTheColumnWouldRound) {
  EXPECT_EQ(Text("2024-01-01 10:00:00.125", kTimestamp3), "2024-01-01 10:00:00.125000");
  EXPECT_EQ(Text("2024-01-01 10:00:00.125000000", kTimestamp3), "2024-01-01 10:00:00.125000");
  EXPECT_EQ(Text("2024-01-01 10:00:00.1251", kTimestamp3), kRefused);
  EXPECT_EQ(Text("2024-01-01 10:00:00.1250000001", kTimestamp3), kRefused);
  EXPECT_EQ(Text("2024-01-01 10:00:00.125000001", kTimestamp3), kRefused);
  EXPECT_EQ(Text("2024-01-01 10:00:00", kTimestamp0), "2024-01-01 10:00:00");
  EXPECT_EQ(Text("2024-01-01 10:00:00.1", kTimestamp0), kRefused);
  EXPECT_EQ(Text("10:00:00.0001", kTime3), kRefused);
  EXPECT_EQ(Text("10:00:00.001", kTime3), "10:00:00.001000");
}

TEST(ConvertTimeTest, NeverLosesAnOffset) {
  for (const char* zone : {"Z", "+00", "-00", "+0000", "+00:00", "+00:00:00", " Z", " +00:00"}) {
    const std::string text = "2024-01-01T10:00:00"s + zone;
    EXPECT_EQ(Text(text.c_str(), kTimestamp), "2024-01-01 10:00:00") << text;
    EXPECT_EQ(Text(text.c_str(), kTimestampTz), "2024-01-01 10:00:00+00") << text;
    EXPECT_EQ(Text(("2024-01-01 00:00"s + zone).c_str(), kDate), "2024-01-01") << text;
  }
  for (const char* zone : {"+02", "+0200", "+02:00", "+02:00:00", " +02", " +02:00"}) {
    const std::string text = "2024-01-01 01:00:00"s + zone;
    EXPECT_EQ(Text(text.c_str(), kTimestamp), kRefused) << text;
    EXPECT_EQ(Text(text.c_str(), kTimestampTz), "2023-12-31 23:00:00+00") << text;
    EXPECT_EQ(Text(("2024-01-01 00:00"s + zone).c_str(), kDate), kRefused) << text;
  }
  EXPECT_EQ(Text("2024-01-01 00:00:00-15:59:59", kTimestampTz), "2024-01-01 15:59:59+00");
  EXPECT_EQ(Text("2024-01-01 00:00:00+16", kTimestampTz), kRefused);
  EXPECT_EQ(Text("2024-01-01 00:00:00+02:60", kTimestampTz), kRefused);
}

TEST(ConvertTimeTest, TakesTextWithoutZoneAsUtc) {
  EXPECT_EQ(Text("2024-01-01 10:00", kTimestampTz), "2024-01-01 10:00:00+00");
  EXPECT_EQ(Text("2024-01-01", kTimestampTz), "2024-01-01 00:00:00+00");
  EXPECT_EQ(Text("0044-03-15 10:00:00 BC", kTimestampTz), "0044-03-15 10:00:00+00 BC");
}

TEST(ConvertTimeTest, TakesIntoDateOnlyMidnight) {
  EXPECT_EQ(Text("2024-01-01 00:00:00.000", kDate), "2024-01-01");
  EXPECT_EQ(Text("2024-01-01T00:00Z", kDate), "2024-01-01");
  EXPECT_EQ(Text("2024-01-01 00:00:01", kDate), kRefused);
  EXPECT_EQ(Text("2024-01-01 00:00:00.0000001", kDate), kRefused);
  EXPECT_EQ(Text("2024-01-01 24:00:00", kDate), kRefused);
  EXPECT_EQ(Text("10:00", kDate), kRefused);
}

TEST(ConvertTimeTest, CountsEpochNumbersAsConfigured) {
  const auto integer = [](std::int64_t value, const TargetType& type, Epoch epoch) {
    return Text(Value::Integer(value), type, epoch);
  };
  EXPECT_EQ(integer(0, kTimestamp, Epoch::kSeconds), "1970-01-01 00:00:00");
  EXPECT_EQ(integer(1772817205, kTimestampTz, Epoch::kSeconds), "2026-03-06 17:13:25+00");
  EXPECT_EQ(integer(1772817205123, kTimestamp, Epoch::kMilliseconds), "2026-03-06 17:13:25.123000");
  EXPECT_EQ(integer(-1, kTimestamp, Epoch::kMicroseconds), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(integer(86'400, kDate, Epoch::kSeconds), "1970-01-02");
  EXPECT_EQ(integer(86'401, kDate, Epoch::kSeconds), kRefused);
  EXPECT_EQ(integer(-86'400'000, kDate, Epoch::kMilliseconds), "1969-12-31");
  EXPECT_EQ(integer(0, kTime, Epoch::kSeconds), kRefused);
  EXPECT_EQ(integer(1'001, kTimestamp0, Epoch::kMilliseconds), kRefused);
  EXPECT_EQ(integer(2'000, kTimestamp0, Epoch::kMilliseconds), "1970-01-01 00:00:02");
}

TEST(ConvertTimeTest, RefusesEpochNumbersOutOfRange) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  for (const Epoch epoch : {Epoch::kSeconds, Epoch::kMilliseconds, Epoch::kMicroseconds}) {
    EXPECT_EQ(Text(Value::Integer(kMin), kTimestamp, epoch), kRefused);
    for (const double value : {1e19, -1e19, 9.3e18, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
      EXPECT_EQ(Text(Value::Real(value), kTimestamp, epoch), kRefused) << value;
    }
  }
  EXPECT_EQ(Text(Value::Integer(kMax), kTimestamp, Epoch::kSeconds), kRefused);
  EXPECT_EQ(Text(Value::Integer(kMax), kTimestamp, Epoch::kMilliseconds), kRefused);
  EXPECT_EQ(Text(Value::Integer(kMax), kTimestamp, Epoch::kMicroseconds),
            "294247-01-10 04:00:54.775807");
  EXPECT_EQ(Text(Value::Integer(9'224'318'015'999), kTimestamp, Epoch::kSeconds),
            "294276-12-31 23:59:59");
  EXPECT_EQ(Text(Value::Integer(9'224'318'016'000), kTimestamp, Epoch::kSeconds), kRefused);
  EXPECT_EQ(Text(Value::Integer(-210'866'803'200), kTimestamp, Epoch::kSeconds),
            "4714-11-24 00:00:00 BC");
  EXPECT_EQ(Text(Value::Integer(-210'866'803'201), kTimestamp, Epoch::kSeconds), kRefused);
}

TEST(ConvertTimeTest, ReadsEpochRealsToTheMicrosecond) {
  const auto real = [](double value, Epoch epoch) {
    return Text(Value::Real(value), kTimestamp, epoch);
  };
  EXPECT_EQ(real(1772817205.123456, Epoch::kSeconds), "2026-03-06 17:13:25.123456");
  EXPECT_EQ(real(1772817205123.5, Epoch::kMilliseconds), "2026-03-06 17:13:25.123500");
  EXPECT_EQ(real(-0.25, Epoch::kSeconds), "1969-12-31 23:59:59.750000");
  EXPECT_EQ(real(0.9999999, Epoch::kSeconds), "1970-01-01 00:00:01");
  EXPECT_EQ(real(2.0, Epoch::kMicroseconds), "1970-01-01 00:00:00.000002");
}

TEST(ConvertTimeTest, ReadsJulianDaysToTheMillisecond) {
  const auto real = [](double value, const TargetType& type) {
    return Text(Value::Real(value), type, Epoch::kJulian);
  };
  EXPECT_EQ(real(2451544.5, kTimestamp), "2000-01-01 00:00:00");
  EXPECT_EQ(real(2461106.2176458333, kTimestampTz), "2026-03-06 17:13:24.600000+00");
  EXPECT_EQ(real(0.0, kTimestamp), "4714-11-24 12:00:00 BC");
  EXPECT_EQ(real(5373484.49999999, kTimestamp), "9999-12-31 23:59:59.999000");
  EXPECT_EQ(real(2451544.5, kDate), "2000-01-01");
  EXPECT_EQ(real(2451545.0, kDate), kRefused);
  EXPECT_EQ(real(2451544.5000001, kTimestamp0), kRefused);
  EXPECT_EQ(real(2451544.5000001, kTimestamp3), "2000-01-01 00:00:00.009000");
  EXPECT_EQ(real(2451545.0, kTime), kRefused);
  for (const double value :
       {-1e-9, -1.0, 5373484.499999995, 5373484.5, 1e300, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    EXPECT_EQ(real(value, kTimestamp), kRefused) << value;
  }
  EXPECT_EQ(Text(Value::Integer(2451545), kTimestamp, Epoch::kJulian), "2000-01-01 12:00:00");
  EXPECT_EQ(Text(Value::Integer(-1), kTimestamp, Epoch::kJulian), kRefused);
  EXPECT_EQ(Text(Value::Integer(5373485), kTimestamp, Epoch::kJulian), kRefused);
  EXPECT_EQ(Text(Value::Text("2451545.0"), kTimestamp, Epoch::kJulian), kRefused);
}

bool Rounded(double value, Epoch epoch) {
  std::string out;
  bool is_null = false;
  bool rounded = false;
  const ConvertOptions options{OnInvalid::kReject, epoch};
  EXPECT_FALSE(ConvertText(Value::Real(value), kTimestamp, options, out, is_null, &rounded));
  return rounded;
}

TEST(ConvertTimeTest, SaysWhereAnEpochNumberSaidMore) {
  EXPECT_FALSE(Rounded(1772817205.123456, Epoch::kSeconds));
  EXPECT_FALSE(Rounded(-0.25, Epoch::kSeconds));
  EXPECT_TRUE(Rounded(5.1234567, Epoch::kSeconds));
  EXPECT_FALSE(Rounded(1772817205123.5, Epoch::kMilliseconds));
  EXPECT_TRUE(Rounded(1.0001, Epoch::kMilliseconds));
  EXPECT_TRUE(Rounded(0.5, Epoch::kMicroseconds));
  EXPECT_FALSE(Rounded(2460310.5, Epoch::kJulian));
  EXPECT_FALSE(Rounded(2461106.2176458333, Epoch::kJulian));
  EXPECT_TRUE(Rounded(2461106.217645837, Epoch::kJulian));
}

TEST(ConvertTimeTest, SaysWhy) {
  EXPECT_EQ(Reason("", kTimestamp), "text is empty");
  EXPECT_EQ(Reason("2024-02-30", kTimestamp), "no such date in the calendar");
  EXPECT_EQ(Reason("25:00", kTime), "no such time of day");
  EXPECT_EQ(Reason("soon", kDate), "text is not an ISO date or time");
  EXPECT_EQ(Reason("2024-02-29 10:00:00+05", kTimestamp),
            "time zone offset would be lost in timestamp without time zone");
  EXPECT_EQ(Reason("10:00", kTimestampTz), "text has no date");
}

}  // namespace
}  // namespace liteferry::target
