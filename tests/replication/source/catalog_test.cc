#include "replication/source/catalog.h"

#include <gmock/gmock.h>

#include "replication/source/sqlite_handle.h"
#include "tests/harness/sqlite_fixture.h"

namespace liteferry::source {
namespace {

using liteferry::testing::AppDatabase;
using liteferry::testing::TempDir;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

class Catalog : public ::testing::Test {
 protected:
  SourceCatalog Read(const std::string& sql) {
    app_.Run(sql);
    Database database(dir_.Path("app.db"), OpenMode::kReadOnly, milliseconds(1000));
    return ReadCatalog(database);
  }
  SourceTable One(const std::string& sql) {
    const SourceCatalog catalog = Read(sql);
    EXPECT_EQ(catalog.tables.size(), 1U);
    return catalog.tables.at(0);
  }

  TempDir dir_;
  AppDatabase app_{dir_.Path("app.db")};
};

TEST_F(Catalog, KnowsTheRowidByAnotherName) {
  EXPECT_EQ(One("CREATE TABLE t(id InTeGeR PRIMARY KEY, a)").integer_primary_key, 0);
  EXPECT_EQ(
      One("DROP TABLE t; CREATE TABLE t(a, id INTEGER, PRIMARY KEY(id DESC))").integer_primary_key,
      1);
  EXPECT_EQ(One("DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY DESC)").integer_primary_key,
            -1);
  EXPECT_EQ(One("DROP TABLE t; CREATE TABLE t(id INT PRIMARY KEY)").integer_primary_key, -1);
  EXPECT_EQ(
      One("DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY) WITHOUT ROWID").integer_primary_key,
      -1);
  EXPECT_EQ(One("DROP TABLE t; CREATE TABLE t(a INTEGER, b INTEGER, PRIMARY KEY(a, b))")
                .integer_primary_key,
            -1);
}

TEST_F(Catalog, FindsAutoincrementOnlyWhereItIsOne) {
  EXPECT_TRUE(One("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT)").autoincrement);
  EXPECT_FALSE(One("DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, /* AUTOINCREMENT */ "
                   "\"AUTOINCREMENT\" DEFAULT 'AUTOINCREMENT')")
                   .autoincrement);
}

TEST_F(Catalog, KeepsDeclarationsAsWritten) {
  const SourceTable table =
      One("CREATE TABLE t(id INTEGER PRIMARY KEY, \"a b\" VARCHAR(10) NOT NULL DEFAULT 'it''s', "
          "c COLLATE NOCASE DEFAULT (1+2), d TEXT AS (\"a b\"||'x') STORED, e AS (d))");
  ASSERT_EQ(table.columns.size(), 5U);
  EXPECT_EQ(table.columns[1].declared_type, "VARCHAR(10)");
  EXPECT_TRUE(table.columns[1].not_null);
  EXPECT_EQ(table.columns[1].default_sql, "'it''s'");
  EXPECT_EQ(table.columns[2].declared_type, "");
  EXPECT_EQ(table.columns[2].collation, "NOCASE");
  EXPECT_EQ(table.columns[2].default_sql, "1+2");
  EXPECT_FALSE(table.columns[0].default_sql);
  EXPECT_TRUE(table.columns[3].generated);
  EXPECT_EQ(table.columns[3].generated_sql, "\"a b\"||'x'");
  EXPECT_TRUE(table.columns[4].generated);
  EXPECT_EQ(table.columns[4].generated_sql, "d");
}

TEST_F(Catalog, FindsGeneratedColumnsAfterAlterTable) {
  const SourceTable table = One(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, CHECK(a <> ',')); "
      "ALTER TABLE t ADD COLUMN g AS (a||')') VIRTUAL; ALTER TABLE t RENAME COLUMN a TO \"b,\"");
  ASSERT_EQ(table.columns.size(), 3U);
  EXPECT_EQ(table.columns[2].generated_sql, "\"b,\"||')'");
}

TEST_F(Catalog, ReadsTermsOfIndexes) {
  const SourceTable table = One(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT COLLATE NOCASE UNIQUE);"
      "CREATE UNIQUE INDEX x ON t(b COLLATE RTRIM DESC, lower(a) , (a), (a||',') COLLATE nocase) "
      "WHERE a > ')' ;");
  ASSERT_EQ(table.indexes.size(), 2U);
  const SourceIndex& plain = table.indexes[0];
  EXPECT_TRUE(plain.unique);
  EXPECT_FALSE(plain.partial);
  EXPECT_EQ(plain.terms.at(0).collation, "NOCASE");
  const SourceIndex& x = table.indexes[1];
  EXPECT_TRUE(x.partial);
  EXPECT_EQ(x.where, "a > ')'");
  ASSERT_EQ(x.terms.size(), 4U);
  EXPECT_EQ(x.terms[0].column, 2);
  EXPECT_EQ(x.terms[0].collation, "RTRIM");
  EXPECT_TRUE(x.terms[0].descending);
  EXPECT_EQ(x.terms[1].column, -2);
  EXPECT_EQ(x.terms[1].expression, "lower(a)");
  EXPECT_EQ(x.terms[2].column, 1);
  EXPECT_EQ(x.terms[3].expression, "(a||',') COLLATE nocase");
  EXPECT_EQ(x.terms[3].collation, "nocase");
}

TEST_F(Catalog, ChoosesTheKey) {
  const SourceTable composite = One("CREATE TABLE t(a, b, c, PRIMARY KEY(c, a)) WITHOUT ROWID");
  EXPECT_EQ(composite.key_kind, KeyKind::kPrimaryKey);
  EXPECT_THAT(composite.key_columns, ElementsAre(2, 0));
  EXPECT_TRUE(composite.without_rowid);
  EXPECT_EQ(composite.rowid_alias, "");
  ASSERT_NE(KeyIndex(composite), nullptr);

  const SourceTable unique = One(
      "DROP TABLE t; CREATE TABLE t(a NOT NULL, b NOT NULL, c NOT NULL, n UNIQUE, "
      "g NOT NULL AS (a) UNIQUE); CREATE UNIQUE INDEX z ON t(a, b); CREATE UNIQUE INDEX y ON t(c);"
      "CREATE UNIQUE INDEX a ON t(b) WHERE c > 0; CREATE UNIQUE INDEX e ON t(lower(b))");
  EXPECT_EQ(unique.key_kind, KeyKind::kUnique);
  EXPECT_THAT(unique.key_columns, ElementsAre(2));
  EXPECT_EQ(KeyIndex(unique)->name, "y");

  const SourceTable none = One("DROP TABLE t; CREATE TABLE t(rowid, _ROWID_, n UNIQUE)");
  EXPECT_EQ(none.key_kind, KeyKind::kRowid);
  EXPECT_EQ(none.rowid_alias, "oid");
  EXPECT_EQ(One("DROP TABLE t; CREATE TABLE t(rowid, _rowid_, OID)").rowid_alias, "");
}

TEST_F(Catalog, LeavesOutWhatIsNotTheApplications) {
  const SourceCatalog catalog = Read(
      "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE _liteferry_log(x);"
      "CREATE TABLE _Litestream_seq(x); CREATE VIEW v AS SELECT 1; CREATE TEMP TABLE tmp(x);"
      "CREATE VIRTUAL TABLE email USING fts5(x); CREATE TABLE email_x(id INTEGER PRIMARY KEY);"
      "INSERT INTO a VALUES(1); ANALYZE");
  std::vector<std::string> names;
  for (const SourceTable& table : catalog.tables) names.push_back(table.name);
  EXPECT_THAT(names, ElementsAre("a", "email_x"));
  ASSERT_EQ(catalog.skipped.size(), 6U);
  EXPECT_EQ(catalog.skipped[0].name, "email");
  EXPECT_EQ(catalog.skipped[0].reason, "virtual table");
  EXPECT_EQ(catalog.skipped[1].name, "email_config");
  EXPECT_EQ(catalog.skipped[1].reason, "shadow table of email");
}

TEST_F(Catalog, SkipsAVirtualTableWhoseModuleOnlyTheApplicationHas) {
  const SourceCatalog catalog = Read(
      "CREATE TABLE t(x); PRAGMA writable_schema=ON; INSERT INTO sqlite_schema VALUES("
      "'table','vec','vec',0,'CREATE VIRTUAL TABLE vec USING vec0(x)'); PRAGMA "
      "writable_schema=RESET");
  ASSERT_EQ(catalog.tables.size(), 1U);
  EXPECT_EQ(catalog.tables[0].name, "t");
  ASSERT_EQ(catalog.skipped.size(), 1U);
  EXPECT_EQ(catalog.skipped[0].name, "vec");
}

TEST_F(Catalog, ReadsNamesThatNeedQuoting) {
  const std::vector<std::string> names = {"select \"x\"", "",    "t\nnl", "таблица", "it's", "[br]",
                                          "`bt`",         "a;b", "--c",   "/*x",     "😀",    "x.y",
                                          "%s",           "new", "a,b",   "a(b",     "a)b",  "'q'"};
  const auto quote = [](const std::string& name) {
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
  };
  for (const std::string& name : names) {
    app_.Run("CREATE TABLE " + quote(name) + "(" + quote("k" + name) + " TEXT PRIMARY KEY, " +
             quote(name) + " AS (" + quote("k" + name) + "||'x') STORED)");
    app_.Run("CREATE UNIQUE INDEX " + quote("i" + name) + " ON " + quote(name) + "(lower(" +
             quote("k" + name) + ")) WHERE " + quote(name) + " > ','");
  }
  const SourceCatalog catalog = Read("SELECT 1");
  ASSERT_EQ(catalog.tables.size(), names.size());
  for (const SourceTable& table : catalog.tables) {
    EXPECT_THAT(names, ::testing::Contains(table.name));
    ASSERT_EQ(table.columns.size(), 2U) << table.name;
    EXPECT_EQ(table.columns[0].name, "k" + table.name);
    EXPECT_EQ(table.columns[1].name, table.name);
    EXPECT_EQ(table.columns[1].generated_sql, quote("k" + table.name) + "||'x'");
    ASSERT_EQ(table.indexes.size(), 2U);
    const SourceIndex& index = table.indexes[table.indexes[0].partial ? 0 : 1];
    EXPECT_EQ(index.terms.at(0).expression, "lower(" + quote("k" + table.name) + ")");
    EXPECT_EQ(index.where, quote(table.name) + " > ','");
  }
}

TEST_F(Catalog, KnowsStrictTablesAndTheSchemaVersion) {
  const SourceCatalog before = Read("CREATE TABLE t(id INTEGER PRIMARY KEY, a ANY) STRICT");
  EXPECT_TRUE(before.tables.at(0).strict);
  EXPECT_GT(Read("CREATE TABLE u(x)").schema_version, before.schema_version);
}

TEST_F(Catalog, ReadsInfo) {
  app_.Run("CREATE TABLE t(x)");
  Database database(dir_.Path("app.db"), OpenMode::kReadOnly, milliseconds(1000));
  const SourceInfo info = ReadInfo(database);
  EXPECT_EQ(info.journal_mode, "wal");
  EXPECT_EQ(info.encoding, "UTF-8");
  EXPECT_EQ(info.page_size, 4096);
  EXPECT_EQ(info.page_count, 2);
}

}  // namespace
}  // namespace liteferry::source
