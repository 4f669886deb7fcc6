#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry {

// The states of the contract.
enum class State : std::uint8_t {
  kStarting,
  kCopying,
  kCatchingUp,
  kFollowing,
  kCuttingOver,
  kCutOver,
  kRetrying,
  kPaused,
  kHalted,
};
std::string_view ToString(State state);

struct TableStatus {
  std::string name;  // on the source
  std::int64_t rows_expected = 0;
  std::int64_t rows_copied = 0;
  std::int64_t changes_applied = 0;
  std::int64_t rejected = 0;
  bool captured = false;
  bool copy_done = false;
  std::string problem;    // why it is not followed now, "" when it is
  bool in_doubt = false;  // it is being compared: its changes were not captured for a while
  // Since when the target may lack changes of this table alone; nothing where it is as far as all.
  std::optional<std::chrono::system_clock::time_point> behind_since = std::nullopt;
};

// One of the rows that the target refused. Never its value.
struct RejectedStatus {
  std::string table;
  std::string key;     // as JSON
  std::string column;  // "" for the row as a whole
  std::string reason;
};

struct SourceStatus {
  bool up = false;
  std::string path;
  std::string journal_mode;
  std::uint64_t size_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::int64_t log_bytes = 0;
};

struct TargetStatus {
  bool up = false;
  std::string server_version;
  std::string database;
  std::string role;
  bool pooled = false;
  std::string address;        // host:port/database, no secret
  std::int64_t timeline = 0;  // grows with each failover; 0 for not known
};

// The latest comparison of all tables, by the schedule or by hand.
struct VerifyStatus {
  static constexpr std::int64_t kUnknown = -1;

  std::int64_t id = kUnknown;  // 0: there was none yet
  std::optional<std::chrono::system_clock::time_point> last_finished;
  std::optional<std::chrono::system_clock::time_point> last_success;  // complete, no difference
  std::chrono::milliseconds duration{0};
  std::int64_t rows = 0;
  std::int64_t differences = 0;
  bool complete = false;  // every table could be compared
  struct Table {
    std::string name;  // on the source
    std::int64_t differences = 0;
  };
  std::vector<Table> tables;  // those that were compared
};

// One condition of the cutover.
struct CutoverGate {
  std::string name;
  bool ok = false;
  std::string detail;
  std::string next_action;  // "" when ok
};

// The latest attempt to cut over, or to go back.
struct CutoverStatus {
  std::int64_t attempt = 0;  // counts since the engine started
  bool running = false;
  std::string step;     // what it is at
  std::string result;   // of the latest attempt: "done", "refused", "failed"; "" for none
  std::string message;  // why
  std::string next_action;
  int exit_code = 0;
  bool fenced = false;  // the source refuses writes; set before the foreign keys are validated
  std::vector<CutoverGate> gates;  // as the latest attempt found them
  // As the latest look at both databases found them; no attempt was made for it.
  std::optional<std::chrono::system_clock::time_point> planned_at;
  std::vector<CutoverGate> planned;
  std::optional<double> estimated_pause_seconds;
  std::optional<double> write_pause_seconds;
};

// Where one replication stands, at one moment. A copy for readers; consistent in itself.
struct EngineStatus {
  State state = State::kStarting;
  std::chrono::system_clock::time_point since;
  std::string reason;       // why it is in this state, "" when that is ordinary
  std::string next_action;  // what a person should do, "" for nothing
  bool consistent = false;  // the target is a state that the source really had

  // Whether `applied` was read from the target. Before that nobody knows what is missing there.
  bool position_known = true;
  std::int64_t captured = 0;  // newest seq in the changelog
  std::int64_t applied = 0;
  std::int64_t confirmed = 0;
  std::int64_t oldest_kept = 0;
  // When the oldest change that is not applied yet was first seen; nothing when all is applied.
  std::optional<std::chrono::system_clock::time_point> oldest_unapplied_at;
  std::int64_t backlog_changes = 0;  // 0 while the position is not known
  // How long a COMMIT on the target took, of the latest batches; nothing before the first.
  std::optional<double> commit_p50_seconds;
  std::optional<double> commit_p99_seconds;

  std::vector<TableStatus> tables;
  std::int64_t rejected_rows = 0;
  std::vector<RejectedStatus> rejections;  // a few of each table
  std::string rejected_query;              // lists them all
  // Constraints and indexes that stand aside now, and what cannot be put back (with the reason).
  int held = 0;
  std::vector<std::string> held_problems;
  std::vector<std::string> notes;  // things to know that block nothing

  // Work under way with a known size (copy, catch-up, index builds): for progress and ETA.
  std::string activity;  // "building index 3 of 14: ix_notes_slug", "" for none
  std::chrono::system_clock::time_point activity_since;
  std::int64_t catch_up_from = 0;  // applied position when catching up began

  int retry_attempt = 0;
  std::chrono::system_clock::time_point retry_at;

  SourceStatus source;
  TargetStatus target;
  VerifyStatus verify;
  CutoverStatus cutover;

  // P8: age of the oldest unapplied change; zero only when there is none; never negative.
  double LagSeconds(std::chrono::system_clock::time_point now) const;
  // Bytes of the changelog that are not applied yet, estimated.
  std::int64_t UnappliedBytes() const;
};

// Holds the status of one engine for readers on other threads.
// Thread-safety: every method from any thread.
class StatusBoard {
 public:
  EngineStatus Read() const;
  // Changes it under the lock; `change` must be quick.
  void Update(const std::function<void(EngineStatus&)>& change);

 private:
  mutable std::mutex mutex_;
  EngineStatus status_;
};

}  // namespace liteferry
