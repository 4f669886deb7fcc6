#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/base/error.h"
#include "replication/base/signal_event.h"

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

  bool ok() const;
  // Of the first error; kOk without one.
  ExitCode exit_code() const;
};

// The read-only preflight: writes to neither side. Faults of either side become findings; only bugs
// throw.
CheckReport RunCheck(const config::Settings& settings, const SignalEvent& stop);

}  // namespace liteferry
