#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "replication/source/catalog.h"

namespace liteferry::source {

// The search for the rows that a new row would remove through one unique index (REPLACE), as SQL
// for the body of a BEFORE trigger.
struct UniqueLookup {
  // True for the rows of the table whose entry in the index equals that of NEW.
  std::string condition;
  // For BEFORE UPDATE: false when the entry of the row stays the same, so that the update removes
  // nothing through this index. Empty when no update can change the entry.
  std::string changed;
  // The columns without which an UPDATE cannot change it; without a value when it can be changed
  // without naming one (SET rowid = …).
  std::optional<std::set<int>> columns;
};

// At least one for each unique index of `table` (the primary key's too, unless it is the rowid), in
// their order, and one for the rowid where it is not the key. The conditions name only the columns
// the index itself uses, so that the application can drop any other. Pure.
std::vector<UniqueLookup> BuildUniqueLookups(const SourceTable& table);

// Whether an update changed a column in a way that another database, or another collation, would
// see: 'A' and 'a' differ under NOCASE, and 1 and 1.0 always. `before` and `after` are SQL for the
// two values of column `column`.
std::string ExactlyDiffers(const SourceTable& table, int column, const std::string& before,
                           const std::string& after);

// The parts joined by AND or OR as a tree that is as low as can be: an application may limit the
// depth of expressions (SQLITE_LIMIT_EXPR_DEPTH; SQLite's advice for hostile SQL is 10), and then
// could not even read its schema.
std::string JoinConditions(const std::vector<std::string>& parts, std::string_view separator);

// Why an index of `table` cannot be looked up in a trigger, or "".
std::string LookupObstacle(const SourceTable& table);

}  // namespace liteferry::source
