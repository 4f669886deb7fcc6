#include "daemon/history.h"

#include <algorithm>

namespace liteferry::daemon {

void History::Observe(const EngineStatus& status, const Progress& progress, SteadyTime now,
                      std::chrono::system_clock::time_point wall) {
  const std::optional<double> lag = KnownLagSeconds(status, wall);
  highest_lag_ = std::max(highest_lag_, lag);  // nothing is less than any number
  // A quarter of a second early is on time: ticks are not exact.
  if (last_ && now - *last_ < kInterval - std::chrono::milliseconds(250)) return;
  last_ = now;
  // The axis of the charts only goes forward: what a clock that was set back has yet to reach,
  // goes.
  while (!samples_.empty() && samples_.back().at >= wall) samples_.pop_back();
  samples_.push_back({wall, lag ? highest_lag_ : std::nullopt, status.backlog_changes,
                      progress.captured_per_second, progress.applied_per_second,
                      progress.rows_per_second});
  highest_lag_.reset();
  if (samples_.size() > kMost) samples_.pop_front();
}

}  // namespace liteferry::daemon
