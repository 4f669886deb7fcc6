#pragma once

#include "replication/base/signal_event.h"
#include "replication/scan_run.h"
#include "replication/schema.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry {

// Catalog and objects of `database`, in one snapshot.
SchemaInput ReadSchemaInput(source::Database& database, const config::Settings& settings);

// Reads every row of the tables that the settings select, as RunScan does, and puts what was found
// into `input.evidence`; nothing for a table that cannot be read in parts. Throws as RunScan, also
// when the schema is not `input`'s any more.
void ScanForSchema(const ScanProgressSink& progress, const SignalEvent& stop, SchemaInput& input);

}  // namespace liteferry
