#include "replication/target/key_writing.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/replication/target/convert_cells.h"
#include "tests/replication/target/random_values.h"

namespace liteferry::target {
namespace {

using namespace cells;  // NOLINT(google-build-using-namespace)

TargetType PlainText() {
  TargetType type = cells::kText;
  type.oid = 25;
  return type;
}

// What the server would compare: the binary form, zeros without sign, numerics without zeros at the
// end, char(n) without blanks.
std::string Compared(const Value& value, const TargetType& type, const ConvertOptions& options) {
  std::string text;
  bool is_null = false;
  EXPECT_FALSE(ConvertText(value, type, options, text, is_null));
  if (type.kind == TypeKind::kChar) text.erase(text.find_last_not_of(' ') + 1);
  if (type.kind == TypeKind::kNumeric && text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

struct Pool {
  TargetType type;
  std::vector<Value> values;
  ConvertOptions options = {};
};

std::vector<Pool> Pools() {
  const auto text = [](const char* bytes) { return Value::Text(bytes); };
  const auto blob = [](std::string_view bytes) { return Value::Blob(bytes); };
  const ConvertOptions ms{.epoch = Epoch::kMilliseconds};
  const ConvertOptions julian{.epoch = Epoch::kJulian};
  static const std::string uuid("\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00",
                                16);
  return {
      {cells::kBool,
       {Value::Integer(1), Value::Real(1), text("t"), text("TRUE"), text("True"), text("on"),
        text("1"), Value::Integer(0), Value::Real(-0.0), text("f"), text("No")}},
      {cells::kInt4,
       {Value::Integer(7), Value::Real(7), text("7"), Value::Integer(0), Value::Real(-0.0),
        text("0")}},
      {cells::kInt8, {Value::Integer(-5), Value::Real(-5), text("-5"), Value::Integer(kMax64)}},
      {cells::kFloat8,
       {Value::Integer(3), Value::Real(3), text("3"), text("3.0"), Value::Real(0.1), text("0.1"),
        Value::Real(-0.0), Value::Real(0), text("-0"), text("NaN"), Value::Real(kInf),
        text("Infinity"), text("inf"), text("1e+20"), Value::Real(1e20), text("1.0e+20")}},
      {cells::kFloat4,
       {Value::Real(0.1), Value::Real(static_cast<double>(0.1F)), text("0.1"), Value::Integer(2),
        Value::Real(2), text("2.0")}},
      {cells::kNumeric,
       {Value::Integer(1), Value::Real(1), text("1"), text("1.0"), text("1.00"), text("1.500"),
        Value::Real(1.5), Value::Integer(0), text("0.000"), Value::Real(-0.0)}},
      {NumericOf(20, 9), {text("2.5"), text("2.500000000"), text("2.50"), Value::Real(2.5)}},
      {PlainText(),
       {text("1"), Value::Integer(1), blob("1"), text("1.5"), Value::Real(1.5), text(""), blob(""),
        Value::Real(1e300), text("Infinity"), Value::Real(kInf)}},
      {kChar3,
       {text("a"), text("a  "), blob("a"), blob("a  "), text("é"), text("é  "), Value::Integer(12),
        text("12")}},
      {cells::kBytea, {text("ab"), blob("ab"), text(""), blob("")}},
      {cells::kDate,
       {text("2026-01-02"), text("2026-01-02 00:00:00"), text("2026-01-02T00:00:00Z"),
        text("2026-01-02T00:00"), text("0044-03-15 BC"), text("0044-03-15 00:00:00 BC"),
        text("infinity"), text("Infinity")}},
      {cells::kDate,
       {text("2026-01-02"), Value::Integer(1767312000000), Value::Real(1767312000000.0)},
       ms},
      {cells::kTime,
       {text("10:00"), text("10:00:00"), text("10:00:00.000"), text("10:00:00.000000"),
        text("24:00:00")}},
      {cells::kTimestamp,
       {text("2026-01-02 03:04:05"), text("2026-01-02T03:04:05"), text("2026-01-02T03:04:05.000Z"),
        text("2026-01-02 03:04:05.000000"), text("2026-01-02 03:04:05+00:00"),
        text("2026-01-02 03:04:05.1"), text("2026-01-02T03:04:05.100"), text("2026-01-02 00:00"),
        text("2026-01-02")}},
      {cells::kTimestamp,
       {text("2026-01-02 03:04:05.678"), Value::Integer(1767323045678),
        Value::Real(1767323045678.0)},
       ms},
      {cells::kTimestampTz,
       {text("2026-01-02 03:04:05"), text("2026-01-02T03:04:05Z"), text("2026-01-02 03:04:05+00"),
        text("2026-01-02T03:04:05.1230000"), text("2026-01-02T03:04:05.123"),
        text("0044-03-15 00:00:00Z BC"), text("0044-03-15 BC")}},
      {cells::kTimestampTz, {text("2026-01-02"), Value::Real(2461042.5)}, julian},
      {cells::kUuid,
       {text("11223344-5566-7788-99aa-bbccddeeff00"), text("112233445566778899AABBCCDDEEFF00"),
        text("11223344-5566-7788-99AA-BBCCDDEEFF00"), text("112233445566778899aabbccddeeff00"),
        blob(uuid)}},
      {Mood(), {text("sad"), text("1")}},
      {kInterval, {text("1 day")}},
      {kJsonb, {text("1"), Value::Integer(1), blob("1")}},
  };
}

TEST(KeyWriting, HasEveryUsualWayToWriteAKeyInTheListOfEachOther) {
  for (const Pool& pool : Pools()) {
    for (const Value& a : pool.values) {
      EXPECT_TRUE(IsUsualKey(a, pool.type, pool.options))
          << pool.type.name << " " << KeyToJson({&a, 1});
      KeyWritings writings;
      ListWritings(a, pool.type, pool.options, writings);
      const std::string key = Compared(a, pool.type, pool.options);
      for (const Value& b : pool.values) {
        EXPECT_EQ(writings.Has(b), Compared(b, pool.type, pool.options) == key)
            << pool.type.name << " " << KeyToJson({&a, 1}) << " " << KeyToJson({&b, 1});
      }
    }
  }
}

// The list of a key must not depend on how it was written: else A would find B, but B not A.
TEST(KeyWriting, ListsTheSameForEveryWriting) {
  for (const Pool& pool : Pools()) {
    std::map<std::string, std::set<PackedKey>> lists;
    for (const Value& value : pool.values) {
      KeyWritings writings;
      ListWritings(value, pool.type, pool.options, writings);
      std::set<PackedKey> packed;
      for (const Value& one : writings.values) packed.insert(PackKey({&one, 1}));
      const auto [at, first] = lists.emplace(Compared(value, pool.type, pool.options), packed);
      EXPECT_EQ(at->second, packed) << pool.type.name << " " << KeyToJson({&value, 1});
    }
  }
}

TEST(KeyWriting, TakesNoUnusualWriting) {
  const ConvertOptions strip{.on_invalid = OnInvalid::kStripNul};
  const auto usual = [](const Value& value, const TargetType& type,
                        const ConvertOptions& options = {}) {
    return IsUsualKey(value, type, options);
  };
  EXPECT_FALSE(usual(Value::Text("007"), cells::kInt4));
  EXPECT_FALSE(usual(Value::Text("+7"), cells::kInt8));
  EXPECT_FALSE(usual(Value::Text("1e3"), cells::kNumeric));
  EXPECT_FALSE(usual(Value::Text("01"), cells::kNumeric));
  EXPECT_FALSE(usual(Value::Text("0.10000000000000000555"), cells::kFloat8));
  EXPECT_FALSE(usual(Value::Text("2026-01-01 00:00:00+02:00"), cells::kTimestampTz));
  EXPECT_FALSE(usual(Value::Text("2026-01-01 24:00:00"), cells::kTimestamp));
  EXPECT_FALSE(usual(Value::Text("{11223344-5566-7788-99aa-bbccddeeff00}"), cells::kUuid));
  EXPECT_FALSE(usual(Value::Text("11223344-5566-7788-99aA-bbccddeeff00"), cells::kUuid));
  EXPECT_FALSE(usual(Value::Text("a "), kChar3));
  EXPECT_FALSE(usual(Value::Text(std::string_view("a\0b", 3)), PlainText(), strip));
  EXPECT_FALSE(usual(Value::Text("{1}"), IntArray()));
}

// Whatever the encoder makes of random values, keys that are one have one list.
TEST(KeyWriting, KeepsRandomKeysApartUnlessTheyAreOne) {
  const std::uint64_t seed = cells::kMax64 / 3;
  testing::RandomValues random(seed);
  for (const Pool& pool : Pools()) {
    std::map<std::string, std::set<PackedKey>> lists;
    for (int i = 0; i < 300; ++i) {
      const auto sample = random.For(pool.type);
      const Value value = sample.value();
      std::string text;
      bool is_null = false;
      if (ConvertText(value, pool.type, pool.options, text, is_null) || is_null) continue;
      if (!IsUsualKey(value, pool.type, pool.options)) continue;
      KeyWritings writings;
      ListWritings(value, pool.type, pool.options, writings);
      EXPECT_TRUE(writings.Has(value)) << pool.type.name << " " << KeyToJson({&value, 1});
      std::set<PackedKey> packed;
      for (const Value& one : writings.values) packed.insert(PackKey({&one, 1}));
      const auto [at, first] = lists.emplace(Compared(value, pool.type, pool.options), packed);
      EXPECT_EQ(at->second, packed) << pool.type.name << " " << KeyToJson({&value, 1});
    }
  }
}

}  // namespace
}  // namespace liteferry::target
