#include "replication/target/convert.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "replication/base/text.h"
#include "replication/target/catalog.h"
#include "replication/target/pg_connection.h"
#include "replication/target/pg_error.h"
#include "replication/target/row_encoder.h"
#include "tests/harness/pg_cluster.h"
#include "tests/replication/target/random_values.h"

// The server's own input functions are the measure: what COPY stores from the encoder must be, bit
// for bit, what the server stores when it reads the value's plain text itself.
namespace liteferry::target {
namespace {

using ::liteferry::testing::PgCluster;
using ::liteferry::testing::RandomValues;
using ::liteferry::testing::Sample;

constexpr int kSamplesPerType = 4000;

std::uint64_t Seed() {
  const char* chosen = std::getenv("LITEFERRY_TEST_SEED");
  return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 20260306;
}

// The shortest "%.*g" that gives the same double again.
std::string PlainText(double real) {
  std::array<char, 40> text{};
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text.data(), text.size(), "%.*g", digits, real);
    if (std::strtod(text.data(), nullptr) == real) break;
  }
  return text.data();
}

std::string PlainText(const Sample& sample) {
  if (!sample.plain.empty()) return sample.plain;
  if (sample.storage == StorageClass::kInteger) return std::to_string(sample.integer);
  if (sample.storage == StorageClass::kReal) return PlainText(sample.real);
  return sample.bytes;
}

class ConvertPgTest : public ::testing::TestWithParam<const char*> {
 protected:
  ConvertPgTest() {
    PgConnection::Options options;
    options.url = Database();
    connection_.emplace(options, stop_);
    // Text without a zone is UTC for liteferry, whatever the server's zone is.
    connection_->Exec(
        "SET TIME ZONE 'UTC'; SET client_min_messages = warning; SET jit = off; DROP SCHEMA IF "
        "EXISTS t CASCADE; "
        "CREATE SCHEMA t; SET search_path = t; CREATE TYPE mood AS ENUM ('sad', 'ok', 'O''K', "
        "'1'); CREATE TYPE pair AS (a int, b text); SET lc_monetary = 'C'");
    connection_->Exec("CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public");
    connection_->Exec("SET search_path = t, public");
  }

  static const std::string& Database() {
    static const std::string url = PgCluster::Get().CreateDatabase();
    return url;
  }

  std::int64_t Count(const std::string& sql) { return connection_->Exec(sql).Int(0, 0); }

  // Type of `column` as the catalog has it.
  TargetType TypeOf(const std::string& table, const std::string& column) {
    for (const TargetTable& candidate : ReadCatalog(*connection_, "t").tables) {
      if (candidate.name == table) return candidate.FindColumn(column)->type;
    }
    ADD_FAILURE() << "no table " << table;
    return {};
  }

  EncodedColumn Column(const std::string& table, const std::string& name) {
    return {name, TypeOf(table, name), {}, false};
  }

  void Copy(const RowEncoder& encoder, const std::string& table, const std::string& rows) {
    connection_->BeginCopy(encoder.CopyStatement("t", table));
    connection_->PutCopy(std::string(encoder.header()) + rows + std::string(encoder.trailer()));
    connection_->EndCopy();
  }

  // Loads `samples`, each with its position as id; those that are refused are left out. Returns the
  // ids.
  std::vector<std::int64_t> Load(const RowEncoder& encoder, const std::string& table,
                                 const std::vector<Sample>& samples) {
    std::vector<std::int64_t> ids;
    std::string rows;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      std::vector<Value> row = {Value::Integer(static_cast<std::int64_t>(i)), samples[i].value()};
      row.resize(encoder.columns().size(), Value::Null());
      if (!encoder.AppendRow(row, rows)) ids.push_back(static_cast<std::int64_t>(i));
    }
    Copy(encoder, table, rows);
    return ids;
  }

  // The same rows by INSERT, a pipeline for some of them at a time.
  void InsertPrepared(const RowEncoder& encoder, const std::string& table,
                      const std::vector<std::int64_t>& ids, const std::vector<Sample>& samples) {
    constexpr std::size_t kTogether = 200;
    const std::string sql = encoder.InsertStatement("t", table);
    std::vector<PgStep> steps = {{"BEGIN", {}}};
    for (const std::int64_t id : ids) {
      std::string row;
      const std::vector<Value> values = {Value::Integer(id),
                                         samples[static_cast<std::size_t>(id)].value()};
      ASSERT_FALSE(encoder.AppendRow(values, row).has_value());
      const auto fields = encoder.Fields(row);
      steps.push_back({sql, {fields.begin(), fields.end()}, true});
      if (steps.size() < kTogether && id != ids.back()) continue;
      steps.push_back({"COMMIT", {}});
      connection_->RunPipeline(steps);
      steps.resize(1);
    }
  }

  // The same values by the server's own means, without the encoder: as hexadecimal text.
  void LoadPlain(const std::vector<std::int64_t>& ids, const std::vector<Sample>& samples) {
    connection_->Exec("CREATE TABLE plain (id int8, class text, hex text)");
    std::string lines;
    for (const std::int64_t id : ids) {
      const Sample& sample = samples[static_cast<std::size_t>(id)];
      lines += std::to_string(id) + "\t" + std::string(ToString(sample.storage)) + "\t" +
               (sample.storage == StorageClass::kNull ? "\\N" : ToHex(PlainText(sample))) + "\n";
    }
    connection_->BeginCopy("COPY t.plain FROM STDIN");
    connection_->PutCopy(lines);
    connection_->EndCopy();
  }

  SignalEvent stop_;
  std::optional<PgConnection> connection_;
};

// How the server reads a value's plain text into `type`.
std::string ServerExpression(const TargetType& type) {
  const std::string text = "convert_from(decode(hex, 'hex'), 'UTF8')";
  std::string cast = text + "::" + type.name;
  switch (type.kind) {
    case TypeKind::kBool:
      return "CASE class WHEN 'real' THEN " + text + "::float8::int4::bool ELSE " + cast + " END";
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
      return "CASE class WHEN 'real' THEN " + text + "::float8::" + type.name + " ELSE " + cast +
             " END";
    case TypeKind::kNumeric:
      // A real that would have to be rounded goes by the server's own cast, to 15 digits.
      if (NumericLimits(type).precision == 0) return cast;
      return "CASE WHEN class = 'real' AND scale(" + text + "::numeric) > " +
             std::to_string(NumericLimits(type).scale) + " THEN " + text +
             "::float8::" + type.name + " ELSE " + cast + " END";
    case TypeKind::kBytea:
      return "decode(hex, 'hex')";
    case TypeKind::kUuid:
      return "CASE class WHEN 'blob' THEN hex::uuid ELSE " + cast + " END";
    default:
      return cast;
  }
}

// A real has many texts. Where the text itself is what is stored, RealsAsText below is the test.
bool HasOnePlainText(const Sample& sample, const TargetType& type) {
  if (sample.storage != StorageClass::kReal) return true;
  return type.kind != TypeKind::kText && type.kind != TypeKind::kVarchar &&
         type.kind != TypeKind::kChar && type.kind != TypeKind::kJson;
}

TEST_P(ConvertPgTest, StoresWhatTheServerItselfReads) {
  const std::string type_name = GetParam();
  SCOPED_TRACE("LITEFERRY_TEST_SEED=" + std::to_string(Seed()));
  for (const char* table : {"as_binary", "as_insert", "as_text", "by_server"}) {
    connection_->Exec("CREATE TABLE " + std::string(table) + " (id int8, c " + type_name +
                      ", filler inet)");
  }
  const EncodedColumn column = Column("as_binary", "c");
  RandomValues random(Seed());
  std::vector<Sample> samples;
  while (samples.size() < kSamplesPerType) {
    Sample sample = random.For(column.type);
    if (HasOnePlainText(sample, column.type)) samples.push_back(std::move(sample));
  }

  const RowEncoder binary({Column("as_binary", "id"), column});
  const RowEncoder text({Column("as_text", "id"), column, Column("as_text", "filler")});
  ASSERT_EQ(binary.format(), HasBinaryForm(column.type) ? CopyFormat::kBinary : CopyFormat::kText);
  ASSERT_EQ(text.format(), CopyFormat::kText);
  const auto ids = Load(binary, "as_binary", samples);
  EXPECT_EQ(Load(text, "as_text", samples), ids);
  if (binary.format() == CopyFormat::kBinary) InsertPrepared(binary, "as_insert", ids, samples);
  EXPECT_GT(ids.size(), kSamplesPerType / 8U) << "too few values are accepted to prove anything";
  LoadPlain(ids, samples);
  connection_->Exec("INSERT INTO by_server SELECT id, " + ServerExpression(column.type) +
                    " FROM plain");

  const std::string send =
      connection_
          ->Exec("SELECT typsend FROM pg_type WHERE oid = " + std::to_string(column.type.oid))
          .Text(0, 0);
  const PgResult differing = connection_->Exec(
      "SELECT id, p.class, convert_from(decode(hex, 'hex'), 'LATIN1'), b.c::text, t.c::text, "
      "s.c::text "
      "FROM by_server s FULL JOIN as_binary b USING (id) FULL JOIN as_text t USING (id) FULL JOIN "
      "plain p "
      "USING (id) WHERE " +
      send + "(b.c) IS DISTINCT FROM " + send + "(s.c) OR " + send + "(t.c) IS DISTINCT FROM " +
      send + "(s.c) OR s.c IS NULL <> (p.class = 'null') ORDER BY id LIMIT 10");
  for (int i = 0; i < differing.rows(); ++i) {
    ADD_FAILURE() << type_name << " from " << differing.Text(i, 1) << " '" << differing.Text(i, 2)
                  << "': binary " << differing.Text(i, 3) << ", text " << differing.Text(i, 4)
                  << ", server " << differing.Text(i, 5);
  }
  EXPECT_EQ(Count("SELECT count(*) FROM by_server"), static_cast<std::int64_t>(ids.size()));
  if (binary.format() != CopyFormat::kBinary) return;
  EXPECT_EQ(
      Count("SELECT count(*) FROM as_insert i FULL JOIN as_binary b USING (id) WHERE " + send +
            "(i.c) IS DISTINCT FROM " + send + "(b.c) OR (i.id IS NULL) <> (b.id IS NULL)"),
      0);
  EXPECT_EQ(Count("SELECT count(*) FROM as_insert"), static_cast<std::int64_t>(ids.size()));
}

std::string TestName(const ::testing::TestParamInfo<const char*>& info) {
  std::string name;
  for (const char c : std::string_view(info.param)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    name += letter ? c : '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Types, ConvertPgTest,
                         ::testing::Values("boolean", "int2", "int4", "int8", "float4", "float8",
                                           "numeric", "numeric(7,3)", "numeric(5,0)",
                                           "numeric(30,20)", "text", "varchar", "varchar(5)",
                                           "char(4)", "bpchar", "name", "bytea", "date", "time",
                                           "time(2)", "timestamp", "timestamp(0)", "timestamp(3)",
                                           "timestamptz", "timestamptz(4)", "uuid", "json", "jsonb",
                                           "mood", "interval", "interval(0)", "inet", "bit(3)",
                                           "varbit", "money", "xml", "tsvector", "hstore",
                                           "int4range", "tstzrange", "pair", "box"),
                         TestName);

INSTANTIATE_TEST_SUITE_P(Arrays, ConvertPgTest,
                         ::testing::Values("boolean[]", "int2[]", "int4[]", "int8[]", "float4[]",
                                           "float8[]", "numeric[]", "numeric(7,3)[]", "text[]",
                                           "varchar(5)[]", "char(4)[]", "name[]", "bytea[]",
                                           "date[]", "time[]", "time(2)[]", "timestamp[]",
                                           "timestamp(3)[]", "timestamptz[]", "uuid[]", "json[]",
                                           "jsonb[]", "mood[]", "interval[]", "inet[]", "box[]",
                                           "hstore[]", "pair[]"),
                         TestName);

class ConvertServerTest : public ConvertPgTest {};

TEST_F(ConvertServerTest, KeepsRealsAsTextBitForBit) {
  connection_->Exec("CREATE TABLE reals (id int8, v float8, c text)");
  const RowEncoder encoder({Column("reals", "id"), Column("reals", "v"), Column("reals", "c")});
  RandomValues random(Seed());
  std::string rows;
  for (std::int64_t id = 0; id < 20'000; ++id) {
    const Value real = Value::Real(random.Real());
    const std::array<Value, 3> row = {Value::Integer(id), real, real};
    ASSERT_FALSE(encoder.AppendRow(row, rows));
  }
  Copy(encoder, "reals", rows);
  EXPECT_EQ(Count("SELECT count(*) FROM reals"), 20'000);
  EXPECT_EQ(Count("SELECT count(*) FROM reals WHERE float8send(c::float8) <> float8send(v)"), 0);
  // The layout is the server's. Where a double lies on the edge of what a shorter text stands for,
  // the server prints one digit more.
  EXPECT_EQ(Count("SELECT count(*) FROM reals WHERE c <> v::text AND length(c) >= length(v::text)"),
            0);
  EXPECT_LT(Count("SELECT count(*) FROM reals WHERE c <> v::text"), 20);
}

// tsvector and hstore have syntax errors of their own, which are not of the class of wrong data.
TEST_F(ConvertServerTest, NamesNoValueThatAnInputFunctionQuotes) {
  const std::pair<const char*, const char*> wrong[] = {{"tsvector", "s3cret\\"},
                                                       {"tsvector", "s3cret:x"},
                                                       {"hstore", "s3cret=>"},
                                                       {"int4range", "[s3cret,2)"},
                                                       {"xml", "<s3cret"}};
  for (const auto& [type, text] : wrong) {
    connection_->Exec("DROP TABLE IF EXISTS judged; CREATE TABLE judged (c " + std::string(type) +
                      ")");
    const RowEncoder encoder({Column("judged", "c")});
    const Value value = Value::Text(text);
    std::string rows;
    ASSERT_FALSE(encoder.AppendRow({&value, 1}, rows));
    try {
      Copy(encoder, "judged", rows);
      ADD_FAILURE() << type << " takes '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.message().find("s3cret"), std::string::npos) << error.message();
      EXPECT_TRUE(BlamesRow(error, true)) << error.message();
    }
  }
}

TEST_F(ConvertServerTest, TakesScalesOutsideOfThePrecision) {
  if (connection_->server().version < 150000) {
    EXPECT_THROW(connection_->Exec("CREATE TABLE early (c numeric(2,-3))"), Error);
    return;
  }
  for (const std::string type : {"numeric(2,-3)", "numeric(3,5)"}) {
    connection_->Exec("DROP TABLE IF EXISTS scaled; CREATE TABLE scaled (id int8, c " + type + ")");
    const RowEncoder encoder({Column("scaled", "id"), Column("scaled", "c")});
    std::vector<Sample> samples;
    for (const char* text :
         {"0", "1000", "-99000", "12e3", "0.00123", "-0.00999", "1e-5", "0.01", "100000"}) {
      samples.push_back({StorageClass::kText, 0, 0, text});
    }
    const auto ids = Load(encoder, "scaled", samples);
    EXPECT_EQ(ids.size(), 4U) << type;
    for (const std::int64_t id : ids) {
      EXPECT_EQ(Count("SELECT count(*) FROM scaled WHERE id = " + std::to_string(id) +
                      " AND numeric_send(c) = numeric_send('" +
                      samples[static_cast<std::size_t>(id)].bytes + "'::" + type + ")"),
                1)
          << type << " " << id;
    }
  }
}

TEST_F(ConvertServerTest, CountsEpochNumbersAsTheServerDoes) {
  connection_->Exec(
      "CREATE TABLE epochs (id int8, n int8, s timestamp, ms timestamptz, us timestamp)");
  std::vector<EncodedColumn> columns;
  for (const char* name : {"id", "n", "s", "ms", "us"}) columns.push_back(Column("epochs", name));
  columns[2].options.epoch = Epoch::kSeconds;
  columns[3].options.epoch = Epoch::kMilliseconds;
  columns[4].options.epoch = Epoch::kMicroseconds;
  for (EncodedColumn& column : columns) column.options.on_invalid = OnInvalid::kNull;
  const RowEncoder encoder(columns);
  RandomValues random(Seed());
  std::string rows;
  for (std::int64_t id = 0; id < 20'000; ++id) {
    const Value number = Value::Integer(random.Integer());
    const std::array<Value, 5> row = {Value::Integer(id), number, number, number, number};
    ASSERT_FALSE(encoder.AppendRow(row, rows));
  }
  Copy(encoder, "epochs", rows);
  // Days and the rest of the day: both are exact in the server's interval arithmetic.
  const auto differing = [this](const std::string& column, const std::string& per_day,
                                const std::string& unit) {
    return Count("SELECT count(*) FROM epochs WHERE " + column + " IS NOT NULL AND " + column +
                 " <> timestamp '1970-01-01' + (n / " + per_day + ") * interval '1 day' + (n % " +
                 per_day + ") * interval '1 " + unit + "'");
  };
  EXPECT_EQ(differing("s", "86400", "second"), 0);
  EXPECT_EQ(differing("ms", "86400000", "millisecond"), 0);
  EXPECT_EQ(differing("us", "86400000000", "microsecond"), 0);
  EXPECT_GT(Count("SELECT count(*) FROM epochs WHERE us IS NOT NULL"), 10'000);
  EXPECT_EQ(Count("SELECT count(*) FROM epochs WHERE s IS NULL AND n BETWEEN -210866803200 AND "
                  "9224318015999"),
            0);
}

class KeyArraysPgTest : public ConvertPgTest {
 protected:
  PgResult Delete(const KeyArrays& keys, const std::string& prefix) {
    std::vector<std::string> arrays;
    for (std::size_t i = 0; i < keys.columns(); ++i) arrays.push_back(keys.BinaryArray(i));
    std::vector<PgParam> params;
    for (std::size_t i = 0; i < arrays.size(); ++i)
      params.push_back({arrays[i], keys.array_oid(i), true});
    return connection_->ExecParams(
        prefix + keys.DeleteStatement("t", "keyed") + keys.UpToLargest("t", "keyed"), params);
  }
};

TEST_P(KeyArraysPgTest, DeletesExactlyTheGivenKeysByIndex) {
  const std::string type_name = GetParam();
  SCOPED_TRACE("LITEFERRY_TEST_SEED=" + std::to_string(Seed()));
  connection_->Exec("CREATE TABLE loaded (id int8, c " + type_name + "); CREATE TABLE keyed (c " +
                    type_name + " PRIMARY KEY)");
  const EncodedColumn column = Column("keyed", "c");
  RandomValues random(Seed());
  std::vector<Sample> samples(1000);
  for (Sample& sample : samples) sample = random.For(column.type);
  Load(RowEncoder({Column("loaded", "id"), column}), "loaded", samples);
  connection_->Exec(
      "DELETE FROM loaded WHERE c IS NULL; INSERT INTO keyed SELECT DISTINCT c FROM loaded");

  KeyArrays keys({column});
  for (std::size_t i = 0; i < 500; ++i) {
    const Value key = samples[i].value();
    keys.Add({&key, 1});
  }
  ASSERT_GT(keys.size(), 20U);
  connection_->Exec(
      "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off");
  const PgResult plan = Delete(keys, "EXPLAIN ");
  for (int i = 0; i < plan.rows(); ++i) {
    EXPECT_EQ(plan.Text(i, 0).find("Seq Scan"), std::string::npos) << plan.Text(i, 0);
  }
  Delete(keys, "");
  EXPECT_EQ(Count("SELECT count(*) FROM keyed WHERE c IN (SELECT c FROM loaded WHERE id < 500)"),
            0);
  EXPECT_EQ(Count("SELECT count(*) FROM keyed"),
            Count("SELECT count(DISTINCT c) FROM loaded WHERE c NOT IN (SELECT c FROM loaded WHERE "
                  "id < 500)"));
  EXPECT_GT(Count("SELECT count(DISTINCT c) FROM loaded"), 1);
}

INSTANTIATE_TEST_SUITE_P(Types, KeyArraysPgTest,
                         ::testing::Values("boolean", "int2", "int4", "int8", "float4", "float8",
                                           "numeric", "numeric(7,3)", "text", "varchar",
                                           "varchar(5)", "char(4)", "name", "bytea", "date", "time",
                                           "timestamp", "timestamp(3)", "timestamptz", "uuid",
                                           "jsonb", "mood", "interval", "interval(0)", "inet",
                                           "bit(3)", "text[]", "int4[]", "mood[]", "varchar(5)[]",
                                           "timestamptz[]", "inet[]"),
                         TestName);

class KeyCutTest : public KeyArraysPgTest {};

TEST_F(KeyCutTest, NeverDeletesAKeyThatIsOnlyAPrefix) {
  for (const std::string type : {"bit(2)", "varbit(2)"}) {
    connection_->Exec("DROP TABLE IF EXISTS keyed; CREATE TABLE keyed (c " + type +
                      " PRIMARY KEY); INSERT INTO keyed VALUES ('10'), ('11')");
    KeyArrays keys({Column("keyed", "c")});
    for (const char* text : {"101", "11"}) {
      const Value key = Value::Text(text);
      ASSERT_TRUE(keys.Add({&key, 1}));
    }
    EXPECT_EQ(Delete(keys, "").affected(), 1) << type;
    EXPECT_EQ(Count("SELECT count(*) FROM keyed WHERE c = '10'"), 1) << type;
  }
}

}  // namespace
}  // namespace liteferry::target
