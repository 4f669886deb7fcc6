#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "daemon/progress.h"
#include "replication/status.h"

namespace liteferry::daemon {

// One point of the page's charts.
struct HistorySample {
  std::chrono::system_clock::time_point at;
  std::optional<double> lag_seconds;  // the highest since the sample before; nothing when unknown
  std::int64_t backlog_changes = 0;
  std::optional<double> captured_per_second;
  std::optional<double> applied_per_second;
  std::optional<double> rows_per_second;  // of the copy
};

// The last ten minutes of one engine, a sample every two seconds, so that a page that is opened has
// something to show. Not a store of measurements: Prometheus is. Pure; one thread.
class History {
 public:
  static constexpr std::chrono::seconds kInterval{2};
  static constexpr std::size_t kMost = 300;

  // Call it about once a second, or more often. `now` decides when a sample is due, so that a clock
  // that is set makes no gap; `wall` is what it is marked with.
  void Observe(const EngineStatus& status, const Progress& progress, SteadyTime now,
               std::chrono::system_clock::time_point wall);
  std::vector<HistorySample> Samples() const { return {samples_.begin(), samples_.end()}; }

 private:
  std::deque<HistorySample> samples_;
  std::optional<SteadyTime> last_;
  std::optional<double> highest_lag_;
};

}  // namespace liteferry::daemon
