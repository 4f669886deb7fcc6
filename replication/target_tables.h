#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/target/catalog.h"
#include "replication/target/pg_connection.h"

namespace liteferry {

// The tables of target.schema and of every other schema that a tables.<name>.target names. Throws
// Error (stop) when target.schema does not exist; another schema that does not simply has no
// tables.
target::TargetCatalog ReadTargetTables(target::PgConnection& connection,
                                       const config::Settings& settings);

// target::MissingPrivileges for target.schema, and whether the role may create indexes in the other
// schemas (there BuildMapping judges the ownership, table by table).
std::vector<std::string> MissingTargetPrivileges(target::PgConnection& connection,
                                                 const config::Settings& settings);

}  // namespace liteferry
