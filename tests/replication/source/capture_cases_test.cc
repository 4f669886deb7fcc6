// What trigger capture can miss, one case each: by REPLACE, by conflict clauses, by keys, by
// foreign keys, by other triggers. Where plain AFTER triggers miss it, the test also shows that
// they do.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "tests/replication/source/capture_bench.h"

namespace liteferry::source {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// No change of `statements` is missed, and none of them fails.
void ExpectCaptured(const std::string& schema, const std::string& rows,
                    const std::vector<std::string>& statements) {
  CaptureBench bench(schema, rows);
  for (const std::string& sql : statements) {
    std::string error;
    EXPECT_THAT(bench.Missed(sql, &error), IsEmpty()) << sql;
    EXPECT_EQ(error, "") << sql;
  }
}

void ExpectCapturedOnlyByLookup(const std::string& schema, const std::string& rows,
                                const std::vector<std::string>& statements) {
  ExpectCaptured(schema, rows, statements);
  for (const std::string& sql : statements) {
    CaptureBench naive(schema, rows);
    naive.KeepOnlyAfterTriggers();
    EXPECT_THAT(naive.Missed(sql), ::testing::Not(IsEmpty())) << "naive capture suffices: " << sql;
  }
}

// The plan of `sql` with all its triggers reads `table` only through an index.
void ExpectNoTableScan(CaptureBench& bench, const std::string& sql) {
  sqlite3_db_config(bench.app().handle(), SQLITE_DBCONFIG_TRIGGER_EQP, 1, nullptr);
  int searches = 0;
  for (const auto& row : bench.app().Table("EXPLAIN QUERY PLAN " + sql)) {
    EXPECT_EQ(row.back().find("'SCAN t"), std::string::npos) << row.back();
    if (row.back().find("SEARCH t") != std::string::npos) ++searches;
  }
  EXPECT_GT(searches, 0);
}

TEST(CaptureReplace, Case1_1_LogsTheRowThatReplaceRemovesThroughAnotherIndex) {
  ExpectCapturedOnlyByLookup(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v)",
      "INSERT INTO t VALUES(1,'a',0),(2,'b',0),(3,'c',0)",
      {"INSERT OR REPLACE INTO t VALUES(9,'a',1)", "UPDATE OR REPLACE t SET u='c' WHERE id=2"});
  ExpectCaptured("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v)",
                 "INSERT INTO t VALUES(1,'a',0),(2,'b',0)",
                 {"REPLACE INTO t(u) VALUES('b'),('a'),('b')", "UPDATE OR REPLACE t SET u='same'"});
}

TEST(CaptureReplace, Case1_2_WorksWithRecursiveTriggers) {
  ExpectCaptured("PRAGMA recursive_triggers=ON; CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)",
                 "INSERT INTO t VALUES(1,'a'),(2,'b')",
                 {"REPLACE INTO t VALUES(2,'a')", "UPDATE OR REPLACE t SET u='a'"});
}

TEST(CaptureReplace, Case1_3_ConflictClauseOfTheTable) {
  ExpectCapturedOnlyByLookup("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE ON CONFLICT REPLACE)",
                             "INSERT INTO t VALUES(1,'a'),(2,'b')",
                             {"INSERT INTO t VALUES(5,'a')", "UPDATE t SET u='a' WHERE id=2"});
}

TEST(CaptureReplace, Case1_4_OwnIntegerKey) {
  ExpectCaptured("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES(1,1),(2,2)",
                 {"REPLACE INTO t VALUES(1,5)", "UPDATE OR REPLACE t SET id=1 WHERE id=2"});
}

TEST(CaptureReplace, Case1_5_KeyThatIsEqualButNotIdentical) {
  ExpectCapturedOnlyByLookup("CREATE TABLE t(k TEXT PRIMARY KEY COLLATE NOCASE, v)",
                             "INSERT INTO t VALUES('a',1)", {"REPLACE INTO t VALUES('A',2)"});
  ExpectCapturedOnlyByLookup("CREATE TABLE t(k PRIMARY KEY, v)", "INSERT INTO t VALUES(1,1)",
                             {"REPLACE INTO t VALUES(1.0,2)"});
  ExpectCapturedOnlyByLookup("CREATE TABLE t(k PRIMARY KEY, v) WITHOUT ROWID",
                             "INSERT INTO t VALUES(1,1)", {"REPLACE INTO t VALUES(1.0,2)"});
}

TEST(CaptureReplace, Case1_6_IndexWithAnotherCollationThanItsColumn) {
  const std::string schema =
      "CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT); CREATE UNIQUE INDEX x ON t(u COLLATE "
      "NOCASE)";
  ExpectCapturedOnlyByLookup(schema, "INSERT INTO t VALUES(1,'Abc')",
                             {"REPLACE INTO t VALUES(2,'aBC')"});
  CaptureBench bench(schema);
  ExpectNoTableScan(bench, "INSERT INTO t VALUES(2,'aBC')");
}

TEST(CaptureReplace, Case1_7_PartialIndex) {
  const std::string schema =
      "CREATE TABLE t(id INTEGER PRIMARY KEY, p, alive);"
      "CREATE UNIQUE INDEX x ON t(p) WHERE alive = 1 OR alive = ')'";
  ExpectCapturedOnlyByLookup(
      schema, "INSERT INTO t VALUES(1,'P',1),(2,'P',0)",
      {"REPLACE INTO t VALUES(3,'P',1)", "UPDATE OR REPLACE t SET alive=1 WHERE id=2"});
  CaptureBench bench(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, p, alive);"
      "CREATE UNIQUE INDEX x ON t(p) WHERE alive = 1");
  ExpectNoTableScan(bench, "INSERT INTO t VALUES(3,'P',1)");
}

TEST(CaptureReplace, Case1_8_IndexOnExpressions) {
  const std::string schema =
      "CREATE TABLE t(id INTEGER PRIMARY KEY, \"e-mail\" TEXT, b);"
      "CREATE UNIQUE INDEX x ON t(lower([E-Mail]), CAST(length(`e-mail`) AS DECIMAL(3,1)) DESC)";
  ExpectCapturedOnlyByLookup(schema, "INSERT INTO t VALUES(1,'Bob@X',1),(2,'eve',1)",
                             {"REPLACE INTO t VALUES(9,'bOB@x',2)",
                              "UPDATE OR REPLACE t SET \"e-mail\"='BOB@X' WHERE id=2"});
  CaptureBench bench(schema);
  ExpectNoTableScan(bench, "INSERT INTO t VALUES(9,'bOB@x',2)");
}

TEST(CaptureReplace, Case1_9_NullsConflictWithNothing) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, UNIQUE(a,b))",
                     "INSERT INTO t VALUES(1,1,NULL),(2,NULL,NULL)");
  EXPECT_THAT(bench.Logged("REPLACE INTO t VALUES(3,1,NULL)"), ElementsAre("1|3"));
}

TEST(CaptureReplace, Case1_10_NullThatBecomesTheDefault) {
  ExpectCapturedOnlyByLookup(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT NOT NULL DEFAULT 5 UNIQUE)",
      "INSERT INTO t VALUES(1,'5')", {"REPLACE INTO t VALUES(2,NULL)"});
  // DEFAULT word and DEFAULT "word" are strings.
  for (const char* dflt : {"abc", "\"abc\"", "'abc'", "('a'||'bc')"}) {
    ExpectCapturedOnlyByLookup(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, u NOT NULL DEFAULT " + std::string(dflt) +
            " UNIQUE, \"bc\", abc)",
        "INSERT INTO t(id,u) VALUES(1,'abc'),(2,'x')",
        {"REPLACE INTO t(id,u) VALUES(3,NULL)", "UPDATE OR REPLACE t SET u=NULL WHERE id=2"});
  }
  // Through an expression the default needs the affinity of its column.
  ExpectCapturedOnlyByLookup(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, n INT NOT NULL DEFAULT '05', r REAL NOT NULL DEFAULT "
      "1,"
      " s TEXT NOT NULL DEFAULT 1.50, i NUMERIC NOT NULL DEFAULT 2.0);"
      "CREATE UNIQUE INDEX x ON t(n||'/'||r||'/'||s||'/'||i)",
      "INSERT INTO t(id) VALUES(1)", {"REPLACE INTO t VALUES(2,NULL,NULL,NULL,NULL)"});
}

TEST(CaptureReplace, Case1_10_DefaultBehindAGeneratedColumn) {
  ExpectCapturedOnlyByLookup(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'd', "
      "g TEXT AS (upper(a)||'x') VIRTUAL UNIQUE, h INT AS (length(g)||'0') STORED);"
      "CREATE UNIQUE INDEX x ON t(h+0, g)",
      "INSERT INTO t(id) VALUES(1)", {"REPLACE INTO t(id,a) VALUES(2,NULL)"});
}

TEST(CaptureReplace, Case1_11_NeverLogsTheIdThatIsNotKnownYet) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)");
  EXPECT_THAT(bench.Logged("INSERT INTO t(u) VALUES('a'),('b')"), ElementsAre("1|1", "1|2"));
}

TEST(CaptureReplace, Case1_12_AffinityIsApplied) {
  ExpectCapturedOnlyByLookup(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT UNIQUE, n INT UNIQUE)",
      "INSERT INTO t VALUES(1,'5',1),(2,'6',7),(4,'8',8)",
      {"REPLACE INTO t VALUES(3,5,'7')", "UPDATE OR REPLACE t SET s=5,n='7' WHERE id=4"});
}

TEST(CaptureReplace, Case1_13_EveryKindOfTable) {
  ExpectCapturedOnlyByLookup(
      "CREATE TABLE t(a TEXT, b INT, u UNIQUE, PRIMARY KEY(a,b)) WITHOUT ROWID",
      "INSERT INTO t VALUES('x',1,'u'),('y',1,'w')",
      {"REPLACE INTO t VALUES('z',9,'u')", "UPDATE OR REPLACE t SET u='u' WHERE a='y'"});
  ExpectCapturedOnlyByLookup(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE, b ANY UNIQUE) STRICT",
      "INSERT INTO t VALUES(1,'a',x'00'),(2,'b',1)", {"REPLACE INTO t VALUES(3,'q',x'00')"});
  ExpectCapturedOnlyByLookup(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, s AS (a+1) STORED UNIQUE, v AS (a+2) UNIQUE)",
      "INSERT INTO t(id,a) VALUES(1,10),(2,20)",
      {"REPLACE INTO t(id,a) VALUES(3,10)", "UPDATE OR REPLACE t SET a=10 WHERE id=2"});
}

// The rowid of a table with another key is one more unique value.
TEST(CaptureReplace, ThroughTheRowidBehindAnotherKey) {
  for (const char* key : {"k TEXT PRIMARY KEY", "k INT PRIMARY KEY", "k NOT NULL UNIQUE"}) {
    ExpectCapturedOnlyByLookup(
        "CREATE TABLE t(" + std::string(key) + ", v)",
        "INSERT INTO t(rowid,k) VALUES(-1,1),(7,2),(8,3)",
        {"REPLACE INTO t(rowid,k) VALUES(7,9)", "REPLACE INTO t(_rowid_,k) VALUES(-1,9)",
         "UPDATE OR REPLACE t SET oid=7 WHERE k=3"});
  }
}

// In a trigger NEW."x" has no affinity, and a comparison may come out otherwise than in the index.
TEST(CaptureReplace, ThroughAnExpressionThatCompares) {
  const std::string schema =
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, b, n INT NOT NULL DEFAULT 5);";
  ExpectCapturedOnlyByLookup(
      schema + "CREATE UNIQUE INDEX x ON t(CASE WHEN a > 1 THEN b ELSE n END)",
      "INSERT INTO t VALUES(1,'b','v',1),(2,'1',0,77)",
      {"REPLACE INTO t VALUES(3,1,'w','77')", "REPLACE INTO t VALUES(3,'c','v',3)",
       "UPDATE OR REPLACE t SET a='q', b='v' WHERE id=2"});
  ExpectCapturedOnlyByLookup(
      schema + "CREATE UNIQUE INDEX x ON t(n IN ('5', '6'), b)",
      "INSERT INTO t VALUES(1,'b','v',5)",
      {"REPLACE INTO t VALUES(3,'','v',6)", "REPLACE INTO t VALUES(3,'','v',NULL)"});
  ExpectCapturedOnlyByLookup(schema + "CREATE UNIQUE INDEX x ON t(a = 'B', b)",
                             "INSERT INTO t VALUES(1,'b','v',5)",
                             {"REPLACE INTO t VALUES(3,'B','v',6)"});
}

TEST(CaptureReplace, LookupOfAnUpdateNamesTheColumnsThatDecide) {
  CaptureBench bench(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, g AS (a||'x') UNIQUE, c, d);"
      "CREATE UNIQUE INDEX x ON t(lower(b)) WHERE c");
  EXPECT_THAT(bench.app().Text("SELECT sql FROM sqlite_schema WHERE name='_liteferry_1_bu'"),
              ::testing::HasSubstr("BEFORE UPDATE OF \"a\",\"b\",\"c\" ON"));
  // Where the rowid can change unnamed there is no such list.
  CaptureBench alias("CREATE TABLE t(id INTEGER PRIMARY KEY, a, UNIQUE(id, a))",
                     "INSERT INTO t VALUES(1,'a'),(2,'b')");
  EXPECT_THAT(alias.app().Text("SELECT sql FROM sqlite_schema WHERE name='_liteferry_1_bu'"),
              ::testing::HasSubstr("BEFORE UPDATE ON"));
}

TEST(CaptureConflict, Case2_1_Upserts) {
  ExpectCaptured("CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, v)",
                 "INSERT INTO t VALUES(1,'a','x'),(2,'b','x')",
                 {"INSERT INTO t VALUES(7,'a','up') ON CONFLICT(u) DO UPDATE SET v=excluded.v",
                  "INSERT INTO t VALUES(7,'a','up') ON CONFLICT(u) DO UPDATE SET id=excluded.id",
                  "INSERT INTO t VALUES(8,'a','up') ON CONFLICT DO NOTHING",
                  "INSERT OR REPLACE INTO t VALUES(7,'b','z') ON CONFLICT(id) DO UPDATE SET v='u'",
                  "INSERT OR IGNORE INTO t VALUES(9,'b','zz')"});
}

TEST(CaptureConflict, Case2_2_RowsBeforeAFailureStayAndAreLogged) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)",
                     "INSERT INTO t VALUES(2,'b')");
  std::string error;
  EXPECT_THAT(bench.Missed("INSERT OR FAIL INTO t VALUES(20,'x'),(21,'b'),(22,'y')", &error),
              IsEmpty());
  EXPECT_NE(error, "");
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM t"), 2);
}

TEST(CaptureConflict, Case2_3_LogHasNoConstraintThatIgnoreCouldSkip) {
  CaptureBench bench("CREATE TABLE t(k TEXT PRIMARY KEY, v)");
  EXPECT_THAT(bench.Logged("INSERT OR IGNORE INTO t VALUES(NULL,'kept')"), ElementsAre("1|NULL"));
}

TEST(CaptureConflict, Case2_4_RepeatedChangesNeverFailTheApplication) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES(1,'x')");
  for (const char* policy : {"ABORT", "ROLLBACK", "REPLACE", "FAIL", "IGNORE"}) {
    const std::string sql = std::string("UPDATE OR ") + policy + " t SET v='" + policy + "'";
    EXPECT_THAT(bench.Logged(sql), ElementsAre("1|1")) << sql;
  }
}

TEST(CaptureConflict, Case2_5_LastNumberOfAllDoesNotFailTheApplication) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  bench.app().Run("UPDATE _liteferry_log SET seq = 9223372036854775807");
  EXPECT_EQ(bench.app().Try("INSERT INTO t VALUES(1)"), "");
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM _liteferry_log"), 2);
}

TEST(CaptureKeys, Case3_1_OldAndNewKeyOfAnUpdate) {
  CaptureBench integer("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES(1,1)");
  EXPECT_THAT(integer.Logged("UPDATE t SET id=50"), ElementsAre("1|50", "1|1"));
  EXPECT_THAT(integer.Logged("UPDATE t SET v=2"), ElementsAre("1|50"));
  CaptureBench text("CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v)",
                    "INSERT INTO t VALUES('A',1)");
  EXPECT_THAT(text.Missed("UPDATE t SET k='a'"), IsEmpty());
  EXPECT_THAT(text.Logged("UPDATE t SET v=2"), ElementsAre("1|'a'"));
  ExpectCaptured("CREATE TABLE t(k PRIMARY KEY, v)", "INSERT INTO t VALUES(1,1)",
                 {"UPDATE t SET k=1.0", "UPDATE t SET k='1'", "UPDATE t SET k=x'31'"});
  ExpectCaptured("CREATE TABLE t(a, b TEXT, v, PRIMARY KEY(a,b)) WITHOUT ROWID",
                 "INSERT INTO t VALUES(1,'x',0),(2,'x',0)", {"UPDATE t SET a=a+10"});
}

TEST(CaptureKeys, Case3_2_KeyChangedByAnAliasOfTheRowid) {
  ExpectCaptured("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES(1,'a')",
                 {"UPDATE t SET rowid=2", "UPDATE t SET oid=3", "UPDATE t SET _rowid_=4"});
}

TEST(CaptureKeys, Case3_3_TablesWithoutAKeyUseAnAliasThatNoColumnHides) {
  ExpectCaptured(
      "CREATE TABLE t(a, u UNIQUE)", "INSERT INTO t VALUES('x',1),('y',2)",
      {"UPDATE t SET rowid=50 WHERE a='x'", "REPLACE INTO t VALUES('z',1)", "DELETE FROM t"});
  CaptureBench hidden("CREATE TABLE t(rowid, oid)");
  EXPECT_THAT(hidden.Logged("INSERT INTO t VALUES('zz',7)"), ElementsAre("1|1"));
  CaptureBench none("CREATE TABLE t(rowid, oid, _rowid_)");
  EXPECT_THAT(none.tables(), IsEmpty());
}

TEST(CaptureKeys, Case3_5_NullInAKeyIsLoggedAsNull) {
  CaptureBench bench("CREATE TABLE t(k TEXT PRIMARY KEY, v)");
  EXPECT_THAT(bench.Logged("INSERT INTO t VALUES(NULL,1),(NULL,2); UPDATE t SET k='a' WHERE v=1"),
              ElementsAre("1|NULL", "1|NULL", "1|'a'", "1|NULL"));
}

TEST(CaptureKeys, Case3_7_LogKeepsTheStorageClassOfAKey) {
  CaptureBench bench("CREATE TABLE t(k PRIMARY KEY)");
  EXPECT_THAT(bench.Logged("INSERT INTO t VALUES(1.5),('007'),(9007199254740993),(x'00ff'),"
                           "(0.1+0.2),(1e999),('a'||char(0)||'b')"),
              ElementsAre("1|1.5", "1|'007'", "1|9007199254740993", "1|x'00ff'",
                          "1|0.3000000000000000444", "1|Inf", std::string("1|'a\0b'", 7)));
}

TEST(CaptureForeignKeys, Case4_1_ActionsOnChildren) {
  const std::string schema =
      "PRAGMA foreign_keys=ON; CREATE TABLE p(id INTEGER PRIMARY KEY, u UNIQUE);"
      "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id) ON DELETE CASCADE ON UPDATE "
      "CASCADE);"
      "CREATE TABLE n(id INTEGER PRIMARY KEY, p REFERENCES p(id) ON DELETE SET NULL);"
      "CREATE TABLE s(id INTEGER PRIMARY KEY, up REFERENCES s(id) ON DELETE CASCADE)";
  const std::string rows =
      "INSERT INTO p VALUES(1,'a'),(2,'b'); INSERT INTO c VALUES(1,1),(2,1),(3,2);"
      "INSERT INTO n VALUES(1,1),(2,2); INSERT INTO s VALUES(1,NULL),(2,1),(3,2),(4,3),(5,4)";
  ExpectCaptured(schema, rows,
                 {"UPDATE p SET id=10 WHERE id=1 AND 0", "DELETE FROM s WHERE id=1",
                  "DELETE FROM p WHERE id=1"});
  ExpectCapturedOnlyByLookup(schema, rows, {"REPLACE INTO p VALUES(5,'a')"});
}

TEST(CaptureForeignKeys, Case4_2_ChildrenOfADroppedParent) {
  CaptureBench bench(
      "PRAGMA foreign_keys=ON; CREATE TABLE p(id INTEGER PRIMARY KEY);"
      "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id) ON DELETE CASCADE)",
      "INSERT INTO p VALUES(1); INSERT INTO c VALUES(7,1)");
  EXPECT_THAT(bench.Logged("DROP TABLE p"), ::testing::Contains("1|7"));
}

TEST(CaptureForeignKeys, Case4_3_NoActionIsNoChange) {
  CaptureBench bench(
      "CREATE TABLE p(id INTEGER PRIMARY KEY);"
      "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id) ON DELETE CASCADE)",
      "INSERT INTO p VALUES(1); INSERT INTO c VALUES(7,1)");
  EXPECT_THAT(bench.Logged("DELETE FROM p"), ElementsAre("2|1"));
}

TEST(CaptureTriggers, Case5_1_ChangesByOtherTriggers) {
  ExpectCaptured(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE o(id INTEGER PRIMARY KEY, u UNIQUE);"
      "CREATE TRIGGER x AFTER INSERT ON t BEGIN REPLACE INTO o VALUES(NEW.id, NEW.v);"
      " DELETE FROM t WHERE id = NEW.id - 1; END;"
      "CREATE TRIGGER y BEFORE DELETE ON o BEGIN UPDATE t SET v='gone' WHERE id=OLD.id; END",
      "", {"INSERT INTO t VALUES(1,'a')", "INSERT INTO t VALUES(2,'a')", "DELETE FROM o"});
}

TEST(CaptureTriggers, Case5_3_TriggerOfTheApplicationThatEndsTheRowsTurn) {
  const std::string trigger =
      "CREATE TRIGGER app AFTER INSERT ON t BEGIN SELECT RAISE(IGNORE); END";
  const std::string insert = "INSERT INTO t VALUES(1)";
  ExpectCaptured("CREATE TABLE t(id INTEGER PRIMARY KEY);" + trigger, "", {insert});

  CaptureBench later("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  later.app().Run(trigger);
  EXPECT_THAT(later.Missed(insert), SizeIs(1));
  EXPECT_THAT(later.Broken(), ElementsAre("t"));
  later.Install();
  EXPECT_THAT(later.Broken(), IsEmpty());
  EXPECT_THAT(later.Missed("INSERT INTO t VALUES(2)"), IsEmpty());
}

TEST(CaptureTriggers, Case5_2_StayTheNewestOverVacuumAndReopening) {
  CaptureBench bench(
      "CREATE TABLE t(id INTEGER PRIMARY KEY);"
      "CREATE TRIGGER app AFTER INSERT ON t BEGIN SELECT RAISE(IGNORE); END");
  bench.app().Run("VACUUM");
  EXPECT_THAT(bench.Broken(), IsEmpty());
  testing::AppDatabase again(bench.ours().path(), "");
  again.Run("INSERT INTO t VALUES(1)");
  EXPECT_THAT(bench.NewEntries(), ElementsAre("1|1"));
}

TEST(CaptureTriggers, Case5_4_RowThatABeforeTriggerIgnoresStaysAsItIs) {
  ExpectCaptured(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE);"
      "CREATE TRIGGER app BEFORE UPDATE ON t BEGIN SELECT RAISE(IGNORE); END",
      "INSERT INTO t VALUES(1,1),(2,2)", {"UPDATE OR REPLACE t SET v=2 WHERE id=1"});
}

TEST(CaptureDdl, Case6_1_DeleteWithoutWhere) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES(1),(2),(3)");
  EXPECT_THAT(bench.Logged("DELETE FROM t"), SizeIs(3));
}

TEST(CaptureDdl, Case6_5_RenamedAndAddedColumns) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)",
                     "INSERT INTO t VALUES(1,'a')");
  bench.app().Run(
      "ALTER TABLE t RENAME COLUMN u TO w; ALTER TABLE t RENAME COLUMN id TO key;"
      "ALTER TABLE t ADD COLUMN z DEFAULT 7");
  EXPECT_THAT(bench.Logged("REPLACE INTO t VALUES(2,'a',1)"), ElementsAre("1|1", "1|2"));
  bench.Install();
  EXPECT_THAT(bench.Missed("REPLACE INTO t VALUES(3,'a',1)"), IsEmpty());
  EXPECT_THAT(bench.Broken(), IsEmpty());
}

TEST(CaptureDdl, Case6_6_ColumnsOutsideTheIndexCanBeDropped) {
  CaptureBench bench(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c, d);"
      "CREATE UNIQUE INDEX x ON t(a||'b') WHERE c");
  EXPECT_EQ(bench.app().Try("ALTER TABLE t DROP COLUMN b; ALTER TABLE t DROP COLUMN d"), "");
}

TEST(CaptureDdl, Case6_7_DroppedIndexIsNoticed) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE UNIQUE INDEX x ON t(a)");
  bench.app().Run("DROP INDEX x");
  EXPECT_THAT(bench.Broken(), ElementsAre("t"));
  bench.Install();
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM sqlite_schema WHERE name='_liteferry_1_bi'"), 0);
}

TEST(CaptureDdl, Case6_11_StatementsPreparedBeforeTheInstallAreCaptured) {
  testing::TempDir dir;
  testing::AppDatabase app(dir.Path("app.db"));
  app.Run("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  sqlite3_stmt* insert = nullptr;
  ASSERT_EQ(
      sqlite3_prepare_v2(app.handle(), "INSERT INTO t(id) VALUES(NULL)", -1, &insert, nullptr),
      SQLITE_OK);
  EXPECT_EQ(sqlite3_step(insert), SQLITE_DONE);
  sqlite3_reset(insert);
  Database ours(dir.Path("app.db"), OpenMode::kReadWrite, std::chrono::milliseconds(1000));
  Capture(ours).Install(ReadCatalog(ours).tables);
  EXPECT_EQ(sqlite3_step(insert), SQLITE_DONE);
  sqlite3_finalize(insert);
  EXPECT_EQ(app.Int("SELECT max(k1) FROM _liteferry_log"), 2);
}

// Case 7.5: a name in double quotes that is no column is a string to SQLite.
TEST(CaptureKinds, Case7_5_EveryColumnOfATriggerBelongsToARow) {
  CaptureBench bench("CREATE TABLE t(a TEXT, b TEXT, PRIMARY KEY(a, b))");
  EXPECT_THAT(bench.Logged("INSERT INTO t VALUES('x','y'); REPLACE INTO t VALUES('x','y')"),
              ElementsAre("1|'x'|'y'", "1|'x'|'y'", "1|'x'|'y'"));
}

TEST(CaptureKinds, Case7_3_GeneratedColumns) {
  ExpectCaptured("CREATE TABLE t(g AS (a+1), a INTEGER PRIMARY KEY, s AS (a||'x') STORED)",
                 "INSERT INTO t VALUES(1)", {"INSERT INTO t VALUES(2)", "UPDATE t SET a=a+10"});
}

TEST(CaptureKinds, Case7_4_NamesThatNeedQuoting) {
  for (const std::string name :
       {"select", "my table", "a-b", "a\"b",         "it's", "таблица", "日本", "x.y", "[br]",
        "`bt`",   "a;b",      "",    "UPPER",        "%s",   "1st",     "new",  "old", "t\nnl",
        "😀",      "--c",      "/*x", "select \"x\"", "t",    "n",       "k1",   "seq", "v"}) {
    const auto quote = [](const std::string& text) {
      std::string quoted = "\"";
      for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
      return quoted + "\"";
    };
    const std::string key = quote(name);
    const std::string schema = "CREATE TABLE " + quote(name) + "(" + key + " TEXT PRIMARY KEY, " +
                               quote("u " + name) + " TEXT NOT NULL DEFAULT 'd' UNIQUE, " +
                               quote("v-" + name) + "); CREATE UNIQUE INDEX " + quote("i" + name) +
                               " ON " + quote(name) + "(lower(" + key + ")) WHERE " + key + " > ''";
    ExpectCaptured(schema, "INSERT INTO " + quote(name) + " VALUES('k','u',1)",
                   {"REPLACE INTO " + quote(name) + " VALUES('k2','u',1)",
                    "REPLACE INTO " + quote(name) + " VALUES('K2','w',1)",
                    "UPDATE " + quote(name) + " SET " + quote("v-" + name) + "=5",
                    "UPDATE " + quote(name) + " SET " + key + "='z'"});
  }
}

TEST(CaptureKinds, Case7_6_WideTables) {
  for (const int width : {250, 1990}) {
    std::string schema = "CREATE TABLE t(id INTEGER PRIMARY KEY";
    for (int i = 0; i < width; ++i) schema += ", c" + std::to_string(i) + " INT";
    CaptureBench bench(schema + ")");
    EXPECT_THAT(bench.Logged("INSERT INTO t(id) VALUES(1)"), ElementsAre("1|1"));
  }
}

TEST(CaptureKinds, Case7_7_TemporaryTableOfTheSameName) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)");
  bench.app().Run(
      "CREATE TEMP TABLE _liteferry_log(seq INTEGER PRIMARY KEY, t, n, k1);"
      "CREATE TEMP TABLE t(id, u)");
  bench.app().Run("INSERT INTO main.t VALUES(8,'q'); REPLACE INTO main.t VALUES(9,'q')");
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM main._liteferry_log WHERE k1 IN (8,9)"), 3);
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM temp._liteferry_log"), 0);
}

TEST(CaptureApplication, Case8_1_SeesNoDifferenceInItsCounters) {
  const auto counters = [](CaptureBench& bench) {
    std::vector<std::string> seen;
    for (const char* sql :
         {"INSERT INTO t(u) VALUES('a'),('b')", "INSERT INTO w VALUES('kk',1)", "UPDATE t SET v=1",
          "REPLACE INTO t VALUES(9,'a',1)", "INSERT OR IGNORE INTO t VALUES(10,'a',1)",
          "DELETE FROM t WHERE id=2"}) {
      bench.app().Run(sql);
      seen.push_back(bench.app().Rows("SELECT changes(), last_insert_rowid()").at(0));
    }
    for (const char* sql : {"INSERT INTO t(u) VALUES('r') RETURNING id,u,last_insert_rowid()",
                            "UPDATE t SET v=2 RETURNING id,v", "DELETE FROM t RETURNING id"}) {
      for (const std::string& row : bench.app().Rows(sql)) seen.push_back(row);
    }
    return seen;
  };
  const std::string schema =
      "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v);"
      "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID";
  CaptureBench captured(schema);
  CaptureBench plain(schema);
  plain.capture().Remove();
  EXPECT_EQ(counters(captured), counters(plain));
}

TEST(CaptureApplication, Case8_4_WritesWithoutTrustInTheSchema) {
  CaptureBench bench(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, u, r NOT NULL DEFAULT (random()));"
      "CREATE UNIQUE INDEX x ON t(lower(u)); CREATE UNIQUE INDEX y ON t(r+1)");
  bench.app().Run("PRAGMA trusted_schema=OFF");
  sqlite3_db_config(bench.app().handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  std::string error;
  for (const char* sql : {"INSERT INTO t(id,u) VALUES(1,'A')", "REPLACE INTO t(id,u) VALUES(2,'a')",
                          "UPDATE t SET u='b'", "DELETE FROM t"}) {
    EXPECT_THAT(bench.Missed(sql, &error), IsEmpty());
    EXPECT_EQ(error, "");
  }
}

TEST(CaptureApplication, Case8_9_RollbackLeavesNothingInTheLog) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  EXPECT_THAT(bench.Logged("BEGIN; INSERT INTO t VALUES(1); ROLLBACK"), IsEmpty());
  EXPECT_THAT(bench.Logged("BEGIN; INSERT INTO t VALUES(1); SAVEPOINT s; INSERT INTO t VALUES(2);"
                           "ROLLBACK TO s; COMMIT"),
              ElementsAre("1|1"));
}

TEST(CaptureObstacleCase, Case8_6_WhatOnlyTheApplicationHas) {
  const auto obstacle = [](const std::string& columns, const std::string& index) {
    CaptureBench bench("CREATE TABLE t(" + columns + "); " + index);
    return CaptureObstacle(ReadCatalog(bench.ours()).tables.at(0));
  };
  const std::string abc = "id INTEGER PRIMARY KEY, a, b";
  EXPECT_EQ(obstacle(abc,
                     "CREATE UNIQUE INDEX x ON t(lower(a), CAST(b AS DECIMAL(1,2))) "
                     "WHERE a IN (1,2) AND (b) AND NOT (a LIKE 'x')"),
            "");
  EXPECT_EQ(obstacle(abc, "CREATE INDEX x ON t(a) WHERE b > 1"), "");
  EXPECT_NE(obstacle(abc, "CREATE UNIQUE INDEX x ON t(abs(id % 10))"), "");
  EXPECT_NE(obstacle("rowid, oid, _rowid_", ""), "");
}

}  // namespace
}  // namespace liteferry::source
