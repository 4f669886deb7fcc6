#pragma once

#include <string>
#include <vector>

#include "replication/source/catalog.h"

namespace liteferry::source {

// The search for the rows that a new row would remove through one unique index (REPLACE), as SQL
// for the body of a BEFORE trigger.
struct UniqueLookup {
  // True exactly for the rows of the table whose entry in the index equals that of NEW.
  std::string condition;
  // WHEN clause for BEFORE UPDATE that is true unless the entry stays the same; empty when that
  // cannot be told from the columns alone.
  std::string changed;
};

// One for each unique index of `table` (the primary key's too, unless it is the rowid), in their
// order. The conditions name only the columns the index itself uses, so that the application can
// drop any other. Pure.
std::vector<UniqueLookup> BuildUniqueLookups(const SourceTable& table);

// Why an index of `table` cannot be looked up in a trigger, or "".
std::string LookupObstacle(const SourceTable& table);

}  // namespace liteferry::source
