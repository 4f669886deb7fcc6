#pragma once

#include <string>
#include <vector>

#include "replication/mapping.h"
#include "replication/verify/run.h"

namespace liteferry::verify {

// What a comparison sees beside the rows: what stands aside, sequences that are
// behind, rows that refer to none, tables and columns that one side has alone.
// Reads only; over the caller's connection, outside a transaction.
std::vector<Finding> LookAround(target::PgConnection& connection, const std::string& state_schema,
                                const Mapping& mapping, const target::TargetCatalog& catalog);

}  // namespace liteferry::verify
