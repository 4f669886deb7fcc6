#include "replication/schema_names.h"

#include <gtest/gtest.h>

namespace liteferry {
namespace {

TEST(SchemaNamesTest, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(QuoteIfNeeded("notes"), "notes");
  EXPECT_EQ(QuoteIfNeeded("_a1"), "_a1");
  EXPECT_EQ(QuoteIfNeeded("Notes"), "\"Notes\"");
  EXPECT_EQ(QuoteIfNeeded("1a"), "\"1a\"");
  EXPECT_EQ(QuoteIfNeeded("a b"), "\"a b\"");
  EXPECT_EQ(QuoteIfNeeded("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteIfNeeded(""), "\"\"");
  EXPECT_EQ(QuoteIfNeeded("\xC3\xA4"), "\"\xC3\xA4\"");
  for (const char* word :
       {"user", "order", "position", "references", "timestamp", "all", "xmltable"}) {
    EXPECT_EQ(QuoteIfNeeded(word), "\"" + std::string(word) + "\"");
  }
}

TEST(SchemaNamesTest, FoldsToSnakeCase) {
  EXPECT_EQ(SnakeCase("AlbumId"), "album_id");
  EXPECT_EQ(SnakeCase("HTTPServer"), "http_server");
  EXPECT_EQ(SnakeCase("already_there"), "already_there");
  EXPECT_EQ(SnakeCase("Mixed Names-here"), "mixed_names_here");
  EXPECT_EQ(SnakeCase("a1B"), "a1_b");
  EXPECT_EQ(SnakeCase("2nd"), "_2nd");
  EXPECT_EQ(SnakeCase("ID"), "id");
  EXPECT_EQ(SnakeCase("!!"), "!!");
  EXPECT_EQ(SnakeCase("\xC3\x84Id"), "\xC3\x84id");
}

TEST(SchemaNamesTest, PostgresOwnColumnsAreRenamed) {
  EXPECT_EQ(ColumnNameOnTarget("xmin", NameStyle::kKeep), "xmin_");
  EXPECT_EQ(ColumnNameOnTarget("XMin", NameStyle::kKeep), "XMin");
  EXPECT_EQ(ColumnNameOnTarget("TableOid", NameStyle::kFold), "table_oid");
}

TEST(SchemaNamesTest, CutsAtAWholeCharacter) {
  EXPECT_EQ(CutToFit(std::string(63, 'a')), std::string(63, 'a'));
  EXPECT_EQ(CutToFit(std::string(64, 'a')), std::string(63, 'a'));
  EXPECT_EQ(CutToFit(std::string(62, 'a') + "\xC3\xA4"), std::string(62, 'a'));
}

TEST(SchemaNamesTest, LongNamesThatWouldBeOneGetADigest) {
  const std::string stem(70, 'a');
  NameSpace names;
  EXPECT_EQ(names.Take(stem + "1"), std::string(63, 'a'));
  const std::string second = names.Take(stem + "2");
  EXPECT_EQ(second.size(), kMaxNameBytes);
  EXPECT_TRUE(second.starts_with(std::string(54, 'a') + "_")) << second;
  NameSpace again;
  again.Take(stem + "1");
  EXPECT_EQ(again.Take(stem + "2"), second);
  EXPECT_NE(again.Take(stem + "3"), second);
}

TEST(SchemaNamesTest, NamesThatAreTakenAreCounted) {
  NameSpace names;
  names.Reserve("user_name");
  EXPECT_EQ(names.Take("user_name"), "user_name_2");
  EXPECT_EQ(names.Take("user_name"), "user_name_3");
}

}  // namespace
}  // namespace liteferry
