#include "replication/source/sqlite_handle.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/harness/sqlite_fixture.h"

namespace liteferry::source {
namespace {

using liteferry::testing::AppDatabase;
using liteferry::testing::TempDir;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

std::optional<Error> OpenError(const std::string& path, OpenMode mode = OpenMode::kReadWrite) {
  try {
    const Database database(path, mode, milliseconds(0));
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

// Root may read everything, so as root the body runs as another user.
class AsPlainUser {
 public:
  AsPlainUser() {
    if (::geteuid() == 0) changed_ = ::seteuid(65534) == 0;
  }
  ~AsPlainUser() {
    if (changed_ && ::seteuid(0) != 0) std::abort();
  }
  AsPlainUser(const AsPlainUser&) = delete;
  AsPlainUser& operator=(const AsPlainUser&) = delete;

 private:
  bool changed_ = false;
};

class SqliteHandle : public ::testing::Test {
 protected:
  std::string path() const { return dir_.Path("app.db"); }

  TempDir dir_;
};

TEST_F(SqliteHandle, OpensASchemaThatUsesJsonFunctions) {
  AppDatabase app(path());
  app.Run(
      "CREATE TABLE j(doc TEXT, name TEXT AS (json_extract(doc, '$.name')) STORED);"
      "CREATE INDEX j_id ON j(json_extract(doc, '$.id'))");
  Database database(path(), OpenMode::kReadOnly, milliseconds(0));
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM j"), 0);
}

TEST_F(SqliteHandle, NeverCreatesAMissingFile) {
  const auto error = OpenError(path());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), ExitCode::kSourceMissing);
  EXPECT_EQ(error->disposition(), Disposition::kStop);
  EXPECT_THAT(error->message(), HasSubstr(path()));
  EXPECT_THAT(error->message(), HasSubstr("No such file"));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(SqliteHandle, RefusesAFolderAndAFileThatIsNoDatabase) {
  EXPECT_EQ(OpenError(dir_.Path(""))->exit_code(), ExitCode::kSourceMissing);
  std::ofstream(path()) << std::string(4096, 'x');
  const auto error = OpenError(path());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), ExitCode::kSourceMissing);
  EXPECT_EQ(error->sqlite_code(), SQLITE_NOTADB);
}

TEST_F(SqliteHandle, SaysWhichUserToBeWhenTheFileIsForbidden) {
  { AppDatabase(path()).Run("CREATE TABLE t(a)"); }
  ::chmod(path().c_str(), 0);
  const AsPlainUser user;
  for (const OpenMode mode : {OpenMode::kReadOnly, OpenMode::kReadWrite}) {
    const auto error = OpenError(path(), mode);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->exit_code(), ExitCode::kPermission);
    EXPECT_THAT(error->hint(), HasSubstr("as the user"));
  }
}

TEST_F(SqliteHandle, DoesNotFallBackToReadingWhenItMustWrite) {
  { AppDatabase(path(), "delete").Run("CREATE TABLE t(a)"); }
  ::chmod(path().c_str(), 0444);
  ::chmod(dir_.Path("").c_str(), 0755);
  const AsPlainUser user;
  EXPECT_EQ(OpenError(path(), OpenMode::kReadWrite)->exit_code(), ExitCode::kPermission);
  EXPECT_FALSE(OpenError(path(), OpenMode::kReadOnly));
}

TEST_F(SqliteHandle, LeavesNoWalFilesThatTheOwnerCannotWrite) {
  { AppDatabase(path()).Run("CREATE TABLE t(a)"); }
  std::filesystem::remove(path() + "-shm");
  std::filesystem::remove(path() + "-wal");
  ::chmod(path().c_str(), 0644);
  ::chmod(dir_.Path("").c_str(), 0777);
  const bool other_user = ::geteuid() == 0;
  const AsPlainUser user;
  const auto error = OpenError(path(), OpenMode::kReadOnly);
  // Without root the file is our own, and then there is nothing to fear.
  EXPECT_EQ(error.has_value(), other_user);
  if (other_user) {
    EXPECT_EQ(error->exit_code(), ExitCode::kPermission);
    EXPECT_FALSE(std::filesystem::exists(path() + "-shm"));
  }
}

TEST_F(SqliteHandle, TakesNamesOfSqliteForPlainFiles) {
  EXPECT_EQ(OpenError(":memory:")->exit_code(), ExitCode::kSourceMissing);
  EXPECT_EQ(OpenError("")->exit_code(), ExitCode::kSourceMissing);
  EXPECT_EQ(OpenError("file:" + path() + "?mode=memory")->exit_code(), ExitCode::kSourceMissing);
}

TEST_F(SqliteHandle, ReportsALockAsRetryAtOnce) {
  AppDatabase app(path(), "delete");
  app.Run("CREATE TABLE t(a)");
  Database database(path(), OpenMode::kReadWrite, milliseconds(0));
  app.Run("BEGIN EXCLUSIVE");
  for (const auto kind : {Transaction::Kind::kRead, Transaction::Kind::kWrite}) {
    try {
      const Transaction transaction(database, kind);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.disposition(), Disposition::kRetry);
      EXPECT_EQ(error.exit_code(), ExitCode::kTryAgain);
    }
    EXPECT_FALSE(database.InTransaction());
  }
}

TEST_F(SqliteHandle, ReadTransactionHoldsOneSnapshotFromItsBeginning) {
  AppDatabase app(path());
  app.Run("CREATE TABLE t(a); INSERT INTO t VALUES(1)");
  Database database(path(), OpenMode::kReadOnly, milliseconds(0));
  Transaction transaction(database, Transaction::Kind::kRead);
  app.Run("INSERT INTO t VALUES(2)");
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM t"), 1);
  transaction.Commit();
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM t"), 2);
}

TEST_F(SqliteHandle, EndOfATransactionEndsTheSnapshotThoughAStatementStillHasARow) {
  AppDatabase app(path());
  app.Run("CREATE TABLE t(a); INSERT INTO t VALUES(1),(2)");
  Database database(path(), OpenMode::kReadOnly, milliseconds(0));
  Statement open = database.Prepare("SELECT a FROM t");
  for (const bool commit : {true, false}) {
    {
      Transaction transaction(database, Transaction::Kind::kRead);
      ASSERT_TRUE(open.Step());
      if (commit) transaction.Commit();
    }
    app.Run("INSERT INTO t VALUES(3)");
    // A checkpoint that resets the WAL succeeds only when nobody holds a snapshot: busy, log, done.
    EXPECT_EQ(app.Rows("PRAGMA wal_checkpoint(TRUNCATE)").front(), "0|0|0");
  }
}

TEST_F(SqliteHandle, AbandonedWriteTransactionLeavesNothing) {
  AppDatabase app(path());
  app.Run("CREATE TABLE t(a)");
  Database database(path(), OpenMode::kReadWrite, milliseconds(0));
  {
    const Transaction transaction(database, Transaction::Kind::kWrite);
    database.Execute("INSERT INTO t VALUES(1)");
    EXPECT_NE(app.Try("PRAGMA busy_timeout=0; INSERT INTO t VALUES(2)"), "");
  }
  EXPECT_EQ(app.Rows("SELECT * FROM t").size(), 0U);
}

TEST_F(SqliteHandle, TellsHowLongEachWriteTransactionHeldTheLock) {
  AppDatabase app(path());
  app.Run("CREATE TABLE t(a)");
  Database database(path(), OpenMode::kReadWrite, milliseconds(0));
  std::vector<std::chrono::duration<double>> held;
  database.SetLockObserver([&](std::chrono::duration<double> time) { held.push_back(time); });
  { const Transaction reading(database, Transaction::Kind::kRead); }
  EXPECT_EQ(held.size(), 0U);
  {
    Transaction committed(database, Transaction::Kind::kWrite);
    committed.Commit();
    EXPECT_EQ(held.size(), 1U);
  }
  EXPECT_EQ(held.size(), 1U);
  { const Transaction abandoned(database, Transaction::Kind::kWrite); }
  EXPECT_EQ(held.size(), 2U);
  app.Run("BEGIN IMMEDIATE");
  EXPECT_THROW(Transaction(database, Transaction::Kind::kWrite), Error);
  EXPECT_EQ(held.size(), 2U) << "never held";
  for (const auto time : held) EXPECT_GE(time.count(), 0);
}

TEST_F(SqliteHandle, CommitMayBeCalledAgainAfterBusy) {
  AppDatabase app(path(), "delete");
  app.Run("CREATE TABLE t(a); INSERT INTO t VALUES(0)");
  Database database(path(), OpenMode::kReadWrite, milliseconds(0));
  Transaction transaction(database, Transaction::Kind::kWrite);
  database.Execute("INSERT INTO t VALUES(1)");
  app.Run("BEGIN; SELECT * FROM t");
  EXPECT_THROW(transaction.Commit(), Error);
  EXPECT_TRUE(database.InTransaction());
  app.Run("COMMIT");
  transaction.Commit();
  EXPECT_EQ(app.Int("SELECT count(*) FROM t"), 2);
}

TEST_F(SqliteHandle, NeverCheckpointsNorRemovesTheWal) {
  AppDatabase app(path());
  app.Run("PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a)");
  const auto before = std::filesystem::file_size(path());
  {
    Database database(path(), OpenMode::kReadWrite, milliseconds(0));
    Transaction transaction(database, Transaction::Kind::kWrite);
    for (int i = 0; i < 3000; ++i) database.Execute("INSERT INTO t VALUES(randomblob(3000))");
    transaction.Commit();
  }
  EXPECT_EQ(std::filesystem::file_size(path()), before);
  EXPECT_GT(std::filesystem::file_size(path() + "-wal"), 3000U * 3000U);
}

TEST_F(SqliteHandle, ClosingAsTheLastConnectionLeavesTheWal) {
  AppDatabase app(path());
  app.Run("CREATE TABLE t(a)");
  auto database = std::make_unique<Database>(path(), OpenMode::kReadWrite, milliseconds(0));
  database->Execute("INSERT INTO t VALUES(1)");
  { const AppDatabase last = std::move(app); }
  database.reset();
  EXPECT_GT(std::filesystem::file_size(path() + "-wal"), 0U);
}

TEST_F(SqliteHandle, KeepsEveryValueAsItIs) {
  for (const char* encoding : {"UTF-8", "UTF-16le", "UTF-16be"}) {
    const std::string file = dir_.Path(encoding);
    {
      AppDatabase app(file, "");
      app.Run(std::string("PRAGMA encoding='") + encoding + "'; CREATE TABLE t(a)");
    }
    Database database(file, OpenMode::kReadWrite, milliseconds(0));
    const std::string nul("a\0b", 3);
    const std::vector<Value> values = {
        Value::Null(),    Value::Integer(INT64_MIN), Value::Integer(INT64_MAX),
        Value::Real(0.1), Value::Real(-0.0),         Value::Real(5e-324),
        Value::Text(""),  Value::Text("наïve 😀"),    Value::Text(nul),
        Value::Blob(""),  Value::Blob(nul)};
    Statement insert = database.Prepare("INSERT INTO t VALUES(?1)");
    for (const Value& value : values) {
      insert.Bind(1, value);
      insert.Run();
    }
    Statement read = database.Prepare("SELECT a FROM t ORDER BY rowid");
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_TRUE(read.Step());
      EXPECT_EQ(read.Column(0), values[i]) << encoding << " value " << i;
    }
    EXPECT_FALSE(read.Step());
  }
}

TEST_F(SqliteHandle, NeverTakesAMissingColumnForAString) {
  AppDatabase(path()).Run("CREATE TABLE t(a)");
  Database database(path(), OpenMode::kReadOnly, milliseconds(0));
  EXPECT_THROW(database.Prepare("SELECT \"missing\" FROM t"), Error);
}

TEST(ClassifySqlite, SaysForEachCodeWhetherToRetryStopOrReportABug) {
  struct Case {
    int code;
    Disposition disposition;
    ExitCode exit;
  };
  const auto retry = Disposition::kRetry;
  const auto stop = Disposition::kStop;
  const std::vector<Case> cases = {
      {SQLITE_BUSY, retry, ExitCode::kTryAgain},
      {SQLITE_BUSY_SNAPSHOT, retry, ExitCode::kTryAgain},
      {SQLITE_BUSY_RECOVERY, retry, ExitCode::kTryAgain},
      {SQLITE_LOCKED, retry, ExitCode::kTryAgain},
      {SQLITE_LOCKED_SHAREDCACHE, retry, ExitCode::kTryAgain},
      {SQLITE_PROTOCOL, retry, ExitCode::kTryAgain},
      {SQLITE_INTERRUPT, retry, ExitCode::kTryAgain},
      {SQLITE_SCHEMA, retry, ExitCode::kTryAgain},
      {SQLITE_NOMEM, retry, ExitCode::kTryAgain},
      {SQLITE_READONLY_RECOVERY, retry, ExitCode::kTryAgain},
      {SQLITE_READONLY_DBMOVED, retry, ExitCode::kTryAgain},
      {SQLITE_IOERR_READ, retry, ExitCode::kIo},
      {SQLITE_IOERR_FSYNC, retry, ExitCode::kIo},
      {SQLITE_FULL, retry, ExitCode::kIo},
      {SQLITE_IOERR_CORRUPTFS, stop, ExitCode::kSourceMissing},
      {SQLITE_NOTADB, stop, ExitCode::kSourceMissing},
      {SQLITE_CORRUPT, stop, ExitCode::kSourceMissing},
      {SQLITE_CORRUPT_INDEX, stop, ExitCode::kSourceMissing},
      {SQLITE_CANTOPEN, stop, ExitCode::kSourceMissing},
      {SQLITE_READONLY, stop, ExitCode::kPermission},
      {SQLITE_READONLY_DIRECTORY, stop, ExitCode::kPermission},
      {SQLITE_READONLY_ROLLBACK, stop, ExitCode::kPermission},
      {SQLITE_PERM, stop, ExitCode::kPermission},
      {SQLITE_AUTH, stop, ExitCode::kPermission},
      {SQLITE_ERROR, stop, ExitCode::kDataError},
      {SQLITE_TOOBIG, stop, ExitCode::kDataError},
      {SQLITE_MISUSE, Disposition::kBug, ExitCode::kBug},
      {SQLITE_RANGE, Disposition::kBug, ExitCode::kBug},
      {SQLITE_CONSTRAINT_UNIQUE, Disposition::kBug, ExitCode::kBug},
      {SQLITE_INTERNAL, Disposition::kBug, ExitCode::kBug},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ClassifySqlite(c.code).disposition, c.disposition) << sqlite3_errstr(c.code);
    EXPECT_EQ(ClassifySqlite(c.code).exit, c.exit) << c.code;
  }
}

// The statements that this connection holds prepared.
std::vector<std::string> Prepared(const Database& database) {
  std::vector<std::string> texts;
  for (sqlite3_stmt* one = sqlite3_next_stmt(database.handle(), nullptr); one != nullptr;
       one = sqlite3_next_stmt(database.handle(), one)) {
    texts.emplace_back(sqlite3_sql(one));
  }
  return texts;
}

std::int64_t Prepared(const Database& database, std::string_view sql) {
  const std::vector<std::string> texts = Prepared(database);
  return std::count(texts.begin(), texts.end(), sql);
}

TEST_F(SqliteHandle, PreparesAStatementOnceForAllWhoNeedItOneAfterTheOther) {
  constexpr const char* kSql = "SELECT ?1, count(*) FROM t";
  AppDatabase app(path());
  app.Run("CREATE TABLE t(a); INSERT INTO t VALUES(1), (2)");
  Database database(path(), OpenMode::kReadWrite, milliseconds(0));
  {
    Statement first = database.Prepare(kSql);
    first.Bind(1, "mine");
    ASSERT_TRUE(first.Step());  // and is left in the middle
    Statement second = database.Prepare(kSql);
    ASSERT_TRUE(second.Step());
    EXPECT_EQ(first.Text(0), "mine");
    EXPECT_TRUE(second.IsNull(0));
  }
  EXPECT_EQ(Prepared(database, kSql), 2);
  for (int i = 0; i < 3; ++i) {
    Statement again = database.Prepare(kSql);
    ASSERT_TRUE(again.Step());
    EXPECT_TRUE(again.IsNull(0));
    EXPECT_EQ(again.Int(1), 2 + i);
    app.Run("INSERT INTO t(a) VALUES(3); ALTER TABLE t ADD COLUMN b" + std::to_string(i));
  }
  EXPECT_EQ(Prepared(database, kSql), 2);
  EXPECT_EQ(sqlite3_txn_state(database.handle(), nullptr), SQLITE_TXN_NONE);
}

TEST_F(SqliteHandle, KeepsFewStatementsAndNoPragma) {
  AppDatabase app(path());
  Database database(path(), OpenMode::kReadWrite, milliseconds(0));
  database.QueryInt("PRAGMA cache_size = 100");
  EXPECT_EQ(Prepared(database, "PRAGMA cache_size = 100"), 0);
  for (int i = 0; i < 200; ++i) database.QueryInt("SELECT " + std::to_string(i));
  EXPECT_EQ(Prepared(database, "SELECT 1"), 0);
  EXPECT_EQ(Prepared(database, "SELECT 199"), 1);
  EXPECT_LE(Prepared(database).size(), 64U);
}

}  // namespace
}  // namespace liteferry::source
