#include "replication/target/convert.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>

#include "tests/replication/target/convert_cells.h"

namespace liteferry::target {
namespace {

using namespace cells;
using namespace std::string_literals;

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
      {IntArray(), I(1), kRefused},
      {IntArray(), R(1), kRefused},
      {IntArray(), T("[1, 2]"), "{\"1\",\"2\"}"},
      {IntArray(), B("[1]"), kRefused},
      {kMoney, I(5), "5"},
      {kMoney, R(12.5), "12.5"},
      {kMoney, T("-12.34"), "-12.34"},
      {kMoney, B("5"), kRefused},
      {kInterval, I(5), kRefused},
      {kInterval, R(1.5), kRefused},
      {kInterval, T("1 day"), "1 day"},
      {kInterval, B("1 day"), kRefused},
      {kOid, I(5), "5"},
      {kOid, R(1.5), "1.5"},
      {kOid, T("5"), "5"},
      {kOid, B("5"), kRefused},
  });
}

TEST(ConvertTest, KeepsNullInEveryType) {
  for (const TargetType& type : {kBool, kInt8, kFloat8, kNumeric, kText, kBytea, kDate, kTime,
                                 kTimestampTz, kUuid, kJsonb, Mood(), kInterval}) {
    EXPECT_EQ(Text(Value::Null(), type), "<null>") << type.name;
  }
}

// Whether digits were dropped, as VALUES.md lets them be.
bool Rounded(const Value& value, const TargetType& type) {
  bool rounded = false;
  std::string out;
  bool is_null = false;
  EXPECT_FALSE(ConvertText(value, type, {}, out, is_null, &rounded)) << type.name;
  bool in_binary = false;
  EXPECT_FALSE(ConvertBinary(value, type, {}, out, is_null, &in_binary)) << type.name;
  EXPECT_EQ(rounded, in_binary) << type.name;
  return rounded;
}

TEST(ConvertTest, SaysWhereDigitsWereDropped) {
  EXPECT_TRUE(Rounded(T("10:00:00.1234567"), kTime));
  EXPECT_TRUE(Rounded(T("2024-01-01 10:00:00.0000001"), kTimestamp));
  EXPECT_TRUE(Rounded(T("2024-01-01 10:00:00.123456789Z"), kTimestampTz));
  EXPECT_FALSE(Rounded(T("10:00:00.123456000"), kTime));
  EXPECT_FALSE(Rounded(T("2024-01-01 10:00:00.123456"), kTimestampTz));
  EXPECT_TRUE(Rounded(R(0.1 + 0.2), NumericOf(10, 2)));
  EXPECT_FALSE(Rounded(R(0.25), NumericOf(10, 2)));
  EXPECT_FALSE(Rounded(R(0.1 + 0.2), kNumeric));
  EXPECT_TRUE(Rounded(T("0.12345678901234567890"), kFloat8));
  EXPECT_TRUE(Rounded(T("9007199254740993"), kFloat8));
  for (const char* text : {"0.1", "-.5", "1e3", "100", "0.10", "0", "-0.0", "NaN", "infinity"}) {
    EXPECT_FALSE(Rounded(T(text), kFloat8)) << text;
  }
  TargetType times = Type(TypeKind::kArray, "time without time zone[]");
  MakeArray(times, kTime, ',');
  EXPECT_TRUE(Rounded(T("[\"10:00\", \"10:00:00.1234567\"]"), times));
  EXPECT_FALSE(Rounded(T("[\"10:00\"]"), times));
}

TEST(ConvertTest, RefusesTextThatPostgresCannotHold) {
  ExpectCells({
      {kText, T(""), ""},
      {kVarchar5, T(""), ""},
      {kChar3, T(""), ""},
      {kBytea, T(""), "\\x"},
      {kBytea, B(""), "\\x"},
      {kText, B(""), ""},
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

// Text that is empty says nothing in any other type; it is not NULL either.
TEST(ConvertTest, TakesTheEmptyStringOnlyAsText) {
  for (const TargetType& type :
       {kBool, kInt2, kInt4, kInt8, kFloat4, kFloat8, kNumeric, NumericOf(5, 2), kDate, kTime,
        kTimestamp, kTimestampTz, kUuid, Mood(), IntArray(), kMoney}) {
    EXPECT_EQ(Text(T(""), type), kRefused) << type.name;
    EXPECT_EQ(Text(B(""), type), kRefused) << type.name;
  }
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
