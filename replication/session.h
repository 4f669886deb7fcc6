#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/base/signal_event.h"
#include "replication/commit_times.h"
#include "replication/mapping.h"
#include "replication/source/capture.h"
#include "replication/source/sqlite_handle.h"
#include "replication/status.h"
#include "replication/target/held_constraints.h"
#include "replication/target/pg_connection.h"
#include "replication/target/state_store.h"

namespace spdlog {
class logger;
}

namespace liteferry::metrics {
class EngineProbe;
}

namespace liteferry {

struct TableCreation;
class Confirmation;

// A table whose rows on the target are not known to be equal to the source's at the position: it is
// compared, and what differs is logged again (P1).
struct Suspect {
  std::string why;
  std::uint64_t doubt = 0;  // number of the latest doubt: an answer to an older one is no answer
};

// What the parts of one engine share. Constant after construction but for the board and the events,
// which are thread-safe in themselves. Outlives every part.
struct EngineContext {
  config::Settings settings;
  metrics::EngineProbe& probe;
  std::shared_ptr<spdlog::logger> log;
  std::string owner_id;  // this daemon's name in the stream row
  // A person said that a side which went back in time is to be brought to equality by comparing.
  std::atomic<bool> reconcile{false};
  // A person said that the fence of a cutover that the target forgot is to be taken away.
  std::atomic<bool> unfence{false};
  std::uint64_t doubts = 0;   // engine thread only: never the same number twice
  CommitTimes commits;        // engine thread only
  bool doubts_shown = false;  // engine thread only: ShowDoubts has something to take back

  Confirmation* confirmation = nullptr;  // the engine's; engine thread only

  StatusBoard board;
  SignalEvent stop;                          // end after the unit of work under way
  SignalEvent abort;                         // end at once: cuts waits for either database short
  SignalEvent wake;                          // something changed: a commit on the source, a command
  std::atomic<bool> command_pending{false};  // leave long work (the copy) to obey a command
};

class QuickApply;
class ReadAhead;

// One pair of connections with all that was found out over them. Made by Prepare, thrown away with
// the first fault: what it knows may be wrong after one. Thread-safety: engine thread only.
struct Session {
  std::unique_ptr<source::Database> source;
  source::CaptureState capture;
  std::int64_t schema_version = 0;                   // of the source when the mapping was made
  std::vector<source::SourceTable> captured_tables;  // those in `mapping`, for FindBroken
  Mapping mapping;
  std::vector<int> key_widths;  // by table number

  std::unique_ptr<target::PgConnection> target;
  std::unique_ptr<target::StateStore> store;
  std::unique_ptr<target::HeldConstraints> held;
  target::Owner owner;
  target::StreamRow stream;
  bool failed_over = false;  // the target is on another timeline than when it was left

  // Rows held back, by table number: so that a batch asks the target only about tables that have
  // some.
  std::map<int, std::int64_t> rejected;

  std::map<int, Suspect> suspects;  // by table number
  bool indexes_held = false;  // indexes or unique constraints stand aside that might be put back
  bool released = false;      // paused, and without triggers on the source

  std::shared_ptr<const TableCreation> creation;  // tables that StartStream has to create

  bool rollback_journal = false;  // not WAL: readers and writers wait for each other

  // Reads the next batch while one is applied; null until there was more than one. Shared only to
  // be of a type that is not known here. Uses what stands above, so it ends first.
  std::shared_ptr<ReadAhead> ahead;
  std::shared_ptr<QuickApply> quick;  // null until the first batch; shared for the same reason

  // The mapping of a table by its number in the changelog; null when it is not replicated.
  const TableMapping* Find(int table_no) const;
  // The number of a table in the changelog; nothing while capture has never been installed for it.
  std::optional<int> FindNumber(const TableMapping& table) const;
  // The same where there must be one: throws Error (bug) otherwise.
  int NumberOf(const TableMapping& table) const;

  // That the table must be compared (again).
  void Doubt(EngineContext& context, int table_no, const std::string& why);
  // Whether a batch that reaches the newest entry leaves the target equal to the source: every
  // table is followed, and none is in doubt.
  bool settled() const { return suspects.empty() && mapping.problems.empty(); }
};

// Connects to the target that `settings` name. Throws Error.
std::unique_ptr<target::PgConnection> ConnectTarget(const config::Settings& settings,
                                                    const SignalEvent& stop,
                                                    const std::string& application_name);

// Has the probe told how long each write transaction over `database` holds the source's lock.
void MeasureLocks(const EngineContext& context, source::Database& database);

// A transaction on the target: BEGIN with our time limits, rolled back unless Commit() was called.
class TargetTransaction {
 public:
  explicit TargetTransaction(target::PgConnection& connection);
  ~TargetTransaction();
  TargetTransaction(const TargetTransaction&) = delete;
  TargetTransaction& operator=(const TargetTransaction&) = delete;

  void Commit();

 private:
  target::PgConnection& connection_;
  bool open_ = true;
};

}  // namespace liteferry
