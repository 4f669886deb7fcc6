#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replication/source/capture.h"
#include "replication/source/catalog.h"
#include "replication/source/sqlite_handle.h"
#include "tests/harness/sqlite_fixture.h"

namespace liteferry::source {

// An application's database with capture on it, and the oracle: the keys that differ between full
// snapshots before and after a statement must stand in the log.
class CaptureBench {
 public:
  explicit CaptureBench(const std::string& schema, const std::string& rows = "");

  // Rows by key, both in quote() form.
  using TableState = std::map<std::string, std::string>;

  testing::AppDatabase& app() { return app_; }
  Database& ours() { return ours_; }
  Capture& capture() { return capture_; }
  const std::vector<SourceTable>& tables() const { return tables_; }
  const CaptureState& state() const { return state_; }

  // Reads the catalog anew and installs capture for every table that can be captured.
  void Install();
  // The tables that Install would have to repair, by a catalog read now.
  std::vector<std::string> Broken();
  // Drops our BEFORE triggers: what is left is what one would write first.
  void KeepOnlyAfterTriggers();

  // Runs `sql` as the application and returns what changed without standing in the log, as
  // "table: key". `error` gets SQLite's message.
  std::vector<std::string> Missed(const std::string& sql, std::string* error = nullptr);
  // What `sql` logged, in order, as "number|k1|k2…" with the key in quote() form.
  std::vector<std::string> Logged(const std::string& sql);
  // The same since the last call.
  std::vector<std::string> NewEntries();

 private:
  // Of every table, as the application sees it now; read anew only when something changed.
  std::vector<TableState> States();

  testing::TempDir dir_;
  testing::AppDatabase app_;
  Database ours_;
  Capture capture_;
  std::vector<SourceTable> tables_;
  CaptureState state_;
  std::int64_t seen_ = 0;
  std::vector<TableState> states_;
  std::int64_t states_version_ = -1;
  std::string states_schema_;
};

}  // namespace liteferry::source
