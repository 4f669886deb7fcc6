#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "replication/base/signal_event.h"
#include "replication/schema.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry {

// How far a scan is, told after each slice.
struct SchemaScanProgress {
  std::string table;
  std::int64_t tables_done = 0;
  std::int64_t tables = 0;
  std::int64_t rows = 0;  // read so far, of all tables
};
using SchemaScanSink = std::function<void(const SchemaScanProgress&)>;

// Catalog and objects of `database`, in one snapshot.
SchemaInput ReadSchemaInput(source::Database& database, const config::Settings& settings);

// Reads every row of the tables that the settings select and puts what was found into
// `input.evidence`; in slices of some milliseconds, so that no snapshot grows old (P3). A row that
// is written meanwhile may be missed. Throws Error: (retry, exit 75) when `stop` is set or the
// schema changes, and whatever SQLite says.
void ScanForSchema(source::Database& database, const SignalEvent& stop, const SchemaScanSink& sink,
                   SchemaInput& input);

}  // namespace liteferry
