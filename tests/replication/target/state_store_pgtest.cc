#include "replication/target/state_store.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <thread>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/base/value.h"
#include "replication/target/pg_connection.h"
#include "tests/harness/pg_cluster.h"

namespace liteferry::target {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::PgCluster;

constexpr const char* kSchema = "lite \"ferry\" it's";

class StateStoreTest : public ::testing::Test {
 protected:
  StateStoreTest() {
    store_.Create();
    store_.InitStream(FirstRow());
  }

  PgConnection Open() { return PgConnection({.url = url_}, stop_); }

  static StreamRow FirstRow() {
    StreamRow row;
    row.incarnation = "in'carnation";
    row.applied_seq = 10;
    row.applied_mark = -7;
    row.system_identifier = "7123";
    row.timeline = 3;
    return row;
  }

  static Error Catch(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return {Disposition::kBug, Component::kControl, "no error"};
  }

  // Waits until a backend of this database waits for a lock.
  void AwaitLockWait() {
    PgConnection observer = Open();
    const Deadline deadline = Deadline::In(std::chrono::seconds(30));
    while (observer
               .Exec("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                     "datname = current_database()")
               .Int(0, 0) == 0) {
      ASSERT_FALSE(deadline.Passed());
    }
  }

  SignalEvent stop_;
  const std::string url_ = PgCluster::Get().CreateDatabase();
  PgConnection connection_ = Open();
  StateStore store_{connection_, kSchema};
};

TEST_F(StateStoreTest, KeepsTheStreamRow) {
  const StreamRow row = store_.ReadStream(false).value();
  EXPECT_EQ(row.incarnation, "in'carnation");
  EXPECT_EQ(row.phase, Phase::kCopying);
  EXPECT_EQ(row.applied_seq, 10);
  EXPECT_EQ(row.applied_mark, -7);
  EXPECT_FALSE(row.consistent);
  EXPECT_FALSE(row.paused);
  EXPECT_EQ(row.owner_epoch, 0);
  EXPECT_EQ(row.owner_id, "");
  EXPECT_FALSE(row.owner_backend_alive);
  EXPECT_GE(row.owner_age_ms, 0);
  EXPECT_EQ(row.system_identifier, "7123");
  EXPECT_EQ(row.timeline, 3);
  store_.SetPaused(true);
  EXPECT_TRUE(store_.ReadStream(true)->paused);
}

TEST_F(StateStoreTest, CreatesOnceAndDropsEverything) {
  EXPECT_TRUE(store_.Exists());
  store_.Create();
  EXPECT_TRUE(store_.ReadStream(false).has_value());
  store_.Drop();
  EXPECT_FALSE(store_.Exists());
  EXPECT_EQ(
      connection_.Exec("SELECT count(*) FROM pg_namespace WHERE nspname = " + QuoteLiteral(kSchema))
          .Int(0, 0),
      0);
  store_.Drop();
  connection_.Exec("CREATE SCHEMA " + QuoteIdentifier(kSchema));  // made by somebody beforehand
  EXPECT_FALSE(store_.Exists());
  store_.Create();
  EXPECT_FALSE(store_.ReadStream(false).has_value());
}

TEST_F(StateStoreTest, HasNoStreamWithItsTransactionRolledBack) {
  store_.Drop();
  connection_.Begin();
  store_.Create();
  store_.InitStream(FirstRow());
  connection_.Rollback();
  EXPECT_FALSE(store_.Exists());
}

TEST_F(StateStoreTest, RefusesANewerFormat) {
  connection_.Exec("UPDATE " + QuoteQualified(kSchema, "meta") + " SET format = 2");
  EXPECT_EQ(Catch([&] { store_.Exists(); }).disposition(), Disposition::kStop);
  EXPECT_EQ(Catch([&] { store_.Create(); }).disposition(), Disposition::kStop);
}

TEST_F(StateStoreTest, LeavesSomebodyElsesSchemaAlone) {
  connection_.Exec("CREATE SCHEMA app; CREATE TABLE app.stream (a int)");
  StateStore other(connection_, "app");
  EXPECT_FALSE(other.Exists());
  EXPECT_EQ(Catch([&] { other.Create(); }).disposition(), Disposition::kStop);
  EXPECT_EQ(Catch([&] { other.Drop(); }).disposition(), Disposition::kStop);
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM app.stream").Int(0, 0), 0);
}

TEST_F(StateStoreTest, SetsUpOneStreamForTwoDaemonsAtOnce) {
  store_.Drop();
  connection_.Begin();
  store_.Create();
  store_.InitStream(FirstRow());
  std::optional<Error> error;
  std::thread second([&] {
    PgConnection connection = Open();
    StateStore store(connection, kSchema);
    connection.Begin();
    store.Create();
    error = Catch([&] { store.InitStream(FirstRow()); });
    connection.Rollback();
  });
  AwaitLockWait();
  connection_.Commit();
  second.join();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->disposition(), Disposition::kRetry);
}

TEST_F(StateStoreTest, DoesNotRobALiveOwner) {
  Owner first{"first", 0};
  ASSERT_TRUE(store_.TryTakeOver(first, hours(1)));
  EXPECT_EQ(first.epoch, 1);
  const StreamRow row = store_.ReadStream(false).value();
  EXPECT_EQ(row.owner_id, "first");
  EXPECT_EQ(row.owner_backend, connection_.server().backend_pid);
  EXPECT_TRUE(row.owner_backend_alive);

  PgConnection other_connection = Open();
  StateStore other(other_connection, kSchema);
  Owner second{"second", 0};
  EXPECT_FALSE(other.TryTakeOver(second, hours(1)));
  // Silent for longer than the lease, but its backend is connected.
  EXPECT_FALSE(other.TryTakeOver(second, milliseconds(0)));
  EXPECT_EQ(second.epoch, 0);
  store_.Heartbeat(first, 0);
  store_.RequireOwner(first);
}

TEST_F(StateStoreTest, TakesOverAtOnceWhenTheOwnersBackendIsGone) {
  Owner killed{"killed", 0};
  int backend = 0;
  {
    PgConnection connection = Open();
    ASSERT_TRUE(StateStore(connection, kSchema).TryTakeOver(killed, hours(1)));
    backend = connection.server().backend_pid;
  }
  const Deadline deadline = Deadline::In(std::chrono::seconds(30));
  while (connection_
             .Exec("SELECT count(*) FROM pg_stat_activity WHERE pid = " + std::to_string(backend))
             .Int(0, 0) != 0) {
    ASSERT_FALSE(deadline.Passed());
  }
  Owner next{"next", 0};
  EXPECT_TRUE(store_.TryTakeOver(next, hours(1)));
  EXPECT_EQ(next.epoch, 2);
  EXPECT_EQ(Catch([&] { store_.RequireOwner(killed); }).disposition(), Disposition::kRetry);
  EXPECT_EQ(Catch([&] { store_.Heartbeat(killed, 0); }).disposition(), Disposition::kRetry);
  EXPECT_EQ(Catch([&] { store_.SetPhase(killed, Phase::kFollowing); }).disposition(),
            Disposition::kRetry);
}

TEST_F(StateStoreTest, KnowsAReusedProcessNumber) {
  Owner owner{"old", 0};
  PgConnection alive = Open();
  ASSERT_TRUE(StateStore(alive, kSchema).TryTakeOver(owner, hours(1)));
  connection_.Exec("UPDATE " + QuoteQualified(kSchema, "stream") +
                   " SET owner_backend_start = owner_backend_start - interval '1 hour'");
  EXPECT_FALSE(store_.ReadStream(false)->owner_backend_alive);
  Owner next{"next", 0};
  EXPECT_TRUE(store_.TryTakeOver(next, hours(1)));
}

TEST_F(StateStoreTest, TrustsTheLeaseBehindAPooler) {
  Owner owner{"pooled", 0};
  ASSERT_TRUE(store_.TryTakeOver(owner, hours(1)));
  connection_.Exec("UPDATE " + QuoteQualified(kSchema, "stream") + " SET owner_backend = 0");
  Owner next{"next", 0};
  EXPECT_FALSE(store_.TryTakeOver(next, hours(1)));
  EXPECT_TRUE(store_.TryTakeOver(next, milliseconds(0)));
}

TEST_F(StateStoreTest, ReleaseLetsTheNextOneIn) {
  PgConnection other_connection = Open();
  StateStore other(other_connection, kSchema);
  Owner first{"first", 0};
  Owner second{"second", 0};
  ASSERT_TRUE(store_.TryTakeOver(first, hours(1)));
  connection_.Begin();
  EXPECT_THROW(connection_.Exec("SELECT 1/0"), Error);
  store_.Release(first);  // also out of a failed transaction
  EXPECT_EQ(Catch([&] { store_.RequireOwner(first); }).disposition(), Disposition::kRetry);
  EXPECT_TRUE(other.TryTakeOver(second, hours(1)));
  store_.Release(first);  // is no longer his to release
  other.RequireOwner(second);
}

TEST_F(StateStoreTest, TheSameDaemonTakesOverItsOwnStream) {
  Owner owner{"self", 0};
  ASSERT_TRUE(store_.TryTakeOver(owner, hours(1)));
  const Owner before = owner;
  PgConnection reconnected = Open();
  StateStore store(reconnected, kSchema);
  ASSERT_TRUE(store.TryTakeOver(owner, hours(1)));
  EXPECT_EQ(owner.epoch, 2);
  EXPECT_EQ(Catch([&] { store_.RequireOwner(before); }).disposition(), Disposition::kRetry);
}

TEST_F(StateStoreTest, CopyingWorkersHinderTakeoverButNotHeartbeat) {
  Owner owner{"owner", 0};
  ASSERT_TRUE(store_.TryTakeOver(owner, hours(1)));
  PgConnection worker = Open();
  StateStore worker_store(worker, kSchema);
  worker.Begin();
  worker_store.RequireOwner(owner);
  connection_.SetStatementTimeout(std::chrono::seconds(20));
  store_.Heartbeat(owner, 1234);
  EXPECT_EQ(store_.ReadStream(false)->in_sync_at_ms, 1234);
  store_.Heartbeat(owner, 0);
  EXPECT_EQ(store_.ReadStream(false)->in_sync_at_ms, 1234);
  EXPECT_FALSE(store_.TryTakeOver(owner, hours(1)));
  worker.Commit();
  EXPECT_TRUE(store_.TryTakeOver(owner, hours(1)));
}

TEST_F(StateStoreTest, MovesThePositionByCompareAndSwap) {
  Owner owner{"owner", 0};
  ASSERT_TRUE(store_.TryTakeOver(owner, hours(1)));
  store_.BeginApply(owner, {10, 15, 99, Phase::kFollowing, true});
  store_.NoteHistory(15);
  connection_.Commit();
  const StreamRow row = store_.ReadStream(false).value();
  EXPECT_EQ(row.applied_seq, 15);
  EXPECT_EQ(row.applied_mark, 99);
  EXPECT_EQ(row.phase, Phase::kFollowing);
  EXPECT_TRUE(row.consistent);

  store_.BeginApply(owner, {15, 20, 1, Phase::kFollowing, true});
  connection_.Rollback();
  EXPECT_EQ(store_.ReadStream(false)->applied_seq, 15);

  const Error behind = Catch([&] {
    store_.BeginApply(owner, {10, 15, 99, Phase::kFollowing, true});
  });
  EXPECT_EQ(behind.disposition(), Disposition::kInDoubt);
  EXPECT_EQ(behind.message(), "the target stands at position 15, expected 10");
  // No transaction is left open.
  EXPECT_EQ(connection_.Exec("SELECT now() = statement_timestamp()").Text(0, 0), "t");

  Owner thief{"owner", 0};
  ASSERT_TRUE(store_.TryTakeOver(thief, hours(1)));
  const Error fenced = Catch([&] {
    store_.BeginApply(owner, {15, 20, 1, Phase::kFollowing, true});
  });
  EXPECT_EQ(fenced.disposition(), Disposition::kInDoubt);
  EXPECT_NE(fenced.message().find("another daemon"), std::string::npos);
}

TEST_F(StateStoreTest, ACompetingMoveIsSeenAfterItsCommit) {
  Owner owner{"owner", 0};
  ASSERT_TRUE(store_.TryTakeOver(owner, hours(1)));
  store_.BeginApply(owner, {10, 15, 99, Phase::kFollowing, true});
  std::optional<Error> error;
  std::thread competitor([&] {
    PgConnection connection = Open();
    StateStore store(connection, kSchema);
    error = Catch([&] { store.BeginApply(owner, {10, 12, 1, Phase::kFollowing, true}); });
  });
  AwaitLockWait();
  connection_.Commit();
  competitor.join();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->disposition(), Disposition::kInDoubt);
  EXPECT_EQ(store_.ReadStream(false)->applied_seq, 15);
}

// After a lost connection the server may still be at our COMMIT: a locked read must give its
// outcome.
TEST_F(StateStoreTest, ALockedReadWaitsForACommitUnderWay) {
  Owner owner{"owner", 0};
  ASSERT_TRUE(store_.TryTakeOver(owner, hours(1)));
  store_.BeginApply(owner, {10, 15, 99, Phase::kFollowing, true});
  std::optional<StreamRow> unlocked;
  std::optional<StreamRow> locked;
  bool robbed = true;
  std::thread reader([&] {
    PgConnection connection = Open();
    StateStore store(connection, kSchema);
    unlocked = store.ReadStream(false);
    Owner other{"other", 0};
    robbed = store.TryTakeOver(other, milliseconds(0));
    locked = store.ReadStream(true);
  });
  AwaitLockWait();
  connection_.Commit();
  reader.join();
  EXPECT_FALSE(robbed);
  EXPECT_EQ(unlocked->applied_seq, 10);
  EXPECT_EQ(locked->applied_seq, 15);
}

TEST_F(StateStoreTest, RemembersWhenPositionsWereApplied) {
  const std::string history = QuoteQualified(kSchema, "history");
  EXPECT_EQ(store_.SeqAppliedBefore(milliseconds(0)), 0);
  connection_.Exec("INSERT INTO " + history +
                   " VALUES (now() - interval '100 days', 1), (now() - interval '2 hours', 50),"
                   " (now() - interval '30 minutes', 60)");
  store_.NoteHistory(70);
  connection_.Exec("SELECT 1");
  store_.NoteHistory(71);  // within the same minute
  connection_.Exec("SELECT 1");
  EXPECT_EQ(store_.SeqAppliedBefore(hours(1)), 50);
  EXPECT_EQ(store_.SeqAppliedBefore(std::chrono::minutes(10)), 60);
  EXPECT_EQ(store_.SeqAppliedBefore(hours(24)), 0);
  EXPECT_EQ(
      connection_.Exec("SELECT string_agg(seq::text, ' ' ORDER BY at) FROM " + history).Text(0, 0),
      "50 60 70");
}

TEST_F(StateStoreTest, KeepsSourceTables) {
  store_.PutSourceTable({7, "select \"x\"", "\"public\".\"y's\"", "sig", 3});
  store_.PutSourceTable({2, "notes", "notes", "a", 1});
  store_.PutSourceTable({2, "notes2", "n", "b", 2});
  const auto tables = store_.ReadSourceTables();
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].name, "notes2");
  EXPECT_EQ(tables[0].schema_version, 2);
  EXPECT_EQ(tables[1].number, 7);
  EXPECT_EQ(tables[1].name, "select \"x\"");
  EXPECT_EQ(tables[1].target, "\"public\".\"y's\"");
  EXPECT_EQ(tables[1].signature, "sig");
}

TEST_F(StateStoreTest, KeepsCopyRanges) {
  store_.SetCopyRanges(1, {{1, 0, "", "[5]", false, 0}, {1, 1, "[5]", "", false, 0}});
  store_.SetCopyRanges(2, {{2, 0, "", "", true, 8}});
  store_.AdvanceCopyRange({1, 1, R"(["it's \\ \"x\""])", "", true, 12});
  auto ranges = store_.ReadCopyRanges();
  ASSERT_EQ(ranges.size(), 3U);
  EXPECT_EQ(ranges[0].up_to, "[5]");
  EXPECT_FALSE(ranges[0].done);
  EXPECT_EQ(ranges[1].after, R"(["it's \\ \"x\""])");
  EXPECT_TRUE(ranges[1].done);
  EXPECT_EQ(ranges[1].rows, 12);
  store_.SetCopyRanges(1, {});
  ranges = store_.ReadCopyRanges();
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges[0].table_no, 2);
  EXPECT_EQ(Catch([&] {
              store_.AdvanceCopyRange({1, 0, "", "", true, 1});
            }).disposition(),
            Disposition::kBug);
}

TEST_F(StateStoreTest, KeepsRejectedRowsWhateverTheirKeys) {
  const std::string long_key = std::string(20'000, 'k');
  const std::array<Value, 8> values = {Value::Integer(-5),
                                       Value::Text("it's \"quoted\" \\ {a,b} :'schema' $1"),
                                       Value::Text("žluťoučký 😀"),
                                       Value::Text(std::string_view("a\0b", 3)),
                                       Value::Text(""),
                                       Value::Blob("\xff\xfe"),
                                       Value::Real(0.1),
                                       Value::Text(long_key)};
  std::vector<RejectedRow> rows;
  for (const Value& value : values) {
    const std::array<Value, 2> key = {value, Value::Text("{NULL}")};
    rows.push_back(
        {3, "select \"x\"", KeyToJson(key), "col'umn", "text", "bad, \\ value", "22P02"});
  }
  store_.AddRejected(rows);
  rows.push_back({4, "other", "[1]", "", "integer", "twice", "23505"});
  rows.push_back({4, "other", "[1]", "", "integer", "twice, later", "23P01"});
  store_.AddRejected(rows);

  const auto counts = store_.CountRejected();
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].table_no, 3);
  EXPECT_EQ(counts[0].table, "select \"x\"");
  EXPECT_EQ(counts[0].rows, 8);
  EXPECT_EQ(counts[1].rows, 1);
  EXPECT_EQ(connection_
                .Exec("SELECT min(attempts), max(attempts) FROM " +
                      QuoteQualified(kSchema, "rejected_row") + " WHERE table_no = 3")
                .Int(0, 1),
            2);
  std::vector<std::string> listed;
  for (const RejectedRow& row : store_.ListRejected(100)) {
    if (row.table_no == 3) listed.push_back(row.key);
    EXPECT_EQ(row.reason, row.table_no == 3 ? "bad, \\ value" : "twice, later");
    EXPECT_EQ(row.column, row.table_no == 3 ? "col'umn" : "");
  }
  EXPECT_EQ(listed.size(), 8U);
  EXPECT_EQ(store_.ListRejected(3).size(), 3U);
  EXPECT_TRUE(store_.RetryableRejected(3, 10).empty());
  EXPECT_EQ(store_.RetryableRejected(4, 10), std::vector<std::string>{"[1]"});

  store_.ClearRejected(4, listed);  // the keys of another table
  EXPECT_EQ(store_.CountRejected()[0].rows, 8);
  while (!listed.empty()) {
    store_.ClearRejected(3, {listed.back(), "[\"no such key\"]"});
    listed.pop_back();
    EXPECT_EQ(store_.ListRejected(100).size(), listed.size() + 1);
  }
  store_.ClearRejectedTable(4);
  EXPECT_TRUE(store_.CountRejected().empty());
  store_.AddRejected({});
  store_.ClearRejected(3, {});
}

TEST_F(StateStoreTest, TransactionsDoNotDependOnTheRolesDefaults) {
  connection_.Exec("ALTER DATABASE " + connection_.server().database +
                   " SET statement_timeout = 600000; ALTER DATABASE " +
                   connection_.server().database +
                   " SET default_transaction_isolation = 'serializable'; ALTER DATABASE " +
                   connection_.server().database + " SET datestyle = 'German'");
  PgConnection connection = Open();
  connection.Begin();
  EXPECT_EQ(connection.Exec("SHOW statement_timeout").Text(0, 0), "0");
  EXPECT_EQ(connection.Exec("SELECT '2020-01-02'::date::text").Text(0, 0), "2020-01-02");
  EXPECT_EQ(connection.Exec("SHOW transaction_isolation").Text(0, 0), "read committed");
  connection.Commit();
  EXPECT_EQ(connection.Exec("SHOW datestyle").Text(0, 0), "German, DMY");
}

TEST_F(StateStoreTest, WaitsForALockAsLongAsTheRoleAllowsAndNeverLongerThanHalfAMinute) {
  const std::string alter =
      "ALTER DATABASE " + connection_.server().database + " SET lock_timeout = ";
  for (const auto& [role, kept] :
       {std::pair("0", "30s"), {"'300ms'", "300ms"}, {"'10min'", "30s"}, {"'30s'", "30s"}}) {
    connection_.Exec(alter + role);
    PgConnection connection = Open();
    connection.Begin();
    EXPECT_EQ(connection.Exec("SHOW lock_timeout").Text(0, 0), kept) << role;
    connection.Commit();
  }
}

}  // namespace
}  // namespace liteferry::target
