// What SQLite itself makes of a value, against what the conversion makes of it.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "replication/target/convert.h"

namespace liteferry::target {
namespace {

constexpr const char* kRefused = "<refused>";

struct Close {
  void operator()(sqlite3* database) const { ::sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Query = std::unique_ptr<sqlite3_stmt, Close>;

Database Open(const std::string& sql) {
  sqlite3* handle = nullptr;
  ::sqlite3_open(":memory:", &handle);
  Database database(handle);
  EXPECT_EQ(::sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
  return database;
}

Query Prepare(const Database& database, const std::string& sql) {
  sqlite3_stmt* handle = nullptr;
  EXPECT_EQ(::sqlite3_prepare_v2(database.get(), sql.c_str(), -1, &handle, nullptr), SQLITE_OK);
  return Query(handle);
}

std::string ColumnText(const Query& query, int column) {
  const void* const text = ::sqlite3_column_text(query.get(), column);
  const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(query.get(), column));
  return text == nullptr ? "" : std::string(static_cast<const char*>(text), size);
}

TargetType Type(TypeKind kind, const char* name) {
  TargetType type;
  type.kind = kind;
  type.name = type.base_name = name;
  return type;
}

std::string Text(const Value& value, const TargetType& type, const ConvertOptions& options = {}) {
  std::string out;
  bool is_null = false;
  return ConvertText(value, type, options, out, is_null) ? kRefused : out;
}

std::uint64_t Seed() {
  const char* chosen = std::getenv("LITEFERRY_TEST_SEED");
  return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 20260306;
}

// PostgreSQL prints no zeros at the end of a fraction, SQLite always three digits.
std::string WithThreeDigits(std::string text) {
  if (text.size() == 19) text += ".000";
  return text.substr(0, 23);
}

TEST(ConvertSqliteTest, ReadsJulianDaysAsSqliteDoes) {
  SCOPED_TRACE("LITEFERRY_TEST_SEED=" + std::to_string(Seed()));
  const Database database = Open("");
  const Query query =
      Prepare(database,
              "SELECT strftime('%Y-%m-%d %H:%M:%f', ?1), julianday(strftime('%Y-%m-%d "
              "%H:%M:%f', ?1))");
  const TargetType timestamp = Type(TypeKind::kTimestamp, "timestamp");
  const ConvertOptions options{OnInvalid::kReject, Epoch::kJulian};
  std::mt19937_64 random(Seed());
  // From the year 1 to 9999.
  std::uniform_real_distribution<double> days(1721425.5, 5373484.4999);
  for (int i = 0; i < 20'000; ++i) {
    const double day = days(random);
    ::sqlite3_reset(query.get());
    ::sqlite3_bind_double(query.get(), 1, day);
    ASSERT_EQ(::sqlite3_step(query.get()), SQLITE_ROW);
    const std::string shown = ColumnText(query, 0);
    ASSERT_EQ(WithThreeDigits(Text(Value::Real(day), timestamp, options)), shown) << day;
    // What julianday() gives for a millisecond comes back as that millisecond, and as nothing less.
    const double exact = ::sqlite3_column_double(query.get(), 1);
    bool rounded = false;
    std::string again;
    bool is_null = false;
    ASSERT_FALSE(ConvertText(Value::Real(exact), timestamp, options, again, is_null, &rounded));
    ASSERT_EQ(WithThreeDigits(again), shown);
    ASSERT_FALSE(rounded) << shown;
  }
}

TEST(ConvertSqliteTest, TakesTextOfEveryEncoding) {
  const TargetType text = Type(TypeKind::kText, "text");
  for (const std::string encoding : {"UTF-8", "UTF-16le", "UTF-16be"}) {
    const Database database = Open("PRAGMA encoding = '" + encoding + "'; CREATE TABLE t(v)");
    const Query insert = Prepare(database, "INSERT INTO t VALUES (?1)");
    for (const std::u16string& words : {std::u16string(u"na\u00efve \u65e5\u672c \U0001F6A2"),
                                        std::u16string(), std::u16string(u"a\0b", 3)}) {
      ::sqlite3_reset(insert.get());
      ::sqlite3_bind_text16(insert.get(), 1, words.data(), static_cast<int>(2 * words.size()),
                            SQLITE_TRANSIENT);
      ASSERT_EQ(::sqlite3_step(insert.get()), SQLITE_DONE);
    }
    const Query select = Prepare(database, "SELECT v FROM t ORDER BY rowid");
    const auto next = [&](const ConvertOptions& options) {
      EXPECT_EQ(::sqlite3_step(select.get()), SQLITE_ROW);
      const std::string bytes = ColumnText(select, 0);
      return Text(Value::Text(bytes), text, options);
    };
    EXPECT_EQ(next({}), "na\u00efve \u65e5\u672c \U0001F6A2") << encoding;
    EXPECT_EQ(next({}), "") << encoding;
    EXPECT_EQ(next({OnInvalid::kStripNul, Epoch::kNone}), "ab") << encoding;
  }
}

// A UTF-16 database can hold half of a surrogate pair, which no UTF-8 can. In the middle of a text
// SQLite itself joins it with the next code unit to some character before anybody sees it here.
TEST(ConvertSqliteTest, RefusesHalfACharacterThatSqliteHandsOver) {
  const Database database = Open("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(v)");
  const Query insert = Prepare(database, "INSERT INTO t VALUES (?1)");
  const char16_t half[] = {u'a', 0xd83d};
  ::sqlite3_bind_text16(insert.get(), 1, half, sizeof half, SQLITE_TRANSIENT);
  ASSERT_EQ(::sqlite3_step(insert.get()), SQLITE_DONE);
  const Query select = Prepare(database, "SELECT v FROM t");
  ASSERT_EQ(::sqlite3_step(select.get()), SQLITE_ROW);
  const std::string bytes = ColumnText(select, 0);
  EXPECT_EQ(Text(Value::Text(bytes), Type(TypeKind::kText, "text")), kRefused);
}

}  // namespace
}  // namespace liteferry::target
