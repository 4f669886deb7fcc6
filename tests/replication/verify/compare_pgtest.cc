#include "replication/verify/compare.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <cstdlib>

#include "replication/base/text.h"
#include "replication/source/log_keys.h"
#include "tests/replication/verify/pair.h"

namespace liteferry::verify {
namespace {

using ::liteferry::testing::Pair;
using ::liteferry::testing::RandomValues;
using ::liteferry::testing::Sample;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::uint64_t Seed() {
  const char* chosen = std::getenv("LITEFERRY_TEST_SEED");
  return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 20260306;
}

int Rows() {
  const char* chosen = std::getenv("LITEFERRY_TEST_ROWS");
  return chosen != nullptr ? std::atoi(chosen) : 300;
}

constexpr const char* kTypes =
    "DROP SCHEMA IF EXISTS t CASCADE; CREATE SCHEMA t; "
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'O''K', '1'); CREATE TYPE pair AS (a int, b text); ";

// One type of column and what must be found when a value of it is changed a little.
struct TypeCase {
  const char* type;
  // Of a value that is not NULL, as an expression on the column c; "" for none that is as small.
  const char* change;
};

void PrintTo(const TypeCase& one, std::ostream* out) { *out << one.type; }

const TypeCase kCases[] = {
    {"boolean", "NOT c"},
    {"int2", "CASE WHEN c > 0 THEN c - 1 ELSE c + 1 END"},
    {"int4", "CASE WHEN c > 0 THEN c - 1 ELSE c + 1 END"},
    {"int8", "CASE WHEN c > 0 THEN c - 1 ELSE c + 1 END"},
    {"float4", "CASE WHEN c = 0 THEN 1e-45 ELSE -c END"},
    {"float8", "CASE WHEN c = 0 THEN 5e-324 WHEN c = 'NaN' THEN 0 ELSE -c END"},
    {"numeric",
     "CASE WHEN c = 'NaN' THEN 0 ELSE (c::text || CASE WHEN c::text LIKE '%.%' THEN '0' ELSE '.0' "
     "END)::numeric END"},
    {"numeric(7,3)", "CASE WHEN c = 'NaN' THEN 0 WHEN c > 0 THEN c - 0.001 ELSE c + 0.001 END"},
    {"numeric(30,20)",
     "CASE WHEN c = 'NaN' THEN 0 WHEN c > 0 THEN c - 0.00000000000000000001 ELSE c + "
     "0.00000000000000000001 END"},
    {"text", "c || ' '"},
    {"varchar", "c || ' '"},
    {"varchar(5)", "CASE WHEN length(c) < 5 THEN c || ' ' ELSE upper(left(c, 4)) || '~' END"},
    {"char(4)", "CASE WHEN length(c) < 4 THEN c || '.' ELSE left(c, 3) || '~' END"},
    {"bpchar", "c::text || '.'"},
    {"name", "CASE WHEN c = '' THEN 'x' ELSE '' END"},
    {"bytea", "c || '\\x00'::bytea"},
    {"date",
     "CASE WHEN isfinite(c) AND c > '2000-01-01' THEN c - 1 WHEN isfinite(c) THEN c + 1 ELSE "
     "'2000-01-01' END"},
    {"time",
     "CASE WHEN c >= '00:00:00.000001' THEN c - interval '1 microsecond' ELSE '00:00:00.000001' "
     "END"},
    {"time(2)",
     "CASE WHEN c >= '00:00:00.01' THEN c - interval '10 milliseconds' ELSE '00:00:00.01' END"},
    {"timestamp",
     "CASE WHEN isfinite(c) AND c > '2000-01-01' THEN c - interval '1 microsecond' WHEN "
     "isfinite(c) THEN c + interval '1 microsecond' ELSE '2000-01-01' END"},
    {"timestamp(3)",
     "CASE WHEN isfinite(c) AND c > '2000-01-01' THEN c - interval '1 millisecond' WHEN "
     "isfinite(c) THEN c + interval '1 millisecond' ELSE '2000-01-01' END"},
    {"timestamptz",
     "CASE WHEN isfinite(c) AND c > '2000-01-01' THEN c - interval '1 microsecond' WHEN "
     "isfinite(c) THEN c + interval '1 microsecond' ELSE '2000-01-01' END"},
    {"uuid",
     "(CASE WHEN left(c::text, 1) = '0' THEN '1' ELSE '0' END || substr(c::text, 2))::uuid"},
    {"json", "(' ' || c::text)::json"},
    {"jsonb", "jsonb_build_array(c)"},
    {"mood", "CASE WHEN c = 'ok' THEN 'sad'::mood ELSE 'ok'::mood END"},
    {"interval", "c + interval '1 microsecond'"},
    {"inet", "CASE WHEN masklen(c) = 32 THEN set_masklen(c, 31) ELSE set_masklen(c, 32) END"},
    {"bit(3)", "~c"},
    {"varbit", "c || B'0'"},
    {"money", "CASE WHEN c > 0::money THEN c - 0.01::money ELSE c + 0.01::money END"},
    {"xml", "('<x/>' || c::text)::xml"},
    {"tsvector", "c || 'zz'::tsvector"},
    {"int4range", "CASE WHEN isempty(c) THEN '[1,2)'::int4range ELSE 'empty' END"},
    {"pair", "ROW(coalesce((c).a, 0) # 1, (c).b)::pair"},
    {"boolean[]", "CASE WHEN cardinality(c) = 0 THEN '{t}' ELSE '{}'::boolean[] END"},
    {"int4[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::int4[] END"},
    {"float4[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::float4[] END"},
    {"float8[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::float8[] END"},
    {"numeric(7,3)[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::numeric[] END"},
    {"text[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::text[] END"},
    {"varchar(5)[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::varchar[] END"},
    {"char(4)[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::bpchar[] END"},
    {"bytea[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::bytea[] END"},
    {"date[]", "CASE WHEN cardinality(c) = 0 THEN '{2000-01-01}' ELSE '{}'::date[] END"},
    {"timestamptz[]",
     "CASE WHEN cardinality(c) = 0 THEN '{2000-01-01}' ELSE '{}'::timestamptz[] END"},
    {"uuid[]",
     "CASE WHEN cardinality(c) = 0 THEN '{00000000-0000-0000-0000-000000000000}' ELSE '{}'::uuid[] "
     "END"},
    {"jsonb[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::jsonb[] END"},
    {"json[]", "CASE WHEN cardinality(c) = 0 THEN '{1}' ELSE '{}'::json[] END"},
    {"mood[]", "CASE WHEN cardinality(c) = 0 THEN '{ok}' ELSE '{}'::mood[] END"},
    {"inet[]", "CASE WHEN cardinality(c) = 0 THEN '{1.1.1.1}' ELSE '{}'::inet[] END"},
    {"box[]", "CASE WHEN cardinality(c) = 0 THEN '{(1,1),(0,0)}' ELSE '{}'::box[] END"},
    {"box", "c + point(1,0)"},
};

class EachType : public ::testing::TestWithParam<TypeCase> {
 protected:
  // A table of 1 column for each way to treat what does not fit, with the same values.
  static config::Settings Settings() {
    config::Settings settings;
    settings.tables["nulled"].columns["c"].on_invalid = config::OnInvalid::kNull;
    settings.tables["stripped"].columns["c"].on_invalid = config::OnInvalid::kStripNul;
    return settings;
  }
  static std::string SqliteTables() {
    std::string ddl;
    for (const std::string name : kTables) {
      ddl += "CREATE TABLE " + name + "(id INTEGER PRIMARY KEY, c);";
    }
    return ddl;
  }
  static std::string PostgresTables(const std::string& type) {
    std::string ddl = kTypes;
    for (const std::string name : kTables) {
      ddl += "CREATE TABLE " + name + "(id bigint PRIMARY KEY, c " + type + ");";
    }
    return ddl;
  }
  static void Explain(Pair& pair, const std::string& table) {
    for (std::size_t i = 0; i < std::min<std::size_t>(pair.differences.size(), 5); ++i) {
      const Difference& found = pair.differences[i];
      const std::string id = found.shown.substr(1, found.shown.size() - 2);
      ADD_FAILURE() << table << " " << ToString(found.kind) << " " << id << ": "
                    << pair.app().Text(
                           "SELECT typeof(c) || ' ' || quote(c) || ' ' || hex(c) FROM " + table +
                           " WHERE id = " + id)
                    << " against "
                    << pair.pg()
                           .Exec("SELECT coalesce((SELECT c::text FROM " + table +
                                 " WHERE id = " + id + "), 'nothing')")
                           .Text(0, 0);
    }
  }

  static constexpr const char* kTables[] = {"rejected", "nulled", "stripped"};
};

// What the product's encoder writes is equal in the eyes of code that shares nothing with it; and
// one small change per row is found.
TEST_P(EachType, IsEqualAsWrittenAndDiffersWhenChanged) {
  const TypeCase& one = GetParam();
  SCOPED_TRACE(std::string(one.type) + ", LITEFERRY_TEST_SEED=" + std::to_string(Seed()));
  Pair pair(SqliteTables(), PostgresTables(one.type), Settings());
  RandomValues random(Seed());
  const target::TargetType type = pair.Table("rejected").columns[1].target.type;
  pair.app().Run("BEGIN");
  for (int id = 1; id <= Rows(); ++id) {
    const Sample sample = random.OneIn(20) ? Sample{} : random.For(type);
    for (const char* table : kTables) pair.Insert(table, {Value::Integer(id), sample.value()});
  }
  pair.app().Run("COMMIT");
  pair.Apply();
  for (const std::string table : kTables) {
    const TableOutcome equal = pair.Compare(table);
    Explain(pair, table);
    ASSERT_EQ(equal.differences(), 0);
    EXPECT_EQ(equal.waiting, 0);
    EXPECT_EQ(equal.source_rows, Rows());
    EXPECT_EQ(equal.target_rows + equal.rejected, Rows());
    EXPECT_GT(equal.target_rows, Rows() / 10);

    pair.pg().Exec("CREATE TABLE before AS SELECT * FROM " + table);
    pair.pg().Exec("UPDATE " + table + " SET c = " + one.change +
                   " WHERE c IS NOT NULL AND id % 2 = 0");
    pair.pg().Exec("UPDATE " + table +
                   " SET c = NULL WHERE c IS NOT NULL AND id % 7 = 0 AND id % 2 = 1");
    pair.pg().Exec("DELETE FROM " + table + " WHERE id % 11 = 0 AND id % 2 = 1");
    const auto changed = pair.pg().Exec("SELECT b.id FROM before b LEFT JOIN " + table +
                                        " v USING (id) WHERE v.id IS NULL OR v.c::text IS DISTINCT "
                                        "FROM b.c::text");
    const TableOutcome different = pair.Compare(table);
    EXPECT_EQ(different.differences(), changed.rows());
    EXPECT_GT(changed.rows(), Rows() / 20);
    EXPECT_GT(different.missing, 0);
    EXPECT_EQ(different.extra, 0);
    pair.pg().Exec("DROP TABLE before");
  }
}

std::string TypeName(const ::testing::TestParamInfo<TypeCase>& tested) {
  std::string name;
  for (const char c : std::string(tested.param.type)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
    if (c == '[') name += "s";
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Types, EachType, ::testing::ValuesIn(kCases), TypeName);

// Rows are named by a value of each type, of any storage class.
class EachKey : public ::testing::TestWithParam<const char*> {};

TEST_P(EachKey, NamesWhatDiffers) {
  SCOPED_TRACE(std::string(GetParam()) + ", LITEFERRY_TEST_SEED=" + std::to_string(Seed()));
  Pair pair("CREATE TABLE k(c PRIMARY KEY, n INTEGER)",
            std::string(kTypes) + "CREATE TABLE k(c " + GetParam() + " PRIMARY KEY, n bigint)");
  RandomValues random(Seed());
  const target::TargetType type = pair.Table("k").columns[0].target.type;
  pair.app().Run("BEGIN");
  for (int i = 0; i < Rows(); ++i) {
    const Sample sample = random.For(type);
    pair.Insert("k", {sample.value(), Value::Integer(i)});
  }
  pair.app().Run("COMMIT");
  pair.Apply();
  const TableOutcome equal = pair.Compare("k");
  EXPECT_THAT(pair.Found(), IsEmpty());
  EXPECT_GT(equal.target_rows, 1);

  // In SQLite without a word to the changelog, so that the target has rows too many.
  sqlite3_db_config(pair.app().handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  const auto rows = [&](const std::string& where) {
    return pair.pg().Exec("SELECT count(*) FROM k WHERE " + where).Int(0, 0);
  };
  pair.app().Run("DELETE FROM k WHERE n % 5 = 0");
  const std::int64_t extra = rows("n % 5 = 0");
  const std::int64_t missing = rows("n % 5 = 1");
  const std::int64_t different = rows("n % 5 = 2");
  pair.pg().Exec("DELETE FROM k WHERE n % 5 = 1; UPDATE k SET n = -n - 1 WHERE n % 5 = 2");
  TableOutcome found = pair.Compare("k");
  EXPECT_EQ(found.missing, missing);
  EXPECT_EQ(found.different, different);
  EXPECT_EQ(found.extra, extra);

  // Logged, each is brought right by the ordinary path. Where rows of SQLite share a key on the
  // target, applying the one that is gone takes the other's row away: that is found the next time.
  SignalEvent stop;
  for (int round = 0; round < 2 && !pair.differences.empty(); ++round) {
    std::vector<PackedKey> keys;
    for (const Difference& one : pair.differences) keys.push_back(one.key);
    source::LogKeys(*pair.session().source, pair.session().NumberOf(pair.Table("k")), keys, stop,
                    Deadline::In(std::chrono::seconds(10)));
    pair.Apply();
    pair.Compare("k");
  }
  EXPECT_THAT(pair.Found(), IsEmpty());
}

std::string KeyName(const ::testing::TestParamInfo<const char*>& tested) {
  std::string name;
  for (const char c : std::string(tested.param)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Types, EachKey,
                         ::testing::Values("boolean", "int2", "int4", "int8", "float4", "float8",
                                           "numeric", "numeric(7,3)", "text", "varchar",
                                           "varchar(5)", "char(4)", "name", "bytea", "date", "time",
                                           "timestamp", "timestamp(3)", "timestamptz", "uuid",
                                           "jsonb", "mood", "interval", "inet", "bit(3)"),
                         KeyName);

// A row is judged by the position and the log, not by luck.
class Judged : public ::testing::Test {
 protected:
  Judged()
      : pair_(
            "CREATE TABLE a(id INTEGER PRIMARY KEY, v); CREATE TABLE b(k TEXT PRIMARY KEY, v);"
            "CREATE TABLE c(v)",
            "CREATE TABLE a(id bigint PRIMARY KEY, v bigint); CREATE TABLE b(k text PRIMARY KEY, v "
            "bigint); CREATE TABLE c(v bigint)") {
    pair_.app().Run(
        "INSERT INTO a VALUES(1, 1), (2, 2), (3, 3);"
        "INSERT INTO b VALUES('x', 1), ('y', 2), ('z', 3); INSERT INTO c VALUES(7), (7)");
    pair_.Apply();
  }

  Pair pair_;
};

TEST_F(Judged, WhatIsLoggedAndNotAppliedWaits) {
  pair_.app().Run(
      "UPDATE a SET v = 10 WHERE id = 1; DELETE FROM a WHERE id = 2;"
      "INSERT INTO a VALUES(4, 4); UPDATE b SET k = 'w' WHERE k = 'x'; DELETE FROM c");
  EXPECT_EQ(pair_.Compare("a").waiting, 3);
  EXPECT_THAT(pair_.Found(), IsEmpty());
  EXPECT_EQ(pair_.Compare("b").waiting, 2);
  EXPECT_THAT(pair_.Found(), IsEmpty());
  EXPECT_EQ(pair_.Compare("c").waiting, 2);
  EXPECT_THAT(pair_.Found(), IsEmpty());
  pair_.Apply();
  for (const char* table : {"a", "b", "c"}) {
    const TableOutcome outcome = pair_.Compare(table);
    EXPECT_EQ(outcome.waiting, 0);
    EXPECT_EQ(outcome.differences(), 0);
  }
}

TEST_F(Judged, WhatIsLoggedBeforeThePositionIsReal) {
  pair_.app().Run("UPDATE a SET v = 10 WHERE id = 1");
  pair_.Apply();
  pair_.app().Run("UPDATE a SET v = 20 WHERE id = 2");
  pair_.pg().Exec("UPDATE a SET v = 0; DELETE FROM b WHERE k = 'y'; INSERT INTO b VALUES('q', 1)");
  const TableOutcome outcome = pair_.Compare("a");
  EXPECT_THAT(pair_.Found(), ElementsAre("different [1]", "different [3]"));
  EXPECT_EQ(outcome.waiting, 1);
  pair_.Compare("b");
  EXPECT_THAT(pair_.Found(), ElementsAre("extra [\"q\"]", "missing [\"y\"]"));
}

TEST_F(Judged, ATableBeingCopiedOrInDoubtIsNotCompared) {
  pair_.pg().Exec("DELETE FROM a");
  pair_.pg().Exec("INSERT INTO liteferry.copy_range VALUES (" +
                  std::to_string(pair_.session().NumberOf(pair_.Table("a"))) +
                  ", 0, '', '', false, 0)");
  EXPECT_EQ(pair_.Compare("a").state, TableOutcome::State::kCopying);
  EXPECT_THAT(pair_.Found(), IsEmpty());
  pair_.pg().Exec(
      "DELETE FROM liteferry.copy_range; UPDATE liteferry.source_table SET signature = ''");
  EXPECT_EQ(pair_.Compare("a").state, TableOutcome::State::kInDoubt);
  EXPECT_THAT(pair_.Found(), IsEmpty());
  // To bring it right, whatever differs is wanted all the same.
  CompareOptions options;
  options.judging = Judging::kReconcile;
  EXPECT_EQ(pair_.Compare("a", options).missing, 3);
}

TEST_F(Judged, AnotherHistoryIsNoProof) {
  pair_.pg().Exec("UPDATE a SET v = 0 WHERE id = 3; UPDATE liteferry.stream SET applied_mark = 1");
  EXPECT_THROW(pair_.Compare("a"), Error);
  CompareOptions options;
  options.judging = Judging::kReconcile;
  pair_.Compare("a", options);
  EXPECT_THAT(pair_.Found(), ElementsAre("different [3]"));
  pair_.pg().Exec("UPDATE liteferry.stream SET incarnation = 'another'");
  EXPECT_THROW(pair_.Compare("a"), Error);
  pair_.Compare("a", options);
  EXPECT_THAT(pair_.Found(), ElementsAre("different [3]"));
}

TEST_F(Judged, AGapInTheLogIsNoProof) {
  pair_.app().Run("UPDATE a SET v = 10 WHERE id = 1; UPDATE a SET v = 20 WHERE id = 2");
  pair_.app().Run("DELETE FROM _liteferry_log WHERE seq < (SELECT max(seq) FROM _liteferry_log)");
  CompareOptions options;
  options.judging = Judging::kReconcile;
  const TableOutcome outcome = pair_.Compare("a", options);
  // The entry that is left will be applied; the one that is gone was not.
  EXPECT_THAT(pair_.Found(), ElementsAre("different [1]", "different [2]"));
  EXPECT_EQ(outcome.waiting, 0);
}

TEST_F(Judged, RangesTogetherAreTheWhole) {
  pair_.app().Run(
      "WITH RECURSIVE x(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM x WHERE i < 5000) "
      "INSERT INTO a SELECT i * 3, i FROM x");
  pair_.Apply();
  pair_.pg().Exec(
      "INSERT INTO a SELECT i, i FROM generate_series(-3, 20000) AS i ON CONFLICT DO NOTHING");
  source::Database source(pair_.source_path(), source::OpenMode::kReadOnly,
                          std::chrono::milliseconds(5000));
  TableOutcome total;
  std::vector<std::string> found;
  const auto ranges = SplitTable(source, pair_.Table("a"), 5);
  EXPECT_EQ(ranges.size(), 5U);
  for (const KeyRange& range : ranges) {
    CompareOptions options;
    options.range = range;
    total.Add(pair_.Compare("a", options));
    for (const std::string& one : pair_.Found()) found.push_back(one);
  }
  EXPECT_EQ(total.source_rows, 4994);
  EXPECT_EQ(total.target_rows, 20004);
  EXPECT_EQ(total.extra, 20004 - 4994);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(std::unique(found.begin(), found.end()), found.end());
}

// Partitions of more rows than memory is kept for go through files.
TEST_F(Judged, MemoryDoesNotGrowWithTheTable) {
  pair_.app().Run(
      "WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < 600000) "
      "INSERT INTO b SELECT 'a key of some length, so that it takes room, ' || i, i FROM x");
  // Not through the product's own path: 600 000 keys in one batch would be the memory measured.
  pair_.pg().Exec(
      "INSERT INTO b SELECT 'a key of some length, so that it takes room, ' || i, i FROM "
      "generate_series(1, 600000) AS i");
  pair_.app().Run("DELETE FROM _liteferry_log WHERE seq < (SELECT max(seq) FROM _liteferry_log)");
  pair_.pg().Exec("UPDATE liteferry.stream SET applied_mark = " +
                  pair_.app().Text("SELECT n FROM _liteferry_log") +
                  ", applied_seq = " + pair_.app().Text("SELECT seq FROM _liteferry_log"));
  pair_.pg().Exec("UPDATE b SET v = 0 WHERE v IN (77, 599999)");
  const TableOutcome outcome = pair_.Compare("b");
  EXPECT_EQ(outcome.different, 2);
  EXPECT_EQ(outcome.source_rows, 600003);
}

}  // namespace
}  // namespace liteferry::verify
