#include <gmock/gmock.h>

#include "replication/source/capture.h"
#include "replication/source/catalog.h"
#include "tests/harness/sqlite_fixture.h"

namespace liteferry::source {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Changes that were not captured are a fact that the log itself must state: in the transaction that
// makes the triggers, so that no crash can lose it.
class CaptureGap : public ::testing::Test {
 protected:
  CaptureGap() {
    app_.Run(
        "CREATE TABLE a(id INTEGER PRIMARY KEY, v UNIQUE); CREATE TABLE b(id INTEGER PRIMARY KEY, "
        "w)");
    Install();
  }

  CaptureState Install() {
    Database database(path_, OpenMode::kReadWrite, std::chrono::seconds(1));
    return Capture(database).Install(ReadCatalog(database).tables);
  }
  CaptureState Read() {
    Database database(path_, OpenMode::kReadOnly, std::chrono::seconds(1));
    return Capture(database).Read();
  }
  void RemoveTriggers() {
    Database database(path_, OpenMode::kReadWrite, std::chrono::seconds(1));
    Capture(database).RemoveTriggers();
  }
  // Numbers of tables that the log says were not watched.
  std::vector<std::string> Gaps() {
    return app_.Rows(
        "SELECT number FROM _liteferry_log JOIN _liteferry_table ON number = -t ORDER BY seq");
  }
  std::int64_t Triggers() {
    return app_.Int("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'");
  }

  testing::TempDir folder_;
  std::string path_ = folder_.Path("app.db");
  testing::AppDatabase app_{path_};
};

TEST_F(CaptureGap, NoneAtTheFirstInstallNorAtOneThatChangesNothing) {
  Install();
  EXPECT_THAT(Gaps(), IsEmpty());
}

TEST_F(CaptureGap, IsLoggedForATableThatWasRebuilt) {
  app_.Run(
      "CREATE TABLE n(id INTEGER PRIMARY KEY, v UNIQUE); INSERT INTO n VALUES(1, 'x');"
      "DROP TABLE a; ALTER TABLE n RENAME TO a");
  Install();
  EXPECT_THAT(Gaps(), ElementsAre("1"));
  Install();
  EXPECT_THAT(Gaps(), ElementsAre("1")) << "once";
}

TEST_F(CaptureGap, IsLoggedWhenATriggerOfTheApplicationMayHaveHiddenChanges) {
  app_.Run("CREATE TRIGGER t AFTER INSERT ON b BEGIN SELECT RAISE(IGNORE); END");
  Install();
  EXPECT_THAT(Gaps(), ElementsAre("2"));
}

TEST_F(CaptureGap, IsLoggedForAUniqueIndexThatReplaceMayHaveGoneThrough) {
  app_.Run("CREATE UNIQUE INDEX i ON b(w)");
  Install();
  EXPECT_THAT(Gaps(), ElementsAre("2"));
}

TEST_F(CaptureGap, IsNotLoggedForATableThatHadNoNumber) {
  app_.Run("CREATE TABLE c(id INTEGER PRIMARY KEY)");
  Install();
  EXPECT_THAT(Gaps(), IsEmpty());
}

TEST_F(CaptureGap, TheLogOfTheApplicationsTransactionComesBeforeIt) {
  app_.Run("INSERT INTO a VALUES(1, 'x'); DROP TRIGGER _liteferry_1_ad");
  Install();
  app_.Run("INSERT INTO a VALUES(2, 'y')");
  EXPECT_THAT(app_.Rows("SELECT t FROM _liteferry_log WHERE t <> 0 ORDER BY seq"),
              ElementsAre("1", "-1", "1"));
}

TEST_F(CaptureGap, ReleasingTakesAllTriggersAndIsRemembered) {
  EXPECT_FALSE(Read().released);
  RemoveTriggers();
  RemoveTriggers();
  EXPECT_EQ(Triggers(), 0);
  EXPECT_TRUE(Read().released);
  app_.Run("INSERT INTO a VALUES(1, 'x')");
  EXPECT_FALSE(Install().released);
  EXPECT_GT(Triggers(), 0);
  EXPECT_THAT(Gaps(), ElementsAre("1", "2"));
}

TEST_F(CaptureGap, ReleasingWhatIsNotInstalledDoesNothing) {
  testing::TempDir folder;
  testing::AppDatabase app(folder.Path("plain.db"));
  app.Run("CREATE TABLE t(x)");
  Database database(folder.Path("plain.db"), OpenMode::kReadWrite, std::chrono::seconds(1));
  Capture(database).RemoveTriggers();
  EXPECT_EQ(app.Int("SELECT count(*) FROM sqlite_schema"), 1);
}

}  // namespace
}  // namespace liteferry::source
