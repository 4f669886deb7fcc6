// What an application may set on its own connection, or run into: its statements work as they would
// without capture, and what it changes is logged.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "replication/base/text.h"
#include "tests/replication/source/capture_bench.h"

namespace liteferry::source {
namespace {

using liteferry::testing::AppDatabase;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kNotes =
    "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT UNIQUE, body);"
    "CREATE TABLE tags(note INT, tag TEXT COLLATE NOCASE, PRIMARY KEY(note, tag)) WITHOUT ROWID";

// What SQLite's documentation advises for databases of strangers
// (https://sqlite.org/security.html).
void SetParanoidLimits(AppDatabase& app) {
  for (const auto& [limit, value] : {std::pair{SQLITE_LIMIT_LENGTH, 1'000'000},
                                     {SQLITE_LIMIT_SQL_LENGTH, 100'000},
                                     {SQLITE_LIMIT_COLUMN, 100},
                                     {SQLITE_LIMIT_EXPR_DEPTH, 10},
                                     {SQLITE_LIMIT_COMPOUND_SELECT, 3},
                                     {SQLITE_LIMIT_VDBE_OP, 25'000},
                                     {SQLITE_LIMIT_FUNCTION_ARG, 8},
                                     {SQLITE_LIMIT_ATTACHED, 0},
                                     {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50},
                                     {SQLITE_LIMIT_VARIABLE_NUMBER, 10},
                                     {SQLITE_LIMIT_TRIGGER_DEPTH, 10}}) {
    sqlite3_limit(app.handle(), limit, value);
  }
}

TEST(CaptureLimits, StrictestAdvisedLimitsAreEnough) {
  std::string wide = "CREATE TABLE wide(";
  std::string key;
  for (int i = 0; i < 40; ++i) {
    wide += "c" + std::to_string(i) + " INT, ";
    key += (i > 0 ? ", c" : "c") + std::to_string(i);
  }
  wide += "v UNIQUE, PRIMARY KEY(" + key + ")) WITHOUT ROWID;";
  CaptureBench bench(
      wide + kNotes +
      "; CREATE TABLE e(id INTEGER PRIMARY KEY, a TEXT, b INT, n INT NOT NULL UNIQUE "
      "DEFAULT (abs(random())));"
      "CREATE UNIQUE INDEX i ON e(lower(a), b) WHERE b > 0");
  AppDatabase app(bench.ours().path(), "");
  SetParanoidLimits(app);
  EXPECT_EQ(app.Try("INSERT INTO wide(" + key + ",v) SELECT " + key +
                    ", 1 FROM (SELECT * FROM wide) WHERE 0; INSERT INTO wide DEFAULT VALUES"),
            "NOT NULL constraint failed: wide.c0");
  EXPECT_EQ(app.Try("INSERT INTO notes VALUES(1,'a',0); UPDATE notes SET title='b';"
                    "INSERT INTO tags VALUES(1,'t'); UPDATE tags SET tag='T'; DELETE FROM tags;"
                    "INSERT INTO e(a,b) VALUES('A',1); REPLACE INTO e(a,b) VALUES('a',1);"
                    "UPDATE e SET a='q'"),
            "");
}

// What an index on expressions over columns with defaults takes: SQLite's own limit is 1000.
TEST(CaptureLimits, ExpressionsOverDefaultsNeedADepthOf30) {
  CaptureBench bench(
      "CREATE TABLE e(id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'x' COLLATE NOCASE, b INT, "
      "n INT NOT NULL DEFAULT 5, g INT AS (CASE WHEN n IN (1,2) THEN a ELSE b END) UNIQUE);"
      "CREATE UNIQUE INDEX i ON e(lower(a), b, n+1) WHERE b > 0;"
      "CREATE UNIQUE INDEX j ON e(CASE WHEN n > 3 THEN a END)");
  AppDatabase app(bench.ours().path(), "");
  sqlite3_limit(app.handle(), SQLITE_LIMIT_EXPR_DEPTH, 30);
  EXPECT_EQ(app.Try("INSERT INTO e(a,b) VALUES('A',1); REPLACE INTO e(a,b) VALUES('a',1);"
                    "UPDATE e SET a='q'"),
            "");
}

TEST(CaptureLimits, RecursionOfTheApplicationGoesAsDeepAsWithout) {
  const std::string schema =
      "PRAGMA recursive_triggers=ON; CREATE TABLE r(id INTEGER PRIMARY KEY);"
      "CREATE TRIGGER app AFTER INSERT ON r WHEN NEW.id < 30 BEGIN INSERT INTO r VALUES(NEW.id+1); "
      "END";
  CaptureBench bench(schema);
  AppDatabase plain(":memory:", "");
  plain.Run(schema);
  for (int depth = 40; depth > 20; --depth) {
    sqlite3_limit(bench.app().handle(), SQLITE_LIMIT_TRIGGER_DEPTH, depth);
    sqlite3_limit(plain.handle(), SQLITE_LIMIT_TRIGGER_DEPTH, depth);
    EXPECT_EQ(bench.app().Try("DELETE FROM r; INSERT INTO r VALUES(1)"),
              plain.Try("DELETE FROM r; INSERT INTO r VALUES(1)"))
        << depth;
  }
}

// Where a trigger of the application changes a table that has none of its own, ours is one level
// more. With no level at all a write fails; it is not lost in silence.
TEST(CaptureLimits, NoDepthAtAllIsAnError) {
  CaptureBench bench(kNotes);
  sqlite3_limit(bench.app().handle(), SQLITE_LIMIT_TRIGGER_DEPTH, 0);
  EXPECT_THAT(bench.app().Try("INSERT INTO notes(title) VALUES('a')"),
              HasSubstr("too many levels of trigger recursion"));
}

TEST(CaptureLimits, CascadesGoAsDeepAsWithout) {
  const std::string schema =
      "PRAGMA foreign_keys=ON; CREATE TABLE s(id INTEGER PRIMARY KEY, up REFERENCES s(id) ON "
      "DELETE "
      "CASCADE);"
      "INSERT INTO s VALUES(1,NULL);"
      "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i+1 FROM n WHERE i<30) "
      "INSERT INTO s SELECT i, i-1 FROM n";
  CaptureBench bench(schema);
  AppDatabase plain(":memory:", "");
  plain.Run(schema);
  for (int depth = 20; depth < 40; ++depth) {
    sqlite3_limit(bench.app().handle(), SQLITE_LIMIT_TRIGGER_DEPTH, depth);
    sqlite3_limit(plain.handle(), SQLITE_LIMIT_TRIGGER_DEPTH, depth);
    EXPECT_EQ(bench.app().Try("DELETE FROM s WHERE id=1"), plain.Try("DELETE FROM s WHERE id=1"))
        << depth;
  }
}

TEST(CaptureLimits, FullDatabaseIsTheApplicationsOwnError) {
  CaptureBench bench(kNotes);
  const std::int64_t pages = bench.app().Int("SELECT page_count FROM pragma_page_count");
  bench.app().Run("PRAGMA max_page_count=" + std::to_string(pages + 2));
  std::string error;
  std::int64_t rows = 0;
  for (int i = 0; i < 2000 && error.empty(); ++i) {
    error = bench.app().Try("INSERT INTO notes(title) VALUES('" + std::to_string(i) + "')");
    rows += error.empty() ? 1 : 0;
  }
  EXPECT_EQ(error, "database or disk is full");
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM notes"), rows);
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM _liteferry_log WHERE t = 1"), rows);
}

// Python's set_authorizer, Node's, and the like: ours asks for more, and DENY fails the statement.
TEST(CaptureLimits, AuthorizerSeesTheLog) {
  CaptureBench bench(kNotes);
  std::vector<std::string> asked;
  const auto note = [](void* into, int action, const char* what, const char*, const char*,
                       const char* trigger) {
    if (action == SQLITE_INSERT && trigger != nullptr) {
      static_cast<std::vector<std::string>*>(into)->emplace_back(what);
    }
    return SQLITE_OK;
  };
  sqlite3_set_authorizer(bench.app().handle(), note, &asked);
  bench.app().Run("INSERT INTO tags VALUES(1,'t')");
  EXPECT_THAT(asked, ::testing::Each("_liteferry_log"));
  EXPECT_THAT(asked, ::testing::Not(IsEmpty()));
}

TEST(CaptureLimits, QueryOnlyAndReadOnlyConnectionsFailAsWithout) {
  CaptureBench bench(kNotes);
  bench.app().Run("PRAGMA query_only=ON");
  EXPECT_EQ(bench.app().Try("INSERT INTO notes(title) VALUES('a')"),
            "attempt to write a readonly database");
  EXPECT_EQ(bench.app().Try("SELECT * FROM notes"), "");
}

TEST(CaptureLimits, AttachedUnderAnotherName) {
  CaptureBench bench(kNotes);
  AppDatabase other(":memory:", "");
  other.Run("CREATE TABLE notes(id, title, body); CREATE TABLE _liteferry_log(x)");
  other.Run("ATTACH " + QuoteLiteral(bench.ours().path()) + " AS data");
  other.Run("INSERT INTO data.notes VALUES(1,'a',0); REPLACE INTO data.notes VALUES(2,'a',0)");
  EXPECT_THAT(bench.NewEntries(), ElementsAre("1|1", "1|1", "1|2"));
  EXPECT_EQ(other.Int("SELECT count(*) FROM main._liteferry_log"), 0);
}

TEST(CaptureLimits, TemporaryObjectsOfTheSameNames) {
  CaptureBench bench(kNotes);
  AppDatabase app(bench.ours().path(), "");
  app.Run(
      "CREATE TEMP TABLE _liteferry_log(x); CREATE TEMP VIEW notes AS SELECT 1 AS id;"
      "CREATE TEMP TABLE tags(note, tag)");
  app.Run(
      "INSERT INTO main.notes VALUES(1,'a',0); REPLACE INTO main.notes VALUES(2,'a',0);"
      "INSERT INTO tags VALUES(7,'x'); INSERT INTO main.tags VALUES(1,'x')");
  EXPECT_THAT(bench.NewEntries(), ElementsAre("1|1", "1|1", "1|2", "2|1|'x'"));
}

TEST(CaptureLimits, TotalChangesAndTheUpdateHookSeeTheLog) {
  CaptureBench bench(kNotes);
  const int before = sqlite3_total_changes(bench.app().handle());
  int log = 0;
  const auto hook = [](void* count, int, const char*, const char* table, sqlite3_int64) {
    *static_cast<int*>(count) += std::string_view(table) == "_liteferry_log" ? 1 : 0;
  };
  sqlite3_update_hook(bench.app().handle(), hook, &log);
  bench.app().Run("INSERT INTO notes(title) VALUES('a')");
  EXPECT_EQ(sqlite3_total_changes(bench.app().handle()) - before, 2);
  EXPECT_EQ(log, 1);
  EXPECT_EQ(sqlite3_changes(bench.app().handle()), 1);
}

TEST(CaptureLimits, WideKeysOfTablesWithoutRowid) {
  std::string columns;
  std::string values;
  for (int i = 0; i < 200; ++i) {
    columns += (i > 0 ? ", c" : "c") + std::to_string(i);
    values += (i > 0 ? ", " : "") + std::to_string(i);
  }
  CaptureBench bench("CREATE TABLE w(" + columns + ", PRIMARY KEY(" + columns + ")) WITHOUT ROWID");
  EXPECT_THAT(bench.Missed("INSERT INTO w VALUES(" + values + ")"), IsEmpty());
  EXPECT_THAT(bench.Missed("UPDATE w SET c199 = 'x', c0 = 1.0"), IsEmpty());
  EXPECT_THAT(bench.Missed("DELETE FROM w"), IsEmpty());
}

}  // namespace
}  // namespace liteferry::source
