// What our triggers mean for the application's ALTER and DROP, and what trigger capture cannot see;
// docs/CAPTURE.md lists both.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "tests/replication/source/capture_bench.h"

namespace liteferry::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kTable =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT, c, d);"
    "CREATE UNIQUE INDEX x ON t(b); CREATE UNIQUE INDEX y ON t(lower(a)) WHERE c IS NOT NULL;"
    "CREATE TABLE other(id INTEGER PRIMARY KEY)";

TEST(CaptureAlter, FormsThatAreNotBlocked) {
  for (const char* sql :
       {"ALTER TABLE t DROP COLUMN d", "ALTER TABLE t ADD COLUMN z DEFAULT 7",
        "ALTER TABLE t RENAME COLUMN b TO bb", "ALTER TABLE t RENAME COLUMN a TO v",
        "ALTER TABLE t RENAME COLUMN c TO \"new\"", "ALTER TABLE t RENAME COLUMN id TO seq",
        "ALTER TABLE t RENAME TO \"other t\"", "DROP INDEX x", "DROP INDEX y", "DROP TABLE t",
        "ALTER TABLE other RENAME TO t2", "ALTER TABLE other RENAME COLUMN id TO k",
        "CREATE VIEW w AS SELECT a FROM t", "REINDEX", "VACUUM", "ANALYZE",
        "CREATE TABLE n(id, a, b, c, d); INSERT INTO n SELECT * FROM t; DROP TABLE t; "
        "ALTER TABLE n RENAME TO t"}) {
    CaptureBench bench(kTable, "INSERT INTO t VALUES(1,'a','b',1,1)");
    EXPECT_EQ(bench.app().Try(sql), "") << sql;
    bench.Install();
    EXPECT_THAT(bench.Broken(), IsEmpty()) << sql;
  }
}

// Between the ALTER and the moment at which the daemon sees it.
TEST(CaptureAlter, WritesWorkAndAreLoggedRightAfterARename) {
  for (const auto& [rename, write] :
       {std::pair{"ALTER TABLE t RENAME COLUMN b TO v", "REPLACE INTO t(id,v) VALUES(2,'b')"},
        {"ALTER TABLE t RENAME COLUMN a TO \"new\"",
         "REPLACE INTO t(id,\"new\",c) VALUES(2,'A',1)"},
        {"ALTER TABLE t RENAME COLUMN c TO a2", "REPLACE INTO t(id,a,a2) VALUES(2,'A',5)"},
        {"ALTER TABLE t RENAME TO t2", "REPLACE INTO t2(id,b) VALUES(2,'b')"},
        {"ALTER TABLE t RENAME COLUMN id TO k", "REPLACE INTO t(k,b) VALUES(2,'b')"}}) {
    CaptureBench bench(kTable, "INSERT INTO t VALUES(1,'a','b',1,1)");
    bench.app().Run(rename);
    EXPECT_THAT(bench.Logged(write), ElementsAre("2|1", "2|2")) << rename;
  }
}

// The one form that is blocked: the lookup of the index still names its columns.
TEST(CaptureAlter, DroppedColumnOfADroppedIndexIsBlockedUntilTheDaemonHasSeenIt) {
  constexpr const char* kDrop = "ALTER TABLE t DROP COLUMN b";
  CaptureBench bench(kTable);
  bench.app().Run("DROP INDEX x");
  EXPECT_EQ(bench.app().Try(kDrop),
            "error in trigger _liteferry_2_bi after drop column: no such column: NEW.b");
  EXPECT_EQ(bench.app().Text("SELECT group_concat(name) FROM pragma_table_info('t')"),
            "id,a,b,c,d");
  bench.Install();
  EXPECT_EQ(bench.app().Try(kDrop), "");
}

TEST(CaptureAlter, NothingIsBlockedWithoutTheTriggers) {
  CaptureBench bench(kTable);
  bench.capture().RemoveTriggers();
  EXPECT_EQ(bench.app().Try("DROP INDEX x; ALTER TABLE t DROP COLUMN b; DROP INDEX y;"
                            "ALTER TABLE t DROP COLUMN c; ALTER TABLE t DROP COLUMN a"),
            "");
  bench.Install();
  EXPECT_THAT(bench.Logged("INSERT INTO t(id) VALUES(5)"), ElementsAre("2|5"));
}

// A key that is no PRIMARY KEY is named by every trigger.
TEST(CaptureAlter, DroppedColumnOfAUniqueKeyIsBlockedAsWell) {
  CaptureBench bench("CREATE TABLE t(k INT NOT NULL, v); CREATE UNIQUE INDEX x ON t(k)");
  bench.app().Run("DROP INDEX x");
  EXPECT_THAT(bench.app().Try("ALTER TABLE t DROP COLUMN k"),
              HasSubstr("error in trigger _liteferry_1_"));
  bench.capture().RemoveTriggers();
  EXPECT_EQ(bench.app().Try("ALTER TABLE t DROP COLUMN k"), "");
}

// Case 6.4: the bodies keep the old name. Tables without a unique index have no lookup.
TEST(CaptureAlter, LegacyRenameFailsWritesOfTablesWithALookupUntilTheDaemonHasSeenIt) {
  CaptureBench bench(kTable);
  bench.app().Run("PRAGMA legacy_alter_table=ON; ALTER TABLE t RENAME TO t2");
  EXPECT_EQ(bench.app().Try("INSERT INTO t2(id) VALUES(1)"), "no such table: main.t");
  bench.app().Run("ALTER TABLE other RENAME TO other2; INSERT INTO other2 VALUES(1)");
  bench.Install();
  EXPECT_EQ(bench.app().Try("SELECT 1 FROM t2; INSERT INTO t2(id) VALUES(1)"), "");
}

// Case 6.8: `cleanup` drops the triggers first.
TEST(CaptureAlter, DroppedLogFailsWritesAndRenames) {
  CaptureBench bench(kTable);
  bench.app().Run("DROP TABLE _liteferry_log");
  EXPECT_EQ(bench.app().Try("INSERT INTO t(id) VALUES(1)"), "no such table: main._liteferry_log");
  EXPECT_THAT(bench.app().Try("ALTER TABLE other RENAME TO o2"), HasSubstr("_liteferry_"));
}

TEST(CaptureAlter, InstallsBesideBrokenViewsAndTriggers) {
  CaptureBench bench(
      std::string(kTable) +
      "; CREATE VIEW w AS SELECT nosuch FROM gone;"
      "CREATE TRIGGER app AFTER INSERT ON other BEGIN INSERT INTO gone VALUES(1); END");
  bench.app().Run("CREATE TABLE wider(a, b, c, PRIMARY KEY(a, b, c))");
  bench.Install();
  EXPECT_THAT(bench.Broken(), IsEmpty());
}

TEST(CaptureRemoveTriggers, KeepsLogNumbersAndIncarnation) {
  CaptureBench bench(kTable, "INSERT INTO t(id) VALUES(1)");
  const CaptureState before = bench.state();
  const std::int64_t entries = bench.app().Int("SELECT count(*) FROM _liteferry_log");
  bench.capture().RemoveTriggers();
  bench.capture().RemoveTriggers();
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM sqlite_schema WHERE type='trigger'"), 0);
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM _liteferry_log"), entries);
  const CaptureState after = bench.capture().Read();
  EXPECT_TRUE(after.installed);
  EXPECT_EQ(after.incarnation, before.incarnation);
  EXPECT_EQ(after.tables.size(), before.tables.size());
  EXPECT_THAT(bench.Broken(), ElementsAre("other", "t"));
  bench.Install();
  EXPECT_EQ(bench.state().incarnation, before.incarnation);
}

// What no trigger of ours sees. These tests say that it is so, as the documentation does.

TEST(CaptureHole, TriggersSwitchedOff) {
  CaptureBench bench(kTable);
  sqlite3_db_config(bench.app().handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  EXPECT_THAT(bench.Missed("INSERT INTO t(id) VALUES(1)"), ElementsAre("t: 1"));
}

TEST(CaptureHole, IncrementalBlobWrite) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, b)",
                     "INSERT INTO t VALUES(1,zeroblob(4))");
  sqlite3_blob* blob = nullptr;
  ASSERT_EQ(sqlite3_blob_open(bench.app().handle(), "main", "t", "b", 1, 1, &blob), SQLITE_OK);
  EXPECT_EQ(sqlite3_blob_write(blob, "abcd", 4, 0), SQLITE_OK);
  sqlite3_blob_close(blob);
  EXPECT_EQ(bench.app().Text("SELECT hex(b) FROM t"), "61626364");
  EXPECT_THAT(bench.NewEntries(), IsEmpty());
}

TEST(CaptureHole, TemporaryTriggerThatEndsTheRowsTurn) {
  CaptureBench bench(kTable);
  bench.app().Run("CREATE TEMP TRIGGER app AFTER INSERT ON main.t BEGIN SELECT RAISE(IGNORE); END");
  EXPECT_THAT(bench.Missed("INSERT INTO t(id) VALUES(1)"), ElementsAre("t: 1"));
}

// DENY fails the statement instead.
TEST(CaptureHole, AuthorizerThatIgnoresTheLog) {
  CaptureBench bench(kTable);
  const auto answer = [](void* result, int action, const char* what, const char*, const char*,
                         const char*) {
    return action == SQLITE_INSERT && std::string_view(what) == "_liteferry_log"
               ? *static_cast<int*>(result)
               : SQLITE_OK;
  };
  int result = SQLITE_IGNORE;
  sqlite3_set_authorizer(bench.app().handle(), answer, &result);
  EXPECT_EQ(bench.app().Try("INSERT INTO t(id) VALUES(1)"), "");
  EXPECT_THAT(bench.NewEntries(), IsEmpty());
  result = SQLITE_DENY;
  EXPECT_EQ(bench.app().Try("INSERT INTO t(id, d) VALUES(2, 2)"), "not authorized");
}

TEST(CaptureHole, VacuumRenumbersRowids) {
  CaptureBench bench("CREATE TABLE t(v)",
                     "INSERT INTO t VALUES(1),(2),(3); DELETE FROM t WHERE v=2");
  EXPECT_THAT(bench.Missed("VACUUM"), Not(IsEmpty()));
}

// SQLite's documentation calls the outcome undefined; what it does is to take the trigger's value.
TEST(CaptureHole, BeforeTriggerThatChangesTheRowBeingUpdated) {
  CaptureBench bench(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, UNIQUE(a, b));"
      "CREATE TRIGGER app BEFORE UPDATE OF a ON t BEGIN UPDATE t SET b=5 WHERE id=NEW.id; END",
      "INSERT INTO t VALUES(1,1,1),(2,2,5)");
  EXPECT_THAT(bench.Missed("UPDATE OR REPLACE t SET a=2 WHERE id=1"), ElementsAre("t: 2"));
}

TEST(CaptureHole, ColumnDroppedAndAddedAgainBeforeAnybodyLooks) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b)", "INSERT INTO t VALUES(1,1,1)");
  bench.app().Run("ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD COLUMN b");
  EXPECT_THAT(bench.NewEntries(), IsEmpty());
  EXPECT_THAT(bench.Broken(), IsEmpty());
  EXPECT_EQ(bench.app().Rows("SELECT b FROM t"), std::vector<std::string>{"NULL"});
}

}  // namespace
}  // namespace liteferry::source
