#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/base/signal_event.h"
#include "replication/target/verification_store.h"
#include "replication/verify/compare.h"

namespace liteferry::verify {

// Something to know beside the rows. Names are for people, `kind` for programs.
struct Finding {
  enum class Kind : std::uint8_t {
    kNotFollowed,    // a table of the source that is not replicated, though it
                     // should be
    kNotComparable,  // a table that could not be compared now
    kHeld,           // a constraint, index or trigger of the target that stands aside
    kSequence,       // a sequence behind the largest value of its column; cutover
                     // sets it
    kOrphans,        // rows of the target that refer to none
    kTargetOnly,     // a table or column that only the target has
  };
  Kind kind = Kind::kHeld;
  std::string object;
  std::string message;
};
std::string_view ToString(Finding::Kind kind);

struct RunProgress {
  std::int64_t rows = 0;
  std::int64_t rows_expected = 0;  // an estimate
  std::int64_t differences = 0;
  int tables = 0;
  int tables_done = 0;
};

struct RunRequest {
  std::vector<std::string> tables;  // by their names on the source; empty for all
  int jobs = 2;
  double share = 1;         // CompareOptions::share of each job
  bool log_keys = false;    // log what differs, so that the daemon brings it right
  bool look_around = true;  // for findings that need their own queries
  // Each difference once; from the jobs' threads, but one at a time. May be
  // empty.
  std::function<void(const std::string& table, const Difference& difference)> on_difference;
  // About twice a second on the calling thread. May be empty.
  std::function<void(const RunProgress& progress)> on_progress;
};

struct TableResult {
  std::string name;
  std::string target;
  TableOutcome outcome;
};

struct RunResult {
  std::chrono::milliseconds duration{0};
  std::vector<TableResult> tables;
  std::vector<Finding> findings;
  std::int64_t keys_logged = 0;
  std::int64_t keys_unloggable = 0;  // rows whose key holds NULL on the target
  bool full = false;                 // no table was chosen

  TableOutcome Total() const;
  // Every table that should be equal could be compared.
  bool complete() const;
  // For the state on the target.
  target::Verification ToVerification(const std::string& started_by) const;
};

// Compares both databases over connections of its own, beside a daemon or
// without one. Opens the source read-only unless keys are to be logged. Throws
// Error: usage when a table is not known; kRetry for what time heals; kStop
// when the target does not follow this source.
RunResult RunVerify(const config::Settings& settings, const RunRequest& request,
                    const SignalEvent& stop);

// Stores the result of a full run on the target, for status and metrics.
void StoreResult(const config::Settings& settings, const RunResult& result,
                 const std::string& started_by, const SignalEvent& stop);

}  // namespace liteferry::verify
