#include "metrics/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

namespace liteferry::metrics {
namespace {

std::filesystem::path DocumentPath() {
  return std::filesystem::path(LITEFERRY_SOURCE_DIR) / "metrics" / "METRICS.md";
}

// With LITEFERRY_UPDATE_DOCS=1 the document is written first.
TEST(CatalogTest, IsWhatTheDocumentSays) {
  if (std::getenv("LITEFERRY_UPDATE_DOCS") != nullptr) {
    std::ofstream(DocumentPath(), std::ios::binary) << CatalogMarkdown();
  }
  std::ifstream file(DocumentPath(), std::ios::binary);
  ASSERT_TRUE(file) << DocumentPath();
  const std::string document{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(document, CatalogMarkdown())
      << "run metrics_tests with LITEFERRY_UPDATE_DOCS=1 to write the document anew";
}

TEST(CatalogTest, NamesFollowTheConventions) {
  const std::regex name("(liteferry|process)(_[a-z0-9]+)+");
  std::set<std::string_view> seen;
  for (const MetricSpec& metric : Catalog()) {
    SCOPED_TRACE(metric.name);
    EXPECT_TRUE(std::regex_match(std::string(metric.name), name));
    EXPECT_TRUE(seen.insert(metric.name).second) << "twice";
    EXPECT_EQ(metric.name.ends_with("_total"), metric.type == Type::kCounter);
    EXPECT_EQ(metric.buckets.empty(), metric.type != Type::kHistogram);
    EXPECT_TRUE(std::is_sorted(metric.buckets.begin(), metric.buckets.end()));
    ASSERT_FALSE(metric.help.empty());
    EXPECT_TRUE(metric.help.ends_with('.'));
    EXPECT_EQ(metric.help.find_first_of("|\n\\"), std::string_view::npos);
  }
}

// The names that alerts and dashboards are written against.
TEST(CatalogTest, HoldsTheNamesOfTheContract) {
  std::set<std::string_view> names;
  for (const MetricSpec& metric : Catalog()) names.insert(metric.name);
  for (const char* name : {"build_info",
                           "target_info",
                           "state",
                           "source_up",
                           "target_up",
                           "replication_lag_seconds",
                           "replication_lag_changes",
                           "replication_lag_bytes",
                           "heartbeat_applied_timestamp_seconds",
                           "last_applied_timestamp_seconds",
                           "last_captured_timestamp_seconds",
                           "captured_sequence",
                           "applied_sequence",
                           "confirmed_sequence",
                           "oldest_retained_sequence",
                           "changelog_size_bytes",
                           "changelog_limit_bytes",
                           "source_filesystem_free_bytes",
                           "source_wal_size_bytes",
                           "changes_applied_total",
                           "table_changes_applied_total",
                           "table_rows_copied_total",
                           "table_copy_expected_rows",
                           "copy_tables",
                           "transactions_applied_total",
                           "apply_batch_changes",
                           "target_commit_duration_seconds",
                           "source_lock_duration_seconds",
                           "end_to_end_latency_seconds",
                           "target_reconnects_total",
                           "target_rewinds_total",
                           "rewound_changes_total",
                           "errors_total",
                           "capture_tables_broken",
                           "schema_drift",
                           "verify_last_success_timestamp_seconds",
                           "verify_duration_seconds",
                           "verify_rows_different",
                           "verify_differences_total",
                           "cutover_ready",
                           "cutover_write_pause_seconds",
                           "config_last_reload_success_timestamp_seconds"}) {
    const std::string full = "liteferry_" + std::string(name);
    EXPECT_TRUE(names.contains(full)) << name;
  }
}

}  // namespace
}  // namespace liteferry::metrics
