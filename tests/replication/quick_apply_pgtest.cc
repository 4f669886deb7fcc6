#include "replication/quick_apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "replication/base/error.h"
#include "tests/replication/verify/pair.h"

namespace liteferry {
namespace {

using target::PgResult;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Pair;

constexpr const char* kSqlite =
    "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, weight REAL, body BLOB);"
    "CREATE TABLE \"select \"\"x\"\"\"(word TEXT, n INT, PRIMARY KEY(word, n)) WITHOUT ROWID;"
    "CREATE TABLE loose(v TEXT);"
    "CREATE TABLE addresses(id INTEGER PRIMARY KEY, a TEXT);"
    "CREATE TABLE parts(id INTEGER PRIMARY KEY, mood TEXT, whole TEXT);"
    "CREATE TABLE ruled(id INTEGER PRIMARY KEY)";
constexpr const char* kPostgres =
    "CREATE TABLE notes(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title varchar(9) "
    "UNIQUE, weight float8, body bytea);"
    "CREATE TABLE \"select \"\"x\"\"\"(word text, n int, PRIMARY KEY(word, n));"
    "CREATE TABLE loose(v text);"
    "CREATE TABLE addresses(id int PRIMARY KEY, a inet);"
    "CREATE DOMAIN mood AS varchar(5) CHECK (VALUE <> 'bad');"
    "CREATE TABLE parts(id int PRIMARY KEY, mood mood, whole text[]) PARTITION BY RANGE (id);"
    "CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);"
    "CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (10) TO (20);"
    "CREATE TABLE ruled(id int PRIMARY KEY);"
    "CREATE RULE none AS ON INSERT TO ruled DO INSTEAD NOTHING";

class QuickApplyTest : public ::testing::Test {
 protected:
  QuickApplyTest() { pair_.session().store->NoteHistory(0); }

  Gathered Gather() {
    Session& session = pair_.session();
    session.schema_version = session.source->QueryInt("PRAGMA schema_version");
    return liteferry::Gather(settings_, session, *session.source,
                             {session.stream.applied_seq, session.stream.applied_mark, {}});
  }

  // What the application did in `sql`, if it fits; whether it was applied.
  bool Apply(const std::string& sql) {
    pair_.app().Run(sql);
    const Gathered batch = Gather();
    if (!quick_.Fits(pair_.session(), batch)) return false;
    if (!quick_.Apply(pair_.session(), batch, true)) return false;
    pair_.session().stream.applied_seq = batch.to;
    pair_.session().stream.applied_mark = batch.mark;
    return true;
  }

  std::string Target(const std::string& sql) { return pair_.pg().Exec(sql).Text(0, 0); }
  std::string Notes() { return Target("SELECT string_agg(n::text, ' ' ORDER BY id) FROM notes n"); }
  std::string Position() { return Target("SELECT applied_seq FROM liteferry.stream"); }

  config::Settings settings_;
  Pair pair_{kSqlite, kPostgres};
  QuickApply quick_;
};

TEST_F(QuickApplyTest, LeavesTheTargetAsTheSourceIs) {
  EXPECT_TRUE(
      Apply("INSERT INTO notes VALUES(1, 'one', 0.1, x'00ff'), (2, 'two', NULL, NULL);"
            "INSERT INTO \"select \"\"x\"\"\" VALUES('w', 1), ('w', 2)"));
  EXPECT_EQ(Notes(), "(1,one,0.1,\"\\\\x00ff\") (2,two,,)");
  // Also where a unique value changes hands.
  EXPECT_TRUE(
      Apply("DELETE FROM notes WHERE id = 1; UPDATE notes SET title = 'one' WHERE id = 2;"
            "INSERT INTO notes VALUES(3, 'two', 1e300, x'');"
            "UPDATE \"select \"\"x\"\"\" SET n = 3 WHERE n = 2; INSERT INTO loose VALUES('v')"));
  EXPECT_EQ(Notes(), "(2,one,,) (3,two,1e+300,\"\\\\x\")");
  EXPECT_EQ(Target("SELECT string_agg(word || n, ' ' ORDER BY n) FROM \"select \"\"x\"\"\""),
            "w1 w3");
  EXPECT_EQ(Target("SELECT v FROM loose"), "v");
  EXPECT_EQ(Position(), std::to_string(pair_.session().stream.applied_seq));
}

TEST_F(QuickApplyTest, TakesDomainsArraysAndPartitions) {
  EXPECT_TRUE(Apply("INSERT INTO parts VALUES(1, 'good', '[\"a\", null]'), (11, NULL, '[]')"));
  EXPECT_TRUE(Apply("UPDATE parts SET id = 12 WHERE id = 1"));
  EXPECT_EQ(
      Target("SELECT string_agg(tableoid::regclass || p::text, ' ' ORDER BY id) FROM parts p"),
      "part2(11,,{}) part2(12,good,\"{a,NULL}\")");
  EXPECT_FALSE(Apply("UPDATE parts SET mood = 'bad' WHERE id = 11"));
  EXPECT_EQ(Target("SELECT count(*) FROM parts WHERE mood IS NULL"), "1");
}

TEST_F(QuickApplyTest, LeavesEverythingAsItWasWhereTheServerRefuses) {
  ASSERT_TRUE(Apply("INSERT INTO notes VALUES(1, 'one', 1, NULL)"));
  const std::string position = Position();
  pair_.pg().Exec("INSERT INTO notes OVERRIDING SYSTEM VALUE VALUES(100, 'taken', 1, NULL)");
  EXPECT_FALSE(Apply("INSERT INTO loose VALUES('v'); INSERT INTO notes VALUES(2, 'taken', 1, '')"));
  EXPECT_EQ(Notes(), "(1,one,1,) (100,taken,1,)");
  EXPECT_EQ(Target("SELECT count(*) FROM loose"), "0");
  EXPECT_EQ(Position(), position);
  // After a refusal the other way has its turn, then this one again.
  pair_.pg().Exec("DELETE FROM notes WHERE id = 100");
  EXPECT_FALSE(Apply(""));
  EXPECT_FALSE(Apply(""));
  EXPECT_TRUE(Apply(""));
  EXPECT_EQ(Target("SELECT count(*) FROM loose"), "1");
}

TEST_F(QuickApplyTest, DoesNotGoOnFromAnotherPositionOrAsAnotherOwner) {
  pair_.pg().Exec("UPDATE liteferry.stream SET applied_seq = applied_seq + 1000");
  EXPECT_FALSE(Apply("INSERT INTO notes VALUES(1, 'one', 1, NULL)"));
  pair_.pg().Exec("UPDATE liteferry.stream SET applied_seq = applied_seq - 1000, owner_epoch = 7");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Apply(""));
  EXPECT_EQ(Target("SELECT count(*) FROM notes"), "0");
  pair_.session().owner.epoch = 7;
  bool applied = false;
  for (int i = 0; i < 5; ++i) applied = applied || Apply("");
  EXPECT_TRUE(applied);
}

TEST_F(QuickApplyTest, TakesWhatIsSmallAndPlain) {
  const auto fits = [this](const std::string& sql) {
    pair_.app().Run(sql);
    const Gathered batch = Gather();
    const bool result = quick_.Fits(pair_.session(), batch);
    pair_.Apply();
    return result;
  };
  EXPECT_TRUE(fits("INSERT INTO notes(title) VALUES('x')"));
  EXPECT_TRUE(fits("DELETE FROM notes"));
  EXPECT_FALSE(fits("INSERT INTO addresses VALUES(1, '::1')")) << "rows go as text";
  EXPECT_FALSE(fits("INSERT INTO ruled VALUES(1)")) << "COPY knows no rules";
  EXPECT_FALSE(fits("INSERT INTO notes VALUES(5, 'too long to go in', 1, 1)")) << "is rejected";
  EXPECT_FALSE(fits("INSERT INTO notes VALUES(6, '', 1, zeroblob(100000))")) << "is large";
  EXPECT_FALSE(
      fits("WITH RECURSIVE n(i) AS (VALUES(1000) UNION ALL SELECT i + 1 FROM n LIMIT 40)"
           "INSERT INTO notes(id) SELECT i FROM n"))
      << "are many";
  Session& session = pair_.session();
  session.rejected[1] = 1;
  EXPECT_FALSE(fits("INSERT INTO notes(title) VALUES('y')")) << "rows are to be retried";
  session.rejected.clear();
  EXPECT_TRUE(fits("INSERT INTO notes(title) VALUES('z')"));
}

// The plan is made once and kept, while the table may grow.
TEST_F(QuickApplyTest, LooksKeysUpThoughThePlanWasMadeForAnEmptyTable) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Apply("INSERT INTO notes(weight) VALUES(1)"));
  const PgResult known = pair_.pg().Exec(
      "SELECT name, generic_plans FROM pg_prepared_statements WHERE statement LIKE "
      "'DELETE FROM%notes%'");
  ASSERT_EQ(known.rows(), 1);
  EXPECT_GT(known.Int(0, 1), 0);
  const PgResult plan = pair_.pg().Exec("EXPLAIN EXECUTE " + known.Text(0, 0) + " ('{1}')");
  std::string text;
  for (int i = 0; i < plan.rows(); ++i) text += plan.Text(i, 0) + "\n";
  EXPECT_THAT(text, HasSubstr("Index"));
  EXPECT_THAT(text, Not(HasSubstr("Seq Scan")));
}

}  // namespace
}  // namespace liteferry
