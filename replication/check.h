#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/base/error.h"
#include "replication/base/signal_event.h"
#include "replication/scan_run.h"
#include "replication/suggest.h"

namespace liteferry {

enum class Severity : std::uint8_t { kNote, kWarning, kError };

// One thing that the preflight found, in the grammar of errors: message lower-case, hint a
// sentence.
struct Finding {
  Severity severity = Severity::kNote;
  std::string object;  // table, column, file, "" for the whole
  std::string message;
  std::string hint;
  ExitCode exit_code = ExitCode::kDataError;  // of an error
};

struct PairedColumn {
  std::string source;
  std::string source_type;  // as declared
  std::string target;       // "" when there is none
  std::string target_type;
  bool key = false;
};

struct PairedTable {
  std::string source;
  std::string target;     // "" when there is none
  std::int64_t rows = 0;  // estimated
  std::string key;        // "primary key (id)", "rowid (hidden column _liteferry_rowid)"
  std::vector<PairedColumn> columns;
  std::vector<std::string> target_only;  // columns filled by default or left NULL
};

// A configuration that would let more of the data arrive: the one in force, and what names and scan
// suggest beyond it.
struct SuggestedConfig {
  config::Settings settings;
  // Why, by path: "tables.T", "tables.T.columns.C" for a name, "tables.T.columns.C.epoch".
  std::map<std::string, std::string> evidence;
  // What is not in `settings`, because it has a price or is no setting, by "tables.T.columns.C".
  std::map<std::string, std::vector<Suggestion>> offers;
  std::vector<std::string> unpaired;  // tables without any counterpart
};

struct CheckOptions {
  bool scan = false;
  bool suggest = false;  // includes the scan; the whole report then is that of the suggestion
  ScanOptions scan_options = {};
};

struct CheckReport {
  std::string source_path;
  std::string journal_mode;
  std::string sqlite_version;
  std::string target;  // host:port/database as role
  std::string server_version;
  bool pooled = false;
  std::vector<PairedTable> tables;
  std::vector<std::string> skipped;  // "email: virtual table"
  std::vector<std::string>
      held;  // what would stand aside: "foreign key notes_project_id_fkey on notes"
  std::vector<Finding> findings;

  bool scanned = false;
  std::vector<TableScan> scans;  // also of tables without counterpart
  std::chrono::milliseconds scan_time{0};
  std::optional<SuggestedConfig> suggested;  // with CheckOptions::suggest

  const TableScan* ScanOf(const std::string& source_table) const;
  bool ok() const;
  // Of the first error; kOk without one.
  ExitCode exit_code() const;
};

// The read-only preflight: writes to neither side. Faults of either side become findings; only bugs
// throw. When `stop` was set the report is incomplete.
CheckReport RunCheck(const config::Settings& settings, const CheckOptions& options,
                     const SignalEvent& stop);

// What the names and the scans suggest, put together. Pure.
SuggestedConfig SuggestConfig(const NameSuggestions& names, const std::vector<TableScan>& scans);

}  // namespace liteferry
