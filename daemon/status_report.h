#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/history.h"
#include "daemon/progress.h"
#include "replication/status.h"

namespace liteferry::daemon {

// What `status` tells: the engine's status and what the process around it knows. A value; it
// travels as JSON over the control socket and HTTP (status_json.h) and is shown as text
// (status_text.h).
struct StatusReport {
  EngineStatus status;
  Progress progress;
  std::chrono::system_clock::time_point now;
  std::string version;
  // Zero and nothing when no daemon runs and the databases were read instead.
  std::int64_t pid = 0;
  std::optional<std::chrono::system_clock::time_point> started_at;
  std::int64_t log_limit_bytes = 0;
  std::string durability;  // target.durability; "" when no daemon runs
  // How old a comparison may be for the cutover; 0 for not known.
  std::chrono::milliseconds verify_max_age{0};
  std::vector<HistorySample> history;  // over HTTP only

  // Nothing when it is not known; see KnownLagSeconds().
  std::optional<double> LagSeconds() const;
  // How far behind the target may be in this table alone; nothing when it is not known.
  std::optional<double> LagSeconds(const TableStatus& table) const;
  // The latest comparison of everything, if it had this table; null if not.
  const VerifyStatus::Table* Verified(const TableStatus& table) const;
  int TablesCaptured() const;
  // The gates of the cutover: those that can be judged from here as they are now, the others as the
  // latest look at both databases found them, shut before the first. None once it is cut over.
  std::vector<CutoverGate> CutoverGates() const;
  // What stands in the way of a cutover now, "gate: detail"; empty when nothing does.
  std::vector<std::string> CutoverBlockers() const;
};

}  // namespace liteferry::daemon
