// Random SQLite schemas and rows, once in SQLite and once on PostgreSQL under the translated
// schema: it loads, and both databases take the same rows and fill in the same values.
// LITEFERRY_SCHEMA_SEEDS sets how many schemas are tried.
#include "replication/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/schema_scan.h"
#include "replication/target/catalog.h"
#include "replication/target/convert.h"
#include "replication/target/pg_connection.h"
#include "tests/harness/pg_cluster.h"
#include "tests/harness/sqlite_fixture.h"
#include "tests/replication/random_sqlite_schema.h"

namespace liteferry {
namespace {

using testing::AppDatabase;
using testing::PgCluster;
using testing::RandomSqliteSchema;

// A value of SQLite in quote() form.
struct Quoted {
  explicit Quoted(const std::string& text) {
    if (text == "NULL") return;
    if (text.starts_with("X'")) {
      bytes = FromHex(text.substr(2, text.size() - 3));
      value = Value::Blob(bytes);
    } else if (text.starts_with("'")) {
      for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        bytes.push_back(text[i]);
        if (text[i] == '\'') ++i;
      }
      value = Value::Text(bytes);
    } else if (text.find_first_of(".eI") != std::string::npos) {
      value = Value::Real(std::strtod(text.c_str(), nullptr));
    } else {
      value = Value::Integer(std::strtoll(text.c_str(), nullptr, 10));
    }
  }
  Quoted(const Quoted&) = delete;
  Quoted& operator=(const Quoted&) = delete;

  std::string bytes;
  Value value;
};

struct Counts {
  int schemas = 0;
  int strict = 0;  // schemas of which everything was translated
  int taken = 0;
  int refused = 0;
  int values = 0;
};

// One random schema on both sides.
class Twins {
 public:
  Twins(unsigned seed, target::PgConnection& postgres, Counts& counts)
      : random_(seed),
        schema_("s" + std::to_string(seed)),
        app_(folder_.Path("app.db")),
        postgres_(postgres),
        counts_(counts) {}

  // False when SQLite itself refuses the schema.
  bool Make() {
    if (!app_.Try(random_.sql()).empty()) return false;
    app_.Run("PRAGMA foreign_keys = ON");
    for (std::size_t table = 0; table < random_.tables().size(); ++table) {
      for (int i = 0; i < 15; ++i) app_.Try(Insert(table, random_.Row(table)));
    }
    config::Settings settings;
    settings.source.path = folder_.Path("app.db");
    settings.target.schema = schema_;
    source::Database database(settings.source.path, source::OpenMode::kReadOnly,
                              std::chrono::seconds(5));
    SchemaInput input = ReadSchemaInput(database, settings);
    ScanForSchema(nullptr, stop_, input);
    catalog_ = input.catalog;
    plan_ = TranslateSchema(input);
    script_ = SchemaScript(plan_, {"test"}, schema_, true);
    postgres_.Exec("CREATE SCHEMA " + schema_);
    postgres_.Exec(script_);
    postgres_.Exec("SET search_path = " + schema_);
    target_ = target::ReadCatalog(postgres_, schema_);
    strict_ = std::none_of(plan_.notes.begin(), plan_.notes.end(), [](const SchemaNote& note) {
      return note.message.find("counterpart") != std::string::npos ||
             note.message.find("not made") != std::string::npos;
    });
    ++counts_.schemas;
    counts_.strict += strict_ ? 1 : 0;
    return true;
  }

  void Drop() { postgres_.Exec("SET search_path = public; DROP SCHEMA " + schema_ + " CASCADE"); }

  std::size_t last_table() const { return random_.tables().size() - 1; }
  std::string story() const { return random_.sql() + "\n" + script_; }

  // What SQLite took before, PostgreSQL takes too.
  void CarryRows() {
    for (std::size_t table = 0; table < random_.tables().size(); ++table) {
      const auto rows =
          QuotedRows(random_.Columns(table), random_.tables()[table] + " ORDER BY id");
      for (const std::vector<std::string>& row : rows) {
        const auto sql = TargetInsert(table, row);
        ASSERT_TRUE(sql.has_value()) << "a value does not fit: " << Join(row, ", ");
        ASSERT_EQ(Try(*sql), "") << *sql;
        CompareRow(table, row[0], false);
      }
    }
  }

  // A new row for both, and the same verdict.
  void TryRow(std::size_t table) {
    const std::vector<std::string> row = Stored(table, random_.Row(table));
    const auto sql = TargetInsert(table, row);
    if (!sql) return;  // the encoder would reject it
    const std::string here = app_.Try("BEGIN; " + Insert(table, row) + "; COMMIT");
    if (!here.empty()) app_.Try("ROLLBACK");
    const std::string there = Try(*sql);
    ++(here.empty() ? counts_.taken : counts_.refused);
    if (here.empty()) {
      ASSERT_EQ(there, "") << "SQLite takes what PostgreSQL refuses: " << *sql;
      CompareRow(table, row[0], false);
    } else if (there.empty()) {
      ASSERT_FALSE(strict_) << "PostgreSQL takes what SQLite refuses (" << here << "): " << *sql;
      postgres_.Exec("DELETE FROM " + random_.tables()[table] + " WHERE id = " + row[0]);
    }
  }

  // A row of defaults.
  void TryDefaults(std::size_t table) {
    const std::string insert = "INSERT INTO " + random_.tables()[table] + " (id) VALUES (1000)";
    const bool here = app_.Try("BEGIN; " + insert + "; COMMIT").empty();
    if (!here) app_.Try("ROLLBACK");
    const std::string there = Try(insert);
    const bool lost = DefaultLost();
    if (here && !lost) {
      ASSERT_EQ(there, "") << insert;
    }
    if (!here && there.empty()) {
      ASSERT_FALSE(strict_) << insert;
    }
    if (here && there.empty()) CompareRow(table, "1000", true);
  }

 private:
  std::string Insert(std::size_t table, const std::vector<std::string>& row) const {
    return "INSERT INTO " + random_.tables()[table] + " (" + Join(random_.Columns(table), ", ") +
           ") VALUES (" + Join(row, ", ") + ")";
  }

  // `row` as the columns' affinities store it.
  std::vector<std::string> Stored(std::size_t table, const std::vector<std::string>& row) {
    const std::string columns = Join(random_.Columns(table), ", ");
    app_.Run("CREATE TEMP TABLE stored AS SELECT " + columns + " FROM " + random_.tables()[table] +
             " LIMIT 0; INSERT INTO stored VALUES (" + Join(row, ", ") + ")");
    const auto stored = QuotedRows(random_.Columns(table), "stored").front();
    app_.Run("DROP TABLE stored");
    return stored;
  }

  // As SQLite's own quote() writes them.
  std::vector<std::vector<std::string>> QuotedRows(const std::vector<std::string>& columns,
                                                   const std::string& from) {
    std::vector<std::string> quoted;
    for (const std::string& column : columns) quoted.push_back("quote(" + column + ")");
    auto rows = app_.Table("SELECT " + Join(quoted, ", ") + " FROM " + from);
    for (auto& row : rows) {
      for (std::string& text : row) text = text.substr(1, text.size() - 2);  // it is a text now
    }
    return rows;
  }

  const target::TargetTable& Target(std::size_t table) const {
    return *std::find_if(target_.tables.begin(), target_.tables.end(),
                         [&](const auto& one) { return one.name == random_.tables()[table]; });
  }

  static std::string Plain(const std::string& column) {
    return column.starts_with('"') ? column.substr(1, column.size() - 2) : column;
  }

  // The value as an untyped literal; nothing when VALUES.md refuses it.
  static std::optional<std::string> Literal(const std::string& quoted,
                                            const target::TargetType& type) {
    const Quoted one(quoted);
    std::string text;
    bool is_null = false;
    if (target::ConvertText(one.value, type, {}, text, is_null)) return std::nullopt;
    return is_null ? "NULL" : QuoteLiteral(text);
  }

  std::optional<std::string> TargetInsert(std::size_t table, const std::vector<std::string>& row) {
    std::vector<std::string> literals;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto* column = Target(table).FindColumn(Plain(random_.Columns(table)[i]));
      auto literal = Literal(row[i], column->type);
      if (!literal) return std::nullopt;
      literals.push_back(std::move(*literal));
    }
    return Insert(table, literals);
  }

  std::string Try(const std::string& sql) {
    try {
      postgres_.Exec(sql);
      return "";
    } catch (const Error& error) {
      return error.message();
    }
  }

  static bool IsMoment(const source::SourceColumn& column) {
    const std::string text = ToLowerAscii(column.default_sql.value_or(""));
    return text.find("now") != std::string::npos || text.find("current") != std::string::npos ||
           text.find("random") != std::string::npos;
  }

  // Every value of the row, generated ones too, is what SQLite's own becomes.
  void CompareRow(std::size_t table, const std::string& id, bool defaults) {
    const auto source =
        std::find_if(catalog_.tables.begin(), catalog_.tables.end(),
                     [&](const auto& one) { return one.name == random_.tables()[table]; });
    // What is computed from such defaults differs with them.
    const bool derived =
        DefaultLost() || std::any_of(source->columns.begin(), source->columns.end(), IsMoment);
    for (const source::SourceColumn& column : source->columns) {
      const target::TargetColumn* made = Target(table).FindColumn(column.name);
      ASSERT_NE(made, nullptr) << column.name;
      if (column.generated && (!made->generated || (defaults && derived))) continue;
      const std::string name = QuoteIdentifier(column.name);
      const std::string from = " FROM " + random_.tables()[table] + " WHERE id = " + id;
      const std::string here = QuotedRows({name}, from.substr(6)).front().front();
      std::string same = name + " IS NOT NULL";
      if (defaults && column.default_sql && NoteOn(table, column.name)) continue;
      if (!(defaults && IsMoment(column))) {
        const auto literal = Literal(here, made->type);
        ASSERT_TRUE(literal.has_value()) << name << " " << here;
        same = name + " IS NOT DISTINCT FROM CAST(" + *literal + " AS " + made->type.name + ")";
      }
      ASSERT_EQ(postgres_.Exec("SELECT (" + same + ")::text" + from).Text(0, 0), "true")
          << name << " of row " << id << ": " << here << " in SQLite, "
          << postgres_.Exec("SELECT " + name + "::text" + from).Text(0, 0) << " on PostgreSQL";
      ++counts_.values;
    }
  }

  bool DefaultLost() const {
    return std::any_of(plan_.notes.begin(), plan_.notes.end(), [](const SchemaNote& note) {
      return note.message.find("default") != std::string::npos;
    });
  }

  bool NoteOn(std::size_t table, const std::string& column) const {
    return std::any_of(plan_.notes.begin(), plan_.notes.end(), [&](const SchemaNote& note) {
      return note.object == random_.tables()[table] + "." + column;
    });
  }

  RandomSqliteSchema random_;
  const std::string schema_;
  testing::TempDir folder_;
  AppDatabase app_;
  target::PgConnection& postgres_;
  Counts& counts_;
  SignalEvent stop_;
  source::SourceCatalog catalog_;
  target::TargetCatalog target_;
  SchemaPlan plan_;
  std::string script_;
  bool strict_ = false;
};

TEST(SchemaPgTest, BothDatabasesTakeTheSameRowsAndFillInTheSame) {
  const char* wanted = std::getenv("LITEFERRY_SCHEMA_SEEDS");
  const unsigned seeds =
      wanted == nullptr ? 100 : static_cast<unsigned>(std::strtoul(wanted, nullptr, 10));
  SignalEvent stop;
  target::PgConnection postgres({.url = PgCluster::Get().CreateDatabase()}, stop);
  postgres.Exec("SET client_min_messages = error");
  Counts counts;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    Twins twins(seed, postgres, counts);
    try {
      if (!twins.Make()) continue;
      twins.CarryRows();
      for (int i = 0; i < 40 && !HasFatalFailure(); ++i)
        twins.TryRow(i % 2 == 1 ? 0 : twins.last_table());
      if (!HasFatalFailure()) twins.TryDefaults(0);
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
    ASSERT_FALSE(HasFailure()) << "seed " << seed << ":\n" << twins.story();
    twins.Drop();
  }
  std::cout << counts.schemas << " schemas, " << counts.strict << " translated whole; rows taken "
            << counts.taken << ", refused " << counts.refused << "; " << counts.values
            << " values compared\n";
  EXPECT_GT(counts.schemas, static_cast<int>(seeds) / 2);
  EXPECT_GT(counts.strict, counts.schemas / 3);
  EXPECT_GT(counts.taken, static_cast<int>(seeds));
  EXPECT_GT(counts.refused, static_cast<int>(seeds));
}

}  // namespace
}  // namespace liteferry
