#pragma once

#include <string>
#include <vector>

#include "replication/schema.h"
#include "replication/session.h"

namespace liteferry {

// Tables that target.create_tables makes, and how.
struct TableCreation {
  std::vector<std::string> tables;  // of the source
  std::string made_from;            // digest of what the plan was made from
  SchemaPlan plan;                  // only of these tables
};

// The selected source tables that `run` has to create: with `auto` all of them when the target has
// none of them, with `always` those that it lacks, with `never` none. Pure.
std::vector<std::string> TablesToCreate(const source::SourceCatalog& source,
                                        const target::TargetCatalog& target,
                                        const config::Settings& settings);

// Functions of the engine thread over the session's connections.

// The tables of the target, with those that are to be created as if they were there: they are
// created in a transaction that is rolled back, which also proves that they can be. When the stream
// exists already they stay. Reads all rows of the source's tables the first time, for their types.
target::TargetCatalog ReadOrPlanTables(EngineContext& context, Session& session,
                                       const source::SourceCatalog& source);
// Creates what ReadOrPlanTables planned, in the caller's transaction, and brings the session's
// mapping up to date; nothing when there was nothing to plan.
void CreatePlannedTables(EngineContext& context, Session& session);

}  // namespace liteferry
