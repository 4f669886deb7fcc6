#include "replication/verify/forms.h"

#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "replication/verify/array_form.h"
#include "replication/verify/calendar.h"
#include "replication/verify/decimal.h"

namespace liteferry::verify {
namespace {

using target::TargetType;
using target::TypeKind;

constexpr const char* kUnfit = "<unfit>";

TargetType Type(TypeKind kind, std::int32_t typmod = -1) {
  TargetType type;
  type.kind = kind;
  type.typmod = typmod;
  type.enum_labels = {"sad", "ok"};
  return type;
}
TargetType Numeric(int precision, int scale) {
  return Type(TypeKind::kNumeric, ((precision << 16) | (scale & 0x7ff)) + 4);
}

std::string Expected(const Value& value, const TargetType& type,
                     config::Epoch epoch = config::Epoch::kNone) {
  target::ConvertOptions options;
  options.epoch = epoch;
  std::string out;
  switch (ExpectedForm(value, type, options, out)) {
    case Form::kNull:
      return "<null>";
    case Form::kUnfit:
      return kUnfit;
    default:
      return out;
  }
}
std::string Observed(const TargetType& type, std::string_view printed) {
  std::string out;
  ObservedForm(type, printed, out);
  return out;
}

Value T(std::string_view text) { return Value::Text(text); }
Value I(std::int64_t integer) { return Value::Integer(integer); }
Value R(double real) { return Value::Real(real); }

struct Case {
  TargetType type;
  Value value;
  const char* printed;  // by the server, or kUnfit
};

TEST(FormsTest, EachValueLooksLikeWhatTheServerPrints) {
  const Case cases[] = {
      {Type(TypeKind::kBool), I(1), "t"},
      {Type(TypeKind::kBool), R(-0.0), "f"},
      {Type(TypeKind::kBool), T("YES"), "t"},
      {Type(TypeKind::kBool), I(2), kUnfit},
      {Type(TypeKind::kInt2), I(32768), kUnfit},
      {Type(TypeKind::kInt4), R(7.0), "7"},
      {Type(TypeKind::kInt4), R(7.5), kUnfit},
      {Type(TypeKind::kInt8), T("+007"), "7"},
      {Type(TypeKind::kInt8), T("+-7"), kUnfit},
      {Type(TypeKind::kInt8), T("7.0"), kUnfit},
      {Type(TypeKind::kInt8), R(9223372036854775808.0), kUnfit},
      {Type(TypeKind::kFloat8), R(0.1), "0.1"},
      {Type(TypeKind::kFloat8), R(-0.0), "-0"},
      {Type(TypeKind::kFloat8), T("-inf"), "-Infinity"},
      {Type(TypeKind::kFloat8), T("1e999"), kUnfit},
      {Type(TypeKind::kFloat8), I(9007199254740993), kUnfit},
      {Type(TypeKind::kFloat4), R(0.1), "0.1"},
      {Type(TypeKind::kFloat4), R(0.1234567890123), kUnfit},
      {Type(TypeKind::kNumeric), T("01.50"), "1.50"},
      {Type(TypeKind::kNumeric), T("1.5e-3"), "0.0015"},
      {Type(TypeKind::kNumeric), T("1.5e3"), "1500"},
      {Type(TypeKind::kNumeric), T("-0.00"), "0.00"},
      {Type(TypeKind::kNumeric), R(1e22), "10000000000000000000000"},
      {Type(TypeKind::kNumeric), T("1e131072"), kUnfit},
      {Numeric(5, 2), I(7), "7.00"},
      {Numeric(5, 2), T("1.500"), "1.50"},
      {Numeric(5, 2), T("1.501"), kUnfit},
      {Numeric(5, 2), I(1000), kUnfit},
      {Numeric(10, 2), R(0.30000000000000004), "0.30"},
      {Numeric(10, 2), R(0.125), kUnfit},
      {Numeric(2, -3), I(99000), "99000"},
      {Numeric(2, -3), I(99500), kUnfit},
      {Type(TypeKind::kText), R(1e15), "1e+15"},
      {Type(TypeKind::kText), R(100000.0), "100000"},
      {Type(TypeKind::kText), T("a "), "a "},
      {Type(TypeKind::kText), T("\xff"), kUnfit},
      {Type(TypeKind::kVarchar, 7), T("abc "), kUnfit},
      {Type(TypeKind::kChar, 9), T("ab "), "ab   "},
      {Type(TypeKind::kBytea), Value::Blob("\x01z"), "\\x017a"},
      {Type(TypeKind::kDate), T("2024-02-29"), "2024-02-29"},
      {Type(TypeKind::kDate), T("2023-02-29"), kUnfit},
      {Type(TypeKind::kDate), T("2024-01-01 24:00"), kUnfit},
      {Type(TypeKind::kDate), T("0044-03-15 BC"), "0044-03-15 BC"},
      {Type(TypeKind::kTime), T("24:00"), "24:00:00"},
      {Type(TypeKind::kTime, 2), T("10:00:00.125"), kUnfit},
      {Type(TypeKind::kTimestamp), T("2024-01-01T10:00:00.1200Z"), "2024-01-01 10:00:00.12"},
      {Type(TypeKind::kTimestamp), T("2024-01-01 10:00+01"), kUnfit},
      {Type(TypeKind::kTimestamp), T("2024-12-31 23:59:59.9999999"), "2025-01-01 00:00:00"},
      {Type(TypeKind::kTimestampTz), T("2024-01-01 00:30:00+01:00"), "2023-12-31 23:30:00+00"},
      {Type(TypeKind::kTimestampTz), T("2024-06-30 12:00"), "2024-06-30 12:00:00+00"},
      {Type(TypeKind::kTimestampTz), T("infinity"), "infinity"},
      {Type(TypeKind::kUuid), T("{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"),
       "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
      {Type(TypeKind::kUuid), T("a0eebc99"), kUnfit},
      {Type(TypeKind::kJson), T("{\"a\": 1.0}"), "{\"a\": 1.0}"},
      {Type(TypeKind::kEnum), T("ok"), "ok"},
      {Type(TypeKind::kEnum), T("OK"), kUnfit},
  };
  for (const Case& one : cases) {
    const std::string expected = Expected(one.value, one.type);
    const std::string what =
        std::to_string(static_cast<int>(one.type.kind)) + " " + std::string(one.value.bytes);
    if (one.printed == std::string_view(kUnfit)) {
      EXPECT_EQ(expected, kUnfit) << what;
    } else {
      EXPECT_EQ(expected, Observed(one.type, one.printed)) << what;
    }
  }
  EXPECT_EQ(Expected(Value::Null(), Type(TypeKind::kText)), "<null>");
  EXPECT_EQ(Expected(T(""), Type(TypeKind::kText)), "");
}

TEST(FormsTest, OneBitOrOneMicrosecondIsAnotherForm) {
  const TargetType real = Type(TypeKind::kFloat8);
  EXPECT_NE(Expected(R(0.1), real), Observed(real, "0.10000000000000002"));
  EXPECT_NE(Expected(R(0.0), real), Observed(real, "-0"));
  EXPECT_EQ(Expected(R(5e-324), real), Observed(real, "5e-324"));
  const TargetType stamp = Type(TypeKind::kTimestamp);
  EXPECT_NE(Expected(T("2024-01-01 00:00:00.000001"), stamp),
            Observed(stamp, "2024-01-01 00:00:00"));
}

TEST(FormsTest, NumbersAreTimesByTheirEpoch) {
  const TargetType stamp = Type(TypeKind::kTimestamp);
  EXPECT_EQ(Expected(I(0), stamp), kUnfit);
  EXPECT_EQ(Expected(I(-1), stamp, config::Epoch::kSeconds), "1969-12-31 23:59:59");
  EXPECT_EQ(Expected(R(1700000000.25), stamp, config::Epoch::kSeconds), "2023-11-14 22:13:20.25");
  EXPECT_EQ(Expected(I(1), stamp, config::Epoch::kMilliseconds), "1970-01-01 00:00:00.001");
  EXPECT_EQ(Expected(R(2440587.5), stamp, config::Epoch::kJulian), "1970-01-01 00:00:00");
  EXPECT_EQ(Expected(I(86400), Type(TypeKind::kDate), config::Epoch::kSeconds), "1970-01-02");
  EXPECT_EQ(Expected(I(86401), Type(TypeKind::kDate), config::Epoch::kSeconds), kUnfit);
}

TEST(FormsTest, AKeyIsWrittenBackAsAValueOfItsForm) {
  const Case cases[] = {{Type(TypeKind::kInt8), I(-5), ""},
                        {Type(TypeKind::kBool), I(1), ""},
                        {Type(TypeKind::kText), T("a'\\"), ""},
                        {Type(TypeKind::kFloat8), R(0.1), ""},
                        {Type(TypeKind::kNumeric), T("1.50"), ""},
                        {Type(TypeKind::kBytea), Value::Blob("\x00\xff"), ""},
                        {Type(TypeKind::kTimestampTz), T("2024-01-01 10:00:00+02"), ""}};
  for (const Case& one : cases) {
    const std::string form = Expected(one.value, one.type);
    std::string scratch;
    EXPECT_EQ(Expected(FormValue(one.type, form, scratch), one.type), form);
    EXPECT_EQ(Observed(one.type, FormLiteral(one.type, form)), form);
  }
}

TEST(FormsTest, ArraysAreWrittenInPostgresForm) {
  TargetType type = Type(TypeKind::kArray);
  type.element = std::make_shared<TargetType>(Type(TypeKind::kText));
  EXPECT_EQ(Expected(T("[\"a\\u00e9\", null, 1.50, [1]]"), type), kUnfit);
  EXPECT_EQ(Expected(T(" [\"a\\u00e9\", null, 1.50] "), type), "{\"aé\",NULL,\"1.50\"}");
  EXPECT_EQ(Expected(T("[[1, 2], [3, 4]]"), type), "{{\"1\",\"2\"},{\"3\",\"4\"}}");
  EXPECT_EQ(Expected(T("{a, \"b c\\\"\" ,NULL}"), type), "{\"a\",\"b c\\\"\",NULL}");
  for (const char* wrong : {"", "a", "[1", "[1]]", "[1,]", "[,1]", "[1 2]", "{1", "{1,}", "[{}]",
                            "[[1],[2,3]]", "[[]]", "[01]", "[1.]", "[tru]", "[true]", "{{1},2}"}) {
    EXPECT_EQ(Expected(T(wrong), type), kUnfit) << wrong;
  }
}

// Against the calendar of the C++ library, where that reaches.
TEST(CalendarTest, DaysAreThoseOfTheLibrary) {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::chrono::sys_days day{
        std::chrono::days(static_cast<int>(random() % 6'000'000) - 700'000)};
    const std::chrono::year_month_day civil{day};
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(civil.year()),
                  static_cast<unsigned>(civil.month()), static_cast<unsigned>(civil.day()));
    ASSERT_EQ(PrintDate(day.time_since_epoch().count()), text);
    ASSERT_EQ(ParseMoment(text)->day, day.time_since_epoch().count());
  }
}

TEST(DecimalTest, PrintsDoublesThatReadBackTheSame) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(NearestDouble(PrintDouble(value)), value);
    ASSERT_EQ(std::strtod(PrintDouble(value).c_str(), nullptr), value);
  }
}

}  // namespace
}  // namespace liteferry::verify
