#include <gtest/gtest.h>

#include <cmath>

#include "tests/replication/target/convert_cells.h"

namespace liteferry::target {
namespace {

using namespace cells;
using namespace std::string_literals;

TEST(ConvertNumberTest, TakesOnlyTwoValuedThingsAsBoolean) {
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

TEST(ConvertNumberTest, RefusesIntegersOutOfRange) {
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

TEST(ConvertNumberTest, TakesOnlyPlainDigitsAsInteger) {
  for (const char* text :
       {"", " 7", "7 ", "+", "-", "+-7", "--7", "7.0", "1e3", "0x10", "1_000", "٣", "true"}) {
    EXPECT_EQ(Text(T(text), kInt8), kRefused) << text;
  }
  EXPECT_EQ(Text(T("7\0"s), kInt8), kRefused);
}

TEST(ConvertNumberTest, WritesIntegersInNetworkOrder) {
  EXPECT_EQ(Hex(I(1), kInt2), "0001");
  EXPECT_EQ(Hex(I(-2), kInt4), "fffffffe");
  EXPECT_EQ(Hex(I(0x0102030405060708), kInt8), "0102030405060708");
  EXPECT_EQ(Hex(I(1), kBool), "01");
}

TEST(ConvertNumberTest, KeepsDoubleBits) {
  EXPECT_EQ(Hex(R(-0.0), kFloat8), "8000000000000000");
  EXPECT_EQ(Hex(R(5e-324), kFloat8), "0000000000000001");
  EXPECT_EQ(Hex(R(kInf), kFloat8), "7ff0000000000000");
  EXPECT_EQ(Hex(R(-kInf), kFloat4), "ff800000");
  EXPECT_EQ(Hex(R(-0.0), kFloat4), "80000000");
  EXPECT_EQ(Text(R(-0.0), kFloat8), "-0");
}

TEST(ConvertNumberTest, TakesIntoFloatsOnlyWhatTheyHoldExactly) {
  ExpectCells({
      {kFloat8, I(9007199254740992), "9.007199254740992e+15"},
      {kFloat8, I(9007199254740993), kRefused},
      {kFloat8, I(kMin64), "-9.223372036854776e+18"},
      {kFloat8, I(kMax64), kRefused},
      {kFloat4, I(16777217), kRefused},
      {kFloat4, R(1e300), kRefused},
      {kFloat4, T("1e39"), kRefused},
  });
}

// 0.1 is written alike on both sides, though the double and the float are two numbers.
TEST(ConvertNumberTest, TakesIntoFloatsWhatShowsTheSameDigits) {
  ExpectCells({
      {kFloat4, R(0.1), "0.1"},
      {kFloat4, R(-3.14), "-3.14"},
      {kFloat4, T("0.1"), "0.1"},
      {kFloat4, T("0.100000000"), "0.1"},
      {kFloat4, R(static_cast<double>(0.1F)), "0.1"},
      {kFloat4, R(16777216.0), "1.6777216e+07"},
      {kFloat4, R(1e-45), "1e-45"},
      {kFloat4, R(2080374800.0), "2.0803748e+09"},
      {kFloat4, I(2080374784), "2.0803748e+09"},
      {kFloat4, R(3.4028235e38), "3.4028235e+38"},
      {kFloat4, R(-3.4028235e38), "-3.4028235e+38"},
      {kFloat4, R(3.4028236e38), kRefused},
      {kFloat4, R(0.1234567890123), kRefused},
      {kFloat4, T("0.1234567890123"), kRefused},
      {kFloat4, R(16777217.0), kRefused},
      {kFloat4, R(0.1 + 0.2), kRefused},
      {kFloat4, R(5e-324), kRefused},
      {kFloat4, R(std::nan("")), "NaN"},
  });
  EXPECT_EQ(Hex(R(0.1), kFloat4), "3dcccccd");
  EXPECT_EQ(Hex(R(kInf), kFloat4), "7f800000");
}

TEST(ConvertNumberTest, ReadsWholeDecimalNumbersAsFloat) {
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

TEST(ConvertNumberTest, TakesNoNumberWhereTheServerWouldGuessItsMeaning) {
  const TargetType types[] = {kInterval,          Other(1266, "time with time zone"),
                              Other(1560, "bit"), Other(1562, "bit varying"),
                              Other(869, "inet"), Other(650, "cidr")};
  for (const TargetType& type : types) {
    ExpectCells({{type, I(10), kRefused}, {type, R(10), kRefused}, {type, T("10"), "10"}});
  }
}

TEST(ConvertNumberTest, TakesIntoMoneyOnlyWhatItHoldsExactly) {
  ExpectCells({
      {kMoney, T("1.500"), "1.500"},
      {kMoney, T("1.505"), kRefused},
      {kMoney, T("$1.50"), kRefused},
      {kMoney, T("1,50"), kRefused},
      {kMoney, T("1e2"), kRefused},
      {kMoney, T("NaN"), kRefused},
      {kMoney, R(0.1 + 0.2), "0.3"},
      {kMoney, R(0.125), kRefused},
      {kMoney, R(kInf), kRefused},
      {kMoney, I(99999999999999999), "99999999999999999"},
      {kMoney, I(100000000000000000), kRefused},
  });
}

TEST(ConvertNumberTest, WritesRealsShortAndExact) {
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

TEST(ConvertNumberTest, WritesNumericAsPostgresDoes) {
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

TEST(ConvertNumberTest, RefusesWhatNumericWouldRound) {
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

TEST(ConvertNumberTest, RefusesNumericBeyondTheLimits) {
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

}  // namespace
}  // namespace liteferry::target
