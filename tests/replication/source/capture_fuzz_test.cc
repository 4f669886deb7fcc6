// A differential test of capture: random schemas, random statements, and as oracle full snapshots
// before and after each statement. LITEFERRY_FUZZ_SEEDS sets how many schemas are tried.
#include <gmock/gmock.h>

#include <cstdlib>
#include <random>

#include "replication/base/text.h"
#include "tests/replication/source/capture_bench.h"

namespace liteferry::source {
namespace {

using ::testing::IsEmpty;

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(engine_); }
  bool Chance(int percent) { return Below(100) < percent; }
  std::string Of(std::initializer_list<const char*> choices) {
    return choices.begin()[static_cast<std::ptrdiff_t>(Below(static_cast<int>(choices.size())))];
  }

 private:
  std::mt19937 engine_;
};

// Few values, many of them equal to some collation or affinity but not the same.
std::string Literal(Dice& dice) {
  return dice.Of({"NULL", "0", "1", "2", "3", "1.0", "2.5", "'1'", "'a'", "'A'", "'a '", "'b'",
                  "'B'", "x'61'", "'2.0'", "'def'", "5", "''"});
}

// A schema of two tables p and c, c perhaps a child of p, with up to four further columns each.
class RandomSchema {
 public:
  explicit RandomSchema(Dice& dice) : dice_(dice) {
    if (dice_.Chance(30)) sql_ += "PRAGMA recursive_triggers=ON; ";
    if (dice_.Chance(60)) sql_ += "PRAGMA foreign_keys=ON; ";
    for (const char* table : {"p", "c"}) {
      Table(table);
      for (int i = dice_.Below(3); i > 0; --i) Index(table, i);
      if (dice_.Chance(25)) AppTrigger(table);
    }
  }

  const std::string& sql() const { return sql_; }

  std::string Statement() {
    const std::string table = dice_.Of({"p", "c"});
    const std::string policy = dice_.Of({"", "", " OR REPLACE", " OR REPLACE", " OR REPLACE",
                                         " OR IGNORE", " OR FAIL", " OR ABORT", " OR ROLLBACK"});
    switch (dice_.Below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Insert(table, policy);
      case 4:
      case 5:
      case 6:
        return "UPDATE" + policy + " " + table + " SET " + Assignments() + Where();
      case 7:
        return "DELETE FROM " + table + Where();
      case 8:
        return "UPDATE" + policy + " " + table + " SET " + dice_.Of({"a", "b", "d", "k"}) + "=" +
               dice_.Of({"b", "a", "k", "d", "k+1", "NULL"});
      default:
        return Upsert(table);
    }
  }

 private:
  std::string Collation() {
    return dice_.Chance(30) ? dice_.Of({" COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY"})
                            : "";
  }
  std::string OnConflict() {
    return dice_.Chance(35) ? dice_.Of({" ON CONFLICT REPLACE", " ON CONFLICT REPLACE",
                                        " ON CONFLICT IGNORE", " ON CONFLICT FAIL"})
                            : "";
  }

  void Column(const std::string& name) {
    sql_ +=
        ", " + name + " " + dice_.Of({"", "INT", "TEXT", "REAL", "NUMERIC", "BLOB"}) + Collation();
    if (dice_.Chance(30)) {
      sql_ += " NOT NULL" + OnConflict() + " DEFAULT " +
              dice_.Of({"5", "'def'", "1.0", "'2.0'", "def", "(1+1)", "'a'"});
    }
    if (dice_.Chance(35)) sql_ += " UNIQUE" + OnConflict();
  }

  void Table(const std::string& table) {
    const int kind = dice_.Below(8);
    sql_ += "CREATE TABLE " + table + "(";
    bool without_rowid = false;
    switch (kind) {
      case 0:
      case 1:
        sql_ += "k INTEGER PRIMARY KEY" + OnConflict();
        break;
      case 2:
        sql_ += "k TEXT" + Collation() + " PRIMARY KEY" + OnConflict();
        break;
      case 3:
        sql_ += "k" + Collation() + " PRIMARY KEY" + OnConflict();
        break;
      case 4:
        sql_ += "k TEXT" + Collation() + " PRIMARY KEY";
        without_rowid = true;
        break;
      case 5:
        sql_ += "k INTEGER PRIMARY KEY DESC";
        break;
      default:
        sql_ += "k";
        break;
    }
    Column("a");
    Column("b");
    sql_ += ", d";
    if (table == "c" && dice_.Chance(50)) {
      sql_ += " REFERENCES p ON DELETE " + dice_.Of({"CASCADE", "SET NULL", "SET DEFAULT"}) +
              " ON UPDATE " + dice_.Of({"CASCADE", "SET NULL"});
    }
    if (dice_.Chance(30)) {
      sql_ += ", g " + dice_.Of({"", "INT", "TEXT"}) + Collation() + " AS (" +
              dice_.Of({"a||'x'", "coalesce(a,b)", "upper(b)", "a+1", "b"}) + ")" +
              dice_.Of({" STORED", " VIRTUAL"}) +
              (dice_.Chance(60) ? " UNIQUE" + OnConflict() : "");
    }
    if (kind == 6) {
      sql_ += ", PRIMARY KEY(a" + Collation() + ", k DESC)" + OnConflict();
      without_rowid = dice_.Chance(50);
    }
    if (dice_.Chance(30)) sql_ += ", UNIQUE(b" + Collation() + ", d)" + OnConflict();
    sql_ += without_rowid ? ") WITHOUT ROWID; " : "); ";
  }

  void Index(const std::string& table, int number) {
    sql_ += "CREATE UNIQUE INDEX " + table + std::to_string(number) + " ON " + table + "(" +
            dice_.Of({"lower(a)", "a", "b", "a||b", "typeof(a), b", "d", "b, a", "abs(a)",
                      "coalesce(a, b)", "length(b), d"}) +
            Collation() + ")" +
            (dice_.Chance(40) ? " WHERE " + dice_.Of({"d IS NOT NULL", "a > 1", "b LIKE 'a%'", "d"})
                              : "") +
            "; ";
  }

  void AppTrigger(const std::string& table) {
    const std::string other = table == "p" ? "c" : "p";
    const std::string when = dice_.Of({"AFTER", "BEFORE"});
    const std::string event = dice_.Of({"INSERT", "UPDATE", "DELETE"});
    const std::string row = event == "DELETE" ? "OLD" : "NEW";
    const std::string known = other == "c" ? "c" : table;  // c is created after p's triggers
    sql_ += "CREATE TRIGGER app_" + table + " " + when + " " + event + " ON " + table + " BEGIN ";
    switch (dice_.Below(4)) {
      case 0:
        sql_ += "REPLACE INTO " + known + "(k, a) VALUES(" + row + ".k, " + row + ".b); ";
        break;
      case 1:
        sql_ += "UPDATE OR IGNORE " + known + " SET d = 3 WHERE a IS " + row + ".a; ";
        break;
      case 2:
        sql_ += "SELECT RAISE(IGNORE) WHERE " + row + ".d IS 2; ";
        break;
      default:
        sql_ += "DELETE FROM " + known + " WHERE k IS " + row + ".a; ";
        break;
    }
    sql_ += "END; ";
  }

  std::string Insert(const std::string& table, const std::string& policy) {
    std::string sql = "INSERT" + policy + " INTO " + table + "(k,a,b,d) VALUES";
    for (int i = dice_.Below(3); i >= 0; --i) {
      sql += "(" + Literal(dice_) + "," + Literal(dice_) + "," + Literal(dice_) + "," +
             Literal(dice_) + ")" + (i > 0 ? "," : "");
    }
    return sql;
  }

  std::string Upsert(const std::string& table) {
    return Insert(table, dice_.Of({"", " OR REPLACE"})) +
           dice_.Of({" ON CONFLICT DO NOTHING", " ON CONFLICT DO UPDATE SET a=excluded.b",
                     " ON CONFLICT DO UPDATE SET k=excluded.a",
                     " ON CONFLICT DO UPDATE SET b=NULL"});
  }

  std::string Assignments() {
    std::string sql = dice_.Of({"a", "b", "d", "k"}) + "=" + Literal(dice_);
    if (dice_.Chance(30)) sql += ", b=" + Literal(dice_);
    return sql;
  }

  std::string Where() {
    if (dice_.Chance(20)) return "";
    return " WHERE " + dice_.Of({"a", "b", "d", "k"}) + dice_.Of({" IS ", " > ", " <= "}) +
           Literal(dice_);
  }

  Dice& dice_;
  std::string sql_;
};

struct Outcome {
  bool usable = false;
  std::vector<std::string> missed;
  std::string story;
};

Outcome Try(unsigned seed, bool only_after_triggers) {
  Dice dice(seed);
  RandomSchema schema(dice);
  Outcome outcome;
  {
    testing::AppDatabase probe(":memory:", "");
    if (!probe.Try(schema.sql()).empty()) return outcome;
  }
  outcome.usable = true;
  CaptureBench bench(schema.sql());
  if (only_after_triggers) bench.KeepOnlyAfterTriggers();
  outcome.story = "seed " + std::to_string(seed) + ": " + schema.sql();
  for (int i = 0; i < 40; ++i) {
    const std::string statement = schema.Statement();
    std::string error;
    outcome.missed = bench.Missed(statement, &error);
    // The application's own errors are fine; one in our triggers is not.
    if (error.find("_liteferry") != std::string::npos || error.starts_with("no such") ||
        error.starts_with("unsafe")) {
      outcome.missed.push_back("error: " + error);
    }
    if (outcome.missed.empty()) continue;
    outcome.story += "\nat: " + statement;
    return outcome;
  }
  return outcome;
}

unsigned Seeds(unsigned usual) {
  const char* wanted = std::getenv("LITEFERRY_FUZZ_SEEDS");
  return wanted == nullptr ? usual : static_cast<unsigned>(std::strtoul(wanted, nullptr, 10));
}

TEST(CaptureFuzz, EveryChangedKeyIsLogged) {
  const unsigned seeds = Seeds(300);
  unsigned usable = 0;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = Try(seed, false);
    usable += outcome.usable ? 1 : 0;
    ASSERT_THAT(outcome.missed, IsEmpty()) << outcome.story;
  }
  EXPECT_GT(usable, seeds / 2) << "the generator makes too few valid schemas";
}

TEST(CaptureFuzz, FindsWhatAfterTriggersAloneMiss) {
  unsigned found = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) found += Try(seed, true).missed.empty() ? 0 : 1;
  EXPECT_GT(found, 5U);
}

}  // namespace
}  // namespace liteferry::source
