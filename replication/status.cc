#include "replication/status.h"

#include <algorithm>

namespace liteferry {

std::string_view ToString(State state) {
  switch (state) {
    case State::kStarting:
      return "starting";
    case State::kCopying:
      return "copying";
    case State::kCatchingUp:
      return "catching_up";
    case State::kFollowing:
      return "following";
    case State::kCuttingOver:
      return "cutting_over";
    case State::kCutOver:
      return "cut_over";
    case State::kRetrying:
      return "retrying";
    case State::kPaused:
      return "paused";
    case State::kHalted:
      return "halted";
  }
  return "halted";
}

double EngineStatus::LagSeconds(std::chrono::system_clock::time_point now) const {
  if (!oldest_unapplied_at) return 0;
  const std::chrono::duration<double> age = now - *oldest_unapplied_at;
  return std::max(age.count(), 0.001);
}

std::int64_t EngineStatus::UnappliedBytes() const {
  const std::int64_t kept = std::max<std::int64_t>(captured - oldest_kept + 1, 1);
  const double share =
      std::min(static_cast<double>(backlog_changes) / static_cast<double>(kept), 1.0);
  return static_cast<std::int64_t>(share * static_cast<double>(source.log_bytes));
}

EngineStatus StatusBoard::Read() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void StatusBoard::Update(const std::function<void(EngineStatus&)>& change) {
  const std::lock_guard lock(mutex_);
  change(status_);
}

}  // namespace liteferry
