#include "daemon/status_report.h"

#include <algorithm>
#include <array>

#include "replication/base/text.h"
#include "replication/cutover/gates.h"

namespace liteferry::daemon {

namespace {

// What only a look at both databases can judge is as the latest look found it; one gate stands for
// all of that before the first.
void UsePlan(const EngineStatus& status, std::vector<CutoverGate>& gates) {
  static constexpr std::array kLookedAt{"foreign keys", "sequences", "durability", "privileges"};
  const std::vector<CutoverGate>& planned = status.cutover.planned;
  const auto is_looked_at = [](const CutoverGate& gate) {
    return std::find(kLookedAt.begin(), kLookedAt.end(), gate.name) != kLookedAt.end();
  };
  if (planned.empty()) {
    std::erase_if(gates, is_looked_at);
    gates.push_back({"both databases", false, "not looked through yet",
                     "Run `liteferry cutover plan`: it looks at once."});
    return;
  }
  // A shut "verified" means that the log does not reach back to the comparison any more.
  const bool newer = status.cutover.planned_at && status.verify.last_finished &&
                     *status.cutover.planned_at > *status.verify.last_finished;
  for (CutoverGate& gate : gates) {
    const auto found = std::find_if(planned.begin(), planned.end(),
                                    [&](const CutoverGate& one) { return one.name == gate.name; });
    if (found == planned.end()) continue;
    const bool log_ended = gate.name == "verified" && gate.ok && newer && !found->ok;
    if (is_looked_at(gate) || log_ended) gate = *found;
  }
}

}  // namespace

std::optional<double> StatusReport::LagSeconds() const {
  // Without a daemon nobody remembers: both ends must have been read.
  if (pid == 0 && !(status.source.up && status.target.up)) return std::nullopt;
  return KnownLagSeconds(status, now);
}

std::optional<double> StatusReport::LagSeconds(const TableStatus& table) const {
  const std::optional<double> all = LagSeconds();
  if (!all || !table.behind_since) return table.copy_done ? all : std::nullopt;
  const std::chrono::duration<double> alone = now - *table.behind_since;
  return std::max(*all, std::max(alone.count(), 0.001));
}

const VerifyStatus::Table* StatusReport::Verified(const TableStatus& table) const {
  const auto& all = status.verify.tables;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == table.name; });
  return found == all.end() ? nullptr : &*found;
}

int StatusReport::TablesCaptured() const {
  return static_cast<int>(std::count_if(status.tables.begin(), status.tables.end(),
                                        [](const TableStatus& table) { return table.captured; }));
}

std::vector<CutoverGate> StatusReport::CutoverGates() const {
  if (status.state == State::kCutOver || status.state == State::kCuttingOver) return {};
  using std::chrono::milliseconds;
  cutover::Facts facts;
  facts.started = pid != 0 || status.state != State::kStarting;
  facts.following = status.state == State::kFollowing;
  facts.paused = status.state == State::kPaused;
  facts.consistent = status.consistent;
  facts.captured = status.captured;
  facts.applied = status.applied;
  facts.rejected = status.rejected_rows;
  for (const TableStatus& table : status.tables) {
    if (!table.problem.empty()) {
      facts.not_followed.push_back("table " + table.name + " " + table.problem);
    } else if (!table.captured) {
      facts.not_captured.push_back(table.name);
    }
  }
  if (status.tables.empty()) facts.not_followed.emplace_back("no table is known yet");
  facts.held_problems = status.held_problems;
  if (status.verify.last_success) {
    const auto ago = std::chrono::floor<milliseconds>(now - *status.verify.last_success);
    facts.verified_ago = std::max(ago, milliseconds(0));
  }
  facts.differences = status.verify.differences;
  facts.verify_complete = status.verify.complete;
  facts.verify_in_log = true;  // see UsePlan()
  std::vector<CutoverGate> gates =
      cutover::JudgeGates(facts, verify_max_age.count() > 0 ? verify_max_age : milliseconds::max());
  UsePlan(status, gates);
  CutoverGate& following = gates.front();
  if (!following.ok && status.state != State::kFollowing) {
    following.detail = "state is " + std::string(ToString(status.state));
    if (!status.next_action.empty()) following.next_action = status.next_action;
  }
  for (CutoverGate& gate : gates) {
    if (gate.name == "verified" && gate.ok)
      gate.detail = FormatDuration(*facts.verified_ago) + " ago";
  }
  return gates;
}

std::vector<std::string> StatusReport::CutoverBlockers() const {
  return cutover::BlockerLines(CutoverGates());
}

}  // namespace liteferry::daemon
