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
  // Drops our BEFORE triggers, now and after each Install: what is left is what one would write
  // first.
  void KeepOnlyAfterTriggers();

  // Runs `sql` as the application and returns what changed without standing in the log, as
  // "table: key". `error` gets SQLite's message.
  std::vector<std::string> Missed(const std::string& sql, std::string* error = nullptr);
  struct Failure {
    std::string statement;
    std::string message;
  };
  // The same for several statements, which may fail and may change the schema. Then it does what
  // the daemon does: tables whose triggers were lost, whose definition is another one now, and
  // those keyed by a rowid that VACUUM may renumber, count as compared anew; capture is installed
  // again.
  std::vector<std::string> MissedByAll(const std::vector<std::string>& statements,
                                       std::vector<Failure>* failures);
  // What `sql` logged, in order, as "number|k1|k2…" with the key in quote() form.
  std::vector<std::string> Logged(const std::string& sql);
  // The same since the last call.
  std::vector<std::string> NewEntries();

 private:
  // The differing keys of tables_[i] that stand in no entry.
  std::vector<std::string> Unlogged(std::size_t i, const TableState& before,
                                    const TableState& after,
                                    const std::vector<std::string>& entries) const;
  // Of every table, as the application sees it now; read anew only when something changed.
  std::vector<TableState> States();

  testing::TempDir dir_;
  testing::AppDatabase app_;
  Database ours_;
  Capture capture_;
  std::vector<SourceTable> tables_;
  CaptureState state_;
  bool only_after_ = false;
  std::int64_t seen_ = 0;
  std::vector<TableState> states_;
  std::int64_t states_version_ = -1;
  std::string states_schema_;
};

}  // namespace liteferry::source
