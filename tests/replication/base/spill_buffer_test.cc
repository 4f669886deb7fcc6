#include "replication/base/spill_buffer.h"

#include <gtest/gtest.h>

#include <random>

namespace liteferry {
namespace {

std::string ReadAll(const SpillBuffer& buffer, std::uint64_t from, std::uint64_t to) {
  std::string all;
  buffer.Read(from, to, [&all](std::string_view piece) { all.append(piece); });
  return all;
}

TEST(SpillBufferTest, GivesBackEveryRangeWhetherInMemoryOrInTheFile) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  SpillBuffer buffer(10'000);
  for (int round = 0; round < 3; ++round) {
    std::string expected;
    for (int i = 0; i < 200; ++i) {
      std::string piece(random() % 2000, static_cast<char>('a' + random() % 26));
      buffer.Append(piece);
      expected += piece;
      const std::uint64_t from = expected.empty() ? 0 : random() % expected.size();
      const std::uint64_t to =
          from + (expected.size() == from ? 0 : random() % (expected.size() - from));
      ASSERT_EQ(ReadAll(buffer, from, to), expected.substr(from, to - from));
    }
    EXPECT_TRUE(buffer.spilled());
    EXPECT_EQ(buffer.size(), expected.size());
    EXPECT_EQ(ReadAll(buffer, 0, buffer.size()), expected);
    buffer.Clear();
    EXPECT_EQ(buffer.size(), 0U);
  }
}

TEST(SpillBufferTest, StaysInMemoryBelowItsLimit) {
  SpillBuffer buffer(1000);
  buffer.Append(std::string(1000, 'x'));
  EXPECT_FALSE(buffer.spilled());
}

}  // namespace
}  // namespace liteferry
