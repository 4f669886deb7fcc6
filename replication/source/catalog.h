#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry::source {

class Database;

struct SourceColumn {
  std::string name;
  std::string declared_type;  // as written, may be empty
  bool not_null = false;
  std::optional<std::string> default_sql;
  bool generated = false;       // VIRTUAL or STORED
  bool hidden = false;          // of a virtual table
  std::string generated_sql{};  // the expression of a generated column
  std::string collation{};      // the column's own: BINARY, NOCASE, RTRIM or the application's
};

// One term of an index: a column or an expression.
struct IndexTerm {
  int column = -1;         // index into SourceTable::columns; -1 rowid, -2 expression
  std::string expression;  // text, for -2
  std::string collation;   // BINARY, NOCASE, RTRIM or the application's own
  bool descending = false;
};

struct SourceIndex {
  std::string name;
  bool unique = false;
  bool primary_key = false;  // origin pk
  bool partial = false;
  std::string where;             // text of the WHERE clause of a partial index
  std::vector<IndexTerm> terms;  // key terms only
};

// What identifies a row in the changelog and on the target.
enum class KeyKind : std::uint8_t {
  kPrimaryKey,  // the columns of PRIMARY KEY
  kUnique,      // no primary key; the columns of a unique index, all NOT NULL, with a built-in
                // collation: the index with the fewest, then the first by name
  kRowid,       // neither: the rowid, stored on the target in a hidden column
};

struct SourceTable {
  std::string name;
  std::string sql;  // CREATE TABLE as in sqlite_schema
  std::vector<SourceColumn> columns;
  std::vector<SourceIndex> indexes;  // by name
  bool without_rowid = false;
  bool strict = false;
  bool autoincrement = false;
  // Index into columns of the INTEGER PRIMARY KEY (the rowid by another name), or -1.
  int integer_primary_key = -1;
  KeyKind key_kind = KeyKind::kRowid;
  std::vector<int> key_columns;  // into columns, in key order; empty for kRowid
  // An alias of the rowid that no column hides: rowid, _rowid_ or oid; empty when there is none or
  // the table is WITHOUT ROWID.
  std::string rowid_alias;
};

struct SkippedTable {
  std::string name;
  std::string reason;  // "virtual table", "shadow table of email", …
};

struct SourceCatalog {
  std::vector<SourceTable> tables;  // ordinary tables, by name
  std::vector<SkippedTable> skipped;
  std::int64_t schema_version = 0;
};

// Whether every SQLite has this collation: BINARY, NOCASE or RTRIM.
bool IsBuiltInCollation(std::string_view collation);

// The index whose terms are the key columns in their order, which finds a row by its key; null for
// an INTEGER PRIMARY KEY and for kRowid.
const SourceIndex* KeyIndex(const SourceTable& table);

// Reads the schema in the transaction that is open on `database`, or in one of its own. Leaves out
// sqlite_*, _liteferry_* and _litestream_* without a word; virtual and shadow tables are `skipped`.
SourceCatalog ReadCatalog(Database& database);

// What SQLite says about the database itself.
struct SourceInfo {
  std::string journal_mode;  // lower-case
  std::string encoding;
  std::int64_t page_size = 0;
  std::int64_t page_count = 0;
  std::string sqlite_version;
};
SourceInfo ReadInfo(Database& database);

}  // namespace liteferry::source
