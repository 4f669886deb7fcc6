#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "config/settings.h"
#include "replication/base/signal_event.h"
#include "replication/scan.h"

namespace liteferry {

struct ScanProgress {
  int tables = 0;
  int tables_done = 0;
  std::int64_t rows = 0;
  std::int64_t rows_expected = 0;  // estimated
};

// Called a few times a second on the caller's thread.
using ScanProgressSink = std::function<void(const ScanProgress&)>;

struct ScanOptions {
  bool show_values = false;
  ScanProgressSink progress = {};  // may be empty
};

// What is to be scanned: `mapping` is null where the table has no counterpart. Both outlive the
// scan.
struct ScanTarget {
  const source::SourceTable* table = nullptr;
  const TableMapping* mapping = nullptr;
  config::TableSettings settings = {};
};

// False for the only kind of table that nothing can read in parts: no key, and columns that hide
// the rowid.
bool CanBeScanned(const source::SourceTable& table);

// Reads every row of `tables` in snapshots of at most 100 ms (3 ms in rollback-journal mode, where
// a reader makes a writer's commit wait), on copy.jobs threads with a connection each. Rows that
// are written meanwhile may be seen or not. Returns one result per table, in order. Throws Error of
// the source: also (retry, exit 75) when `stop` was set (within a second), and when the schema is
// not that of `schema_version` any more.
std::vector<TableScan> RunScan(const config::Settings& settings,
                               const std::vector<ScanTarget>& tables, std::int64_t schema_version,
                               const ScanOptions& options, const SignalEvent& stop);

}  // namespace liteferry
