#include "metrics/engine_probe.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "metrics/catalog.h"
#include "tests/metrics/exposition_parser.h"

namespace liteferry::metrics {
namespace {

Exposition Scrape(EngineProbe& probe) { return ExpositionParser::Parse(probe.Expose()); }

TEST(EngineProbeTest, FirstScrapeHasTheWholeCatalogInItsOrder) {
  EngineProbe probe;
  const Exposition scrape = Scrape(probe);
  std::vector<std::string> names;
  for (const MetricSpec& metric : Catalog()) {
    names.emplace_back(metric.name);
    EXPECT_EQ(scrape.types.at(names.back()), ToString(metric.type));
    EXPECT_EQ(scrape.help.at(names.back()), metric.help);
  }
  EXPECT_EQ(scrape.families, names);
}

TEST(EngineProbeTest, EveryCombinationOfClosedLabelsIsThereFromTheStart) {
  EngineProbe probe;
  const Exposition scrape = Scrape(probe);
  EXPECT_EQ(scrape.Value("liteferry_changes_applied_total", {{"operation", "upsert"}}), 0);
  EXPECT_EQ(scrape.Value("liteferry_errors_total", {{"component", "http"}, {"class", "permanent"}}),
            0);
  EXPECT_EQ(scrape.Value("liteferry_table_rows_copied_total", {{"table", "_other"}}), 0);
  EXPECT_EQ(scrape.Value("liteferry_end_to_end_latency_seconds_bucket", {{"le", "+Inf"}}), 0);
  EXPECT_EQ(scrape.Value("liteferry_target_info", {{"server_version", "unknown"},
                                                   {"fk_mode", "drop"},
                                                   {"durability", "local"},
                                                   {"pooler", "false"}}),
            1);
  for (const Sample& sample : scrape.samples) {
    for (const auto& [name, value] : sample.labels) EXPECT_NE(value, "") << sample.name;
  }
}

// Whatever is reported, no series appears that the first scrape did not have, except per table.
TEST(EngineProbeTest, UseAddsNoSeriesButTables) {
  EngineProbe probe;
  const std::size_t before = Scrape(probe).samples.size();
  probe.ChangesApplied(2, 1);
  probe.TransactionApplied(3, 0.004);
  probe.SourceLockHeld(0.001);
  probe.EndToEndLatency(0.2);
  for (const char* word : {"failover", "network", "auth", "other", "", "a \"new\" one"}) {
    probe.TargetReconnected(word);
    probe.ErrorSeen(word, true);
  }
  probe.Rewound(7);
  probe.TrimmedEntries(9);
  Gauges gauges;
  for (const char* state : {"copying", "no such state", "halted"}) {
    gauges.state = state;
    gauges.server_version = "17.2";
    probe.SetGauges(gauges);
  }
  EXPECT_EQ(Scrape(probe).samples.size(), before);
  probe.RowsCopied("notes", 5);
  EXPECT_EQ(Scrape(probe).samples.size(), before + 1);
}

TEST(EngineProbeTest, VerbsCount) {
  EngineProbe probe;
  probe.ChangesApplied(20, 3);
  probe.ChangesApplied(0, 4);
  probe.TransactionApplied(30, 0.02);
  probe.Rewound(7);
  probe.TargetReconnected("auth");
  probe.TargetReconnected("what else");
  probe.ErrorSeen("target", true);
  probe.RowsCopied("notes", 5);
  probe.RowsCopied("notes", 6);
  const Exposition scrape = Scrape(probe);
  EXPECT_EQ(scrape.Value("liteferry_changes_applied_total", {{"operation", "upsert"}}), 20);
  EXPECT_EQ(scrape.Value("liteferry_changes_applied_total", {{"operation", "delete"}}), 7);
  EXPECT_EQ(scrape.Value("liteferry_transactions_applied_total"), 1);
  EXPECT_EQ(scrape.Value("liteferry_apply_batch_changes_sum"), 30);
  EXPECT_EQ(scrape.Value("liteferry_target_commit_duration_seconds_count"), 1);
  EXPECT_EQ(scrape.Value("liteferry_target_rewinds_total"), 1);
  EXPECT_EQ(scrape.Value("liteferry_rewound_changes_total"), 7);
  EXPECT_EQ(scrape.Value("liteferry_target_reconnects_total", {{"reason", "auth"}}), 1);
  EXPECT_EQ(scrape.Value("liteferry_target_reconnects_total", {{"reason", "other"}}), 1);
  EXPECT_EQ(
      scrape.Value("liteferry_errors_total", {{"component", "target"}, {"class", "transient"}}), 1);
  EXPECT_EQ(scrape.Value("liteferry_table_rows_copied_total", {{"table", "notes"}}), 11);
}

TEST(EngineProbeTest, ExactlyOneStateIsSet) {
  EngineProbe probe;
  for (const std::string_view state :
       {"starting", "copying", "catching_up", "following", "cutting_over", "cut_over", "retrying",
        "paused", "halted"}) {
    Gauges gauges;
    gauges.state = state;
    probe.SetGauges(gauges);
    double sum = 0;
    const Exposition scrape = Scrape(probe);
    for (const Sample& sample : scrape.samples) {
      if (sample.name == "liteferry_state") sum += sample.value;
    }
    EXPECT_EQ(sum, 1);
    EXPECT_EQ(scrape.Value("liteferry_state", {{"state", std::string(state)}}), 1);
  }
}

TEST(EngineProbeTest, TablesBeyondTheCapShareOneLabel) {
  EngineProbe probe;
  Gauges gauges;
  for (int i = 0; i < kMaxTableLabels + 50; ++i) {
    gauges.tables.push_back({"table " + std::to_string(i), 10, 1});
    probe.RowsCopied(gauges.tables.back().name, 1);
  }
  probe.SetGauges(gauges);
  const Exposition scrape = Scrape(probe);
  std::set<std::string> labels;
  double copied = 0;
  for (const Sample& sample : scrape.samples) {
    if (sample.labels.contains("table")) labels.insert(sample.labels.at("table"));
    if (sample.name == "liteferry_table_rows_copied_total") copied += sample.value;
  }
  EXPECT_EQ(labels.size(), static_cast<std::size_t>(kMaxTableLabels) + 1);
  EXPECT_EQ(copied, kMaxTableLabels + 50);
  EXPECT_EQ(scrape.Value("liteferry_table_copy_expected_rows", {{"table", "_other"}}), 500);
  EXPECT_EQ(scrape.Value("liteferry_table_changes_applied_total", {{"table", "_other"}}), 50);
}

TEST(EngineProbeTest, HostileTableNamesSurviveTheFormat) {
  EngineProbe probe;
  const std::string name = "select \"x\"\\\n}{,=# TYPE \xc3\xa9";
  probe.RowsCopied(name, 3);
  EXPECT_EQ(Scrape(probe).Value("liteferry_table_rows_copied_total", {{"table", name}}), 3);
}

TEST(EngineProbeTest, LargeNumbersKeepTheirDigits) {
  EngineProbe probe;
  Gauges gauges;
  gauges.captured = 9'007'199'254'740'991;
  gauges.lag_seconds = 0.1;
  probe.SetGauges(gauges);
  const Exposition scrape = Scrape(probe);
  EXPECT_EQ(scrape.Value("liteferry_captured_sequence"), 9'007'199'254'740'991);
  EXPECT_EQ(scrape.Value("liteferry_replication_lag_seconds"), 0.1);
}

TEST(EngineProbeTest, CountersFromTotalsNeverFall) {
  EngineProbe probe;
  Gauges gauges;
  for (const int total : {5, 3, 9}) {
    gauges.tables = {{"notes", 0, total}};
    probe.SetGauges(gauges);
    EXPECT_EQ(Scrape(probe).Value("liteferry_table_changes_applied_total", {{"table", "notes"}}),
              std::max(5, total));
  }
}

TEST(EngineProbeTest, KeepsTheTargetVersionWhileTheTargetIsAway) {
  EngineProbe probe;
  Gauges gauges;
  gauges.server_version = "17.2";
  gauges.pooled = true;
  probe.SetGauges(gauges);
  probe.SetGauges(Gauges());
  int series = 0;
  for (const Sample& sample : Scrape(probe).samples) {
    if (sample.name != "liteferry_target_info") continue;
    ++series;
    EXPECT_EQ(sample.labels.at("server_version"), "17.2");
    EXPECT_EQ(sample.labels.at("pooler"), "true");
  }
  EXPECT_EQ(series, 1);
}

TEST(EngineProbeTest, TellsAboutItsProcess) {
  EngineProbe probe;
  const Exposition scrape = Scrape(probe);
  EXPECT_GT(*scrape.Value("process_resident_memory_bytes"), 100'000);
  EXPECT_GE(*scrape.Value("process_open_fds"), 3);
  EXPECT_GT(*scrape.Value("process_max_fds"), 3);
  EXPECT_GE(*scrape.Value("process_cpu_seconds_total"), 0);
  EXPECT_GT(*scrape.Value("process_start_time_seconds"), 1'600'000'000);
}

TEST(EngineProbeTest, MayBeUsedFromManyThreads) {
  EngineProbe probe;
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&probe, t] {
        Gauges gauges;
        for (int i = 0; i < kRounds; ++i) {
          probe.ChangesApplied(1, 1);
          probe.TransactionApplied(2, 0.001);
          probe.RowsCopied("t" + std::to_string(i % 7), 1);
          gauges.server_version = std::to_string(t);
          if (i % 20 == 0) {
            probe.SetGauges(gauges);
            ExpositionParser::Parse(probe.Expose());
          }
        }
      });
    }
  }
  const Exposition scrape = Scrape(probe);
  EXPECT_EQ(scrape.Value("liteferry_transactions_applied_total"), kThreads * kRounds);
  double copied = 0;
  for (const Sample& sample : scrape.samples) {
    if (sample.name == "liteferry_table_rows_copied_total") copied += sample.value;
  }
  EXPECT_EQ(copied, kThreads * kRounds);
}

}  // namespace
}  // namespace liteferry::metrics
