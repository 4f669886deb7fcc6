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

TargetType Type(TypeKind kind, std::uint32_t oid) {
  TargetType type;
  type.kind = kind;
  type.oid = oid;
  return type;
}

// Columns whose limits the encoder is not told of, so that only the server can refuse a row.
std::vector<EncodedColumn> Columns(bool text_format) {
  const TargetType text = Type(text_format ? TypeKind::kOther : TypeKind::kText, 25);
  return {{"id", Type(TypeKind::kInt8, 20), {}, false},
          {"qty", Type(TypeKind::kInt4, 23), {}, false},
          {"doc", text, {}, false},
          {"word", text, {}, false},
          {"code", Type(TypeKind::kInt8, 20), {}, false}};
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

  std::string Contents(const std::string& table) {
    return connection_
        .Exec(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY id)), '') "
            "FROM " +
            QuoteIdentifier(table) + " AS t")
        .Text(0, 0);
  }

  // Inserts one by one; the rows that the server refused, with its SQLSTATE.
  std::vector<std::pair<std::size_t, std::string>> InsertEach(const std::vector<Line>& lines) {
    CreateTable("oracle");
    std::vector<std::pair<std::size_t, std::string>> refused;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const Line& line = lines[i];
      const std::string id = std::to_string(line.id);
      const std::string qty = std::to_string(line.qty.value_or(0));
      const std::string code = std::to_string(line.code);
      const std::array<PgParam, 5> params = {PgParam{id}, line.qty ? PgParam{qty} : PgParam{},
                                             PgParam{line.doc}, PgParam{line.word}, PgParam{code}};
      try {
        connection_.ExecParams("INSERT INTO oracle VALUES ($1, $2, $3, $4, $5)", params);
      } catch (const Error& error) {
        refused.emplace_back(i, error.sqlstate());
      }
    }
    return refused;
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

TEST_P(RowLoaderTest, AgreesWithInsertingRowByRow) {
  for (const double bad_share : {0.01, 0.6}) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ", bad " << bad_share);
    std::mt19937 random(seed);
    const auto lines = RandomLines(random, bad_share < 0.5 ? 10'000 : 1000, bad_share);
    Fill(lines);
    ASSERT_FALSE(::testing::Test::HasFatalFailure());
    const auto copies_before = loader_.copies();
    std::vector<std::pair<std::size_t, std::string>> refused;
    for (const ServerRejection& rejection : Load()) {
      refused.emplace_back(rejection.row, rejection.sqlstate);
    }
    const auto copies = loader_.copies() - copies_before;
    EXPECT_EQ(refused, InsertEach(lines));
    EXPECT_EQ(Contents("notes"), Contents("oracle"));
    ASSERT_FALSE(refused.empty());
    EXPECT_LE(copies, static_cast<std::int64_t>(refused.size()) * 5 / 2 + 10);
    connection_.Exec("TRUNCATE notes; DROP TABLE oracle");
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
    EXPECT_EQ(loader_.copies() - copies, 4);
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
