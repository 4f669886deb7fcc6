#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "replication/base/signal_event.h"
#include "replication/status.h"

namespace liteferry::target {
class PgConnection;
}

namespace liteferry::cutover {

// What the gates are judged by, read from both sides at one time.
struct Facts {
  bool started = false;  // the target has a stream
  bool following = false;
  bool consistent = false;
  bool paused = false;
  bool cut_over = false;
  std::int64_t captured = 0;
  std::int64_t applied = 0;
  std::int64_t rejected = 0;
  std::vector<std::string> not_followed;   // tables, with the reason
  std::vector<std::string> in_doubt;       // tables
  std::vector<std::string> not_captured;   // tables without their triggers
  std::vector<std::string> held_problems;  // what cannot be put back, with the reason
  int indexes_held = 0;
  std::optional<std::chrono::milliseconds> verified_ago;  // latest full comparison without fault
  std::int64_t differences = 0;                           // of the latest full comparison
  bool verify_complete = false;
  bool verify_in_log = false;  // all that was written since is still in the log
  std::int64_t changes_since_verify = 0;
  std::string durability_problem;  // why a commit would not be as durable as is asked for
  std::vector<std::string> missing_privileges;
  std::vector<std::pair<std::string, std::int64_t>> orphans;  // foreign keys with rows in their way
  int foreign_keys = 0;
  int sequences = 0;
};

// Changes that may wait when the cutover begins: what is applied within a moment.
inline constexpr std::int64_t kMostWaiting = 10'000;

// Every condition of the cutover, in the order in which a person would see to them. Pure.
std::vector<CutoverGate> JudgeGates(const Facts& facts, std::chrono::milliseconds verify_max_age);
bool AllOpen(const std::vector<CutoverGate>& gates);
// Those that are shut, "gate: detail" each; and all of them in one line.
std::vector<std::string> BlockerLines(const std::vector<CutoverGate>& gates);
std::string Blockers(const std::vector<CutoverGate>& gates);

// The write pause to expect, from a round trip and the rates of the machine: rough. Pure.
std::chrono::milliseconds EstimatePause(const Facts& facts, std::chrono::milliseconds round_trip);

struct Plan {
  Facts facts;
  std::vector<CutoverGate> gates;
  std::chrono::milliseconds estimated_pause{0};
};

// The position that the latest full comparison without a difference is known to have seen; 0 when
// that is not known. What was logged after it is compared again.
std::int64_t VerifiedUpTo(target::PgConnection& target, const std::string& state_schema);

// Reads both sides over connections of its own and judges. Changes nothing. Throws Error where a
// side cannot be reached.
Plan MakePlan(const config::Settings& settings, const SignalEvent& stop);

}  // namespace liteferry::cutover
