#include "replication/target/convert.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>
#include <limits>
#include <vector>

#include "replication/base/text.h"

namespace liteferry::target {
namespace {

using namespace std::string_literals;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMax64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin64 = std::numeric_limits<std::int64_t>::min();
constexpr const char* kRefused = "<refused>";

TargetType Type(TypeKind kind, const char* name, std::int32_t typmod = -1) {
  TargetType type;
  type.kind = kind;
  type.name = type.base_name = name;
  type.typmod = typmod;
  return type;
}

const TargetType kBool = Type(TypeKind::kBool, "boolean");
const TargetType kInt2 = Type(TypeKind::kInt2, "smallint");
const TargetType kInt4 = Type(TypeKind::kInt4, "integer");
const TargetType kInt8 = Type(TypeKind::kInt8, "bigint");
const TargetType kFloat4 = Type(TypeKind::kFloat4, "real");
const TargetType kFloat8 = Type(TypeKind::kFloat8, "double precision");
const TargetType kNumeric = Type(TypeKind::kNumeric, "numeric");
const TargetType kText = Type(TypeKind::kText, "text");
const TargetType kVarchar5 = Type(TypeKind::kVarchar, "character varying(5)", 9);
const TargetType kChar3 = Type(TypeKind::kChar, "character(3)", 7);
const TargetType kBytea = Type(TypeKind::kBytea, "bytea");
const TargetType kDate = Type(TypeKind::kDate, "date");
const TargetType kTime = Type(TypeKind::kTime, "time without time zone");
const TargetType kTimestamp = Type(TypeKind::kTimestamp, "timestamp without time zone");
const TargetType kTimestampTz = Type(TypeKind::kTimestampTz, "timestamp with time zone");
const TargetType kUuid = Type(TypeKind::kUuid, "uuid");
const TargetType kJson = Type(TypeKind::kJson, "json");
const TargetType kJsonb = Type(TypeKind::kJsonb, "jsonb");
const TargetType kInterval = Type(TypeKind::kOther, "interval");

TargetType NumericOf(int precision, int scale) {
  return Type(TypeKind::kNumeric, "numeric(p,s)", ((precision << 16) | (scale & 0x7ff)) + 4);
}

TargetType Mood() {
  TargetType type = Type(TypeKind::kEnum, "mood");
  type.enum_labels = {"sad", "O'K", "1"};
  return type;
}

// The text form, "<refused>" or "<null>". Also checks that both forms agree on which of these it
// is, and that what stood in the buffer still stands there.
std::string Text(const Value& value, const TargetType& type, const ConvertOptions& options = {}) {
  std::string text = "before";
  std::string binary = "before";
  bool text_null = false;
  bool binary_null = false;
  const auto text_error = ConvertText(value, type, options, text, text_null);
  const auto binary_error = ConvertBinary(value, type, options, binary, binary_null);
  EXPECT_EQ(text_error.has_value(), binary_error.has_value());
  EXPECT_EQ(text_null, binary_null);
  EXPECT_TRUE(text.starts_with("before"));
  EXPECT_TRUE(binary.starts_with("before"));
  if (text_error || text_null) {
    EXPECT_EQ(text, "before");
    EXPECT_EQ(binary, "before");
    return text_error ? kRefused : "<null>";
  }
  return text.substr(6);
}

std::string Hex(const Value& value, const TargetType& type, const ConvertOptions& options = {}) {
  std::string out;
  bool is_null = false;
  if (ConvertBinary(value, type, options, out, is_null)) return kRefused;
  return is_null ? "<null>" : ToHex(out);
}

std::string Reason(const Value& value, const TargetType& type, const ConvertOptions& options = {}) {
  std::string out;
  bool is_null = false;
  const auto error = ConvertBinary(value, type, options, out, is_null);
  return error ? error->reason : "";
}

Value I(std::int64_t value) { return Value::Integer(value); }
Value R(double value) { return Value::Real(value); }
Value T(std::string_view value) { return Value::Text(value); }
Value B(std::string_view value) { return Value::Blob(value); }

struct Cell {
  TargetType type;
  Value value;
  std::string expected;
};

std::string Describe(const Cell& cell) {
  return cell.type.name + " from " + std::string(ToString(cell.value.storage)) + " '" +
         std::string(cell.value.bytes) + "' " + std::to_string(cell.value.integer) + " " +
         std::to_string(cell.value.real);
}

void ExpectCells(const std::vector<Cell>& cells) {
  for (const Cell& cell : cells) {
    EXPECT_EQ(Text(cell.value, cell.type), cell.expected) << Describe(cell);
  }
}

// Every cell of the first table in VALUES.md: one value that goes through, or a refusal.
TEST(ConvertTest, DecidesEveryCellOfTheTable) {
  const std::string uuid_blob = "0123456789abcdef";
  const std::string uuid_hex = "30313233343536373839616263646566";
  ExpectCells({
      {kBool, I(1), "t"},
      {kBool, R(0.0), "f"},
      {kBool, T("TRUE"), "t"},
      {kBool, B("t"), kRefused},
      {kInt2, I(-32768), "-32768"},
      {kInt2, R(7.0), "7"},
      {kInt2, T("+7"), "7"},
      {kInt2, B("7"), kRefused},
      {kInt4, I(2147483647), "2147483647"},
      {kInt4, R(-7.0), "-7"},
      {kInt4, T("-007"), "-7"},
      {kInt4, B("7"), kRefused},
      {kInt8, I(kMin64), "-9223372036854775808"},
      {kInt8, R(1e18), "1000000000000000000"},
      {kInt8, T("9223372036854775807"), "9223372036854775807"},
      {kInt8, B("7"), kRefused},
      {kFloat4, I(16777216), "1.6777216e+07"},
      {kFloat4, R(0.5), "0.5"},
      {kFloat4, T("0.25"), "0.25"},
      {kFloat4, B("1"), kRefused},
      {kFloat8, I(-3), "-3"},
      {kFloat8, R(0.1), "0.1"},
      {kFloat8, T("1e3"), "1000"},
      {kFloat8, B("1"), kRefused},
      {kNumeric, I(12), "12"},
      {kNumeric, R(0.1), "0.1"},
      {kNumeric, T("12.30"), "12.30"},
      {kNumeric, B("1"), kRefused},
      {kText, I(-5), "-5"},
      {kText, R(2.5), "2.5"},
      {kText, T("naïve"), "naïve"},
      {kText, B("abc"), "abc"},
      {kVarchar5, I(12345), "12345"},
      {kVarchar5, R(0.5), "0.5"},
      {kVarchar5, T("日本語日本"), "日本語日本"},
      {kVarchar5, B("abc"), "abc"},
      {kChar3, I(123), "123"},
      {kChar3, R(0.5), "0.5"},
      {kChar3, T("ab"), "ab"},
      {kChar3, B("abc"), "abc"},
      {kBytea, I(1), kRefused},
      {kBytea, R(1), kRefused},
      {kBytea, T("a\0b"s), "\\x610062"},
      {kBytea, B("\xff\x00"s), "\\xff00"},
      {kDate, I(0), kRefused},
      {kDate, R(0), kRefused},
      {kDate, T("2024-02-29"), "2024-02-29"},
      {kDate, B("2024-02-29"), kRefused},
      {kTime, I(0), kRefused},
      {kTime, R(0), kRefused},
      {kTime, T("23:59"), "23:59:00"},
      {kTime, B("23:59"), kRefused},
      {kTimestamp, I(0), kRefused},
      {kTimestamp, R(2460000.5), kRefused},
      {kTimestamp, T("2024-02-29T12:00:00"), "2024-02-29 12:00:00"},
      {kTimestamp, B("2024-02-29"), kRefused},
      {kTimestampTz, I(0), kRefused},
      {kTimestampTz, R(0), kRefused},
      {kTimestampTz, T("2024-02-29 12:00:00+02"), "2024-02-29 10:00:00+00"},
      {kTimestampTz, B("2024-02-29"), kRefused},
      {kUuid, I(1), kRefused},
      {kUuid, R(1), kRefused},
      {kUuid, T("30313233-3435-3637-3839-616263646566"), uuid_hex},
      {kUuid, B(uuid_blob), uuid_hex},
      {kJson, I(5), "5"},
      {kJson, R(1.5), "1.5"},
      {kJson, T("{\"a\": 1}"), "{\"a\": 1}"},
      {kJson, B("[1]"), "[1]"},
      {kJsonb, I(5), "5"},
      {kJsonb, R(1e300), "1e+300"},
      {kJsonb, T("null"), "null"},
      {kJsonb, B("[1]"), "[1]"},
      {Mood(), I(1), kRefused},
      {Mood(), R(1), kRefused},
      {Mood(), T("O'K"), "O'K"},
      {Mood(), B("sad"), kRefused},
      {kInterval, I(5), "5"},
      {kInterval, R(1.5), "1.5"},
      {kInterval, T("1 day"), "1 day"},
      {kInterval, B("1 day"), kRefused},
  });
}

TEST(ConvertTest, KeepsNullInEveryType) {
  for (const TargetType& type : {kBool, kInt8, kFloat8, kNumeric, kText, kBytea, kDate, kTime,
                                 kTimestampTz, kUuid, kJsonb, Mood(), kInterval}) {
    EXPECT_EQ(Text(Value::Null(), type), "<null>") << type.name;
  }
}

TEST(ConvertTest, TakesOnlyTwoValuedThingsAsBoolean) {
  for (const char* text : {"1", "t", "T", "true", "True", "y", "YES", "on", "On"}) {
    EXPECT_EQ(Text(T(text), kBool), "t") << text;
  }
  for (const char* text : {"0", "f", "F", "false", "FALSE", "n", "No", "off", "OFF"}) {
    EXPECT_EQ(Text(T(text), kBool), "f") << text;
  }
  for (const char* text : {"", " t", "t ", "2", "tru", "00", "1.0", "null", "-1"}) {
    EXPECT_EQ(Text(T(text), kBool), kRefused) << text;
  }
  ExpectCells({{kBool, I(0), "f"},
               {kBool, I(2), kRefused},
               {kBool, I(-1), kRefused},
               {kBool, R(1.0), "t"},
               {kBool, R(-0.0), "f"},
               {kBool, R(0.5), kRefused},
               {kBool, R(std::nan("")), kRefused}});
}

TEST(ConvertTest, RefusesIntegersOutOfRange) {
  ExpectCells({
      {kInt2, I(32767), "32767"},
      {kInt2, I(32768), kRefused},
      {kInt2, I(-32769), kRefused},
      {kInt2, T("32768"), kRefused},
      {kInt2, R(32768.0), kRefused},
      {kInt4, I(2147483648), kRefused},
      {kInt4, I(-2147483649), kRefused},
      {kInt8, I(kMax64), "9223372036854775807"},
      {kInt8, T("9223372036854775808"), kRefused},
      {kInt8, T("-9223372036854775808"), "-9223372036854775808"},
      {kInt8, T("-9223372036854775809"), kRefused},
      {kInt8, R(9223372036854775808.0), kRefused},
      {kInt8, R(-9223372036854775808.0), "-9223372036854775808"},
      {kInt8, R(kInf), kRefused},
      {kInt8, R(std::nan("")), kRefused},
      {kInt8, R(0.5), kRefused},
      {kInt8, R(-0.0), "0"},
  });
}

TEST(ConvertTest, TakesOnlyPlainDigitsAsInteger) {
  for (const char* text :
       {"", " 7", "7 ", "+", "-", "+-7", "--7", "7.0", "1e3", "0x10", "1_000", "٣", "true"}) {
    EXPECT_EQ(Text(T(text), kInt8), kRefused) << text;
  }
  EXPECT_EQ(Text(T("7\0"s), kInt8), kRefused);
}

TEST(ConvertTest, WritesIntegersInNetworkOrder) {
  EXPECT_EQ(Hex(I(1), kInt2), "0001");
  EXPECT_EQ(Hex(I(-2), kInt4), "fffffffe");
  EXPECT_EQ(Hex(I(0x0102030405060708), kInt8), "0102030405060708");
  EXPECT_EQ(Hex(I(1), kBool), "01");
}

TEST(ConvertTest, KeepsDoubleBits) {
  EXPECT_EQ(Hex(R(-0.0), kFloat8), "8000000000000000");
  EXPECT_EQ(Hex(R(5e-324), kFloat8), "0000000000000001");
  EXPECT_EQ(Hex(R(kInf), kFloat8), "7ff0000000000000");
  EXPECT_EQ(Hex(R(-kInf), kFloat4), "ff800000");
  EXPECT_EQ(Hex(R(-0.0), kFloat4), "80000000");
  EXPECT_EQ(Text(R(-0.0), kFloat8), "-0");
}

TEST(ConvertTest, TakesIntoFloatsOnlyWhatTheyHoldExactly) {
  ExpectCells({
      {kFloat8, I(9007199254740992), "9.007199254740992e+15"},
      {kFloat8, I(9007199254740993), kRefused},
      {kFloat8, I(kMin64), "-9.223372036854776e+18"},
      {kFloat8, I(kMax64), kRefused},
      {kFloat4, I(16777217), kRefused},
      {kFloat4, R(0.1), kRefused},
      {kFloat4, R(1e300), kRefused},
      {kFloat4, T("0.1"), kRefused},
      {kFloat4, T("1e39"), kRefused},
  });
}

TEST(ConvertTest, ReadsWholeDecimalNumbersAsFloat) {
  ExpectCells({
      {kFloat8, T(".5"), "0.5"},
      {kFloat8, T("5."), "5"},
      {kFloat8, T("+1.5E-3"), "0.0015"},
      {kFloat8, T("4.9e-324"), "5e-324"},
      {kFloat8, T("0e999"), "0"},
      {kFloat8, T("nan"), "NaN"},
      {kFloat8, T("Infinity"), "Infinity"},
      {kFloat8, T("-INF"), "-Infinity"},
      {kFloat8, T("1e309"), kRefused},
      {kFloat8, T("1e-400"), kRefused},
  });
  for (const char* text : {"", ".", "e5", "1e", "1e+", " 1", "1 ", "0x10", "1,5", "+-1", "nan(1)",
                           "-nan", "infinite", "1d3", "--1"}) {
    EXPECT_EQ(Text(T(text), kFloat8), kRefused) << text;
  }
}

TEST(ConvertTest, WritesRealsShortAndExact) {
  ExpectCells({
      {kText, R(100000.0), "100000"},
      {kText, R(1.0), "1"},
      {kText, R(-0.0), "-0"},
      {kText, R(0.30000000000000004), "0.30000000000000004"},
      {kText, R(0.0001), "0.0001"},
      {kText, R(0.00001), "1e-05"},
      {kText, R(123456789012345.0), "123456789012345"},
      {kText, R(999999999999999.0), "999999999999999"},
      {kText, R(1e15), "1e+15"},
      {kText, R(1.7976931348623157e308), "1.7976931348623157e+308"},
      {kText, R(-kInf), "-Infinity"},
  });
}

TEST(ConvertTest, WritesNumericAsPostgresDoes) {
  // digit count, weight, sign, scale, base 10000 digits
  EXPECT_EQ(Hex(I(0), kNumeric), "0000000000000000");
  EXPECT_EQ(Hex(T("0.00"), kNumeric), "0000000000000002");
  EXPECT_EQ(Hex(T("-0"), kNumeric), "0000000000000000");
  EXPECT_EQ(Hex(T("12345.6780"), kNumeric),
            "0003000100000004"
            "000109291a7c");
  EXPECT_EQ(Hex(T("-1.5"), kNumeric),
            "0002000040000001"
            "00011388");
  EXPECT_EQ(Hex(T("1e4"), kNumeric),
            "0001000100000000"
            "0001");
  EXPECT_EQ(Hex(T("0.00001"), kNumeric),
            "0001fffe00000005"
            "03e8");
  EXPECT_EQ(Hex(T("NaN"), kNumeric), "00000000c0000000");
  EXPECT_EQ(Hex(I(7), NumericOf(5, 2)),
            "0001000000000002"
            "0007");
}

TEST(ConvertTest, RefusesWhatNumericWouldRound) {
  ExpectCells({
      {NumericOf(5, 2), T("123.45"), "123.45"},
      {NumericOf(5, 2), T("123.4500"), "123.4500"},
      {NumericOf(5, 2), T("0.001"), kRefused},
      {NumericOf(5, 2), T("1000"), kRefused},
      {NumericOf(5, 2), T("999.99"), "999.99"},
      {NumericOf(5, 2), I(1000), kRefused},
      {NumericOf(5, 2), T("12345e-2"), "12345e-2"},
      {NumericOf(5, 2), T("NaN"), "NaN"},
      {NumericOf(5, 2), R(0.1), "0.1"},
      {NumericOf(5, 2), R(1000.0), kRefused},
      {NumericOf(5, 2), R(0.125), kRefused},
      {NumericOf(5, 2), R(kInf), kRefused},
      {kNumeric, R(-kInf), kRefused},
      {kNumeric, T("Infinity"), kRefused},
      // Fraction digits beyond the 15 that PostgreSQL itself takes from a double are noise.
      {NumericOf(5, 2), R(0.1 + 0.2), "0.3"},
      {NumericOf(5, 0), R(3.0000000000000004), "3"},
      {kNumeric, R(0.1 + 0.2), "0.30000000000000004"},
      // Negative scale, and scale over precision.
      {NumericOf(2, -3), I(99000), "99000"},
      {NumericOf(2, -3), I(99500), kRefused},
      {NumericOf(2, -3), I(100000), kRefused},
      {NumericOf(3, 5), T("0.00999"), "0.00999"},
      {NumericOf(3, 5), T("0.01"), kRefused},
  });
}

TEST(ConvertTest, RefusesNumericBeyondTheLimits) {
  ExpectCells({
      {kNumeric, T("1e131071"), "1e131071"},
      {kNumeric, T("1e131072"), kRefused},
      {kNumeric, T("1e-16383"), "1e-16383"},
      {kNumeric, T("1e-16384"), kRefused},
      {kNumeric, T("0e-16384"), kRefused},
      {NumericOf(5, 2), T("0e-16384"), kRefused},
      {kNumeric, T("1e99999999999999999999"), kRefused},
      {kNumeric, T("1e-99999999999999999999"), kRefused},
      {kNumeric, T(""), kRefused},
      {kNumeric, T("."), kRefused},
      {kNumeric, T("1.2.3"), kRefused},
      {kNumeric, T("0x1f"), kRefused},
      {kNumeric, T(" 1"), kRefused},
  });
  EXPECT_EQ(Hex(T("1e131071"), kNumeric),
            "00017fff00000000"
            "03e8");
}

TEST(ConvertTest, RefusesTextThatPostgresCannotHold) {
  ExpectCells({
      {kText, T(""), ""},
      {kText, T("a\0b"s), kRefused},
      {kText, T("\xff"), kRefused},
      {kText, T("\xed\xa0\x80"), kRefused},
      {kText, B("a\0"s), kRefused},
      {kText, B("\x80"), kRefused},
      {kVarchar5, T("123456"), kRefused},
      {kVarchar5, T("12345 "), kRefused},
      {kVarchar5, I(123456), kRefused},
      {kVarchar5, T("ééééé"), "ééééé"},
      {kChar3, T("abc "), kRefused},
      {kChar3, T("abcd"), kRefused},
      {kJson, T("{\"a\":\"\0\"}"s), kRefused},
      {kJson, R(kInf), kRefused},
      {kInterval, T("\xc3"), kRefused},
  });
  TargetType name = Type(TypeKind::kText, "name");
  name.oid = 19;
  EXPECT_EQ(Text(T(std::string(63, 'n')), name), std::string(63, 'n'));
  EXPECT_EQ(Text(T(std::string(64, 'n')), name), kRefused);
}

TEST(ConvertTest, DropsNulOnlyWhereAskedAndOnlyFromText) {
  const ConvertOptions strip{OnInvalid::kStripNul, Epoch::kNone};
  for (const TargetType& type : {kText, kVarchar5, kChar3, kJson, kInterval}) {
    EXPECT_EQ(Text(T("\0a\0\0b\0"s), type, strip), "ab") << type.name;
  }
  EXPECT_EQ(Text(T("\0\0"s), kText, strip), "");
  EXPECT_EQ(Text(B("a\0"s), kText, strip), kRefused);
  EXPECT_EQ(Text(T("t\0"s), kBool, strip), kRefused);
  EXPECT_EQ(Text(T("sad\0"s), Mood(), strip), kRefused);
  // Bytes that are no character must not become one.
  EXPECT_EQ(Text(T("\xc3\0\xa9"s), kText, strip), kRefused);
}

TEST(ConvertTest, MakesRejectionsNullWhereAsked) {
  const ConvertOptions null{OnInvalid::kNull, Epoch::kNone};
  EXPECT_EQ(Text(I(2), kBool, null), "<null>");
  EXPECT_EQ(Text(T("2024-02-30"), kDate, null), "<null>");
  EXPECT_EQ(Text(T("\xff"), kText, null), "<null>");
  EXPECT_EQ(Text(B("x"), kJsonb, null), "x");
  EXPECT_EQ(Text(T("abcdef"), kVarchar5, null), "<null>");
}

TEST(ConvertTest, ReadsUuidsInTheirUsualForms) {
  const std::string hex = "0123456789abcdef0123456789abcdef";
  ExpectCells({
      {kUuid, T("01234567-89AB-cdef-0123-456789ABCDEF"), hex},
      {kUuid, T("0123456789abcdef0123456789abcdef"), hex},
      {kUuid, T("{01234567-89ab-cdef-0123-456789abcdef}"), hex},
      {kUuid, T("{0123456789abcdef0123456789abcdef}"), hex},
      {kUuid, T("{01234567-89ab-cdef-0123-456789abcdef"), kRefused},
      {kUuid, T("01234567-89ab-cdef-0123-456789abcdeg"), kRefused},
      {kUuid, T("0123-4567-89ab-cdef-0123-456789abcdef"), kRefused},
      {kUuid, T("012345678-9ab-cdef-0123-456789abcdef"), kRefused},
      {kUuid, T("urn:uuid:01234567-89ab-cdef-0123-456789abcdef"), kRefused},
      {kUuid, T(""), kRefused},
      {kUuid, T("{}"), kRefused},
      {kUuid, B("0123456789abcde"), kRefused},
      {kUuid, B(hex), kRefused},
  });
  EXPECT_EQ(Hex(T("01234567-89ab-cdef-0123-456789abcdef"), kUuid), hex);
}

TEST(ConvertTest, PutsVersionBeforeJsonb) {
  EXPECT_EQ(Hex(T("{}"), kJsonb), "017b7d");
  EXPECT_EQ(Hex(T("{}"), kJson), "7b7d");
  EXPECT_EQ(Hex(I(1), kJsonb), "0131");
}

TEST(ConvertTest, ComparesEnumLabelsExactly) {
  ExpectCells({{Mood(), T("sad"), "sad"},
               {Mood(), T("SAD"), kRefused},
               {Mood(), T("1"), "1"},
               {Mood(), T(""), kRefused},
               {Mood(), T("sad "), kRefused}});
}

TEST(ConvertTest, RefusesValuesOverOneGigabyteUnread) {
  // Pages that are never touched cost nothing.
  const std::size_t size = std::size_t{1} << 30U;
  void* const pages =
      ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  const std::string_view bytes(static_cast<const char*>(pages), size);
  const std::string expected = "value of 1073741824 bytes exceeds PostgreSQL's limit";
  EXPECT_EQ(Reason(B(bytes), kBytea), expected);
  EXPECT_EQ(Reason(T(bytes), kText), expected);
  EXPECT_EQ(Reason(T(bytes), kJsonb), expected);
  std::string out;
  bool is_null = false;
  const auto error = ConvertText(B(bytes.substr(0, size / 2)), kBytea, {}, out, is_null);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->reason, "value of 1073741826 bytes exceeds PostgreSQL's limit");
  ::munmap(pages, size);
}

TEST(ConvertTest, NamesTheTypeButNeverTheValue) {
  EXPECT_EQ(Reason(I(123456), kInt2), "integer out of range for smallint");
  EXPECT_EQ(Reason(B("secret"), kBool), "blob cannot become boolean");
  for (const TargetType& type : {kBool, kInt2, kFloat4, NumericOf(3, 1), kVarchar5, kChar3, kDate,
                                 kTime, kTimestamp, kTimestampTz, kUuid, Mood()}) {
    const std::string reason = Reason(T("s3cret-7777777.7777"), type);
    EXPECT_FALSE(reason.empty()) << type.name;
    EXPECT_EQ(reason.find("s3cret"), std::string::npos) << reason;
    EXPECT_EQ(Reason(I(7777777), type).find("777"), std::string::npos) << type.name;
    EXPECT_EQ(Reason(R(7777777.77), type).find("777"), std::string::npos) << type.name;
  }
}

}  // namespace
}  // namespace liteferry::target
