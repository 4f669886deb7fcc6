#include "replication/source/log_keys.h"

#include <gtest/gtest.h>

#include <thread>

#include "replication/base/error.h"
#include "replication/source/capture.h"
#include "replication/source/changelog.h"
#include "tests/harness/sqlite_fixture.h"

namespace liteferry::source {
namespace {

using testing::AppDatabase;
using testing::TempDir;

class LogKeysTest : public ::testing::Test {
 protected:
  LogKeysTest() : app_(folder_.Path("app.db")) {
    app_.Run("CREATE TABLE t(a INTEGER, b TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID");
    database_ = std::make_unique<Database>(folder_.Path("app.db"), OpenMode::kReadWrite,
                                           std::chrono::milliseconds(2000));
    Capture(*database_).Install(ReadCatalog(*database_).tables);
  }

  static std::vector<PackedKey> Keys(int count) {
    std::vector<PackedKey> keys;
    for (int i = 0; i < count; ++i) {
      const std::string text = "k" + std::to_string(i);
      const Value key[] = {Value::Integer(i), Value::Text(text)};
      keys.push_back(PackKey(key));
    }
    return keys;
  }
  std::int64_t Logged() { return app_.Int("SELECT count(*) FROM _liteferry_log WHERE t = 1"); }

  TempDir folder_;
  AppDatabase app_;
  std::unique_ptr<Database> database_;
  SignalEvent stop_;
};

TEST_F(LogKeysTest, LogsEachKeyOnceInOrder) {
  LogKeys(*database_, 1, Keys(2500), stop_, Deadline::In(std::chrono::seconds(10)));
  EXPECT_EQ(Logged(), 2500);
  EXPECT_EQ(
      app_.Rows("SELECT k1, k2 FROM _liteferry_log WHERE t = 1 ORDER BY seq LIMIT 1 OFFSET 1500"),
      std::vector<std::string>{"1500|'k1500'"});
  EXPECT_FALSE(database_->InTransaction());
}

TEST_F(LogKeysTest, GivesUpAtTheDeadlineWhileTheApplicationHoldsTheLock) {
  app_.Run("BEGIN IMMEDIATE");
  EXPECT_THROW(LogKeys(*database_, 1, Keys(3), stop_, Deadline::In(std::chrono::milliseconds(50))),
               Error);
  app_.Run("COMMIT");
  EXPECT_EQ(Logged(), 0);
  // The connection's own patience is as it was.
  EXPECT_EQ(database_->busy_timeout(), std::chrono::milliseconds(2000));
  LogKeys(*database_, 1, Keys(3), stop_, Deadline::In(std::chrono::seconds(10)));
  EXPECT_EQ(Logged(), 3);
}

TEST_F(LogKeysTest, WaitsForTheLock) {
  app_.Run("BEGIN IMMEDIATE");
  std::thread logger(
      [&] { LogKeys(*database_, 1, Keys(3), stop_, Deadline::In(std::chrono::seconds(30))); });
  app_.Run("INSERT INTO t VALUES(100, 'x')");
  app_.Run("COMMIT");
  logger.join();
  EXPECT_EQ(Logged(), 4);
}

}  // namespace
}  // namespace liteferry::source
