#include "replication/gather.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replication/base/error.h"
#include "replication/source/changelog.h"
#include "tests/replication/source/capture_bench.h"

namespace liteferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr const char* kSchema = "CREATE TABLE words(word TEXT PRIMARY KEY, n INT) WITHOUT ROWID";

// An application's database under capture and a session as Prepare would leave it, without a
// target: gathering never asks it.
class GatherTest : public ::testing::Test {
 protected:
  explicit GatherTest(const char* schema = kSchema) : bench_(schema) {
    settings_.source.path = bench_.ours().path();
    session_.source = std::make_unique<source::Database>(
        settings_.source.path, source::OpenMode::kReadOnly, settings_.source.busy_timeout);
    session_.capture = bench_.state();
    session_.captured_tables = bench_.tables();
    session_.schema_version = session_.source->QueryInt("PRAGMA schema_version");
    session_.stream.incarnation = bench_.state().incarnation;
    session_.key_widths = {0};
    for (const source::SourceTable& table : bench_.tables()) {
      TableMapping words;
      words.source = table;
      words.target.name = table.name;
      words.columns = {Column(0, "word", target::TypeKind::kUuid),
                       Column(1, "n", target::TypeKind::kInt8)};
      words.key = {0};
      session_.mapping.tables.push_back(words);
      session_.key_widths.push_back(1);
    }
  }

  static ColumnPair Column(int number, const std::string& name, target::TypeKind kind) {
    ColumnPair pair;
    pair.source = number;
    pair.target.name = name;
    pair.target.type.kind = kind;
    return pair;
  }

  Gathered Read(const GatherFrom& from) {
    return Gather(settings_, session_, *session_.source, from);
  }

  // Where the log begins: what capture itself wrote into it lies behind.
  GatherFrom Newest() {
    source::Changelog log(*session_.source);
    const std::int64_t newest = log.Bounds().newest;
    return {newest, log.MarkAt(newest).value_or(0), {}};
  }

  static std::vector<std::string> Keys(const Gathered& gathered) {
    std::vector<std::string> keys;
    for (const auto& [number, changes] : gathered.tables) {
      for (const PackedKey& key : changes->keys) keys.push_back(KeyToJson(UnpackKey(key)));
    }
    return keys;
  }

  source::CaptureBench bench_;
  config::Settings settings_;
  Session session_;
};

constexpr const char* kOne = "11223344-5566-7788-99aa-bbccddeeff00";
constexpr const char* kOneUpper = "11223344-5566-7788-99AA-BBCCDDEEFF00";
constexpr const char* kTwo = "00000000-0000-0000-0000-00000000000a";

std::string Insert(const std::string& word) {
  return "INSERT INTO words VALUES('" + word + "', 1);";
}

TEST_F(GatherTest, StopsAtTheLargestBatchAndSaysThatMoreIsWaiting) {
  const GatherFrom start = Newest();
  settings_.apply.max_batch_changes = 1;
  bench_.app().Run(Insert(kOne) + Insert(kTwo));
  const Gathered first = Read(start);
  EXPECT_EQ(first.entries, 1);
  EXPECT_FALSE(first.caught_up);
  EXPECT_THAT(Keys(first), ElementsAre("[\"" + std::string(kOne) + "\"]"));
  const Gathered second = Read({first.to, first.mark, {}});
  EXPECT_TRUE(second.caught_up);
  const Gathered third = Read({second.to, second.mark, {}});
  EXPECT_EQ(third.to, third.from);
  EXPECT_TRUE(third.caught_up);
  EXPECT_THAT(third.tables, IsEmpty());
}

// Not WITHOUT ROWID, where SQLite reads whole rows to compare their keys.
class GatherLargeTest : public GatherTest {
 protected:
  GatherLargeTest()
      : GatherTest(
            "CREATE TABLE words(word TEXT PRIMARY KEY NOT NULL, n);"
            "CREATE TABLE writings(word TEXT PRIMARY KEY NOT NULL, n)") {
    for (TableMapping& table : session_.mapping.tables) {
      table.columns[1].target.type.kind = target::TypeKind::kText;
    }
  }

  void Insert(const std::string& word, int megabytes, const std::string& table = "words") {
    bench_.app().Run("INSERT INTO " + table + " VALUES('" + word + "', hex(zeroblob(" +
                     std::to_string(megabytes) + " * 500000)))");
  }
};

TEST_F(GatherLargeTest, EndsABatchBeforeItsRowsExceedWhatOneMayHold) {
  const GatherFrom start = Newest();
  const std::string prefix(kOne, 35);
  for (int i = 0; i < 3; ++i) Insert(prefix + std::to_string(i), 24);
  const Gathered first = Read(start);
  EXPECT_EQ(first.entries, 2);
  EXPECT_FALSE(first.caught_up);
  EXPECT_EQ(first.tables.at(1)->rows.rows(), 2);
  const Gathered second = Read({first.to, first.mark, {}});
  EXPECT_EQ(second.entries, 1);
  EXPECT_TRUE(second.caught_up);
}

TEST_F(GatherLargeTest, TakesOneEntryHoweverLargeItsRow) {
  const GatherFrom start = Newest();
  Insert(kOne, 70);
  Insert(kTwo, 1);
  const Gathered first = Read(start);
  EXPECT_EQ(first.entries, 1);
  EXPECT_EQ(first.tables.at(1)->rows.rows(), 1);
}

// No smaller batch of the table would be without them.
TEST_F(GatherLargeTest, CountsNoRowThatIsOnlyRetried) {
  Insert(kOne, 70);
  GatherFrom start = Newest();
  start.retried[1] = {"[\"" + std::string(kOne) + "\"]"};
  Insert(kTwo, 1);
  Insert(kTwo, 1, "writings");
  const Gathered gathered = Read(start);
  EXPECT_EQ(gathered.entries, 2);
  EXPECT_TRUE(gathered.caught_up);
  EXPECT_EQ(gathered.tables.at(1)->rows.rows(), 2);
  EXPECT_EQ(gathered.tables.at(2)->rows.rows(), 1);
}

TEST_F(GatherTest, TakesTheRowAsItIsNowAndNoneForWhatIsGone) {
  const GatherFrom start = Newest();
  bench_.app().Run(Insert(kOne) + Insert(kTwo) +
                   "UPDATE words SET n = 2; DELETE FROM words WHERE word = '" + std::string(kTwo) +
                   "'");
  const Gathered gathered = Read(start);
  EXPECT_THAT(Keys(gathered), SizeIs(2));
  EXPECT_EQ(gathered.tables.at(1)->rows.rows(), 1);
}

// Two keys here that are one there are deleted and written together.
TEST_F(GatherTest, AddsTheSiblingsOfWhatWasLogged) {
  bench_.app().Run(Insert(kOne));
  const GatherFrom start = Newest();
  bench_.app().Run(Insert(kOneUpper));
  EXPECT_THAT(Keys(Read(start)), UnorderedElementsAre("[\"" + std::string(kOne) + "\"]",
                                                      "[\"" + std::string(kOneUpper) + "\"]"));
}

TEST_F(GatherTest, RetriesWhatWasRefusedWithTheBatchOfItsTable) {
  bench_.app().Run(Insert(kOne));
  GatherFrom start = Newest();
  bench_.app().Run(Insert(kTwo));
  start.retried[1] = {"[\"" + std::string(kOne) + "\"]"};
  EXPECT_EQ(Read(start).tables.at(1)->rows.rows(), 2);
}

TEST_F(GatherTest, RefusesALogWithAnotherPast) {
  GatherFrom start = Newest();
  bench_.app().Run(Insert(kOne));
  start.position += 1;
  start.mark = 0;
  EXPECT_THROW(Read(start), Error);
  session_.stream.incarnation = "another";
  EXPECT_THROW(Read(Newest()), Error);
}

TEST_F(GatherTest, ReadsAheadWhatComesNext) {
  const GatherFrom start = Newest();
  ReadAhead ahead(settings_, session_);
  EXPECT_FALSE(ahead.Take(start.position).has_value());
  for (const char* word : {kOne, kTwo}) {
    bench_.app().Run(Insert(word));
    ahead.Begin(start);
    const auto gathered = ahead.Take(start.position);
    ASSERT_TRUE(gathered.has_value());
    EXPECT_EQ(gathered->from, start.position);
  }
  ahead.Begin(start);
  EXPECT_FALSE(ahead.Take(start.position + 1).has_value());
  EXPECT_FALSE(ahead.Take(start.position).has_value());
}

TEST_F(GatherTest, ThrowsWhereItIsTakenWhatReadingAheadThrew) {
  const GatherFrom start = Newest();
  bench_.app().Run("ALTER TABLE words ADD COLUMN m");
  ReadAhead ahead(settings_, session_);
  ahead.Begin(start);
  EXPECT_THROW(ahead.Take(start.position), Error);
  EXPECT_FALSE(ahead.Take(start.position).has_value());
}

}  // namespace
}  // namespace liteferry
