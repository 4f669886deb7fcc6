#include "replication/source/row_reader.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <set>

#include "replication/base/text.h"
#include "tests/harness/sqlite_fixture.h"

namespace liteferry::source {
namespace {

using liteferry::testing::AppDatabase;
using liteferry::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Fixture {
 public:
  explicit Fixture(const std::string& sql, std::string_view journal_mode = "wal")
      : app_(dir_.Path("app.db"), journal_mode),
        ours_((app_.Run(sql), dir_.Path("app.db")), OpenMode::kReadOnly,
              std::chrono::milliseconds(1000)),
        table_(ReadCatalog(ours_).tables.at(0)) {}

  AppDatabase& app() { return app_; }
  Database& ours() { return ours_; }
  const SourceTable& table() const { return table_; }
  // All columns.
  RowReader Reader() {
    std::vector<int> columns;
    for (std::size_t i = 0; i < table_.columns.size(); ++i) columns.push_back(static_cast<int>(i));
    return {ours_, table_, columns};
  }

 private:
  TempDir dir_;
  AppDatabase app_;
  Database ours_;
  SourceTable table_;
};

PackedKey Key(std::vector<Value> values) { return PackKey(values); }

std::vector<PackedKey> ScanKeys(RowReader& reader, const std::optional<PackedKey>& after,
                                const std::optional<PackedKey>& up_to) {
  std::vector<PackedKey> keys;
  reader.Scan(after, up_to, [&](Row) {
    keys.push_back(reader.ScanKey());
    return true;
  });
  return keys;
}

TEST(RowReaderByKey, FindsOnlyTheExactKey) {
  Fixture f("CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v); INSERT INTO t VALUES('a',1)");
  RowReader reader = f.Reader();
  std::vector<Value> row;
  EXPECT_FALSE(reader.ReadByKey(Key({Value::Text("A")}), row));
  ASSERT_TRUE(reader.ReadByKey(Key({Value::Text("a")}), row));
  ASSERT_THAT(row, SizeIs(2));
  EXPECT_EQ(row[1], Value::Integer(1));
  EXPECT_FALSE(reader.ReadByKey(Key({Value::Blob("a")}), row));
}

TEST(RowReaderByKey, TellsStorageClassesApart) {
  Fixture f(
      "CREATE TABLE t(k PRIMARY KEY, v) WITHOUT ROWID;"
      "INSERT INTO t VALUES(1.0,'real'),('1','text'),(x'31','blob'),(2,'int')");
  RowReader reader = f.Reader();
  std::vector<Value> row;
  EXPECT_FALSE(reader.ReadByKey(Key({Value::Integer(1)}), row));
  EXPECT_FALSE(reader.ReadByKey(Key({Value::Real(2)}), row));
  ASSERT_TRUE(reader.ReadByKey(Key({Value::Real(1)}), row));
  EXPECT_EQ(row[1].bytes, "real");
  ASSERT_TRUE(reader.ReadByKey(Key({Value::Text("1")}), row));
  EXPECT_EQ(row[1].bytes, "text");
  ASSERT_TRUE(reader.ReadByKey(Key({Value::Blob("1")}), row));
  EXPECT_EQ(row[1].bytes, "blob");
}

TEST(RowReaderByKey, GivesTheRowidOfATableWithoutKey) {
  Fixture f("CREATE TABLE t(rowid, a); INSERT INTO t VALUES('zz','x'),('yy','y')");
  RowReader reader = f.Reader();
  EXPECT_EQ(reader.order(), ScanOrder::kRowid);
  EXPECT_TRUE(reader.order_is_volatile());
  std::vector<Value> row;
  ASSERT_TRUE(reader.ReadByKey(Key({Value::Integer(2)}), row));
  EXPECT_THAT(row, ElementsAre(Value::Text("yy"), Value::Text("y"), Value::Integer(2)));
}

TEST(RowReaderByKey, ReadsGeneratedColumnsAndChosenOnesInTheirOrder) {
  Fixture f(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, g AS (a||'!') VIRTUAL, s AS (a||'?') STORED);"
      "INSERT INTO t VALUES(1,'x')");
  RowReader reader(f.ours(), f.table(), {3, 2, 0});
  std::vector<Value> row;
  ASSERT_TRUE(reader.ReadByKey(Key({Value::Integer(1)}), row));
  EXPECT_THAT(row, ElementsAre(Value::Text("x?"), Value::Text("x!"), Value::Integer(1)));
  EXPECT_FALSE(reader.order_is_volatile());
}

TEST(RowReaderByKey, SearchesByIndex) {
  for (const char* schema :
       {"CREATE TABLE t(k TEXT PRIMARY KEY COLLATE NOCASE, v)", "CREATE TABLE t(k PRIMARY KEY, v)",
        "CREATE TABLE t(k TEXT, v, PRIMARY KEY(k COLLATE NOCASE))",
        "CREATE TABLE t(a, b REAL, PRIMARY KEY(b DESC, a COLLATE RTRIM)) WITHOUT ROWID",
        "CREATE TABLE t(v, k NOT NULL UNIQUE)", "CREATE TABLE t(id INTEGER PRIMARY KEY)",
        "CREATE TABLE t(v)"}) {
    Fixture f(schema);
    const RowReader reader = f.Reader();
    Statement plan = f.ours().Prepare("EXPLAIN QUERY PLAN " + reader.by_key_sql());
    ASSERT_TRUE(plan.Step());
    EXPECT_THAT(plan.Text(3), HasSubstr("SEARCH main.t USING")) << schema;
    EXPECT_FALSE(plan.Step());
  }
}

TEST(RowReaderByKey, FindsEveryRowByItsOwnKeyInEveryEncoding) {
  for (const char* encoding : {"UTF-8", "UTF-16le"}) {
    Fixture f(std::string("PRAGMA encoding='") + encoding +
              "'; CREATE TABLE t(k TEXT, n, v, PRIMARY KEY(k, n)) WITHOUT ROWID;"
              "INSERT INTO t VALUES('é😀',1,'a'),('',1.5,'b'),('a'||char(0)||'b',x'','c')");
    RowReader reader = f.Reader();
    for (const PackedKey& key : ScanKeys(reader, {}, {})) {
      std::vector<Value> row;
      ASSERT_TRUE(reader.ReadByKey(key, row)) << encoding;
      EXPECT_EQ(Key({row[0], row[1]}), key);
    }
  }
}

// Reads in chunks of random size, going on behind the last key each time, as the copy does.
std::vector<PackedKey> ScanInChunks(RowReader& reader, std::mt19937& random,
                                    const std::optional<PackedKey>& from,
                                    const std::optional<PackedKey>& up_to) {
  std::vector<PackedKey> keys;
  std::optional<PackedKey> after = from;
  for (;;) {
    auto left = static_cast<int>(random() % 7 + 1);
    bool any = false;
    reader.Scan(after, up_to, [&](Row) {
      keys.push_back(reader.ScanKey());
      after = keys.back();
      any = true;
      return --left > 0;
    });
    if (!any) return keys;
  }
}

TEST(RowReaderScan, ResumedAnywhereItNeitherSkipsNorRepeats) {
  const std::vector<std::string> types = {"", "TEXT", "INT", "REAL", "BLOB", "NUMERIC"};
  const std::vector<std::string> collations = {"", " COLLATE NOCASE", " COLLATE RTRIM"};
  const std::vector<std::string> values = {"NULL",
                                           "1",
                                           "2",
                                           "-3",
                                           "1.5",
                                           "2.0",
                                           "1e300",
                                           "'a'",
                                           "'A'",
                                           "'b'",
                                           "'b '",
                                           "'a b'",
                                           "''",
                                           "'10'",
                                           "x''",
                                           "x'61'",
                                           "9007199254740993",
                                           "-1e-300",
                                           "'é'"};
  for (unsigned seed = 1; seed <= 120; ++seed) {
    std::mt19937 random(seed);
    const auto of = [&](const std::vector<std::string>& list) {
      return list[random() % list.size()];
    };
    const auto direction = [&] { return random() % 3 == 0 ? " DESC" : ""; };
    std::string sql = "CREATE TABLE t(a " + of(types) + of(collations) + ", b " + of(types) +
                      of(collations) + ", c";
    const auto kind = random() % 5;
    if (kind == 0) sql += ", id INTEGER PRIMARY KEY)";
    if (kind == 1) sql += ")";
    if (kind == 2)
      sql += ", rowid, oid, _rowid_, PRIMARY KEY(a" + of(collations) + direction() + ", b))";
    if (kind >= 3) {
      sql += ", PRIMARY KEY(a" + of(collations) + direction() + ", b" + of(collations) +
             direction() + ")) WITHOUT ROWID";
    }
    sql += ";";
    for (int i = 0; i < 60; ++i) {
      sql += "INSERT OR IGNORE INTO t(a,b,c) VALUES(" + of(values) + "," + of(values) + ",0);";
    }
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + sql);
    Fixture f(sql);
    RowReader reader = f.Reader();
    const std::vector<PackedKey> all = ScanKeys(reader, {}, {});
    const std::string nulls = kind == 2 ? " WHERE a IS NOT NULL AND b IS NOT NULL" : "";
    ASSERT_EQ(static_cast<std::int64_t>(all.size()), f.app().Int("SELECT count(*) FROM t" + nulls));
    EXPECT_EQ(std::set<PackedKey>(all.begin(), all.end()).size(), all.size());
    EXPECT_EQ(ScanInChunks(reader, random, {}, {}), all);
    for (int i = 0; i < 5 && !all.empty(); ++i) {
      const std::size_t low = random() % all.size();
      const std::size_t high = low + random() % (all.size() - low);
      const std::vector<PackedKey> part(all.begin() + static_cast<std::ptrdiff_t>(low) + 1,
                                        all.begin() + static_cast<std::ptrdiff_t>(high) + 1);
      EXPECT_EQ(ScanInChunks(reader, random, all[low], all[high]), part);
    }
    std::vector<PackedKey> joined;
    std::optional<PackedKey> from;
    for (const PackedKey& point : reader.SplitPoints(4)) {
      const auto part = ScanKeys(reader, from, point);
      EXPECT_THAT(part, ::testing::Not(IsEmpty()));
      joined.insert(joined.end(), part.begin(), part.end());
      from = point;
    }
    const auto rest = ScanKeys(reader, from, {});
    joined.insert(joined.end(), rest.begin(), rest.end());
    EXPECT_EQ(joined, all);
  }
}

TEST(RowReaderScan, NeverSortsAndUsesItsBounds) {
  for (const char* schema : {"CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "CREATE TABLE t(v)",
                             "CREATE TABLE t(k TEXT PRIMARY KEY COLLATE NOCASE, v) WITHOUT ROWID",
                             "CREATE TABLE t(a, b, PRIMARY KEY(a COLLATE RTRIM, b)) WITHOUT ROWID",
                             "CREATE TABLE t(a, b, PRIMARY KEY(a DESC, b DESC)) WITHOUT ROWID",
                             "CREATE TABLE t(a, b, PRIMARY KEY(a, b DESC)) WITHOUT ROWID",
                             "CREATE TABLE t(rowid, oid, _rowid_, k TEXT PRIMARY KEY)"}) {
    Fixture f(schema);
    const RowReader reader = f.Reader();
    for (const std::string& sql : reader.scan_sql(true, true)) {
      Statement plan = f.ours().Prepare("EXPLAIN QUERY PLAN " + sql);
      ASSERT_TRUE(plan.Step());
      EXPECT_THAT(plan.Text(3), HasSubstr("SEARCH main.t USING")) << schema;
      EXPECT_FALSE(plan.Step()) << sql << ": " << plan.Text(3);
    }
    EXPECT_THAT(reader.scan_sql(false, true), SizeIs(1));
    Statement whole = f.ours().Prepare("EXPLAIN QUERY PLAN " + reader.scan_sql(false, true)[0]);
    ASSERT_TRUE(whole.Step());
    EXPECT_FALSE(whole.Step()) << "sorts: " << whole.Text(3);
  }
}

TEST(RowReaderScan, FindsRowsWithANullInTheKey) {
  Fixture f(
      "CREATE TABLE t(a, b, v, PRIMARY KEY(a, b));"
      "INSERT INTO t VALUES(1,1,'ok'),(NULL,1,'x'),(1,NULL,'y'),(NULL,NULL,'z')");
  RowReader reader = f.Reader();
  std::set<std::string> found;
  reader.ScanNullKeys([&](Row row) {
    found.insert(std::string(row[2].bytes));
    EXPECT_EQ(UnpackKey(reader.ScanKey()).at(0).storage, StorageClass::kInteger);  // the rowid
    return true;
  });
  EXPECT_THAT(found, ElementsAre("x", "y", "z"));
  Fixture none("CREATE TABLE t(a NOT NULL PRIMARY KEY); INSERT INTO t VALUES(1)");
  none.Reader().ScanNullKeys([&](Row) {
    ADD_FAILURE();
    return true;
  });
}

// The rows in the largest range, as a share of an even one.
double Unevenness(Fixture& f, int parts, std::size_t& ranges) {
  RowReader reader = f.Reader();
  std::vector<std::optional<PackedKey>> bounds = {std::nullopt};
  for (const PackedKey& point : reader.SplitPoints(parts)) bounds.emplace_back(point);
  bounds.emplace_back(std::nullopt);
  ranges = bounds.size() - 1;
  std::size_t total = 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < ranges; ++i) {
    const std::size_t rows = ScanKeys(reader, bounds[i], bounds[i + 1]).size();
    total += rows;
    largest = std::max(largest, rows);
  }
  return static_cast<double>(largest) * parts / static_cast<double>(total);
}

std::string Fill(const std::string& insert, int rows) {
  return "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<" +
         std::to_string(rows) + ") " + insert + " FROM c;";
}

TEST(RowReaderSplit, SmallTablesAreCutEvenly) {
  Fixture f("CREATE TABLE t(k TEXT PRIMARY KEY) WITHOUT ROWID;" +
            Fill("INSERT INTO t SELECT hex(i*i)", 1000));
  std::size_t ranges = 0;
  EXPECT_LT(Unevenness(f, 4, ranges), 1.01);
  EXPECT_EQ(ranges, 4U);
  Fixture tiny("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(5),(6)");
  EXPECT_THAT(tiny.Reader().SplitPoints(8), SizeIs(1));
  Fixture empty("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  EXPECT_THAT(empty.Reader().SplitPoints(8), IsEmpty());
  EXPECT_THAT(empty.Reader().SplitPoints(1), IsEmpty());
}

TEST(RowReaderSplit, LargeTablesAreCutFairlyWhateverTheGaps) {
  const std::string table = "CREATE TABLE t(id INTEGER PRIMARY KEY);";
  for (const std::string& rows :
       {Fill("INSERT INTO t SELECT i", 60000), Fill("INSERT INTO t SELECT i*1000", 60000),
        Fill("INSERT INTO t SELECT i", 60000) + "INSERT INTO t VALUES(9223372036854775807);" +
            "INSERT INTO t VALUES(-9223372036854775808);",
        Fill("INSERT INTO t SELECT i + (i/10000)*1000000", 60000)}) {
    Fixture f(table + rows);
    std::size_t ranges = 0;
    EXPECT_LT(Unevenness(f, 4, ranges), 1.6) << rows;
    EXPECT_EQ(ranges, 4U) << rows;
  }
}

TEST(RowReaderSplit, LargeTablesWithOtherKeysAreCutByProbes) {
  for (const std::string& sql :
       {"CREATE TABLE t(k TEXT PRIMARY KEY) WITHOUT ROWID;" +
            Fill("INSERT OR IGNORE INTO t SELECT lower(hex(randomblob(8)))", 30000),
        "CREATE TABLE t(k BLOB, n, PRIMARY KEY(k DESC, n)) WITHOUT ROWID;" +
            Fill("INSERT OR IGNORE INTO t SELECT randomblob(8), i", 30000),
        "CREATE TABLE t(tenant INT, id INT, PRIMARY KEY(tenant, id)) WITHOUT ROWID;" +
            Fill("INSERT INTO t SELECT i%100, i", 30000)}) {
    Fixture f(sql);
    std::size_t ranges = 0;
    EXPECT_LT(Unevenness(f, 4, ranges), 1.6) << sql;
    EXPECT_EQ(ranges, 4U) << sql;
  }
}

TEST(RowReaderEstimate, IsExactForSmallTables) {
  Fixture f("CREATE TABLE t(v);" + Fill("INSERT INTO t SELECT i", 60000));
  EXPECT_EQ(f.Reader().EstimateRows(), 60000);
  Fixture empty("CREATE TABLE t(v)");
  EXPECT_EQ(empty.Reader().EstimateRows(), 0);
}

// Makes the database too large for counting: 100 000 small pages.
std::string Large(const std::string& schema, const std::string& rows) {
  return "PRAGMA page_size=512; " + schema + rows +
         "CREATE TABLE z(v); INSERT INTO z VALUES(zeroblob(52000000))";
}

TEST(RowReaderEstimate, OfALargeTableComesFromItsRowids) {
  Fixture f(Large("CREATE TABLE t(id INTEGER PRIMARY KEY);",
                  Fill("INSERT INTO t SELECT i + (i/30000)*1000000", 60000)),
            "delete");
  EXPECT_NEAR(static_cast<double>(f.Reader().EstimateRows()), 60000, 6000);
}

TEST(RowReaderEstimate, OfALargeTableWithAnotherKeyComesFromStatisticsOrItsSize) {
  Fixture f(Large("CREATE TABLE t(k TEXT PRIMARY KEY) WITHOUT ROWID;",
                  Fill("INSERT INTO t SELECT printf('%06d', i)", 60000)),
            "delete");
  EXPECT_GE(f.Reader().EstimateRows(), 60000);
  f.app().Run("ANALYZE; UPDATE sqlite_stat1 SET stat = '61000 1' WHERE tbl = 't'");
  EXPECT_EQ(f.Reader().EstimateRows(), 61000);
}

}  // namespace
}  // namespace liteferry::source
