#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry::metrics {

// What liteferry_build_info says. Empty parts are shown as "unknown".
struct BuildInfo {
  std::string version;
  std::string revision;
  std::string sqlite;
  std::string libpq;
};

struct TableGauges {
  std::string name;
  std::int64_t rows_expected = 0;
  std::int64_t changes_applied = 0;
};

// The values that are read at the scrape, as plain numbers. Timestamps and durations in seconds.
struct Gauges {
  std::string state = "starting";
  bool consistent = false;
  bool source_up = false;
  bool target_up = false;
  std::string server_version;  // "" until connected
  std::string durability = "local";
  bool pooled = false;

  double lag_seconds = 0;
  double heartbeat = 0;  // up to when everything is applied; 0 while unknown
  std::int64_t lag_changes = 0;
  std::int64_t lag_bytes = 0;
  std::int64_t captured = 0;
  std::int64_t applied = 0;
  std::int64_t confirmed = 0;
  std::int64_t oldest_retained = 0;

  std::int64_t changelog_bytes = 0;
  std::int64_t changelog_limit_bytes = 0;
  std::uint64_t source_bytes = 0;
  std::uint64_t source_wal_bytes = 0;
  std::uint64_t filesystem_free_bytes = 0;
  std::uint64_t filesystem_bytes = 0;

  std::vector<TableGauges> tables;
  int tables_pending = 0;
  int tables_copying = 0;
  int tables_copied = 0;
  int tables_failed = 0;
  int tables_not_captured = 0;
  std::int64_t rejected_rows = 0;
  int held_objects = 0;
  bool schema_drift = false;
  bool cutover_ready = false;
  double cutover_write_pause_seconds = 0;

  double verify_last_success = 0;  // 0 before the first
  double verify_duration_seconds = 0;
  std::int64_t verify_rows_different = 0;
};

// The measurements of one process, told in verbs and exposed as Prometheus reads them. Holds every
// metric of the catalogue; not a way to read a value back.
// Thread-safety: every method from any thread. Lifetime: must outlive the engines that report to
// it.
class EngineProbe {
 public:
  explicit EngineProbe(const BuildInfo& build = {});
  ~EngineProbe();
  EngineProbe(const EngineProbe&) = delete;
  EngineProbe& operator=(const EngineProbe&) = delete;

  // Rows changed on the target by a transaction that is committed.
  void ChangesApplied(std::int64_t inserted_or_updated, std::int64_t deleted);
  // A transaction of `changes` log entries is committed; COMMIT, or all of it where it was one
  // message, took `commit_seconds`.
  void TransactionApplied(std::int64_t changes, double commit_seconds);
  void RowsCopied(std::string_view table, std::int64_t rows);
  // The write lock of the source was held that long, and is free again.
  void SourceLockHeld(double seconds);
  // The newest change just committed on the target was committed on the source `seconds` ago.
  void EndToEndLatency(double seconds);
  // `reason` is failover, network, auth or other; anything else counts as other.
  void TargetReconnected(std::string_view reason);
  // The target had forgotten this many applied changes.
  void Rewound(std::int64_t changes);
  // `component` is one of the label's values in the catalogue; anything else counts as control.
  void ErrorSeen(std::string_view component, bool transient);
  void TrimmedEntries(std::int64_t entries);
  // A comparison found that many rows of the table to differ.
  void RowsDiffer(std::string_view table, std::int64_t rows);

  // Call before each Expose().
  void SetGauges(const Gauges& gauges);
  // Everything in the text format 0.0.4, in the order of the catalogue.
  std::string Expose();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liteferry::metrics
