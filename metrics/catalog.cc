#include "metrics/catalog.h"

#include <sstream>

namespace liteferry::metrics {
namespace {

// A label that names one table of the source.
LabelSpec Table() { return {"table", {}}; }

std::vector<double> BatchBuckets() {
  return {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10'000, 20'000, 50'000};
}

std::vector<double> CommitBuckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

// Fine at the low end: a hold beyond a few milliseconds is a fault.
std::vector<double> LockBuckets() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1};
}

std::vector<double> LatencyBuckets() {
  return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600};
}

std::vector<MetricSpec> StateMetrics() {
  return {
      {"liteferry_build_info",
       Type::kGauge,
       {{"version", {}}, {"revision", {}}, {"sqlite", {}}, {"libpq", {}}},
       "Always 1; the labels say what was built.",
       {}},
      {"liteferry_target_info",
       Type::kGauge,
       {{"server_version", {}}, {"fk_mode", {}}, {"durability", {}}, {"pooler", {}}},
       "Always 1; the labels say what the target is, unknown before the first connection.",
       {}},
      {"liteferry_state",
       Type::kGauge,
       {{"state",
         {"starting", "copying", "catching_up", "following", "cutting_over", "cut_over", "retrying",
          "paused", "halted"}}},
       "1 for the state it is in, 0 for the others.",
       {}},
      {"liteferry_consistent",
       Type::kGauge,
       {},
       "1 when the target is a state that the source really had.",
       {}},
      {"liteferry_source_up",
       Type::kGauge,
       {},
       "1 when the last access to the source succeeded.",
       {}},
      {"liteferry_target_up",
       Type::kGauge,
       {},
       "1 when the last access to the target succeeded.",
       {}},
  };
}

std::vector<MetricSpec> LagMetrics() {
  return {
      {"liteferry_replication_lag_seconds",
       Type::kGauge,
       {},
       "Age of the oldest change that is not applied, computed at the scrape; 0 when there is "
       "none. Before the position is known: since the daemon runs.",
       {}},
      {"liteferry_replication_lag_changes",
       Type::kGauge,
       {},
       "Changes captured and not applied. Before the position is known: all that is kept.",
       {}},
      {"liteferry_replication_lag_bytes",
       Type::kGauge,
       {},
       "Estimated size in the changelog of the changes not applied.",
       {}},
      {"liteferry_heartbeat_applied_timestamp_seconds",
       Type::kGauge,
       {},
       "Up to when everything committed on the source is applied: now while nothing waits. 0 while "
       "unknown. Nothing is written for it.",
       {}},
      {"liteferry_last_applied_timestamp_seconds",
       Type::kGauge,
       {},
       "When the newest applied change was committed on the source; 0 before the first.",
       {}},
      {"liteferry_last_captured_timestamp_seconds",
       Type::kGauge,
       {},
       "When the newest captured change was first seen, to the precision of the scrape; 0 before "
       "the first.",
       {}},
      {"liteferry_captured_sequence",
       Type::kGauge,
       {},
       "Newest sequence number in the changelog.",
       {}},
      {"liteferry_applied_sequence",
       Type::kGauge,
       {},
       "Sequence number up to which everything is applied.",
       {}},
      {"liteferry_confirmed_sequence",
       Type::kGauge,
       {},
       "Sequence number up to which the target is known to be durable.",
       {}},
      {"liteferry_oldest_retained_sequence",
       Type::kGauge,
       {},
       "Oldest sequence number still in the changelog: how far back the target may go.",
       {}},
  };
}

std::vector<MetricSpec> CapacityMetrics() {
  return {
      {"liteferry_changelog_size_bytes",
       Type::kGauge,
       {},
       "Size of the changelog in the source database.",
       {}},
      {"liteferry_changelog_limit_bytes",
       Type::kGauge,
       {},
       "changelog.max_size, the size at which entries that are applied go early.",
       {}},
      {"liteferry_changelog_trimmed_entries_total",
       Type::kCounter,
       {},
       "Applied entries removed from the changelog.",
       {}},
      {"liteferry_source_filesystem_free_bytes",
       Type::kGauge,
       {},
       "Free space of the filesystem that holds the source.",
       {}},
      {"liteferry_source_filesystem_size_bytes",
       Type::kGauge,
       {},
       "Size of the filesystem that holds the source.",
       {}},
      {"liteferry_source_size_bytes", Type::kGauge, {}, "Size of the source database.", {}},
      {"liteferry_source_wal_size_bytes",
       Type::kGauge,
       {},
       "Size of the write-ahead log of the source.",
       {}},
  };
}

std::vector<MetricSpec> WorkMetrics() {
  return {
      {"liteferry_changes_applied_total",
       Type::kCounter,
       {{"operation", {"upsert", "delete"}}},
       "Rows changed on the target while following. The log holds keys only, so inserts and "
       "updates both count as upsert.",
       {}},
      {"liteferry_table_changes_applied_total",
       Type::kCounter,
       {Table()},
       "Changes applied, by table.",
       {}},
      {"liteferry_table_rows_copied_total",
       Type::kCounter,
       {Table()},
       "Rows of the initial copy committed since the start of the process, by table.",
       {}},
      {"liteferry_table_copy_expected_rows",
       Type::kGauge,
       {Table()},
       "Rows the initial copy expects, estimated before it reads, by table.",
       {}},
      {"liteferry_copy_tables",
       Type::kGauge,
       {{"status", {"pending", "running", "done", "failed"}}},
       "Tables by how far the initial copy of them is.",
       {}},
      {"liteferry_transactions_applied_total",
       Type::kCounter,
       {},
       "Transactions committed on the target while following.",
       {}},
      {"liteferry_apply_batch_changes",
       Type::kHistogram,
       {},
       "Changes in one transaction on the target.",
       BatchBuckets()},
      {"liteferry_target_commit_duration_seconds",
       Type::kHistogram,
       {},
       "Duration of COMMIT on the target; of a small batch, which is one message, of all of it.",
       CommitBuckets()},
      {"liteferry_source_lock_duration_seconds",
       Type::kHistogram,
       {},
       "How long the write lock of the source was held, each time.",
       LockBuckets()},
      {"liteferry_end_to_end_latency_seconds",
       Type::kHistogram,
       {},
       "From the commit on the source, as first seen, to the commit on the target.",
       LatencyBuckets()},
  };
}

std::vector<MetricSpec> FaultMetrics() {
  return {
      {"liteferry_target_reconnects_total",
       Type::kCounter,
       {{"reason", {"failover", "network", "auth", "other"}}},
       "Connections to the target opened again after a loss.",
       {}},
      {"liteferry_target_rewinds_total",
       Type::kCounter,
       {},
       "Times the target had forgotten acknowledged transactions, as after a failover.",
       {}},
      {"liteferry_rewound_changes_total",
       Type::kCounter,
       {},
       "Changes applied again after the target had forgotten them.",
       {}},
      {"liteferry_errors_total",
       Type::kCounter,
       {{"component", {"source", "target", "capture", "verify", "control", "config", "http"}},
        {"class", {"transient", "permanent"}}},
       "Faults, by where they arose and whether waiting may heal them.",
       {}},
      {"liteferry_rejected_rows",
       Type::kGauge,
       {},
       "Rows recorded in rejected_row because the target cannot hold a value of them.",
       {}},
      {"liteferry_held_objects",
       Type::kGauge,
       {},
       "Constraints, indexes and triggers of the target that stand aside now.",
       {}},
      {"liteferry_capture_tables_broken",
       Type::kGauge,
       {},
       "Tables whose trigger is missing or altered, or that are not known.",
       {}},
      {"liteferry_schema_drift",
       Type::kGauge,
       {},
       "1 when the schemas of source and target no longer match.",
       {}},
  };
}

std::vector<MetricSpec> VerifyAndCutoverMetrics() {
  return {
      {"liteferry_verify_last_success_timestamp_seconds",
       Type::kGauge,
       {},
       "When the last full comparison ended without a difference; 0 before the first.",
       {}},
      {"liteferry_verify_duration_seconds",
       Type::kGauge,
       {},
       "Duration of the last comparison.",
       {}},
      {"liteferry_verify_rows_different",
       Type::kGauge,
       {},
       "Rows that differed in the last comparison.",
       {}},
      {"liteferry_verify_differences_total",
       Type::kCounter,
       {Table()},
       "Rows found different, by table.",
       {}},
      {"liteferry_cutover_ready", Type::kGauge, {}, "1 when every gate of the cutover passes.", {}},
      {"liteferry_cutover_write_pause_seconds",
       Type::kGauge,
       {},
       "How long writers waited in the last cutover.",
       {}},
  };
}

std::vector<MetricSpec> ProcessMetrics() {
  return {
      {"liteferry_config_last_reload_success_timestamp_seconds",
       Type::kGauge,
       {},
       "When the configuration in force was read.",
       {}},
      {"process_cpu_seconds_total",
       Type::kCounter,
       {},
       "User and system CPU time of the process.",
       {}},
      {"process_resident_memory_bytes", Type::kGauge, {}, "Resident memory of the process.", {}},
      {"process_virtual_memory_bytes", Type::kGauge, {}, "Virtual memory of the process.", {}},
      {"process_open_fds", Type::kGauge, {}, "Open file descriptors of the process.", {}},
      {"process_max_fds", Type::kGauge, {}, "File descriptors the process may open.", {}},
      {"process_start_time_seconds",
       Type::kGauge,
       {},
       "When the process started, in seconds since 1970.",
       {}},
  };
}

std::vector<MetricSpec> Build() {
  std::vector<MetricSpec> all;
  for (auto* part : {StateMetrics, LagMetrics, CapacityMetrics, WorkMetrics, FaultMetrics,
                     VerifyAndCutoverMetrics, ProcessMetrics}) {
    std::vector<MetricSpec> metrics = part();
    all.insert(all.end(), metrics.begin(), metrics.end());
  }
  return all;
}

std::string DescribeLabels(const MetricSpec& metric) {
  std::string text;
  for (const LabelSpec& label : metric.labels) {
    if (!text.empty()) text += "; ";
    text += "`" + std::string(label.name) + "`";
    for (std::size_t i = 0; i < label.values.size(); ++i) {
      text += (i == 0 ? ": " : ", ") + std::string(label.values[i]);
    }
  }
  return text;
}

}  // namespace

std::string_view ToString(Type type) {
  switch (type) {
    case Type::kCounter:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram";
  }
  return "untyped";
}

const std::vector<MetricSpec>& Catalog() {
  static const std::vector<MetricSpec> catalog = Build();
  return catalog;
}

std::string CatalogMarkdown() {
  std::ostringstream out;
  out << "# Metrics\n\n"
         "Scraped from `/metrics` of the daemon (`http.listen`, by default 127.0.0.1:9809). This "
         "file is made from the\ntable in `metrics/catalog.cc`; a test compares the two and both "
         "with a scrape.\n\n"
         "Every series exists from the first scrape, at 0 where there is nothing to tell yet. The "
         "label `table` has at\nmost "
      << kMaxTableLabels << " values; the tables beyond share `" << kOtherTables
      << "`, which is always there. No label holds a path, an\naddress, a key or a value of a "
         "row.\n\n"
         "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const MetricSpec& metric : Catalog()) {
    out << "| `" << metric.name << "` | " << ToString(metric.type) << " | "
        << DescribeLabels(metric) << " | " << metric.help << " |\n";
  }
  return out.str();
}

}  // namespace liteferry::metrics
