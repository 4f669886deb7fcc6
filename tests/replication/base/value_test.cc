#include "replication/base/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "replication/base/error.h"

namespace liteferry {
namespace {

std::string RandomBytes(std::mt19937_64& random) {
  std::string bytes(random() % 12, '\0');
  for (char& c : bytes) c = static_cast<char>(random() % 256);
  return bytes;
}

TEST(ValueTest, KeysSurvivePackingAndJsonWhateverTheyHold) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::string> owned(4);
    std::vector<Value> key;
    for (std::size_t i = 0; i < 1 + random() % 4; ++i) {
      owned[i] = RandomBytes(random);
      switch (random() % 5) {
        case 0:
          key.push_back(Value::Null());
          break;
        case 1:
          key.push_back(Value::Integer(static_cast<std::int64_t>(random())));
          break;
        case 2:
          key.push_back(Value::Real(
              std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 900) - 450)));
          break;
        case 3:
          key.push_back(Value::Text(owned[i]));
          break;
        default:
          key.push_back(Value::Blob(owned[i]));
      }
    }
    const PackedKey packed = PackKey(key);
    ASSERT_EQ(UnpackKey(packed), key);
    ASSERT_EQ(KeyFromJson(KeyToJson(key)), packed) << KeyToJson(key);
  }
}

TEST(ValueTest, TellsEqualNumbersOfDifferentClassesApart) {
  const std::vector<Value> integer = {Value::Integer(1)};
  const std::vector<Value> real = {Value::Real(1.0)};
  const std::vector<Value> text = {Value::Text("1")};
  const std::vector<Value> blob = {Value::Blob("1")};
  EXPECT_NE(PackKey(integer), PackKey(real));
  EXPECT_NE(PackKey(text), PackKey(blob));
  EXPECT_NE(PackKey(integer), PackKey(text));
}

TEST(ValueTest, RefusesAKeyThatIsCutOff) {
  const std::vector<Value> key = {Value::Text("hello"), Value::Integer(7)};
  const PackedKey packed = PackKey(key);
  for (std::size_t length : {1U, 3U, 7U, 12U}) {
    EXPECT_THROW(UnpackKey(packed.substr(0, length)), Error) << length;
  }
}

TEST(ValueTest, KnowsUtf8AsPostgresqlDoes) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("plain ascii that is longer than one word"));
  EXPECT_TRUE(IsValidUtf8("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80"));
  EXPECT_TRUE(IsValidUtf8(std::string_view("a\0b", 3)));
  EXPECT_FALSE(IsValidUtf8("\xff"));
  EXPECT_FALSE(IsValidUtf8("\xc0\x80")) << "overlong";
  EXPECT_FALSE(IsValidUtf8("\xe0\x80\x80")) << "overlong";
  EXPECT_FALSE(IsValidUtf8("\xed\xa0\x80")) << "surrogate";
  EXPECT_FALSE(IsValidUtf8("\xf4\x90\x80\x80")) << "above U+10FFFF";
  EXPECT_FALSE(IsValidUtf8("cut \xe2\x82"));
}

}  // namespace
}  // namespace liteferry
