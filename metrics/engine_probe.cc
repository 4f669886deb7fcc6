#include "metrics/engine_probe.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>

#include "metrics/catalog.h"
#include "metrics/process_stats.h"

namespace liteferry::metrics {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;

double Now() {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return now.count();
}

double Number(std::int64_t value) { return static_cast<double>(value); }
double Number(std::uint64_t value) { return static_cast<double>(value); }

// Counters only grow; what is reported as a total is brought up to it.
void RaiseTo(Counter& counter, double total) {
  if (total > counter.Value()) counter.Increment(total - counter.Value());
}

std::string OrUnknown(const std::string& text) { return text.empty() ? "unknown" : text; }

const MetricSpec& Find(std::string_view name, Type type) {
  for (const MetricSpec& metric : Catalog()) {
    if (metric.name == name && metric.type == type) return metric;
  }
  throw std::logic_error("no such metric: " + std::string(name));
}

// Every combination of the values of closed labels; nothing when a label is open.
std::vector<Labels> Combinations(const MetricSpec& metric) {
  std::vector<Labels> all = {{}};
  for (const LabelSpec& label : metric.labels) {
    std::vector<Labels> longer;
    for (const Labels& labels : all) {
      for (const std::string_view value : label.values) {
        longer.push_back(labels);
        longer.back().emplace(label.name, value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

bool ByTable(const MetricSpec& metric) {
  return metric.labels.size() == 1 && metric.labels[0].name == "table";
}

}  // namespace

class EngineProbe::Impl {
 public:
  explicit Impl(const BuildInfo& build) {
    for (const MetricSpec& metric : Catalog()) Register(metric);
    GaugeOf("liteferry_build_info", {{"version", OrUnknown(build.version)},
                                     {"revision", OrUnknown(build.revision)},
                                     {"sqlite", OrUnknown(build.sqlite)},
                                     {"libpq", OrUnknown(build.libpq)}})
        .Set(1);
    GaugeOf("liteferry_config_last_reload_success_timestamp_seconds").Set(Now());
    SetTargetInfo("unknown", "local", false);
    GaugeOf("liteferry_state", {{"state", "starting"}}).Set(1);
  }

  // Creates the series when it is not there. The reference stays valid unless RemoveGauge() is
  // called.
  Counter& CounterOf(std::string_view name, const Labels& labels = {}) {
    return Of(counters_, name).Add(labels);
  }
  Gauge& GaugeOf(std::string_view name, const Labels& labels = {}) {
    return Of(gauges_, name).Add(labels);
  }
  Histogram& HistogramOf(std::string_view name) {
    return Of(histograms_, name).Add({}, Find(name, Type::kHistogram).buckets);
  }

  Labels TableLabel(std::string_view table) {
    const std::lock_guard lock(mutex_);
    return TableLabelLocked(table);
  }

  void SetGauges(const Gauges& gauges) {
    const std::lock_guard lock(mutex_);
    SetState(gauges);
    SetPositions(gauges);
    SetTables(gauges);
    GaugeOf("liteferry_changelog_size_bytes").Set(Number(gauges.changelog_bytes));
    GaugeOf("liteferry_changelog_limit_bytes").Set(Number(gauges.changelog_limit_bytes));
    GaugeOf("liteferry_source_size_bytes").Set(Number(gauges.source_bytes));
    GaugeOf("liteferry_source_wal_size_bytes").Set(Number(gauges.source_wal_bytes));
    GaugeOf("liteferry_source_filesystem_free_bytes").Set(Number(gauges.filesystem_free_bytes));
    GaugeOf("liteferry_source_filesystem_size_bytes").Set(Number(gauges.filesystem_bytes));
    GaugeOf("liteferry_rejected_rows").Set(Number(gauges.rejected_rows));
    GaugeOf("liteferry_held_objects").Set(gauges.held_objects);
    GaugeOf("liteferry_verify_last_success_timestamp_seconds").Set(gauges.verify_last_success);
    GaugeOf("liteferry_verify_duration_seconds").Set(gauges.verify_duration_seconds);
    GaugeOf("liteferry_verify_rows_different").Set(Number(gauges.verify_rows_different));
    GaugeOf("liteferry_schema_drift").Set(gauges.schema_drift ? 1 : 0);
    GaugeOf("liteferry_cutover_ready").Set(gauges.cutover_ready ? 1 : 0);
    GaugeOf("liteferry_cutover_write_pause_seconds").Set(gauges.cutover_write_pause_seconds);
  }

  std::string Expose() {
    const std::lock_guard lock(mutex_);
    SetProcess();
    std::vector<prometheus::MetricFamily> families = registry_.Collect();
    const auto order = [](const prometheus::MetricFamily& family) {
      const auto& all = Catalog();
      return std::find_if(all.begin(), all.end(),
                          [&](const MetricSpec& metric) { return metric.name == family.name; });
    };
    std::sort(families.begin(), families.end(),
              [&](const auto& a, const auto& b) { return order(a) < order(b); });
    for (prometheus::MetricFamily& family : families) {
      for (prometheus::ClientMetric& metric : family.metric) {
        std::sort(metric.label.begin(), metric.label.end());
      }
      std::sort(family.metric.begin(), family.metric.end(),
                [](const auto& a, const auto& b) { return a.label < b.label; });
    }
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  template <typename T>
  static prometheus::Family<T>& Of(
      const std::map<std::string_view, prometheus::Family<T>*>& families, std::string_view name) {
    return *families.at(name);
  }

  void Register(const MetricSpec& metric) {
    const std::string name(metric.name);
    const std::string help(metric.help);
    std::vector<Labels> series = Combinations(metric);
    if (ByTable(metric)) series = {{{"table", std::string(kOtherTables)}}};
    switch (metric.type) {
      case Type::kCounter: {
        auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
        counters_.emplace(metric.name, &family);
        for (const Labels& labels : series) family.Add(labels);
        break;
      }
      case Type::kGauge: {
        auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
        gauges_.emplace(metric.name, &family);
        for (const Labels& labels : series) family.Add(labels);
        break;
      }
      case Type::kHistogram: {
        auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(registry_);
        histograms_.emplace(metric.name, &family);
        for (const Labels& labels : series) family.Add(labels, metric.buckets);
        break;
      }
    }
  }

  Labels TableLabelLocked(std::string_view table) {
    if (!tables_.contains(table)) {
      if (tables_.size() >= kMaxTableLabels) return {{"table", std::string(kOtherTables)}};
      tables_.emplace(table);
    }
    return {{"table", std::string(table)}};
  }

  void SetTargetInfo(const std::string& server_version, const std::string& durability,
                     bool pooled) {
    const Labels labels = {{"server_version", server_version},
                           {"fk_mode", "drop"},
                           {"durability", durability},
                           {"pooler", pooled ? "true" : "false"}};
    auto& family = Of(gauges_, "liteferry_target_info");
    Gauge& now = family.Add(labels);
    if (target_info_ != nullptr && target_info_ != &now) family.Remove(target_info_);
    target_info_ = &now;
    now.Set(1);
  }

  void SetState(const Gauges& gauges) {
    for (const std::string_view state : Find("liteferry_state", Type::kGauge).labels[0].values) {
      GaugeOf("liteferry_state", {{"state", std::string(state)}})
          .Set(gauges.state == state ? 1 : 0);
    }
    GaugeOf("liteferry_consistent").Set(gauges.consistent ? 1 : 0);
    GaugeOf("liteferry_source_up").Set(gauges.source_up ? 1 : 0);
    GaugeOf("liteferry_target_up").Set(gauges.target_up ? 1 : 0);
    // What is known of the target outlives a lost connection.
    if (!gauges.server_version.empty()) {
      SetTargetInfo(gauges.server_version, gauges.durability, gauges.pooled);
    }
  }

  void SetPositions(const Gauges& gauges) {
    GaugeOf("liteferry_replication_lag_seconds").Set(gauges.lag_seconds);
    GaugeOf("liteferry_heartbeat_applied_timestamp_seconds").Set(gauges.heartbeat);
    GaugeOf("liteferry_replication_lag_changes").Set(Number(gauges.lag_changes));
    GaugeOf("liteferry_replication_lag_bytes").Set(Number(gauges.lag_bytes));
    GaugeOf("liteferry_captured_sequence").Set(Number(gauges.captured));
    GaugeOf("liteferry_applied_sequence").Set(Number(gauges.applied));
    GaugeOf("liteferry_confirmed_sequence").Set(Number(gauges.confirmed));
    GaugeOf("liteferry_oldest_retained_sequence").Set(Number(gauges.oldest_retained));
    if (gauges.captured > captured_ && captured_ > 0) {
      GaugeOf("liteferry_last_captured_timestamp_seconds").Set(Now());
    }
    captured_ = gauges.captured;
  }

  void SetTables(const Gauges& gauges) {
    // Tables beyond the cap add up under one label.
    std::map<std::string, TableGauges> sums;
    for (const TableGauges& table : gauges.tables) {
      TableGauges& sum = sums[TableLabelLocked(table.name).at("table")];
      sum.rows_expected += table.rows_expected;
      sum.changes_applied += table.changes_applied;
    }
    for (const auto& [name, sum] : sums) {
      const Labels labels = {{"table", name}};
      GaugeOf("liteferry_table_copy_expected_rows", labels).Set(Number(sum.rows_expected));
      RaiseTo(CounterOf("liteferry_table_changes_applied_total", labels),
              Number(sum.changes_applied));
      CounterOf("liteferry_table_rows_copied_total", labels);
      CounterOf("liteferry_verify_differences_total", labels);
    }
    GaugeOf("liteferry_copy_tables", {{"status", "pending"}}).Set(gauges.tables_pending);
    GaugeOf("liteferry_copy_tables", {{"status", "running"}}).Set(gauges.tables_copying);
    GaugeOf("liteferry_copy_tables", {{"status", "done"}}).Set(gauges.tables_copied);
    GaugeOf("liteferry_copy_tables", {{"status", "failed"}}).Set(gauges.tables_failed);
    GaugeOf("liteferry_capture_tables_broken").Set(gauges.tables_not_captured);
  }

  void SetProcess() {
    const ProcessStats stats = ReadProcessStats();
    RaiseTo(CounterOf("process_cpu_seconds_total"), stats.cpu_seconds);
    GaugeOf("process_resident_memory_bytes").Set(Number(stats.resident_bytes));
    GaugeOf("process_virtual_memory_bytes").Set(Number(stats.virtual_bytes));
    GaugeOf("process_open_fds").Set(Number(stats.open_fds));
    GaugeOf("process_max_fds").Set(Number(stats.max_fds));
    GaugeOf("process_start_time_seconds").Set(stats.start_time_seconds);
  }

  // Constant after construction; each has its own lock inside.
  prometheus::Registry registry_;
  std::map<std::string_view, prometheus::Family<Counter>*> counters_;
  std::map<std::string_view, prometheus::Family<Gauge>*> gauges_;
  std::map<std::string_view, prometheus::Family<Histogram>*> histograms_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::set<std::string, std::less<>> tables_;
  Gauge* target_info_ = nullptr;
  std::int64_t captured_ = 0;
};

EngineProbe::EngineProbe(const BuildInfo& build) : impl_(std::make_unique<Impl>(build)) {}
EngineProbe::~EngineProbe() = default;

void EngineProbe::ChangesApplied(std::int64_t inserted_or_updated, std::int64_t deleted) {
  constexpr std::string_view kName = "liteferry_changes_applied_total";
  impl_->CounterOf(kName, {{"operation", "upsert"}}).Increment(Number(inserted_or_updated));
  impl_->CounterOf(kName, {{"operation", "delete"}}).Increment(Number(deleted));
}

void EngineProbe::TransactionApplied(std::int64_t changes, double commit_seconds) {
  impl_->CounterOf("liteferry_transactions_applied_total").Increment();
  impl_->HistogramOf("liteferry_apply_batch_changes").Observe(Number(changes));
  impl_->HistogramOf("liteferry_target_commit_duration_seconds").Observe(commit_seconds);
}

void EngineProbe::RowsCopied(std::string_view table, std::int64_t rows) {
  impl_->CounterOf("liteferry_table_rows_copied_total", impl_->TableLabel(table))
      .Increment(Number(rows));
}

void EngineProbe::SourceLockHeld(double seconds) {
  impl_->HistogramOf("liteferry_source_lock_duration_seconds").Observe(seconds);
}

void EngineProbe::EndToEndLatency(double seconds) {
  impl_->HistogramOf("liteferry_end_to_end_latency_seconds").Observe(seconds);
  impl_->GaugeOf("liteferry_last_applied_timestamp_seconds").Set(Now() - seconds);
}

void EngineProbe::TargetReconnected(std::string_view reason) {
  constexpr std::string_view kName = "liteferry_target_reconnects_total";
  const auto& known = Find(kName, Type::kCounter).labels[0].values;
  if (std::find(known.begin(), known.end(), reason) == known.end()) reason = "other";
  impl_->CounterOf(kName, {{"reason", std::string(reason)}}).Increment();
}

void EngineProbe::Rewound(std::int64_t changes) {
  impl_->CounterOf("liteferry_target_rewinds_total").Increment();
  impl_->CounterOf("liteferry_rewound_changes_total").Increment(Number(changes));
}

void EngineProbe::ErrorSeen(std::string_view component, bool transient) {
  constexpr std::string_view kName = "liteferry_errors_total";
  const auto& known = Find(kName, Type::kCounter).labels[0].values;
  if (std::find(known.begin(), known.end(), component) == known.end()) component = "control";
  impl_
      ->CounterOf(kName, {{"component", std::string(component)},
                          {"class", transient ? "transient" : "permanent"}})
      .Increment();
}

void EngineProbe::RowsDiffer(std::string_view table, std::int64_t rows) {
  impl_->CounterOf("liteferry_verify_differences_total", impl_->TableLabel(table))
      .Increment(Number(rows));
}

void EngineProbe::TrimmedEntries(std::int64_t entries) {
  impl_->CounterOf("liteferry_changelog_trimmed_entries_total").Increment(Number(entries));
}

void EngineProbe::SetGauges(const Gauges& gauges) { impl_->SetGauges(gauges); }

std::string EngineProbe::Expose() { return impl_->Expose(); }

}  // namespace liteferry::metrics
