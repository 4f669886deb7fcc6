#include "replication/source/capture.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "tests/replication/source/capture_bench.h"

namespace liteferry::source {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kNotes =
    "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT UNIQUE, body);"
    "CREATE TABLE tags(note INT, tag TEXT, PRIMARY KEY(note, tag)) WITHOUT ROWID";

std::vector<std::string> Schema(testing::AppDatabase& app) {
  return app.Rows("SELECT rowid, type, name, sql FROM sqlite_schema ORDER BY rowid");
}

std::int64_t DataVersion(Database& database) { return database.QueryInt("PRAGMA data_version"); }

TEST(Capture, TriggerTextsStandInTheSchemaAsTheyWereBuilt) {
  CaptureBench bench(
      std::string(kNotes) +
      "; CREATE TABLE \"q\"\"uote\nd\"(\"a;b\" TEXT NOT NULL DEFAULT 'x' COLLATE NOCASE UNIQUE);"
      "CREATE UNIQUE INDEX i ON \"q\"\"uote\nd\"(lower(\"a;b\")) WHERE \"a;b\" > '--'");
  for (const CapturedTable& captured : bench.state().tables) {
    for (const SourceTable& table : bench.tables()) {
      if (table.name != captured.name) continue;
      for (const Trigger& trigger : BuildTriggers(table, captured.number)) {
        EXPECT_EQ(
            bench.app().Text("SELECT sql FROM sqlite_schema WHERE name='" + trigger.name + "'"),
            trigger.sql);
      }
    }
  }
}

// As in CHANGELOG_FORMAT.md.
TEST(Capture, WorkedExampleOfTheFormat) {
  CaptureBench bench("CREATE TABLE u(id INTEGER PRIMARY KEY, email TEXT UNIQUE)");
  bench.app().Run(
      "INSERT INTO u VALUES(1, 'a'), (2, 'b'); INSERT OR REPLACE INTO u VALUES(9, 'a');"
      "UPDATE u SET id = 20 WHERE id = 2; DELETE FROM u WHERE id = 9");
  EXPECT_THAT(
      bench.app().Rows("SELECT seq, t, k1 FROM _liteferry_log ORDER BY seq"),
      ElementsAre("1|0|NULL", "2|1|1", "3|1|2", "4|1|1", "5|1|9", "6|1|20", "7|1|2", "8|1|9"));
  EXPECT_EQ(bench.app().Int("SELECT count(*) FROM sqlite_schema WHERE type='trigger'"), 5);
  EXPECT_EQ(bench.app().Text("SELECT sql FROM sqlite_schema WHERE name='_liteferry_1_bi'"),
            "CREATE TRIGGER _liteferry_1_bi BEFORE INSERT ON \"u\" BEGIN INSERT INTO "
            "_liteferry_log(t,n,k1) SELECT 1,random()>>32,\"id\" FROM \"u\" WHERE "
            "\"email\"=NEW.\"email\"; END");
}

TEST(Capture, LooksUpOnlyWhereReplaceCanRemoveOtherRows) {
  CaptureBench bench("CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE INDEX i ON t(a)");
  EXPECT_THAT(bench.app().Rows("SELECT name FROM sqlite_schema WHERE type='trigger' ORDER BY 1"),
              ElementsAre("'_liteferry_1_ad'", "'_liteferry_1_ai'", "'_liteferry_1_au'"));
}

TEST(Capture, PlainIndexIsLookedUpOnlyWhenItsColumnsChange) {
  CaptureBench bench(kNotes, "INSERT INTO notes VALUES(1,'a',0)");
  EXPECT_THAT(bench.Logged("UPDATE notes SET body=1"), ElementsAre("1|1"));
  EXPECT_THAT(bench.Logged("UPDATE notes SET title='a'"), ElementsAre("1|1"));
}

TEST(Capture, SecondInstallChangesNothingAndTakesNoLock) {
  CaptureBench bench(kNotes);
  const auto before = Schema(bench.app());
  const std::string incarnation = bench.state().incarnation;
  Database other(bench.ours().path(), OpenMode::kReadOnly, std::chrono::milliseconds(0));
  const std::int64_t version = DataVersion(other);
  bench.ours().SetBusyTimeout(std::chrono::milliseconds(0));
  bench.app().Run("BEGIN IMMEDIATE");
  bench.Install();
  bench.app().Run("COMMIT");
  EXPECT_EQ(Schema(bench.app()), before);
  EXPECT_EQ(bench.state().incarnation, incarnation);
  EXPECT_EQ(DataVersion(other), version);
}

TEST(Capture, StateTellsWhatIsInstalled) {
  CaptureBench bench(kNotes);
  const CaptureState state = bench.capture().Read();
  EXPECT_TRUE(state.installed);
  EXPECT_EQ(state.format, 1);
  EXPECT_EQ(state.incarnation.size(), 36U);
  ASSERT_EQ(state.tables.size(), 2U);
  EXPECT_EQ(state.tables[0].number, 1);
  EXPECT_EQ(state.tables[0].name, "notes");
  EXPECT_EQ(state.tables[1].name, "tags");
  bench.capture().Remove();
  EXPECT_FALSE(bench.capture().Read().installed);
}

TEST(Capture, LogBeginsWithAnEntryThatMeansNothing) {
  CaptureBench bench(kNotes);
  EXPECT_THAT(bench.app().Rows("SELECT seq, t, typeof(n), k1 FROM _liteferry_log"),
              ElementsAre("1|0|'integer'|NULL"));
}

TEST(Capture, EntriesCarryDifferentMarks) {
  CaptureBench bench(kNotes);
  bench.app().Run("INSERT INTO notes(title) VALUES(1),(2),(3),(4)");
  EXPECT_EQ(bench.app().Int("SELECT count(DISTINCT n) FROM _liteferry_log"), 5);
}

TEST(Capture, LocksAreRetriedAndNothingIsLeftHalfDone) {
  CaptureBench bench(kNotes);
  bench.app().Run("DROP TRIGGER _liteferry_1_ai; DROP TRIGGER _liteferry_2_ad");
  const auto before = Schema(bench.app());
  bench.ours().SetBusyTimeout(std::chrono::milliseconds(0));
  bench.app().Run("BEGIN IMMEDIATE");
  try {
    bench.Install();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.disposition(), Disposition::kRetry);
  }
  bench.app().Run("COMMIT");
  EXPECT_EQ(Schema(bench.app()), before);
}

TEST(Capture, RefusesATableThatChangedSinceItWasRead) {
  CaptureBench bench(kNotes);
  const std::vector<SourceTable> tables = bench.tables();
  bench.app().Run("ALTER TABLE notes ADD COLUMN later; DROP TRIGGER _liteferry_1_ai");
  try {
    bench.capture().Install(tables);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.disposition(), Disposition::kRetry);
    EXPECT_THAT(error.message(), HasSubstr("notes"));
  }
}

TEST(Capture, RefusesATableWithAnObstacle) {
  CaptureBench bench(kNotes);
  bench.app().Run("CREATE TABLE hidden(rowid, oid, _rowid_)");
  try {
    bench.capture().Install(ReadCatalog(bench.ours()).tables);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.disposition(), Disposition::kStop);
    EXPECT_EQ(error.exit_code(), ExitCode::kCannotCapture);
    EXPECT_THAT(error.message(), HasSubstr("hidden"));
  }
}

TEST(Capture, RefusesALogOfALaterFormat) {
  CaptureBench bench(kNotes);
  bench.app().Run("UPDATE _liteferry_meta SET value = 2 WHERE key = 'format'");
  EXPECT_THROW(bench.Install(), Error);
}

TEST(Capture, FindsAndRepairsADroppedTrigger) {
  for (const char* name : {"_liteferry_1_ai", "_liteferry_1_bi", "_liteferry_1_bu"}) {
    CaptureBench bench(kNotes);
    EXPECT_THAT(bench.Broken(), IsEmpty());
    bench.app().Run(std::string("DROP TRIGGER ") + name);
    EXPECT_THAT(bench.Broken(), ElementsAre("notes")) << name;
    bench.Install();
    EXPECT_THAT(bench.Broken(), IsEmpty());
  }
}

TEST(Capture, FindsAnAlteredTrigger) {
  CaptureBench bench(kNotes);
  bench.app().Run(
      "DROP TRIGGER _liteferry_2_ad;"
      "CREATE TRIGGER _liteferry_2_ad AFTER DELETE ON tags BEGIN SELECT 1; END");
  EXPECT_THAT(bench.Broken(), ElementsAre("tags"));
  bench.Install();
  EXPECT_THAT(bench.Missed("INSERT INTO tags VALUES(1,'x'); DELETE FROM tags"), IsEmpty());
}

TEST(Capture, FindsAnIndexThatCameLater) {
  CaptureBench bench(kNotes, "INSERT INTO notes VALUES(1,'a','x')");
  bench.app().Run("CREATE UNIQUE INDEX later ON notes(body)");
  EXPECT_THAT(bench.Missed("REPLACE INTO notes VALUES(2,'b','x')"), ElementsAre("notes: 1"));
  EXPECT_THAT(bench.Broken(), ElementsAre("notes"));
  bench.Install();
  EXPECT_THAT(bench.Missed("REPLACE INTO notes VALUES(3,'c','x')"), IsEmpty());
}

TEST(Capture, Case6_2_RebuiltTableKeepsItsNumber) {
  for (const char* rebuild :
       {"CREATE TABLE _alembic_tmp(id INTEGER PRIMARY KEY, title TEXT UNIQUE, body, z);"
        "INSERT INTO _alembic_tmp SELECT id,title,body,1 FROM notes; DROP TABLE notes;"
        "ALTER TABLE _alembic_tmp RENAME TO notes",
        "ALTER TABLE notes RENAME TO notes__old;"
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT UNIQUE, body, z);"
        "INSERT INTO notes SELECT id,title,body,1 FROM notes__old; DROP TABLE notes__old",
        "DROP TABLE notes; CREATE TABLE notes(id INTEGER PRIMARY KEY, title UNIQUE, body, z)"}) {
    CaptureBench bench(kNotes, "INSERT INTO notes VALUES(1,'a',0)");
    bench.app().Run(rebuild);
    EXPECT_THAT(bench.Broken(), ElementsAre("notes")) << rebuild;
    bench.Install();
    EXPECT_THAT(bench.Logged("INSERT INTO notes VALUES(7,'q',0,0)"), ElementsAre("1|7"));
  }
}

TEST(Capture, Case6_3_RenamedTableKeepsItsNumber) {
  CaptureBench bench(kNotes, "INSERT INTO notes VALUES(1,'a',0)");
  bench.app().Run("ALTER TABLE notes RENAME TO pages");
  EXPECT_THAT(bench.Broken(), ElementsAre("pages"));
  bench.Install();
  EXPECT_THAT(bench.Broken(), IsEmpty());
  EXPECT_EQ(bench.state().tables.at(0).name, "pages");
  EXPECT_EQ(bench.state().tables.at(0).number, 1);
  EXPECT_THAT(bench.Logged("REPLACE INTO pages VALUES(7,'a',0)"), ElementsAre("1|1", "1|7"));
}

TEST(Capture, Case6_3_CopyUnderTheOldNameKeepsTheNumber) {
  CaptureBench bench(kNotes);
  bench.app().Run("ALTER TABLE notes RENAME TO old; CREATE TABLE notes(id INTEGER PRIMARY KEY)");
  bench.Install();
  EXPECT_THAT(bench.Broken(), IsEmpty());
  EXPECT_THAT(bench.Logged("INSERT INTO notes VALUES(5)"), ElementsAre("1|5"));
  EXPECT_THAT(bench.Logged("INSERT INTO old(id) VALUES(6)"), ElementsAre("3|6"));
}

TEST(Capture, Case6_4_LegacyRenameIsRepaired) {
  CaptureBench bench(kNotes);
  bench.app().Run("PRAGMA legacy_alter_table=ON; ALTER TABLE notes RENAME TO pages");
  EXPECT_THAT(bench.Broken(), ElementsAre("pages"));
  bench.Install();
  std::string error;
  EXPECT_THAT(bench.Missed("INSERT INTO pages VALUES(1,'a',0)", &error), IsEmpty());
  EXPECT_EQ(error, "");
}

TEST(Capture, Case6_8_LostLogBreaksEverythingUntilItIsRepairedAsAnotherIncarnation) {
  CaptureBench bench(kNotes);
  const std::string before = bench.state().incarnation;
  bench.app().Run("DROP TABLE _liteferry_log");
  EXPECT_THAT(bench.Broken(), ElementsAre("notes", "tags"));
  EXPECT_NE(bench.app().Try("INSERT INTO notes(title) VALUES('x')"), "");
  bench.Install();
  EXPECT_NE(bench.state().incarnation, before);
  // Any other statement makes the application read the schema again.
  bench.app().Run("SELECT 1 FROM notes");
  EXPECT_EQ(bench.app().Try("INSERT INTO notes(title) VALUES('x')"), "");
}

TEST(Capture, EmptiedLogIsAnotherIncarnation) {
  CaptureBench bench(kNotes);
  const std::string before = bench.state().incarnation;
  bench.app().Run("DELETE FROM _liteferry_log");
  bench.Install();
  EXPECT_NE(bench.state().incarnation, before);
}

TEST(Capture, Case6_9_FindsTriggersRemovedBehindTheSchemaVersion) {
  CaptureBench bench(kNotes);
  const std::int64_t version = bench.ours().QueryInt("PRAGMA schema_version");
  bench.app().Run("PRAGMA writable_schema=ON; DELETE FROM sqlite_schema WHERE type='trigger'");
  EXPECT_EQ(bench.ours().QueryInt("PRAGMA schema_version"), version);
  EXPECT_THAT(bench.Broken(), ElementsAre("notes", "tags"));
}

TEST(Capture, Case6_10_AnotherDatabaseIsSeenAfterABackupOverIt) {
  CaptureBench bench(kNotes);
  testing::TempDir dir;
  testing::AppDatabase from(dir.Path("from.db"), "");
  from.Run(kNotes);
  sqlite3_backup* backup = sqlite3_backup_init(bench.app().handle(), "main", from.handle(), "main");
  ASSERT_NE(backup, nullptr);
  EXPECT_EQ(sqlite3_backup_step(backup, -1), SQLITE_DONE);
  sqlite3_backup_finish(backup);
  EXPECT_FALSE(bench.capture().Read().installed);
  EXPECT_THAT(bench.Broken(), ElementsAre("notes", "tags"));
}

TEST(Capture, LogGrowsWithTheWidestKey) {
  CaptureBench bench("CREATE TABLE a(id INTEGER PRIMARY KEY)");
  bench.app().Run("CREATE TABLE b(x, y, z, PRIMARY KEY(z, y, x)) WITHOUT ROWID");
  bench.Install();
  EXPECT_THAT(bench.Logged("INSERT INTO b VALUES(1,2,3); INSERT INTO a VALUES(4)"),
              ElementsAre("2|3|2|1", "1|4"));
  EXPECT_THAT(
      bench.app().Rows("SELECT group_concat(name) FROM pragma_table_info('_liteferry_log')"),
      ElementsAre("'seq,t,n,k1,k2,k3'"));
}

TEST(Capture, TableNoLongerWantedLosesItsTriggersNotItsNumber) {
  CaptureBench bench(kNotes);
  std::vector<SourceTable> tables = bench.tables();
  tables.erase(tables.begin());
  bench.capture().Install(tables);
  EXPECT_THAT(bench.Logged("INSERT INTO notes(title) VALUES('x')"), IsEmpty());
  EXPECT_EQ(bench.capture().Read().tables.size(), 2U);
  bench.Install();
  EXPECT_THAT(bench.Logged("INSERT INTO notes(id) VALUES(9)"), ElementsAre("1|9"));
}

TEST(Capture, TriggersOfOthersStay) {
  CaptureBench bench(std::string(kNotes) +
                     "; CREATE TRIGGER app AFTER INSERT ON notes BEGIN SELECT 1; END;"
                     "CREATE TRIGGER _liteferry_fence BEFORE INSERT ON notes BEGIN SELECT 1; END");
  bench.app().Run("DROP TRIGGER _liteferry_1_ai");
  bench.Install();
  const auto names = bench.app().Rows("SELECT name FROM sqlite_schema WHERE type='trigger'");
  EXPECT_THAT(names, Contains("'app'"));
  EXPECT_THAT(names, Contains("'_liteferry_fence'"));
  EXPECT_THAT(names, Contains("'_liteferry_1_ai'"));
}

TEST(Capture, FenceIsNoTriggerOfTheApplication) {
  CaptureBench bench(kNotes);
  bench.app().Run("CREATE TRIGGER _liteferry_fence BEFORE INSERT ON notes BEGIN SELECT 1; END");
  EXPECT_THAT(bench.Broken(), IsEmpty());
}

TEST(Capture, RemoveLeavesNoTrace) {
  testing::TempDir dir;
  testing::AppDatabase app(dir.Path("app.db"));
  app.Run(std::string(kNotes) + "; CREATE TRIGGER app AFTER INSERT ON notes BEGIN SELECT 1; END");
  const auto before = Schema(app);
  Database ours(dir.Path("app.db"), OpenMode::kReadWrite, std::chrono::milliseconds(1000));
  Capture capture(ours);
  capture.Remove();
  capture.Install(ReadCatalog(ours).tables);
  EXPECT_NE(Schema(app), before);
  app.Run("INSERT INTO notes VALUES(1,'a',0)");
  capture.Remove();
  EXPECT_EQ(Schema(app), before);
  EXPECT_EQ(app.Try("INSERT INTO notes VALUES(2,'b',0)"), "");
  capture.Remove();
}

TEST(Capture, ReadOnlyDatabaseIsAnError) {
  testing::TempDir dir;
  testing::AppDatabase(dir.Path("app.db")).Run(kNotes);
  Database ours(dir.Path("app.db"), OpenMode::kReadOnly, std::chrono::milliseconds(0));
  EXPECT_THROW(Capture(ours).Install(ReadCatalog(ours).tables), Error);
}

}  // namespace
}  // namespace liteferry::source
