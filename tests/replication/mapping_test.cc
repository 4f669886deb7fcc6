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

TEST(MappingTest, NamesTheNearestForATypo) {
  Pair pair;
  pair.source.tables = {Source("notes", {"id", "title"})};
  pair.target.tables = {Target("notes", {"id", "title"}), Target("entries", {"id", "title"})};
  pair.settings.tables["nots"].target = "x";
  pair.settings.tables["notes"].target = "entris";
  pair.settings.source.include = {"notez", "notes", "q*"};
  Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, SizeIs(3));
  EXPECT_THAT(mapping.problems[0].message, HasSubstr("the nearest name is entries"));
  EXPECT_THAT(mapping.problems[1].message, HasSubstr("the nearest name is notes"));
  EXPECT_THAT(mapping.problems[2].message, HasSubstr("the nearest name is notes"));
  EXPECT_THAT(mapping.notes, ElementsAre(HasSubstr("no table matches q*")));
  pair.settings.tables.erase("nots");
  pair.settings.tables["notes"].target = "";
  pair.settings.tables["notes"].columns["titel"].target = "title";
  mapping = pair.Build();
  EXPECT_THAT(mapping.problems[0].message, HasSubstr("the nearest name is title"));
}

TEST(MappingTest, FindsTablesOfOtherSchemas) {
  Pair pair;
  pair.source.tables = {Source("a", {"id"}), Source("b", {"id"}), Source("c", {"id"})};
  target::TargetTable other = Target("a", {"id"});
  other.schema = "other";
  pair.target.tables = {Target("a", {"id"}), Target("x.y", {"id"}), other};
  pair.settings.tables["b"].target = "other.a";
  pair.settings.tables["c"].target = "x.y";
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, IsEmpty());
  EXPECT_EQ(mapping.tables[0].QualifiedTarget(), "\"public\".\"a\"");
  EXPECT_EQ(mapping.tables[1].QualifiedTarget(), "\"other\".\"a\"");
  EXPECT_EQ(mapping.tables[2].QualifiedTarget(), "\"public\".\"x.y\"");
}

TEST(MappingTest, RefusesItsOwnSchemaAsATarget) {
  Pair pair;
  pair.source.tables = {Source("a", {"id"})};
  pair.settings.tables["a"].target = "liteferry.stream";
  EXPECT_THAT(pair.Build().problems.at(0).message, HasSubstr("liteferry's own"));
}

TEST(MappingTest, RefusesTwoTablesOrTwoColumnsForOne) {
  Pair pair;
  pair.source.tables = {Source("a", {"id", "x", "y"}), Source("b", {"id", "x", "y"})};
  pair.target.tables = {Target("a", {"id", "x", "y"})};
  pair.settings.tables["b"].target = "public.a";
  pair.settings.tables["a"].columns["y"].target = "X";
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, SizeIs(2));
  EXPECT_THAT(mapping.problems[0].message, HasSubstr("columns x and y are both paired"));
  EXPECT_THAT(mapping.problems[1].message, HasSubstr("tables a and b are both paired"));
}

TEST(MappingTest, CutsNamesAsPostgresDoes) {
  const std::string long_name = "n" + std::string(62, 'x');
  const std::string umlaut = std::string(62, 'x') + "ä";
  Pair pair;
  pair.source.tables = {Source(long_name + "1", {"id", umlaut})};
  pair.target.tables = {Target(long_name, {"id", std::string(62, 'x')})};
  Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, IsEmpty());
  EXPECT_THAT(mapping.notes, ElementsAre(HasSubstr("was cut to 63 bytes")));
  pair.source.tables.push_back(Source(long_name + "2", {"id", umlaut}));
  mapping = pair.Build();
  ASSERT_THAT(mapping.problems, SizeIs(1));
  EXPECT_THAT(mapping.problems[0].message, HasSubstr("cuts names after 63 bytes"));
}

TEST(MappingTest, SaysWhenASettingHasNoEffect) {
  Pair pair;
  pair.source.tables = {Source("t", {"id", "at"})};
  pair.target.tables = {Target("t", {"id", "at"})};
  pair.target.tables[0].columns[1].type.name = "bigint";
  pair.settings.tables["t"].columns["at"].epoch = config::Epoch::kSeconds;
  pair.settings.tables["t"].columns["at"].type = "timestamptz";
  const Mapping mapping = pair.Build();
  ASSERT_THAT(mapping.problems, IsEmpty());
  EXPECT_THAT(mapping.notes, ElementsAre(HasSubstr("epoch is for dates"),
                                         HasSubstr("type timestamptz is for tables that")));
}

TEST(MappingTest, SaysThatAViewIsNoTable) {
  Pair pair;
  pair.source.tables = {Source("v", {"id"})};
  pair.target.others["v"] = "view";
  EXPECT_THAT(pair.Build().problems.at(0).message, HasSubstr("v is a view"));
}

TEST(MappingTest, TakesNoNullInTheKey) {
  Pair pair;
  pair.source.tables = {Source("t", {"id", "a"})};
  pair.target.tables = {Target("t", {"id", "a"})};
  const target::RowEncoder encoder = pair.Build().tables[0].Encoder();
  std::string out;
  const std::vector<Value> no_key = {Value::Null(), Value::Integer(1)};
  const std::vector<Value> no_value = {Value::Integer(1), Value::Null()};
  EXPECT_TRUE(encoder.AppendRow(no_key, out).has_value());
  EXPECT_FALSE(encoder.AppendRow(no_value, out).has_value());
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
