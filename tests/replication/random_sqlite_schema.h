#pragma once

#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace liteferry::testing {

// A random SQLite table (or two, the second referring to the first) as applications write them:
// types by habit, checks, defaults, generated columns, collations, unique and partial and
// expression indexes; and random rows for it, whose values suit the declared types. Without any of
// the code under test. The same seed gives the same.
class RandomSqliteSchema {
 public:
  explicit RandomSqliteSchema(unsigned seed) : engine_(seed) {
    Table("parent", false);
    if (Chance(60)) Table("child", true);
  }

  const std::string& sql() const { return sql_; }
  const std::vector<std::string>& tables() const { return tables_; }

  // Columns that an INSERT names, and a row of SQL literals for them.
  std::vector<std::string> Columns(std::size_t table) const { return names_[table]; }
  std::vector<std::string> Row(std::size_t table) {
    std::vector<std::string> row;
    for (const Kind kind : kinds_[table]) row.push_back(Value(kind));
    return row;
  }

 private:
  enum class Kind { kKey, kInt, kReal, kText, kBool, kStamp, kDate, kDecimal, kBlob, kParent };

  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(engine_); }
  bool Chance(int percent) { return Below(100) < percent; }
  std::string Of(std::initializer_list<const char*> choices) {
    return choices.begin()[static_cast<std::ptrdiff_t>(Below(static_cast<int>(choices.size())))];
  }

  std::string Value(Kind kind) {
    if (kind != Kind::kKey && Chance(12)) return "NULL";
    switch (kind) {
      case Kind::kKey:
        return std::to_string(Below(60));
      case Kind::kParent:
        return std::to_string(Below(70));
      case Kind::kInt:
        return Of({"0", "1", "2", "5", "-3", "100", "7", "12", "-1", "32000"});
      case Kind::kReal:
        return Of({"0.5", "1.5", "-2.25", "100.0", "0.1", "3.0", "0.0", "12.75"});
      case Kind::kText:
        return Of({"'a'", "'A'", "'a '", "'b'", "'Bob'", "'bob'", "''", "'\xC3\xA4'", "'\xC3\x84'",
                   "'x@y.z'", "'5'", "'50%'", "' a'", "'a_b'", "'a\\b'", "'it''s'", "'Zz'"});
      case Kind::kBool:
        return Of({"0", "1"});
      case Kind::kStamp:
        return Of({"'2024-01-01 00:00:00'", "'2024-06-01 12:30:00'", "'2023-12-31 23:59:59'"});
      case Kind::kDate:
        return Of({"'2024-01-01'", "'2024-06-01'", "'1999-12-31'"});
      case Kind::kDecimal:
        return Of({"1", "2.5", "10.25", "0", "-4.75", "3"});
      case Kind::kBlob:
        return Of({"x'00'", "x'61'", "x''", "x'ff00'"});
    }
    return "NULL";
  }

  std::string Type(Kind kind) {
    switch (kind) {
      case Kind::kInt:
        return Of({"INTEGER", "INT", "BIGINT", "SMALLINT", "MEDIUMINT"});
      case Kind::kReal:
        return Of({"REAL", "DOUBLE PRECISION", "FLOAT"});
      case Kind::kText:
        return Of({"TEXT", "VARCHAR(20)", "CHARACTER(30)", "NVARCHAR(9)"});
      case Kind::kBool:
        return Of({"BOOLEAN", "BOOL"});
      case Kind::kStamp:
        return Of({"DATETIME", "TIMESTAMP"});
      case Kind::kDate:
        return "DATE";
      case Kind::kDecimal:
        return Of({"DECIMAL(8,2)", "NUMERIC(10, 3)", "NUMERIC"});
      case Kind::kBlob:
        return "BLOB";
      default:
        return "INTEGER";
    }
  }

  // A condition over column `c`, which comes as %.
  std::string Condition(Kind kind) {
    switch (kind) {
      case Kind::kInt:
        return Of({"% > 0",
                   "% BETWEEN 0 AND 10",
                   "% NOT BETWEEN 3 AND 6",
                   "% IN (0, 1, 2, 5, 100)",
                   "% NOT IN (2, NULL)",
                   "% % 2 = 0",
                   "% & 1 = 1",
                   "% & 1",
                   "% IS NOT 2",
                   "abs(%) < 20",
                   "% / 2 > 0",
                   "10 / % > 1",
                   "% * % < 200",
                   "ifnull(%, 0) >= 0",
                   "typeof(%) = 'integer'",
                   "typeof(%) IN ('integer', 'null')",
                   "typeof(%) <> 'text'",
                   "-% < 3",
                   "% = '5' OR % <> 5",
                   "% > 0.5",
                   "NOT %",
                   "%",
                   "CASE WHEN % > 1 THEN % < 50 ELSE 1 END",
                   "CAST(% AS TEXT) <> '2'",
                   "length(%) < 3",
                   "% LIKE '1%'",
                   "% || '' <> '5'",
                   "% == 1 OR % ISNULL",
                   "% NOTNULL",
                   "nullif(%, 5) IS NOT NULL",
                   "~% < 0",
                   "% << 1 < 50",
                   "% | 8 > 9",
                   "% - 1 <= 99",
                   "iif(% > 3, 1, % < 2)",
                   "+% <> 7",
                   "% < 0x10",
                   "CASE % WHEN 1 THEN 0 WHEN 2 THEN 1 ELSE 1 END",
                   "% IN (5) IS NOT 1"});
      case Kind::kText:
        return Of({"% <> ''",
                   "length(%) > 0",
                   "% LIKE '%b%'",
                   "% NOT LIKE 'a_'",
                   "% GLOB 'a*'",
                   "% GLOB '[a-zA-Z]*'",
                   "% NOT GLOB '*[^a-z@.]*'",
                   "% = lower(%)",
                   "upper(%) <> 'BOB'",
                   "% IN ('a', 'b', 'bob', '')",
                   "% NOT IN ('A', 'Zz')",
                   "% COLLATE NOCASE <> 'BOB'",
                   "% < 'b'",
                   "% BETWEEN 'A' AND 'c'",
                   "trim(%) = %",
                   "substr(%, 1, 1) <> 'b'",
                   "instr(%, '@') > 0 OR length(%) < 4",
                   "replace(%, 'a', '') <> ''",
                   "% <> 5",
                   "typeof(%) = 'text'",
                   "% > \"b\"",
                   "% IS NOT 'a'",
                   "coalesce(%, 'z') <> 'z'",
                   "% <> 'BOB' COLLATE NOCASE",
                   "% LIKE '50!%' ESCAPE '!' OR % NOT LIKE '5%'",
                   "% LIKE 'a\\b' OR 1",
                   "ltrim(%) || 'x' <> 'ax'",
                   "rtrim(%) <> 'a'",
                   "% LIKE '\xC3\x84'",
                   "% = upper(%) OR % = lower(%)",
                   "% GLOB '?o*' OR length(%) <> 3",
                   "length(trim(%, 'ab')) < 5",
                   "% IS NULL OR % <= 'z'",
                   "% COLLATE RTRIM <> 'a'"});
      case Kind::kBool:
        return Of({"% IN (0, 1)", "% = 1", "% <> 0", "NOT %", "% IS 1", "% IS NOT 1", "% + 1 > 1",
                   "% == 0", "% = TRUE", "% IN (1)", "% < 2", "% OR 0", "% IN (0, 1, NULL)"});
      case Kind::kReal:
        return Of({"% > 0", "% >= 0.5", "% * 2 < 10", "% + 1.5 <> 2", "abs(%) < 50",
                   "% BETWEEN -1 AND 2", "% / 2 > 0.2", "1 / % > 0.5", "% <> 3", "-% < 2",
                   "typeof(%) = 'real'", "% IN (0.5, 0.1, 100)", "% * % <= 10 OR % > 50", "%"});
      case Kind::kDecimal:
        return Of({"% > 0", "% <= 10.25", "% IN (1, 2.5, 0)", "% <> 2.5", "% BETWEEN -5 AND 3",
                   "typeof(%) IN ('integer', 'real')", "%", "% IS NOT 3"});
      case Kind::kStamp:
        return Of({"% > '2024-02-01 00:00:00'", "% <> '2024-01-01 00:00:00'", "% IS NOT NULL",
                   "% IN ('2024-01-01 00:00:00', '2023-12-31 23:59:59')", "length(%) = 19"});
      case Kind::kDate:
        return Of({"% >= '2000-01-01'", "% <> '2024-06-01'",
                   "% BETWEEN '1990-01-01' AND '2024-03-01'", "% IS date(%)"});
      case Kind::kBlob:
        return Of({"length(%) = 1", "% <> x'00'", "hex(%) = '61' OR length(%) <> 1",
                   "typeof(%) = 'blob'", "% IN (x'61', x'')"});
      default:
        return "% >= 0";
    }
  }

  static std::string Fill(std::string text, const std::string& name) {
    std::string out;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\'') quoted = !quoted;
      // The remainder operator stands between blanks and before a digit.
      const bool remainder = text[i] == '%' && i > 1 && i + 2 < text.size() && text[i - 1] == ' ' &&
                             text[i - 2] == '%' && text[i + 1] == ' ';
      out += text[i] == '%' && !quoted && !remainder ? name : std::string(1, text[i]);
    }
    return out;
  }

  std::string Check(const std::vector<std::string>& names, const std::vector<Kind>& kinds) {
    const auto at = static_cast<std::size_t>(1 + Below(static_cast<int>(names.size()) - 1));
    std::string check = Fill(Condition(kinds[at]), names[at]);
    for (std::size_t i = 1; i < names.size() && Chance(40); ++i) {
      if (i == at || kinds[i] != kinds[at]) continue;
      const std::string pair = Of({"<=", "<>", "=", "IS", "IS NOT", ">"});
      check = Chance(50) ? names[at] + " " + pair + " " + names[i]
                         : "(" + names[at] + " IS NULL) + (" + names[i] + " IS NULL) < 2";
      break;
    }
    if (Chance(25)) {
      const auto other = static_cast<std::size_t>(1 + Below(static_cast<int>(names.size()) - 1));
      const std::string more = Fill(Condition(kinds[other]), names[other]);
      check = "(" + check + ")" + Of({" OR ", " OR ", " AND "}) + "(" + more + ")";
    }
    if (Chance(10)) check = "NOT (" + check + ")";
    return check;
  }

  std::string Default(Kind kind) {
    switch (kind) {
      case Kind::kInt:
        return Of({"0", "-1", "'7'", "(1 + 2 * 3)", "+5", "(strftime('%s', 'now'))", "(0x10)",
                   "(CAST('12' AS INTEGER))", "NULL", "(abs(-4))", "(60 * 60)"});
      case Kind::kText:
        return Of({"''", "'it''s'", "\"word\"", "word", "CURRENT_TIMESTAMP", "(lower('ABC'))",
                   "(lower(hex(randomblob(4))))", "(datetime('now'))", "('a' || 'b')", "5", "1.5",
                   "(date('now', '+7 days'))", "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
                   "'null'"});
      case Kind::kBool:
        return Of({"0", "1", "TRUE", "FALSE", "(1)", "'1'"});
      case Kind::kReal:
        return Of({"0", "1.5", "-2", "(1.0 / 4)", "1e3", "'2.5'"});
      case Kind::kStamp:
        return Of({"CURRENT_TIMESTAMP", "(datetime('now'))", "'2024-01-01 00:00:00'", "NULL",
                   "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"});
      case Kind::kDate:
        return Of({"CURRENT_DATE", "(date('now'))", "'2024-01-01'"});
      case Kind::kDecimal:
        return Of({"0", "1.25", "'2.50'", "-1"});
      case Kind::kBlob:
        return Of({"x'00ff'", "(randomblob(16))", "x''"});
      default:
        return "0";
    }
  }

  void Table(const std::string& name, bool child) {
    std::vector<std::string> names = {"id"};
    std::vector<Kind> kinds = {Kind::kKey};
    std::vector<std::string> lines = {Chance(30) ? "id INTEGER PRIMARY KEY AUTOINCREMENT"
                                                 : "id INTEGER PRIMARY KEY"};
    const int count = 2 + Below(5);
    for (int i = 0; i < count; ++i) {
      const auto kind = static_cast<Kind>(1 + Below(8));
      const std::string column = i == 1 && Chance(30) ? "\"Order\"" : "c" + std::to_string(i);
      std::string line = column + " " + Type(kind);
      if (kind == Kind::kText && Chance(35)) line += Of({" COLLATE NOCASE", " COLLATE RTRIM"});
      if (Chance(20)) line += " NOT NULL";
      if (Chance(45)) line += " DEFAULT " + Default(kind);
      if (Chance(12)) line += " UNIQUE";
      names.push_back(column);
      kinds.push_back(kind);
      lines.push_back(line);
    }
    if (child) {
      names.push_back("parent_id");
      kinds.push_back(Kind::kParent);
      lines.push_back("parent_id INT REFERENCES parent" +
                      Of({"", " (id)", " ON DELETE CASCADE", " DEFERRABLE INITIALLY DEFERRED"}));
    }
    names_.push_back(names);
    kinds_.push_back(kinds);
    for (int i = Below(3); i > 0; --i) lines.push_back("CHECK (" + Check(names, kinds) + ")");
    if (Chance(25)) lines.push_back("CONSTRAINT named CHECK (" + Check(names, kinds) + ")");
    if (Chance(20)) lines.push_back("UNIQUE (" + names[1] + ", " + names[2] + ")");
    if (Chance(30)) {
      lines.insert(
          lines.begin() + 2,
          Fill("g " + Of({"TEXT", "", "INT"}) + " AS (" +
                   Of({"% || 'x'", "coalesce(%, 0)", "%", "length(%)", "% + 1", "upper(%)"}) + ")" +
                   Of({" STORED", " VIRTUAL", ""}),
               names[1]));
    }
    sql_ += "CREATE TABLE " + name + " (\n  ";
    for (std::size_t i = 0; i < lines.size(); ++i) sql_ += (i > 0 ? ",\n  " : "") + lines[i];
    sql_ += "\n);\n";
    for (int i = Below(3); i > 0; --i) Index(name, i, names, kinds);
    tables_.push_back(name);
  }

  void Index(const std::string& table, int number, const std::vector<std::string>& names,
             const std::vector<Kind>& kinds) {
    const auto at = static_cast<std::size_t>(1 + Below(static_cast<int>(names.size()) - 1));
    std::string term = names[at];
    if (kinds[at] == Kind::kText && Chance(50)) {
      term = Of({"lower(", "upper(", "trim("}) + term + ")";
    }
    if (Chance(15)) term += Of({" COLLATE NOCASE", " DESC", " COLLATE RTRIM"});
    sql_ += std::string("CREATE ") + (Chance(40) ? "UNIQUE " : "") + "INDEX " + table + "_i" +
            std::to_string(number) + " ON " + table + " (" + term +
            (Chance(30) ? ", " + names[1] : "") + ")";
    if (Chance(30)) sql_ += " WHERE " + Fill(Condition(kinds[at]), names[at]);
    sql_ += ";\n";
  }

  std::mt19937 engine_;
  std::string sql_;
  std::vector<std::string> tables_;
  std::vector<std::vector<std::string>> names_;
  std::vector<std::vector<Kind>> kinds_;
};

}  // namespace liteferry::testing
