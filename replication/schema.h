#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/schema_names.h"
#include "replication/schema_types.h"
#include "replication/source/catalog.h"
#include "replication/source/schema_objects.h"

namespace liteferry {

// What a scan found in one table.
struct TableEvidence {
  std::int64_t rows = 0;
  std::vector<ColumnEvidence> columns;  // as the table's
};

// All that the translation of a schema goes by.
struct SchemaInput {
  source::SourceCatalog catalog;
  std::vector<source::SchemaObject> objects;
  config::Settings settings;
  NameStyle names = NameStyle::kKeep;
  std::map<std::string, TableEvidence> evidence;  // by table; empty: by declarations alone
  std::vector<std::string> taken;                 // names of relations that exist on the target
};

enum class StatementKind : std::uint8_t { kTable, kIndex, kForeignKey };

struct SchemaStatement {
  StatementKind kind = StatementKind::kTable;
  std::string object;  // what it makes, for people: "table notes"
  std::string table;   // the source table
  std::string sql;     // one statement without its semicolon; may hold comments
};

// Something of the source that has no counterpart or another one, or a value that does not fit.
struct SchemaNote {
  std::string object;   // "notes.created_at", "index ix_tags_name"
  std::string message;  // lower-case sentence part
  std::string source;   // the text in SQLite, "" where there is none
};

struct SchemaColumn {
  std::string source;
  std::string declared;
  std::string target;
  std::string type;
  std::string reason;  // why another type than declared, or ""
};

struct SchemaTable {
  std::string source;
  std::string target;
  std::int64_t rows = -1;  // read; -1 when none were
  std::vector<SchemaColumn> columns;
};

// The schema for PostgreSQL: statements in an order in which they load, names not qualified.
struct SchemaPlan {
  std::vector<SchemaTable> tables;
  std::vector<SchemaStatement> statements;
  std::vector<SchemaNote> notes;
  std::vector<std::string> remarks;  // comments for the end: views, triggers, what is not carried
};

// Every table that the settings select. What has no counterpart is in `notes`, and as a comment
// where it would stand. Pure.
SchemaPlan TranslateSchema(const SchemaInput& input);

// The plan as a script: `title` becomes its first comment lines. With `transaction` between BEGIN
// and COMMIT.
std::string SchemaScript(const SchemaPlan& plan, const std::vector<std::string>& title,
                         const std::string& schema, bool transaction);

}  // namespace liteferry
