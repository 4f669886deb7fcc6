#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry::source {

enum class ExprKind : std::uint8_t {
  kNull,
  kInteger,  // text: its digits, decimal or 0x…
  kReal,
  kString,   // text: the contents
  kBlob,     // text: the bytes
  kCurrent,  // text: DATE, TIME or TIMESTAMP
  kBoolean,  // TRUE and FALSE; text: the word as written, which may also name a column
  kName,     // text: the column; quoted: in double quotes, so a string where no column has the name
  kUnary,    // text: - + ~ NOT
  kBinary,   // text: the operator, == as =, != as <>, IS NOT as ISNOT
  kIsNull,   // negated: NOT NULL
  kBetween,  // three parts
  kIn,       // the first part is looked for among the others
  kLike,     // text: LIKE, GLOB, REGEXP or MATCH; a third part is the escape character
  kCase,     // text: "base" when the first part is the base; then WHEN, THEN, …, and perhaps ELSE
  kCast,     // text: the type
  kCollate,  // text: the collation
  kFunction,  // text: the name in lower case; star: f(*)
  kOther,     // subqueries, RAISE, windows, parameters: only the text is known
};

// An expression of SQLite as a tree. Plain data.
struct Expr {
  ExprKind kind = ExprKind::kOther;
  std::string text;
  std::vector<Expr> parts;
  bool negated = false;
  bool quoted = false;
  bool star = false;
  std::string source;  // as written
};

struct ForeignKeyDefinition {
  std::string name;  // "" for none, here and below
  std::vector<std::string> columns;
  std::string parent;
  std::vector<std::string> parent_columns;  // empty: the parent's primary key
  std::string on_delete;                    // CASCADE, SET NULL, SET DEFAULT, RESTRICT or ""
  std::string on_update;
  bool deferrable = false;
  bool initially_deferred = false;
};

struct CheckDefinition {
  std::string name;
  Expr expression;
};

struct KeyDefinition {
  std::string name;
  bool primary = false;
  std::vector<std::string> columns;  // empty when a term is no plain column
  std::string conflict;              // REPLACE, IGNORE, … or ""
};

struct ColumnDefinition {
  std::string name;
  std::string type;
  std::string collation;
  std::optional<Expr> default_value;  // a name is a string here
  std::optional<Expr> generated;
  bool stored = false;
  bool not_null = false;
  std::string not_null_conflict;
};

// A CREATE TABLE statement.
struct TableDefinition {
  std::string name;
  std::vector<ColumnDefinition> columns;
  std::vector<KeyDefinition> keys;  // of columns and of the table, in the order of the text
  std::vector<CheckDefinition> checks;
  std::vector<ForeignKeyDefinition> foreign_keys;
  bool autoincrement = false;
  bool without_rowid = false;
  bool strict = false;
};

struct IndexTermDefinition {
  Expr expression;
  std::string collation;  // of its own
  bool descending = false;
};

// A CREATE INDEX statement.
struct IndexDefinition {
  std::string name;
  std::string table;
  bool unique = false;
  std::vector<IndexTermDefinition> terms;
  std::optional<Expr> where;
};

// A CREATE VIEW statement.
struct ViewDefinition {
  std::string name;
  std::vector<std::string> columns;
  std::string select;
};

// A CREATE TRIGGER statement.
struct TriggerDefinition {
  std::string name;
  std::string timing;  // BEFORE, AFTER or INSTEAD OF
  std::string event;   // INSERT, UPDATE or DELETE
  std::vector<std::string> columns;
  std::string table;
  std::string when;
  std::string body;  // the statements between BEGIN and END
};

// Read the statements as sqlite_schema holds them, by the grammar of SQLite's own parse.y. Pure.
// Throw Error (stop, exit 65) naming what was found where, for what is not of that grammar.
TableDefinition ParseTableDefinition(std::string_view sql);
IndexDefinition ParseIndexDefinition(std::string_view sql);
ViewDefinition ParseViewDefinition(std::string_view sql);
TriggerDefinition ParseTriggerDefinition(std::string_view sql);
// ASCII letters only, as SQLite compares names.
std::string UpperAscii(std::string_view text);
// An expression alone, such as PRAGMA table_info gives for a default.
Expr ParseExpression(std::string_view sql);

}  // namespace liteferry::source
