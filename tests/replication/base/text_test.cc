#include "replication/base/text.h"

#include <gtest/gtest.h>

#include "replication/base/error.h"

namespace liteferry {
namespace {

TEST(TextTest, QuotesNamesAndLiteralsByDoubling) {
  EXPECT_EQ(QuoteIdentifier("select \"x\""), "\"select \"\"x\"\"\"");
  EXPECT_EQ(QuoteIdentifier(""), "\"\"");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_THROW(QuoteLiteral(std::string_view("a\0b", 3)), Error);
}

TEST(TextTest, HexadecimalGoesBothWays) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(FromHex(ToHex(all)), all);
  EXPECT_EQ(ToHex("\xff\x01"), "ff01");
  EXPECT_THROW(FromHex("abc"), Error);
  EXPECT_THROW(FromHex("zz"), Error);
}

TEST(TextTest, FormatsForPeople) {
  EXPECT_EQ(GroupDigits(1234567), "1 234 567");
  EXPECT_EQ(GroupDigits(-123), "-123");
  EXPECT_EQ(GroupDigits(-1234), "-1 234");
  EXPECT_EQ(FormatBytes(512), "512 B");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatDuration(std::chrono::milliseconds(350)), "350 ms");
  EXPECT_EQ(FormatDuration(std::chrono::milliseconds(12'400)), "12.4 s");
  EXPECT_EQ(FormatDuration(std::chrono::seconds(185)), "3m 05s");
  EXPECT_EQ(FormatDuration(std::chrono::minutes(130)), "2h 10m");
  EXPECT_EQ(FormatTimestamp(std::chrono::system_clock::time_point(std::chrono::milliseconds(1500))),
            "1970-01-01T00:00:01.500Z");
}

TEST(TextTest, RandomUuidsHaveTheirFormAndDiffer) {
  const std::string uuid = RandomUuid();
  ASSERT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(uuid, RandomUuid());
}

}  // namespace
}  // namespace liteferry
