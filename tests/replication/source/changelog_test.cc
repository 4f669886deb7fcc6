#include "replication/source/changelog.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/replication/source/capture_bench.h"

namespace liteferry::source {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTables =
    "CREATE TABLE a(id INTEGER PRIMARY KEY);"
    "CREATE TABLE b(x, y TEXT, PRIMARY KEY(x, y)) WITHOUT ROWID";

std::vector<std::int64_t> Seqs(CaptureBench& bench) {
  std::vector<std::int64_t> seqs;
  for (const std::string& row : bench.app().Rows("SELECT seq FROM _liteferry_log ORDER BY seq")) {
    seqs.push_back(std::stoll(row));
  }
  return seqs;
}

TEST(Changelog, ReadsEntriesInOrderWithPackedKeys) {
  CaptureBench bench(kTables);
  Changelog log(bench.ours());
  const Seq start = log.Bounds().newest;
  bench.app().Run("INSERT INTO a VALUES(7); INSERT INTO b VALUES(1.5,'z'),(x'00','')");
  const auto entries = log.Read(start, log.Bounds().newest, 100, {0, 1, 2});
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[0].table_no, 1);
  EXPECT_EQ(entries[0].key, PackKey(std::vector<Value>{Value::Integer(7)}));
  EXPECT_EQ(entries[1].table_no, 2);
  EXPECT_EQ(entries[1].key, PackKey(std::vector<Value>{Value::Real(1.5), Value::Text("z")}));
  EXPECT_EQ(entries[2].key,
            PackKey(std::vector<Value>{Value::Blob(std::string_view("\0", 1)), Value::Text("")}));
  EXPECT_EQ(entries[0].seq + 1, entries[1].seq);
  for (const LogEntry& entry : entries) EXPECT_EQ(log.MarkAt(entry.seq), entry.mark);
}

TEST(Changelog, ReadKeepsToItsBounds) {
  CaptureBench bench(kTables, "INSERT INTO a VALUES(1),(2),(3),(4)");
  Changelog log(bench.ours());
  EXPECT_THAT(log.Read(0, 5, 100, {0, 1, 2}), SizeIs(5));
  EXPECT_THAT(log.Read(1, 3, 100, {0, 1, 2}), SizeIs(2));
  EXPECT_THAT(log.Read(1, 5, 1, {0, 1, 2}), SizeIs(1));
  EXPECT_THAT(log.Read(5, 5, 100, {0, 1, 2}), IsEmpty());
}

TEST(Changelog, EntriesOfUnknownNumbersHaveNoKey) {
  CaptureBench bench(kTables, "INSERT INTO a VALUES(1)");
  bench.app().Run("INSERT INTO _liteferry_log(t, n, k1) VALUES(99, 0, 5), (-1, 0, 5)");
  Changelog log(bench.ours());
  const auto entries = log.Read(0, 100, 100, {0, 1, 2});
  ASSERT_THAT(entries, SizeIs(4));
  EXPECT_EQ(entries[0].table_no, 0);
  EXPECT_EQ(entries[0].key, "");
  EXPECT_EQ(entries[2].key, "");
  EXPECT_EQ(entries[3].key, "");
}

TEST(Changelog, SeesKeyColumnsThatWereAddedLater) {
  CaptureBench bench("CREATE TABLE a(id INTEGER PRIMARY KEY)");
  Changelog log(bench.ours());
  bench.app().Run("CREATE TABLE b(x, y, PRIMARY KEY(x, y)) WITHOUT ROWID");
  bench.Install();
  bench.app().Run("INSERT INTO b VALUES(1, 2)");
  const auto entries = log.Read(1, 100, 100, {0, 1, 2});
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].key, PackKey(std::vector<Value>{Value::Integer(1), Value::Integer(2)}));
}

TEST(Changelog, KnowsNoMarkOfAMissingEntry) {
  CaptureBench bench(kTables);
  Changelog log(bench.ours());
  EXPECT_TRUE(log.MarkAt(1).has_value());
  EXPECT_FALSE(log.MarkAt(2).has_value());
}

TEST(Changelog, TouchLogsKeysAsIfTheyHadChanged) {
  CaptureBench bench(kTables);
  Changelog log(bench.ours());
  const std::vector<PackedKey> keys = {
      PackKey(std::vector<Value>{Value::Null(), Value::Text("x")}),
      PackKey(std::vector<Value>{Value::Integer(1), Value::Blob("y")})};
  Transaction transaction(bench.ours(), Transaction::Kind::kWrite);
  log.Touch(2, keys);
  transaction.Commit();
  const auto entries = log.Read(1, 100, 100, {0, 1, 2});
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].key, keys[0]);
  EXPECT_EQ(entries[1].key, keys[1]);
  EXPECT_NE(entries[0].mark, entries[1].mark);
}

TEST(Changelog, TrimRemovesTheOldestAndNeverTheNewest) {
  CaptureBench bench(kTables, "INSERT INTO a VALUES(1),(2),(3),(4)");
  Changelog log(bench.ours());
  EXPECT_EQ(log.Trim(4, 2), 2);
  EXPECT_THAT(Seqs(bench), ElementsAre(3, 4, 5));
  EXPECT_EQ(log.Trim(4, 100), 1);
  EXPECT_EQ(log.Trim(INT64_MAX, 100), 1);
  EXPECT_THAT(Seqs(bench), ElementsAre(5));
  EXPECT_EQ(log.Trim(INT64_MAX, 100), 0);
  bench.app().Run("INSERT INTO a VALUES(5)");
  EXPECT_THAT(Seqs(bench), ElementsAre(5, 6));
}

TEST(Changelog, NoSeqIsEverUsedTwiceHoweverItIsTrimmed) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    CaptureBench bench(kTables);
    Changelog log(bench.ours());
    Seq newest = log.Bounds().newest;
    for (int i = 0; i < 60; ++i) {
      if (random() % 3 == 0) {
        log.Trim(static_cast<Seq>(random() % 100), static_cast<std::int64_t>(random() % 5));
        EXPECT_EQ(log.Bounds().newest, newest);
      } else {
        bench.app().Run("REPLACE INTO a VALUES(" + std::to_string(random() % 5) + ")");
        EXPECT_EQ(log.Bounds().newest, ++newest);
      }
    }
  }
}

TEST(Changelog, TrimGivesWayAtOnceAndKeepsTheBusyTimeout) {
  CaptureBench bench(kTables, "INSERT INTO a VALUES(1),(2)");
  Changelog log(bench.ours());
  bench.ours().SetBusyTimeout(std::chrono::hours(1));
  bench.app().Run("BEGIN IMMEDIATE");
  try {
    log.Trim(100, 100);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.disposition(), Disposition::kRetry);
  }
  bench.app().Run("COMMIT");
  EXPECT_EQ(bench.ours().busy_timeout(), std::chrono::hours(1));
  EXPECT_EQ(log.Trim(100, 100), 2);
}

TEST(Changelog, TrimWithNothingToDoNeedsNoLock) {
  CaptureBench bench(kTables, "INSERT INTO a VALUES(1),(2)");
  Changelog log(bench.ours());
  bench.app().Run("BEGIN IMMEDIATE");
  EXPECT_EQ(log.Trim(1, 100), 0);
}

TEST(Changelog, SizeIsCloseToWhatTheFileGrewBy) {
  CaptureBench bench("CREATE TABLE a(k TEXT PRIMARY KEY) WITHOUT ROWID; CREATE TABLE z(x)");
  Changelog log(bench.ours());
  bench.app().Run(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<20000) "
      "INSERT INTO a SELECT printf('%032d', i) FROM c");
  const std::int64_t actual =
      bench.app().Int("SELECT sum(pgsize) FROM dbstat WHERE name='_liteferry_log'");
  const std::int64_t estimate = log.SizeBytes();
  EXPECT_GT(estimate, actual * 7 / 10);
  EXPECT_LT(estimate, actual * 13 / 10);
}

}  // namespace
}  // namespace liteferry::source
