#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/source/catalog.h"
#include "replication/target/catalog.h"
#include "replication/target/row_encoder.h"

namespace liteferry {

// The column that carries the rowid of a table without a key, on the target, until cutover or
// cleanup.
inline constexpr const char* kHiddenRowidColumn = "_liteferry_rowid";

struct ColumnPair {
  int source = -1;  // into TableMapping::source.columns; -1 is the rowid
  target::TargetColumn target;
  target::ConvertOptions options;
};

// How one source table becomes one target table.
struct TableMapping {
  source::SourceTable source;
  target::TargetTable target;
  std::vector<ColumnPair> columns;       // in the order of COPY; the hidden rowid last
  std::vector<std::size_t> key;          // into columns, in the order of the key on the source
  std::string key_index;                 // the index on the target that finds a row by its key
  bool hidden_rowid = false;             // the target needs the hidden column
  std::vector<std::string> target_only;  // target columns that the source lacks and need not have

  // Digest of what a row's image depends on: another one means that the table must be copied again.
  std::string Signature() const;
  // Source column numbers in the order of `columns`, without the rowid.
  std::vector<int> SourceColumns() const;
  target::RowEncoder Encoder() const;
  std::vector<target::EncodedColumn> KeyColumns() const;
  // The key of a row that is read in the order of `columns`, as the changelog has it.
  PackedKey KeyOf(Row row) const;
  // "schema"."table" of the target.
  std::string QualifiedTarget() const;
  // Whether the copy goes by rowids that VACUUM may renumber.
  bool ScanIsVolatile() const { return source.integer_primary_key < 0 && !source.without_rowid; }
};

// Something about one table that forbids to replicate it, or that is worth knowing.
struct MappingProblem {
  std::string table;
  std::string message;
  std::string hint;
};

struct Mapping {
  std::vector<TableMapping> tables;
  std::vector<MappingProblem> problems;
  std::vector<std::string> notes;
};

struct TargetPlace {
  std::string schema;
  std::string table;
};

// Where the rows of `source_table` go: as configured under tables.<name>.target, where "other.name"
// is a table of another schema unless target.schema has one of that very name, else to its own name
// in target.schema, cut to 63 bytes as PostgreSQL does. Whether that table exists is another
// question. Pure.
TargetPlace TargetPlaceOf(const std::string& source_table, const target::TargetCatalog& target,
                          const config::Settings& settings);

// Pairs every source table that the settings do not exclude with its target table, column by
// column: as configured, else by exact name, else by case-insensitive name where that is
// unambiguous. All problems are listed, not the first only. `target` is from ReadTargetTables
// (target_tables.h). Pure.
Mapping BuildMapping(const source::SourceCatalog& source, const target::TargetCatalog& target,
                     const config::Settings& settings);

// Whether include and exclude patterns (shell globs) of `settings` let `table` in. Pure.
bool IsSelected(const std::string& table, const config::Settings& settings);

}  // namespace liteferry
