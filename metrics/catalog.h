#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry::metrics {

enum class Type : std::uint8_t { kCounter, kGauge, kHistogram };
std::string_view ToString(Type type);

// A label and the values it can take. Without values the set is open: build facts, table names.
struct LabelSpec {
  std::string_view name;
  std::vector<std::string_view> values;
};

struct MetricSpec {
  std::string_view name;
  Type type = Type::kGauge;
  std::vector<LabelSpec> labels;
  std::string_view help;
  std::vector<double> buckets;  // of a histogram
};

// At most this many tables have a series of their own; the others share the table label `_other`.
inline constexpr int kMaxTableLabels = 200;
inline constexpr std::string_view kOtherTables = "_other";

// Every metric there is, in the order of the documentation: the one table from which they are
// registered, exposed and documented. Constant; may be read from any thread.
const std::vector<MetricSpec>& Catalog();

// metrics/METRICS.md, complete.
std::string CatalogMarkdown();

}  // namespace liteferry::metrics
