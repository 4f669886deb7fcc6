#include "daemon/gauges.h"

#include <algorithm>

#include "replication/base/disk.h"

namespace liteferry::daemon {
namespace {

void CountTables(const EngineStatus& status, metrics::Gauges& gauges) {
  for (const TableStatus& table : status.tables) {
    gauges.tables.push_back({table.name, table.rows_expected, table.changes_applied});
    if (!table.captured) ++gauges.tables_not_captured;
    if (!table.problem.empty()) gauges.schema_drift = true;
    if (table.copy_done) {
      ++gauges.tables_copied;
    } else if (!table.problem.empty()) {
      ++gauges.tables_failed;
    } else if (table.rows_copied == 0) {
      ++gauges.tables_pending;
    } else if (status.state == State::kHalted) {
      ++gauges.tables_failed;
    } else {
      ++gauges.tables_copying;
    }
  }
  // Before the engine is that far a missing trigger is no fault.
  if (status.state == State::kStarting) gauges.tables_not_captured = 0;
}

// While nobody knows the position, what may be missing is at least as old as this process.
double LagAtLeast(const StatusReport& report) {
  if (const auto lag = report.LagSeconds()) return *lag;
  if (report.status.position_known || !report.started_at) {
    return report.status.LagSeconds(report.now);
  }
  const std::chrono::duration<double> up = report.now - *report.started_at;
  return std::max(up.count(), 0.001);
}

// At most that many changes are missing.
std::int64_t EntriesKept(const EngineStatus& status) {
  return status.captured == 0 ? 0 : std::max<std::int64_t>(status.captured - status.oldest_kept, 0);
}

}  // namespace

metrics::Gauges MakeGauges(const StatusReport& report) {
  const EngineStatus& status = report.status;
  metrics::Gauges gauges;
  gauges.state = ToString(status.state);
  gauges.consistent = status.consistent;
  gauges.cutover_ready = report.CutoverBlockers().empty();
  gauges.cutover_write_pause_seconds = status.cutover.write_pause_seconds.value_or(0);
  gauges.source_up = status.source.up;
  gauges.target_up = status.target.up;
  // Without the name of the packager: "15.18 (Debian 15.18-0+deb12u1)".
  const std::string& version = status.target.server_version;
  gauges.server_version = version.substr(0, version.find(' '));
  gauges.durability = report.durability;
  gauges.pooled = status.target.pooled;
  gauges.lag_seconds = LagAtLeast(report);
  if (const auto lag = report.LagSeconds()) {
    const std::chrono::duration<double> now = report.now.time_since_epoch();
    gauges.heartbeat = now.count() - *lag;
  }
  gauges.lag_changes = status.position_known ? status.backlog_changes : EntriesKept(status);
  gauges.lag_bytes = status.position_known ? status.UnappliedBytes() : status.source.log_bytes;
  gauges.captured = status.captured;
  gauges.applied = status.applied;
  gauges.confirmed = status.confirmed;
  gauges.oldest_retained = status.oldest_kept;
  gauges.changelog_bytes = status.source.log_bytes;
  gauges.changelog_limit_bytes = report.log_limit_bytes;
  gauges.source_bytes = status.source.size_bytes;
  gauges.source_wal_bytes = status.source.wal_bytes;
  const DiskSpace disk = DiskSpaceOf(status.source.path);
  gauges.filesystem_free_bytes = disk.free;
  gauges.filesystem_bytes = disk.total;
  CountTables(status, gauges);
  gauges.rejected_rows = status.rejected_rows;
  gauges.held_objects = status.held;
  const auto seconds = [](auto time) { return std::chrono::duration<double>(time).count(); };
  gauges.verify_duration_seconds = seconds(status.verify.duration);
  gauges.verify_rows_different = status.verify.differences;
  if (status.verify.last_success) {
    gauges.verify_last_success = seconds(status.verify.last_success->time_since_epoch());
  }
  return gauges;
}

}  // namespace liteferry::daemon
