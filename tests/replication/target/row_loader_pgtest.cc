#include "replication/target/row_loader.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "replication/base/text.h"
#include "replication/target/pg_connection.h"
#include "tests/harness/pg_cluster.h"

namespace liteferry::target {
namespace {

using testing::PgCluster;

TargetType Type(TypeKind kind, std::uint32_t oid, const char* name) {
  TargetType type;
  type.kind = kind;
  type.oid = oid;
  type.base_name = name;
  return type;
}

// Columns whose limits the encoder is not told of, so that only the server can refuse a row.
std::vector<EncodedColumn> Columns(bool text_format) {
  const TargetType text = Type(text_format ? TypeKind::kOther : TypeKind::kText, 25, "text");
  const TargetType int8 = Type(TypeKind::kInt8, 20, "bigint");
  return {{"id", int8, {}, false},
          {"qty", Type(TypeKind::kInt4, 23, "integer"), {}, false},
          {"doc", text, {}, false},
          {"word", text, {}, false},
          {"code", int8, {}, false}};
}

constexpr const char* kColumnSql =
    "(id bigint PRIMARY KEY, qty integer NOT NULL CHECK (qty >= 0), doc json, word short_word,"
    " code bigint UNIQUE)";

struct Line {
  std::int64_t id = 0;
  std::optional<std::int64_t> qty;
  std::string doc;
  std::string word;
  std::int64_t code = 0;
};

class RowLoaderTest : public ::testing::TestWithParam<bool> {
 protected:
  RowLoaderTest() : connection_({.url = PgCluster::Get().CreateDatabase()}, stop_) {
    connection_.Exec("CREATE DOMAIN short_word AS text CHECK (length(VALUE) <= 5)");
    CreateTable("notes");
  }

  void CreateTable(const std::string& name) {
    connection_.Exec("CREATE TABLE " + QuoteIdentifier(name) + kColumnSql);
  }

  void Fill(const std::vector<Line>& lines) {
    batch_.Clear();
    for (const Line& line : lines) {
      const std::array<Value, 5> row = {
          Value::Integer(line.id), line.qty ? Value::Integer(*line.qty) : Value::Null(),
          Value::Text(line.doc), Value::Text(line.word), Value::Integer(line.code)};
      ASSERT_FALSE(batch_.Add(row, std::to_string(line.id)).has_value());
    }
  }

  std::vector<ServerRejection> Load(const std::string& table = "notes") {
    connection_.Exec("BEGIN");
    auto rejections = loader_.Load(batch_, "public", table, false);
    connection_.Commit();
    return rejections;
  }

  // The SQLSTATE by which the server refuses a row; "" when it takes it.
  std::string Insert(const Line& line) {
    const std::string id = std::to_string(line.id);
    const std::string qty = std::to_string(line.qty.value_or(0));
    const std::string code = std::to_string(line.code);
    const std::array<PgParam, 5> params = {PgParam{id}, line.qty ? PgParam{qty} : PgParam{},
                                           PgParam{line.doc}, PgParam{line.word}, PgParam{code}};
    try {
      connection_.ExecParams("INSERT INTO notes VALUES ($1, $2, $3, $4, $5)", params);
      return "";
    } catch (const Error& error) {
      return error.sqlstate();
    }
  }

  SignalEvent stop_;
  PgConnection connection_;
  const RowEncoder encoder_{Columns(GetParam())};
  RowBatch batch_{encoder_, 100'000};
  RowLoader loader_{connection_};
};

INSTANTIATE_TEST_SUITE_P(Formats, RowLoaderTest, ::testing::Bool(),
                         [](const auto& format) { return format.param ? "Text" : "Binary"; });

std::vector<Line> RandomLines(std::mt19937& random, std::size_t count, double bad_share) {
  std::vector<Line> lines;
  std::bernoulli_distribution is_bad(bad_share);
  for (std::size_t i = 0; i < count; ++i) {
    Line line;
    line.id = static_cast<std::int64_t>(i) * 3;
    line.qty = static_cast<std::int64_t>(random() % 1000);
    line.doc = R"({"line 7": "COPY notes, line 9, column qty"})";
    line.word = "a\nb\\";
    line.code = static_cast<std::int64_t>(i) + 1'000'000;
    if (is_bad(random)) {
      switch (random() % 6) {
        case 0:
          line.qty = std::nullopt;
          break;
        case 1:
          line.qty = -5;
          break;
        case 2:
          line.doc = "{\"a\": 1,\nCOPY notes, line 2: \"x";
          break;
        case 3:
          line.word = "too long\nCOPY notes, line 1";
          break;
        case 4:
          line.code = lines.empty() ? line.code : lines[random() % lines.size()].code;
          break;
        default:
          line.id = lines.empty() ? line.id : lines[random() % lines.size()].id;
          break;
      }
    }
    lines.push_back(line);
  }
  return lines;
}

// Of rows that exclude each other it does not matter which one is taken.
TEST_P(RowLoaderTest, RejectsExactlyWhatTheServerWouldNotTakeBesidesTheOthers) {
  for (const double bad_share : {0.01, 0.6}) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ", bad " << bad_share);
    std::mt19937 random(seed);
    const auto lines = RandomLines(random, bad_share < 0.5 ? 10'000 : 1000, bad_share);
    Fill(lines);
    ASSERT_FALSE(::testing::Test::HasFatalFailure());
    const auto copies_before = loader_.copies();
    const auto rejections = Load();
    const auto copies = loader_.copies() - copies_before;
    ASSERT_FALSE(rejections.empty());
    EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes").Int(0, 0),
              static_cast<std::int64_t>(lines.size() - rejections.size()));
    std::size_t next = 0;
    for (const ServerRejection& one : rejections) {
      ASSERT_TRUE(one.row >= next && one.row < lines.size());
      next = one.row + 1;
      const std::string sqlstate = Insert(lines[one.row]);
      EXPECT_EQ(sqlstate, one.sqlstate) << one.row;
    }
    EXPECT_LE(copies, static_cast<std::int64_t>(rejections.size()) * 5 / 2 + 10);
    connection_.Exec("TRUNCATE notes");
  }
}

TEST_P(RowLoaderTest, SaysWhatTheServerSaid) {
  Fill({{1, 1, "{}", "a", 1},
        {2, std::nullopt, "{}", "a", 2},
        {3, -1, "{}", "a", 3},
        {4, 1, "{secret", "a", 4},
        {5, 1, "{}", "longer secret", 5},
        {6, 1, "{}", "a", 1}});
  const auto rejections = Load();
  ASSERT_EQ(rejections.size(), 5U);
  EXPECT_EQ(rejections[0].column, "qty");
  EXPECT_EQ(rejections[0].sqlstate, "23502");
  EXPECT_EQ(rejections[1].constraint, "notes_qty_check");
  EXPECT_EQ(rejections[2].column, "doc");
  EXPECT_EQ(rejections[2].reason, "invalid input syntax for type json");
  EXPECT_EQ(rejections[3].column, "word");
  EXPECT_EQ(rejections[3].constraint, "short_word_check");
  EXPECT_EQ(rejections[4].constraint, "notes_code_key");
  for (const ServerRejection& rejection : rejections) {
    EXPECT_EQ(rejection.reason.find("secret"), std::string::npos) << rejection.reason;
  }
}

TEST_P(RowLoaderTest, LeavesTheTransactionUsable) {
  Fill({{1, -1, "{}", "a", 1}});
  connection_.Exec("BEGIN; INSERT INTO notes VALUES (7, 7, '{}', 'a', 7)");
  EXPECT_EQ(loader_.Load(batch_, "public", "notes", false).size(), 1U);
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes").Int(0, 0), 1);
  batch_.Clear();
  EXPECT_TRUE(loader_.Load(batch_, "public", "notes", false).empty());
  Fill({{2, 1, "{}", "a", 2}});
  EXPECT_TRUE(loader_.Load(batch_, "public", "notes", false).empty());
  connection_.Rollback();
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes").Int(0, 0), 0);
}

TEST_P(RowLoaderTest, UndoesTheWholeBatchWhereItStopsAtUnique) {
  std::vector<Line> lines;
  for (int i = 0; i < 300; ++i) lines.push_back({i, i == 100 ? -1 : 1, "{}", "a", i});
  lines.push_back({300, 1, "{}", "a", 150});
  Fill(lines);
  connection_.Exec("BEGIN; INSERT INTO notes VALUES (1000, 7, '{}', 'a', 1000)");
  try {
    loader_.Load(batch_, "public", "notes", true);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.sqlstate(), "23505");
    EXPECT_EQ(error.constraint(), "notes_code_key");
  }
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes").Int(0, 0), 1);
  EXPECT_EQ(loader_.Load(batch_, "public", "notes", false).size(), 2U);
  connection_.Commit();
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes").Int(0, 0), 300);
}

// A constraint that is checked only at the end of the statement names no line.
TEST_P(RowLoaderTest, HalvesWhereNoLineIsNamed) {
  connection_.Exec(
      "CREATE TABLE parent (id bigint PRIMARY KEY);"
      "INSERT INTO parent SELECT generate_series(0, 99);"
      "ALTER TABLE notes ADD CONSTRAINT to_parent FOREIGN KEY (code) REFERENCES parent");
  std::vector<Line> lines;
  for (int i = 0; i < 100; ++i) lines.push_back({i, 1, "{}", "a", i % 33 == 5 ? i + 100 : i});
  Fill(lines);
  const auto rejections = Load();
  ASSERT_EQ(rejections.size(), 3U);
  for (const ServerRejection& rejection : rejections) {
    EXPECT_EQ(rejection.row % 33, 5U);
    EXPECT_EQ(rejection.constraint, "to_parent");
  }
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes").Int(0, 0), 97);
}

// One query finds what is refused for the same reason: the number of COPYs does not grow with it.
TEST_P(RowLoaderTest, AsksForTheOtherRowsThatAConstraintRefuses) {
  std::vector<Line> lines;
  for (int i = 0; i < 5000; ++i) lines.push_back({i, 1, "{}", "a", i});
  std::vector<std::pair<std::size_t, std::string>> planted;
  for (std::size_t i = 7; i < lines.size(); i += 10) {
    switch (i / 10 % 4) {
      case 0:
        lines[i].qty = -1;
        planted.emplace_back(i, "notes_qty_check");
        break;
      case 1:
        lines[i].word = "too long";
        planted.emplace_back(i, "short_word_check");
        break;
      case 2:
        lines[i].code = lines[i - 1].code;
        planted.emplace_back(i, "notes_code_key");
        break;
      default:
        lines[i].id = lines[i + 1].id;  // the later one is refused
        planted.emplace_back(i + 1, "notes_pkey");
    }
  }
  Fill(lines);
  std::vector<std::pair<std::size_t, std::string>> refused;
  for (const ServerRejection& one : Load()) refused.emplace_back(one.row, one.constraint);
  EXPECT_EQ(refused, planted);
  EXPECT_TRUE(GetParam() || loader_.copies() <= 20) << loader_.copies();
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes").Int(0, 0), 4500);
}

// A row is not refused for being equal to one that is refused itself.
TEST_P(RowLoaderTest, TakesTheSecondOfTwoEqualRowsWhereTheFirstIsRefused) {
  std::vector<Line> lines;
  for (int i = 0; i < 1000; ++i) lines.push_back({i, 1, "{}", "a", i});
  for (std::size_t i = 100; i < 1000; i += 50) lines[i].code = lines[i - 1].code;
  lines[499].doc = "{no json";
  Fill(lines);
  const auto rejections = Load();
  EXPECT_EQ(rejections.size(), 18U);
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes WHERE id = 500").Int(0, 0), 1);
}

TEST_P(RowLoaderTest, RejectsWhatAFunctionOfTheTableRefuses) {
  connection_.Exec(
      "CREATE FUNCTION picky(n bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
      " IF n % 100 = 13 THEN RAISE EXCEPTION 'no luck'; END IF;"
      " IF n % 100 = 14 THEN RAISE EXCEPTION 'not so' USING ERRCODE = 'AB123'; END IF;"
      " IF n % 100 = 15 THEN RAISE EXCEPTION 'not you' USING ERRCODE = '42501'; END IF;"
      " RETURN true; END $$;"
      "ALTER TABLE notes ADD CHECK (picky(code)), ADD share int GENERATED ALWAYS AS"
      " (1000 / (code % 100 - 16)) STORED");
  std::vector<Line> lines;
  for (int i = 0; i < 300; ++i) lines.push_back({i, 1, "{}", "a", i});
  Fill(lines);
  std::vector<std::pair<std::size_t, std::string>> refused;
  for (const ServerRejection& one : Load()) refused.emplace_back(one.row % 100, one.sqlstate);
  const std::vector<std::pair<std::size_t, std::string>> each = {
      {13, "P0001"}, {14, "AB123"}, {15, "42501"}, {16, "22012"}};
  ASSERT_EQ(refused.size(), 12U);
  for (std::size_t i = 0; i < refused.size(); ++i) EXPECT_EQ(refused[i], each[i % 4]);
}

TEST_P(RowLoaderTest, RejectsWhatHasNoPartition) {
  connection_.Exec(
      "CREATE TABLE parts (LIKE notes INCLUDING CONSTRAINTS) PARTITION BY RANGE (code);"
      "CREATE TABLE parts_1 PARTITION OF parts (UNIQUE (code)) FOR VALUES FROM (0) TO (1000)");
  std::vector<Line> lines;
  for (int i = 0; i < 1010; ++i) lines.push_back({i, 1, "{}", "a", i % 100 == 3 ? i - 1 : i});
  Fill(lines);
  const auto rejections = Load("parts");
  ASSERT_EQ(rejections.size(), 20U);
  EXPECT_EQ(rejections.front().constraint, "parts_1_code_key");
  EXPECT_EQ(rejections.back().sqlstate, "23514");
}

// Missing functions and the like concern every row: a person must act.
TEST_P(RowLoaderTest, StopsWhereTheTableIsBroken) {
  connection_.Exec(
      "CREATE FUNCTION helper(n bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
      "CREATE FUNCTION broken(n bigint) RETURNS boolean LANGUAGE plpgsql AS"
      " 'BEGIN RETURN helper(n); END';"
      "ALTER TABLE notes ADD CHECK (broken(code)); DROP FUNCTION helper");
  Fill({{1, 1, "{}", "a", 1}});
  connection_.Exec("BEGIN");
  try {
    loader_.Load(batch_, "public", "notes", false);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.disposition(), Disposition::kStop) << error.sqlstate();
  }
  connection_.Rollback();
}

// A number that only looks like the line must not cost an innocent row.
TEST_P(RowLoaderTest, ProvesADoubtfulLine) {
  connection_.Exec(
      "CREATE FUNCTION notes_2() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " IF new.code = 77 THEN RAISE EXCEPTION 'no' USING ERRCODE = '23514'; END IF;"
      " RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION notes_2()");
  std::vector<Line> lines;
  for (int i = 0; i < 10; ++i) lines.push_back({i, 1, "{}", "a", i == 6 ? 77 : i});
  Fill(lines);
  const auto rejections = Load();
  ASSERT_EQ(rejections.size(), 1U);
  EXPECT_EQ(rejections[0].row, 6U);
  EXPECT_EQ(connection_.Exec("SELECT count(*) FROM notes").Int(0, 0), 9);
}

TEST_P(RowLoaderTest, RejectsAValueTooLongForItsIndex) {
  connection_.Exec("ALTER TABLE notes ALTER word TYPE text; CREATE INDEX ON notes (word)");
  std::mt19937 random(7);
  std::string noise;  // does not compress
  for (int i = 0; i < 10'000; ++i) noise.push_back(static_cast<char>('!' + random() % 90));
  Fill({{1, 1, "{}", "a", 1}, {2, 1, "{}", noise, 2}, {3, 1, "{}", "c", 3}});
  const auto rejections = Load();
  ASSERT_EQ(rejections.size(), 1U);
  EXPECT_EQ(rejections[0].row, 1U);
  EXPECT_EQ(rejections[0].sqlstate, "54000");
}

TEST_P(RowLoaderTest, ReadsTheLineForNastyTableNames) {
  for (const std::string name :
       {"select \"x\"", "a, line 3", "COPY b, line 2: \"", "x\ny 12", "7"}) {
    SCOPED_TRACE(name);
    CreateTable(name);
    Fill({{1, 1, "{}", "a", 1}, {2, 1, "{]", "a", 2}, {3, -1, "{}", "a", 3}, {4, 1, "{}", "a", 4}});
    const auto copies = loader_.copies();
    const auto rejections = Load(name);
    ASSERT_EQ(rejections.size(), 2U);
    EXPECT_EQ(rejections[0].row, 1U);
    EXPECT_EQ(rejections[0].column, "doc");
    EXPECT_EQ(rejections[1].row, 2U);
    EXPECT_EQ(loader_.copies() - copies, 3);
  }
}

TEST_P(RowLoaderTest, ThrowsWhatIsNoRowsFault) {
  Fill({{1, 1, "{}", "a", 1}});
  connection_.Exec("BEGIN");
  try {
    loader_.Load(batch_, "public", "no such table", false);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.disposition(), Disposition::kStop);
  }
  connection_.Rollback();
  EXPECT_EQ(connection_.Exec("SELECT 1").Int(0, 0), 1);
}

}  // namespace
}  // namespace liteferry::target
