#include "daemon/status_report.h"

#include <algorithm>

#include "replication/base/text.h"

namespace liteferry::daemon {

std::optional<double> StatusReport::LagSeconds() const {
  // Without a daemon nobody remembers: both ends must have been read.
  if (pid == 0 && !(status.source.up && status.target.up)) return std::nullopt;
  return KnownLagSeconds(status, now);
}

int StatusReport::TablesCaptured() const {
  return static_cast<int>(std::count_if(status.tables.begin(), status.tables.end(),
                                        [](const TableStatus& table) { return table.captured; }));
}

std::vector<std::string> StatusReport::CutoverBlockers() const {
  std::vector<std::string> blockers;
  if (status.state == State::kCutOver || status.state == State::kCuttingOver) return blockers;
  if (status.state != State::kFollowing) {
    blockers.push_back("state is " + std::string(ToString(status.state)) + ", not following");
  }
  if (!status.consistent) blockers.emplace_back("the target is not consistent yet");
  for (const TableStatus& table : status.tables) {
    if (!table.captured) blockers.push_back("table " + table.name + " is not captured");
  }
  if (status.rejected_rows > 0) {
    blockers.push_back("rows the target refused: " + GroupDigits(status.rejected_rows));
  }
  for (const std::string& problem : status.held_problems) {
    blockers.push_back("cannot be put back: " + problem);
  }
  if (!status.verify.last_success) {
    blockers.emplace_back("no full comparison has ended without a difference");
  }
  return blockers;
}

}  // namespace liteferry::daemon
