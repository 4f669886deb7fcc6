#include "replication/column_profile.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry {
namespace {

using namespace std::string_view_literals;

ColumnProfile ProfileOf(const std::vector<Value>& values) {
  ColumnProfile profile;
  for (const Value& value : values) profile.Observe(value);
  return profile;
}

ColumnProfile ProfileOfText(std::string_view text) { return ProfileOf({Value::Text(text)}); }

// The forms of one text, as letters: boolean, integer, decimal, Date, timesTamp, Zoned, tIme,
// Finer, uuid, json, nul, inValid, empty.
std::string Forms(std::string_view text) {
  const ColumnProfile p = ProfileOfText(text);
  std::string forms;
  const auto add = [&](std::int64_t count, const char* name) {
    if (count == 0) return;
    EXPECT_EQ(count, 1) << text;
    forms += (forms.empty() ? "" : " ") + std::string(name);
  };
  add(p.empty_texts, "empty");
  add(p.boolean_texts, "boolean");
  add(p.integer_texts, "integer");
  add(p.decimal_texts, "decimal");
  add(p.date_texts, "date");
  add(p.timestamp_texts, "timestamp");
  add(p.zoned_texts, "zoned");
  add(p.time_texts, "time");
  add(p.finer_times, "finer");
  add(p.uuid_texts, "uuid");
  add(p.json_texts, "json");
  add(p.nul_texts, "nul");
  add(p.invalid_texts, "invalid");
  return forms;
}

TEST(ColumnProfileTest, CountsStorageClasses) {
  const ColumnProfile p =
      ProfileOf({Value::Null(), Value::Null(), Value::Integer(1), Value::Real(1), Value::Text("a"),
                 Value::Text("bc"), Value::Text(""), Value::Blob("\x00"sv)});
  EXPECT_EQ(p.nulls, 2);
  EXPECT_EQ(p.integers, 1);
  EXPECT_EQ(p.reals, 1);
  EXPECT_EQ(p.texts, 3);
  EXPECT_EQ(p.blobs, 1);
  EXPECT_EQ(p.values(), 6);
}

TEST(ColumnProfileTest, KeepsTheBoundsOfNumbers) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  const ColumnProfile p = ProfileOf({Value::Integer(5), Value::Integer(kMin), Value::Integer(7)});
  EXPECT_EQ(p.smallest_integer, kMin);
  EXPECT_EQ(p.largest_integer, 7);
  EXPECT_EQ(ProfileOf({Value::Integer(5)}).smallest_integer, 5);
  EXPECT_EQ(ProfileOf({Value::Integer(-5)}).largest_integer, -5);
}

TEST(ColumnProfileTest, LeavesInfinityOutOfTheBounds) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const ColumnProfile p = ProfileOf(
      {Value::Real(kInfinity), Value::Real(-2.5), Value::Real(-kInfinity), Value::Real(-7.25)});
  EXPECT_EQ(p.reals, 4);
  EXPECT_EQ(p.nonfinite_reals, 2);
  EXPECT_EQ(p.smallest_real, -7.25);
  EXPECT_EQ(p.largest_real, -2.5);
  EXPECT_EQ(p.inexact_floats, 0);
}

TEST(ColumnProfileTest, TellsWholeAndFloatNumbers) {
  const auto whole = [](double real) { return ProfileOf({Value::Real(real)}).whole_reals; };
  const auto inexact = [](double real) { return ProfileOf({Value::Real(real)}).inexact_floats; };
  EXPECT_EQ(whole(-0.0), 1);
  EXPECT_EQ(whole(-9223372036854775808.0), 1);
  EXPECT_EQ(whole(9223372036854775808.0), 0);
  EXPECT_EQ(whole(0.5), 0);
  EXPECT_EQ(inexact(0.5), 0);
  EXPECT_EQ(inexact(0.1 + 0.2), 1);
  EXPECT_EQ(inexact(1e39), 1);
}

TEST(ColumnProfileTest, RecognisesNumbersInText) {
  EXPECT_EQ(Forms("0"), "integer decimal");
  EXPECT_EQ(Forms("007"), "integer decimal");
  EXPECT_EQ(Forms("+12"), "integer decimal");
  EXPECT_EQ(Forms("-9223372036854775808"), "integer decimal");
  EXPECT_EQ(Forms("9223372036854775808"), "decimal");
  EXPECT_EQ(Forms("7.0"), "decimal");
  EXPECT_EQ(Forms(".5"), "decimal");
  EXPECT_EQ(Forms("1e3"), "decimal");
  EXPECT_EQ(Forms("1e99999999"), "");
  EXPECT_EQ(Forms("1 "), "");
  EXPECT_EQ(Forms("0x10"), "");
  EXPECT_EQ(Forms("1,5"), "");
  EXPECT_EQ(Forms("NaN"), "");
  EXPECT_EQ(Forms("-"), "");
}

TEST(ColumnProfileTest, RecognisesBooleansThatAreNoNumbers) {
  for (const char* text : {"t", "TRUE", "y", "Yes", "on", "F", "false", "n", "NO", "off"}) {
    EXPECT_EQ(Forms(text), "boolean") << text;
  }
  EXPECT_EQ(Forms("1"), "integer decimal");
  EXPECT_EQ(Forms("tr"), "");
}

TEST(ColumnProfileTest, RecognisesDatesAndTimes) {
  EXPECT_EQ(Forms("2024-02-29"), "date");
  EXPECT_EQ(Forms("2023-02-29"), "");
  EXPECT_EQ(Forms("0000-00-00"), "");
  EXPECT_EQ(Forms("2024-1-5"), "");
  EXPECT_EQ(Forms("0044-03-15 BC"), "date");
  EXPECT_EQ(Forms("2024-01-05 10:11"), "timestamp");
  EXPECT_EQ(Forms("2024-01-05T10:11:12.123456"), "timestamp");
  EXPECT_EQ(Forms("2024-01-05T10:11:12.1234567"), "timestamp finer");
  EXPECT_EQ(Forms("2024-01-05T10:11:12.1234560"), "timestamp");
  EXPECT_EQ(Forms("2024-01-05T10:11:12Z"), "zoned");
  EXPECT_EQ(Forms("2024-01-05 10:11:12.123456789 +02:00"), "zoned finer");
  EXPECT_EQ(Forms("10:11"), "time");
  EXPECT_EQ(Forms("10:11:12.0000001"), "time finer");
  EXPECT_EQ(Forms("24:00:01"), "");
  EXPECT_EQ(Forms("now"), "");
}

TEST(ColumnProfileTest, TakesNoYearThatTheTypeDoesNotHold) {
  EXPECT_EQ(Forms("294276-12-31 23:59:59"), "timestamp");
  EXPECT_EQ(Forms("294277-01-01 00:00:00"), "");
  EXPECT_EQ(Forms("294277-01-01"), "date");
  EXPECT_EQ(Forms("5874898-01-01"), "");
  EXPECT_EQ(Forms("4714-11-24 BC"), "date");
  EXPECT_EQ(Forms("4714-11-23 BC"), "");
}

TEST(ColumnProfileTest, RecognisesUuids) {
  EXPECT_EQ(Forms("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "uuid");
  EXPECT_EQ(Forms("{6BA7B8109DAD11D180B400C04FD430C8}"), "uuid");
  EXPECT_EQ(Forms("6ba7b8109dad11d180b400c04fd430c8"), "uuid");
  EXPECT_EQ(Forms("6ba7b810-9dad-11d1-80b4-00c04fd430c"), "");
  EXPECT_EQ(ProfileOf({Value::Blob("0123456789abcdef")}).uuid_blobs, 1);
  EXPECT_EQ(ProfileOf({Value::Blob("0123456789abcde")}).uuid_blobs, 0);
}

TEST(ColumnProfileTest, RecognisesJsonDocumentsOnly) {
  EXPECT_EQ(Forms(R"({"a": [1, 2]})"), "json");
  EXPECT_EQ(Forms(" [] "), "json");
  EXPECT_EQ(Forms(R"({"a": 1)"), "");
  EXPECT_EQ(Forms(R"("a")"), "");
  EXPECT_EQ(Forms("null"), "");
  EXPECT_EQ(Forms(std::string(200'000, '[')), "");
}

TEST(ColumnProfileTest, FindsWhatNoPostgresTextHolds) {
  EXPECT_EQ(Forms("a\0b"sv), "nul");
  EXPECT_EQ(Forms("\xff"), "invalid");
  EXPECT_EQ(Forms("\xed\xa0\x80"), "invalid");
  EXPECT_EQ(Forms(""), "empty");
  EXPECT_EQ(ProfileOf({Value::Blob("text")}).text_blobs, 1);
  EXPECT_EQ(ProfileOf({Value::Blob("te\0xt"sv)}).text_blobs, 0);
  EXPECT_EQ(ProfileOf({Value::Blob("\xff")}).text_blobs, 0);
}

TEST(ColumnProfileTest, MeasuresTextInCharactersAndBlobsInBytes) {
  EXPECT_EQ(ProfileOf({Value::Text("a"), Value::Text("äöü"), Value::Text("")}).longest_text, 3);
  EXPECT_EQ(ProfileOf({Value::Blob("äö")}).longest_blob, 4);
}

Value RandomValue(std::mt19937_64& random) {
  static const std::vector<std::string_view> kBytes = {
      "",      "true", "12",   "1.5",   "2024-01-05",       "2024-01-05 10:11:12.1234567Z",
      "10:11", "{}",   "\xff", "a\0"sv, "0123456789abcdef", "6ba7b8109dad11d180b400c04fd430c8"};
  const std::uint64_t bits = random();
  const std::string_view bytes = kBytes[random() % kBytes.size()];
  double real = 0;
  std::memcpy(&real, &bits, sizeof real);
  switch (random() % 6) {
    case 0:
      return Value::Null();
    case 1:
      return Value::Integer(static_cast<std::int64_t>(bits));
    case 2:
      return Value::Real(real == real ? real : 0);
    case 3:
      return Value::Real(static_cast<double>(bits % 7) / 2);
    case 4:
      return Value::Blob(bytes);
    default:
      return Value::Text(bytes);
  }
}

TEST(ColumnProfileTest, MergesPartsToTheProfileOfTheWhole) {
  static_assert(sizeof(ColumnProfile) == 29 * 8, "the comparison below reads all of its bytes");
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<Value> values(random() % 12);
    for (Value& value : values) value = RandomValue(random);
    const auto cut = static_cast<std::ptrdiff_t>(random() % (values.size() + 1));
    ColumnProfile merged = ProfileOf({values.begin(), values.begin() + cut});
    merged.Merge(ProfileOf({values.begin() + cut, values.end()}));
    const ColumnProfile whole = ProfileOf(values);
    EXPECT_EQ(std::memcmp(&merged, &whole, sizeof whole), 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace liteferry
