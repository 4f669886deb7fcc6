#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "replication/schema.h"
#include "replication/schema_expression.h"
#include "replication/source/ddl.h"

// What the parts of the translation of a schema share. Not for anybody else.
namespace liteferry::internal {

// A unique key that the table will have on PostgreSQL on plain columns, for foreign keys to find.
struct PlainKey {
  std::set<std::string> columns;  // of the source, in lower case
};

// One table on its way.
struct TableDraft {
  const source::SourceTable* source = nullptr;
  source::TableDefinition definition;
  bool parsed = false;  // `definition` is there
  config::TableSettings settings;
  const TableEvidence* evidence = nullptr;
  std::string target;  // its name there, not quoted
  std::string sql;     // the same as SQL, with a schema where it is not target.schema
  std::vector<std::string> names;
  std::vector<TypeChoice> types;
  std::vector<ExpressionColumn> columns;  // made of the two
  std::vector<PlainKey> keys;

  const source::ColumnDefinition* Definition(std::size_t column) const {
    return parsed && column < definition.columns.size() ? &definition.columns[column] : nullptr;
  }
  int FindColumn(const std::string& name) const;
};

// What all tables share.
struct SchemaDraft {
  const SchemaInput& input;
  SchemaPlan plan;
  std::vector<TableDraft> tables;
  NameSpace relations;

  void Note(std::string object, std::string message, std::string source = "");
  TableDraft* FindTable(const std::string& name);
};

// "-- …" lines, each of at most 110 characters, indented.
std::string Comment(const std::string& text, const std::string& indent = "");
// A column list in parentheses.
std::string ColumnList(const TableDraft& table, const std::vector<int>& columns);

// schema_table.cc: the CREATE TABLE statements; fills in `keys`.
void BuildTable(SchemaDraft& draft, TableDraft& table);
// schema_indexes.cc
void BuildIndexes(SchemaDraft& draft, TableDraft& table);
// Unique constraints under another collation than BINARY and the like, which an index must keep.
bool NeedsIndex(const TableDraft& table, const source::SourceIndex& index);
// schema_foreign_keys.cc: brings the types of both ends together, before any table is built.
void MatchForeignKeyTypes(SchemaDraft& draft);
void BuildForeignKeys(SchemaDraft& draft, TableDraft& table);

}  // namespace liteferry::internal
