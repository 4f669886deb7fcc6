#include "tests/harness/random_application.h"

#include <algorithm>
#include <array>
#include <utility>

namespace liteferry::testing {
namespace {

// Names that SQL makes difficult, and those that the trigger texts use themselves.
const std::array<std::array<std::pair<const char*, const char*>, 10>, 4> kNames = {{
    {{{"p", "p"},
      {"c", "c"},
      {"x", "x"},
      {"k", "k"},
      {"a", "a"},
      {"b", "b"},
      {"d", "d"},
      {"g", "g"},
      {"z", "z"},
      {"k2", "k2"}}},
    {{{"p", "\"select \"\"x\"\"\""},
      {"c", "[a;b]"},
      {"x", "\"it's\""},
      {"k", "\"k1\""},
      {"a", "\"v\""},
      {"b", "\"n\""},
      {"d", "\"t\""},
      {"g", "\"seq\""},
      {"z", "\"--z\""},
      {"k2", "\"NEW\""}}},
    {{{"p", "Täbelle"},
      {"c", "\"日本 本\""},
      {"x", "\"main\""},
      {"k", "\"Schlüssel\""},
      {"a", "\"old\""},
      {"b", "`b``b`"},
      {"d", "\"ORDER\""},
      {"g", "\"\""},
      {"z", "\"%s\""},
      {"k2", "\"a b\""}}},
    {{{"p", "P"},
      {"c", "C"},
      {"x", "X"},
      {"k", "ID"},
      {"a", "A"},
      {"b", "\"two\nlines\""},
      {"d", "D"},
      {"g", "G"},
      {"z", "Z"},
      {"k2", "\"v\""}}},
}};

}  // namespace

RandomApplication::RandomApplication(unsigned seed) : dice_(seed) {
  naming_ = dice_.Chance(50) ? 0 : dice_.Below(4);
  if (dice_.Chance(30)) schema_ += "PRAGMA recursive_triggers=ON; ";
  if (dice_.Chance(60)) schema_ += "PRAGMA foreign_keys=ON; ";
  for (const char* table : {"p", "c", "x"}) schema_ += TableDefinition(table, Name(table)) + "; ";
  for (const char* table : {"p", "c", "x"}) {
    for (int i = dice_.Below(3); i > 0; --i) schema_ += IndexDefinition(table) + "; ";
  }
  for (const char* table : {"p", "c"}) {
    if (dice_.Chance(30)) schema_ += TriggerDefinition(table) + "; ";
  }
}

std::string RandomApplication::Name(const std::string& logical) const {
  for (const auto& [from, to] : kNames.at(static_cast<std::size_t>(naming_))) {
    if (logical == from) return to;
  }
  return logical;
}

std::string RandomApplication::Table() { return Name(dice_.Of({"p", "p", "c", "c", "x"})); }
std::string RandomApplication::Column() { return Name(dice_.Of({"a", "b", "d", "k"})); }

std::string RandomApplication::Literal() {
  return dice_.Of({"NULL",
                   "0",
                   "1",
                   "2",
                   "3",
                   "1.0",
                   "2.5",
                   "'1'",
                   "'a'",
                   "'A'",
                   "'a '",
                   "'b'",
                   "'B'",
                   "x'61'",
                   "'2.0'",
                   "'def'",
                   "5",
                   "''",
                   "'ab'",
                   "-1",
                   "9007199254740993",
                   "9007199254740992.0"});
}

std::string RandomApplication::Expression() {
  const std::string column = Column();
  switch (dice_.Below(6)) {
    case 0:
      return column + "+1";
    case 1:
      return "lower(" + column + ")";
    case 2:
      return "upper(" + column + ")";
    case 3:
      return column;
    default:
      return Literal();
  }
}

std::string RandomApplication::Collation(int percent) {
  return dice_.Chance(percent) ? dice_.Of({" COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY"})
                               : "";
}

std::string RandomApplication::OnConflict() {
  return dice_.Chance(40)
             ? dice_.Of({" ON CONFLICT REPLACE", " ON CONFLICT REPLACE", " ON CONFLICT REPLACE",
                         " ON CONFLICT IGNORE", " ON CONFLICT FAIL"})
             : "";
}

std::string RandomApplication::Type(bool strict) {
  return strict ? dice_.Of({"ANY", "ANY", "INT", "TEXT", "REAL", "BLOB"})
                : dice_.Of({"", "INT", "TEXT", "REAL", "NUMERIC", "BLOB", "VARCHAR(9)"});
}

std::string RandomApplication::ColumnDefinition(const std::string& logical, bool strict) {
  std::string sql = ", " + Name(logical) + " " + Type(strict) + Collation();
  if (dice_.Chance(30)) {
    sql += " NOT NULL" + OnConflict() + " DEFAULT " +
           dice_.Of({"5", "'def'", "1.0", "'2.0'", "def", "(1+1)", "'a'", "(lower('A'))", "-1"});
  } else if (dice_.Chance(15)) {
    sql += " NOT NULL" + OnConflict();
  }
  if (dice_.Chance(35)) sql += " UNIQUE" + OnConflict();
  return sql;
}

std::string RandomApplication::Generated(bool strict) {
  const std::string a = Name("a");
  const std::string b = Name("b");
  std::string sql = ", " + Name("g") + " " + (strict ? "ANY" : dice_.Of({"", "INT", "TEXT"})) +
                    Collation() + " AS (";
  switch (dice_.Below(5)) {
    case 0:
      sql += a + "||'x'";
      break;
    case 1:
      sql += "coalesce(" + a + "," + b + ")";
      break;
    case 2:
      sql += "upper(" + b + ")";
      break;
    case 3:
      sql += a + "+1";
      break;
    default:
      sql += b;
  }
  return sql + ")" + dice_.Of({" STORED", " VIRTUAL"}) +
         (dice_.Chance(60) ? " UNIQUE" + OnConflict() : "");
}

// `table` is the logical name, `name` what to call it.
std::string RandomApplication::TableDefinition(const std::string& table, const std::string& name) {
  const int kind = dice_.Below(11);
  const bool strict = dice_.Chance(12);
  const std::string k = Name("k");
  const std::string any = strict ? " ANY" : "";
  std::string sql = "CREATE TABLE " + name + "(" + k;
  bool without_rowid = false;
  switch (kind) {
    case 0:
    case 1:
      sql += " INTEGER PRIMARY KEY" + OnConflict() + (dice_.Chance(30) ? " AUTOINCREMENT" : "");
      break;
    case 2:
      sql += " TEXT" + Collation() + " PRIMARY KEY" + OnConflict();
      break;
    case 3:
      sql += any + Collation() + " PRIMARY KEY" + OnConflict();
      break;
    case 4:
      sql += " TEXT" + Collation() + " PRIMARY KEY";
      without_rowid = true;
      break;
    case 5:
      sql += " INTEGER PRIMARY KEY DESC";
      break;
    case 6:
      sql += " " + Type(strict) + Collation() + " NOT NULL UNIQUE" + OnConflict();
      break;
    case 7:
      sql += any;
      break;
    case 8:
      sql += " INT NOT NULL";
      break;
    case 9:
      sql += strict ? " INT PRIMARY KEY" : " NUMERIC PRIMARY KEY" + OnConflict();
      break;
    default:
      sql += strict ? " REAL" : " REAL" + Collation();
  }
  sql += ColumnDefinition("a", strict) + ColumnDefinition("b", strict) + ", " + Name("d") + any;
  if (table == "c" && dice_.Chance(60)) {
    sql += " REFERENCES " + Name("p") + (dice_.Chance(40) ? "(" + Name("a") + ")" : "") +
           " ON DELETE " + dice_.Of({"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"}) +
           " ON UPDATE " + dice_.Of({"CASCADE", "SET NULL"}) +
           (dice_.Chance(30) ? " DEFERRABLE INITIALLY DEFERRED" : "");
  } else if (table == "p" && dice_.Chance(15)) {
    sql += " REFERENCES " + Name("p") + " ON DELETE CASCADE ON UPDATE CASCADE";
  }
  if (dice_.Chance(30)) sql += Generated(strict);
  if (dice_.Chance(10)) sql += ", CHECK(" + Name("d") + " IS NOT 5)" + "";
  if (kind == 8) {
    sql += ", PRIMARY KEY(" + Name("a") + Collation() + ", " + k + " DESC)" + OnConflict();
    without_rowid = dice_.Chance(50);
  }
  if (dice_.Chance(30)) {
    sql += ", UNIQUE(" + Name("b") + Collation() + ", " + Name("d") + ")" + OnConflict();
  }
  sql += ")";
  if (without_rowid) sql += strict ? " WITHOUT ROWID, STRICT" : " WITHOUT ROWID";
  return sql + (strict && !without_rowid ? " STRICT" : "");
}

std::string RandomApplication::IndexDefinition(const std::string& table) {
  const std::string a = Name("a");
  const std::string b = Name("b");
  const std::string d = Name("d");
  const std::vector<std::string> terms = {"lower(" + a + ")",
                                          a,
                                          b,
                                          a + "||" + b,
                                          "typeof(" + a + "), " + b,
                                          d,
                                          b + ", " + a,
                                          "abs(" + a + ")",
                                          "coalesce(" + a + ", " + b + ")",
                                          "length(" + b + "), " + d,
                                          "CASE WHEN " + a + ">1 THEN " + b + " ELSE " + d + " END",
                                          b + " IS NULL, " + a + " COLLATE NOCASE",
                                          "CAST(" + a + " AS DECIMAL(9,2))"};
  const std::vector<std::string> wheres = {d + " IS NOT NULL", a + " > 1",
                                           b + " LIKE 'a%'",   d,
                                           a + " IN (1,'a')",  "NOT (" + b + " BETWEEN 1 AND 3)",
                                           a + " IS NOT " + b};
  const auto of = [&](const std::vector<std::string>& list) {
    return list[static_cast<std::size_t>(dice_.Below(static_cast<int>(list.size())))];
  };
  return std::string("CREATE ") + (dice_.Chance(90) ? "UNIQUE " : "") + "INDEX i" +
         std::to_string(++numbers_) + " ON " + Name(table) + "(" + of(terms) + Collation() +
         dice_.Of({"", "", " DESC"}) + ")" + (dice_.Chance(40) ? " WHERE " + of(wheres) : "");
}

// `row` is NEW or OLD.
std::string RandomApplication::TriggerBody(const std::string& row, const std::string& when,
                                           const std::string& event) {
  // See the class: what runs before an update stays away from the tables that are updated.
  const bool before_update = when == "BEFORE" && event == "UPDATE";
  const std::string table = before_update ? Name("x") : Table();
  const std::string value = row + "." + Column();
  switch (dice_.Below(7)) {
    case 0:
      return "REPLACE INTO " + table + "(" + Name("k") + ", " + Name("a") + ") VALUES(" + value +
             ", " + row + "." + Name("b") + ")";
    case 1:
      return "UPDATE OR IGNORE " + table + " SET " + Name("d") + " = 3 WHERE " + Name("a") +
             " IS " + value;
    case 2:
      return "SELECT RAISE(IGNORE) WHERE " + row + "." + Name("d") + " IS 2";
    case 3:
      return "SELECT RAISE(" + dice_.Of({"FAIL", "ABORT", "ROLLBACK"}) + ", 'no') WHERE " + row +
             "." + Name("d") + " IS 3";
    case 4:
      return "UPDATE OR REPLACE " + table + " SET " + Name("a") + " = " + value + " WHERE " +
             Name("k") + " IS " + row + "." + Name("b");
    case 5:
      return "INSERT OR IGNORE INTO " + table + "(" + Name("k") + ", " + Name("b") + ") SELECT " +
             value + ", 'a' WHERE (SELECT count(*) FROM " + table + ") < 20";
    default:
      return "DELETE FROM " + table + " WHERE " + Name("k") + " IS " + value;
  }
}

std::string RandomApplication::TriggerDefinition(const std::string& table) {
  const std::string when = dice_.Of({"AFTER", "BEFORE"});
  const std::string event = dice_.Of({"INSERT", "UPDATE", "DELETE"});
  const std::string row = event == "DELETE" ? "OLD" : "NEW";
  const std::string of =
      event == "UPDATE" && dice_.Chance(20) ? " OF " + Name("a") + ", " + Name("d") : "";
  return "CREATE TRIGGER app" + std::to_string(++numbers_) + " " + when + " " + event + of +
         " ON " + Name(table) +
         (dice_.Chance(25) ? " WHEN " + row + "." + Name("b") + " IS NOT NULL" : "") + " BEGIN " +
         TriggerBody(row, when, event) + "; END";
}

std::string RandomApplication::Policy() {
  return dice_.Of({"", "", "", " OR REPLACE", " OR REPLACE", " OR REPLACE", " OR IGNORE",
                   " OR FAIL", " OR ABORT", " OR ROLLBACK"});
}

std::string RandomApplication::Where() {
  if (dice_.Chance(20)) return "";
  return " WHERE " + Column() + dice_.Of({" IS ", " > ", " <= ", " = "}) + Literal();
}

std::string RandomApplication::Insert(const std::string& table, const std::string& policy) {
  std::string sql = (policy == " OR REPLACE" && dice_.Chance(50) ? "REPLACE" : "INSERT" + policy) +
                    " INTO " + table;
  if (dice_.Chance(5)) return sql + " DEFAULT VALUES";
  const std::string columns = "(" + Name("a") + "," + Name("b") + "," + Name("d");
  const std::string from = " FROM " + Table() + Where() + " LIMIT 3";
  if (dice_.Chance(10)) {
    return sql + columns + ") SELECT " + Expression() + "," + Column() + "," + Literal() + from;
  }
  const bool with_key = dice_.Chance(85);
  sql += columns + (with_key ? "," + Name("k") : "") + ") VALUES";
  for (int i = dice_.Below(3); i >= 0; --i) {
    sql += "(" + Literal() + "," + Literal() + "," + Literal() + (with_key ? "," + Literal() : "") +
           ")" + (i > 0 ? "," : "");
  }
  return sql;
}

std::string RandomApplication::Update(const std::string& table, const std::string& policy) {
  std::string sql = "UPDATE" + policy + " " + table + " SET ";
  switch (dice_.Below(12)) {
    case 0:
      return sql + dice_.Of({"rowid", "oid", "_rowid_"}) + " = " + dice_.Of({"3", "7", "rowid+1"}) +
             Where();
    case 1:
      return sql + Name("a") + " = " + Name("b") + ", " + Name("b") + " = " + Name("a") + Where();
    case 2:
      return sql + Name("d") + " = o.a FROM (SELECT 1 AS a UNION SELECT 'a') AS o";
    case 3:
      return sql + "(" + Name("a") + "," + Name("k") + ") = (" + Expression() + "," + Literal() +
             ")" + Where();
    default:
      sql += Column() + " = " + Expression();
      if (dice_.Chance(30)) sql += ", " + Name("b") + " = " + Expression();
      return sql + Where();
  }
}

std::string RandomApplication::Change() {
  const std::string table = Table();
  const std::string policy = Policy();
  const std::string returning =
      dice_.Chance(10) ? " RETURNING " + Name("k") + ", " + Name("a") + ", changes()" : "";
  switch (dice_.Below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return Insert(table, policy) + returning;
    case 4:
    case 5:
    case 6:
    case 7:
      return Update(table, policy) + returning;
    case 8:
      return "DELETE FROM " + table + (dice_.Chance(10) ? "" : Where()) + returning;
    default: {
      const std::string upsert = "INSERT" + dice_.Of({"", " OR REPLACE"}) + " INTO " + table + "(" +
                                 Name("k") + "," + Name("a") + "," + Name("b") + "," + Name("d") +
                                 ") VALUES(" + Literal() + "," + Literal() + "," + Literal() + "," +
                                 Literal() + ")";
      const std::vector<std::string> actions = {
          " DO NOTHING", " DO UPDATE SET " + Name("a") + " = excluded." + Name("b"),
          " DO UPDATE SET " + Name("k") + " = excluded." + Name("a"),
          " DO UPDATE SET " + Name("b") + " = NULL"};
      return upsert + " ON CONFLICT" + actions[static_cast<std::size_t>(dice_.Below(4))] +
             returning;
    }
  }
}

std::vector<std::string> RandomApplication::TransactionOfChanges() {
  if (dice_.Chance(55)) return {Change()};
  std::vector<std::string> all = {dice_.Of({"BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"})};
  for (int i = dice_.Below(5); i >= 0; --i) {
    all.push_back(Change());
    if (dice_.Chance(40)) continue;
    all.push_back("SAVEPOINT s");
    for (int j = dice_.Below(3); j >= 0; --j) all.push_back(Change());
    if (dice_.Chance(60)) all.push_back("ROLLBACK TO s");
    if (dice_.Chance(30)) all.push_back(Change());
    all.push_back("RELEASE s");
  }
  all.push_back(dice_.Of({"COMMIT", "COMMIT", "COMMIT", "ROLLBACK"}));
  // A deferred foreign key may refuse the COMMIT; and without a transaction this just fails.
  all.push_back("ROLLBACK");
  return all;
}

// The ways in which migration tools alter a table that SQLite cannot alter.
std::vector<std::string> RandomApplication::Rebuild(const std::string& table) {
  const std::string name = Name(table);
  const std::string columns = Name("k") + "," + Name("a") + "," + Name("b") + "," + Name("d");
  const std::string other = "\"_tmp_" + std::to_string(++numbers_) + "\"";
  const std::string policy = dice_.Of({"", " OR IGNORE", " OR REPLACE"});
  std::vector<std::string> all = {"PRAGMA foreign_keys=OFF", "BEGIN"};
  if (dice_.Chance(50)) {
    all.push_back(TableDefinition(table, other));
    all.push_back("INSERT" + policy + " INTO " + other + "(" + columns + ") SELECT " + columns +
                  " FROM " + name);
    all.push_back("DROP TABLE " + name);
    all.push_back("ALTER TABLE " + other + " RENAME TO " + name);
  } else {
    all.push_back("ALTER TABLE " + name + " RENAME TO " + other);
    all.push_back(TableDefinition(table, name));
    all.push_back("INSERT" + policy + " INTO " + name + "(" + columns + ") SELECT " + columns +
                  " FROM " + other);
    all.push_back("DROP TABLE " + other);
  }
  if (dice_.Chance(50)) all.push_back(IndexDefinition(table));
  if (dice_.Chance(50)) all.push_back(Change());
  all.push_back(dice_.Of({"COMMIT", "COMMIT", "ROLLBACK"}));
  all.push_back("ROLLBACK");
  if (dice_.Chance(50)) all.push_back("PRAGMA foreign_keys=ON");
  return all;
}

std::vector<std::string> RandomApplication::SchemaChange() {
  const std::string table = dice_.Of({"p", "c", "x"});
  const std::string name = Name(table);
  const std::string index = "i" + std::to_string(1 + dice_.Below(std::max(1, numbers_)));
  const std::string trigger = "app" + std::to_string(1 + dice_.Below(std::max(1, numbers_)));
  const std::string column = Column();
  switch (dice_.Below(16)) {
    case 0:
      return {"ALTER TABLE " + name + " ADD COLUMN " + Name("z") + dice_.Of({"", " DEFAULT 7"})};
    case 1:
      return {"DROP INDEX " + index, "ALTER TABLE " + name + " DROP COLUMN " + Name("z")};
    case 2:
      return {"DROP INDEX " + index, "ALTER TABLE " + name + " DROP COLUMN " + column};
    case 3:
      return {"ALTER TABLE " + name + " RENAME COLUMN " + column + " TO " + Name("k2"), Change(),
              "ALTER TABLE " + name + " RENAME COLUMN " + Name("k2") + " TO " + column};
    case 4:
      return {"ALTER TABLE " + name + " RENAME TO other", Change(),
              "ALTER TABLE other RENAME TO " + name};
    case 5:
      return {"DROP INDEX " + index};
    case 6:
    case 7:
      return {IndexDefinition(table)};
    case 8:
      return {TriggerDefinition(dice_.Of({"p", "c"}))};
    case 9:
      return {"DROP TRIGGER " + trigger, Change()};
    case 10:
      return {"DROP TABLE " + name, TableDefinition(table, name)};
    case 11:
      return {"VACUUM"};
    case 12:
      return {dice_.Of({"REINDEX", "ANALYZE", "PRAGMA optimize"}), Change()};
    case 13:
      return {"CREATE TABLE t" + std::to_string(++numbers_) + " AS SELECT * FROM " + name,
              "CREATE VIEW w" + std::to_string(++numbers_) + " AS SELECT * FROM " + name};
    default:
      return Rebuild(table);
  }
}

}  // namespace liteferry::testing
