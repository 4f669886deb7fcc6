#include "replication/mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liteferry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

source::SourceTable Source(const std::string& name, const std::vector<std::string>& columns) {
  source::SourceTable table;
  table.name = name;
  for (const std::string& column : columns) {
    source::SourceColumn one;
    one.name = column;
    table.columns.push_back(one);
  }
  table.key_kind = source::KeyKind::kPrimaryKey;
  table.key_columns = {0};
  table.integer_primary_key = 0;
  table.rowid_alias = "rowid";
  return table;
}

target::TargetTable Target(const std::string& name, const std::vector<std::string>& columns) {
  target::TargetTable table;
  table.schema = "public";
  table.name = name;
  table.owned = true;
  for (const std::string& column : columns) {
    target::TargetColumn one;
    one.name = column;
    one.type.kind = target::TypeKind::kInt8;
    table.columns.push_back(one);
  }
  table.uniques.push_back({name + "_pkey", true, true, {columns.front()}});
  return table;
}

struct Pair {
  source::SourceCatalog source;
  target::TargetCatalog target;
  config::Settings settings;

  Mapping Build() const { return BuildMapping(source, target, settings); }
};

TEST(MappingTest, PairsByExactNameBeforeAnyOther) {
  Pair pair;
  pair.source.tables = {Source("Notes", {"Id", "id2"})};
  pair.target.tables = {Target("Notes", {"Id", "id2"}), Target("notes", {"id", "id2"})};
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, IsEmpty());
  EXPECT_EQ(mapping.tables[0].target.name, "Notes");
  EXPECT_EQ(mapping.tables[0].columns[0].target.name, "Id");
  EXPECT_EQ(mapping.tables[0].key_index, "Notes_pkey");
}

TEST(MappingTest, PairsByCaseInsensitiveNameOnlyWhereThatIsUnambiguous) {
  Pair pair;
  pair.source.tables = {Source("Notes", {"Id"})};
  pair.target.tables = {Target("notes", {"id"})};
  EXPECT_THAT(pair.Build().tables, SizeIs(1));
  pair.target.tables.push_back(Target("NOTES", {"id"}));
  const Mapping mapping = pair.Build();
  EXPECT_THAT(mapping.tables, IsEmpty());
  ASSERT_THAT(mapping.problems, SizeIs(1));
  EXPECT_THAT(mapping.problems[0].message, HasSubstr("differ from Notes in case only"));
}

TEST(MappingTest, PairsAsConfigured) {
  Pair pair;
  pair.source.tables = {Source("t", {"id", "old"})};
  pair.target.tables = {Target("t", {"id", "x"}), Target("u", {"id", "new"})};
  pair.settings.tables["t"].target = "u";
  pair.settings.tables["t"].columns["old"].target = "new";
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, IsEmpty());
  EXPECT_EQ(mapping.tables[0].target.name, "u");
  EXPECT_EQ(mapping.tables[0].columns[1].target.name, "new");
}

TEST(MappingTest, ListsAllColumnsThatTheTargetLacks) {
  Pair pair;
  pair.source.tables = {Source("t", {"id", "a", "b", "c"}), Source("u", {"id", "d"}),
                        Source("v", {"id"})};
  pair.target.tables = {Target("t", {"id", "b"}), Target("u", {"id"})};
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, SizeIs(3));
  EXPECT_THAT(mapping.problems[0].message, HasSubstr("lacks columns a, c"));
  EXPECT_THAT(mapping.problems[1].message, HasSubstr("lacks column d"));
  EXPECT_THAT(mapping.problems[2].message, HasSubstr("no counterpart v"));
}

TEST(MappingTest, TargetColumnsWithoutSourceMustFillThemselves) {
  Pair pair;
  pair.source.tables = {Source("t", {"id"})};
  target::TargetTable table = Target("t", {"id", "dflt", "nullable", "generated", "ident", "bare"});
  for (target::TargetColumn& column : table.columns) column.not_null = column.name != "nullable";
  table.columns[1].has_default = true;
  table.columns[3].generated = true;
  table.columns[4].identity = target::Identity::kAlways;
  pair.target.tables = {table};
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, SizeIs(1));
  EXPECT_THAT(mapping.problems[0].message, HasSubstr("lacks: bare"));
}

TEST(MappingTest, LeavesGeneratedColumnsOfTheTargetToTheTarget) {
  Pair pair;
  pair.source.tables = {Source("t", {"id", "g"})};
  target::TargetTable table = Target("t", {"id", "g"});
  table.columns[1].generated = true;
  pair.target.tables = {table};
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, IsEmpty());
  EXPECT_THAT(mapping.tables[0].columns, SizeIs(1));
}

TEST(MappingTest, NeedsAUniqueKeyOnTheTargetForTheKeyOfTheSource) {
  Pair pair;
  pair.source.tables = {Source("t", {"id", "b"})};
  pair.source.tables[0].key_columns = {1, 0};
  pair.target.tables = {Target("t", {"id", "b"})};
  EXPECT_THAT(pair.Build().problems, SizeIs(1));
  pair.target.tables[0].uniques.push_back({"t_id_b", false, true, {"id", "b"}});
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, IsEmpty());
  EXPECT_EQ(mapping.tables[0].key_index, "t_id_b");
  EXPECT_THAT(mapping.tables[0].key, ElementsAre(1U, 0U));
}

TEST(MappingTest, GivesATableWithoutKeyAHiddenRowid) {
  Pair pair;
  pair.source.tables = {Source("t", {"a"})};
  pair.source.tables[0].key_kind = source::KeyKind::kRowid;
  pair.source.tables[0].key_columns.clear();
  pair.target.tables = {Target("t", {"a"})};
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, IsEmpty());
  EXPECT_TRUE(mapping.tables[0].hidden_rowid);
  EXPECT_EQ(mapping.tables[0].columns.back().target.name, kHiddenRowidColumn);
  EXPECT_THAT(mapping.tables[0].SourceColumns(), ElementsAre(0));
  EXPECT_THAT(mapping.notes, SizeIs(1));
}

TEST(MappingTest, SelectsByPatternsAndExcludeWins) {
  config::Settings settings;
  EXPECT_TRUE(IsSelected("notes", settings));
  settings.source.include = {"n*"};
  settings.source.exclude = {"*_old"};
  EXPECT_TRUE(IsSelected("notes", settings));
  EXPECT_FALSE(IsSelected("notes_old", settings));
  EXPECT_FALSE(IsSelected("tags", settings));
}

TEST(MappingTest, ReportsConfiguredNamesThatDoNotExist) {
  Pair pair;
  pair.source.tables = {Source("t", {"id"})};
  pair.target.tables = {Target("t", {"id"})};
  pair.settings.tables["typo"].target = "x";
  pair.settings.tables["t"].columns["nope"].target = "y";
  EXPECT_THAT(pair.Build().problems, SizeIs(2));
}

TEST(MappingTest, SignatureChangesWithWhatARowLooksLike) {
  Pair pair;
  pair.source.tables = {Source("t", {"id", "a"})};
  pair.target.tables = {Target("t", {"id", "a"})};
  const std::string before = pair.Build().tables[0].Signature();
  EXPECT_EQ(before, pair.Build().tables[0].Signature());
  pair.target.tables[0].columns[1].type.name = "text";
  EXPECT_NE(before, pair.Build().tables[0].Signature());
}

}  // namespace
}  // namespace liteferry
