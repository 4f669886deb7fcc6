#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "replication/base/signal_event.h"
#include "replication/base/unique_fd.h"
#include "replication/source/changelog.h"

namespace liteferry::source {

struct Observation {
  bool source_up = false;
  std::string error;  // why not, when !source_up
  Seq captured = 0;   // newest seq in the log
  Seq oldest_kept = 0;
  std::int64_t schema_version = 0;  // a rebuilt table loses its triggers, and so logs nothing
  std::uint64_t triggers = 0;       // tells all triggers from others; writable_schema can
                                    // change them without the version
  std::uint64_t file = 0;           // tells the file at the path from another one put in its place
  std::chrono::steady_clock::time_point at;
  std::uint64_t size_bytes = 0;  // database file
  std::uint64_t wal_bytes = 0;
  std::int64_t log_bytes = 0;  // estimated, at most a second ago
};

// Notices commits of the application and tells how far the log has grown, also while the engine is
// busy with PostgreSQL: so lag is true (P8). inotify on the folder of the database (its files are
// recreated), and every `poll` a look at PRAGMA data_version for what inotify misses (other
// kernels, network file systems). In rollback-journal mode it reads at most every 50 ms, because a
// reader there can delay a writer.
//
// Runs one thread of its own with a connection of its own. `on_change` is called on that thread,
// after the first observation and whenever one differs from the last; it must be quick and not
// throw. Lifetime: the destructor stops and joins the thread.
class Watcher {
 public:
  using Callback = std::function<void(const Observation&)>;

  Watcher(std::string path, std::chrono::milliseconds poll, Callback on_change);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // How often the thread has woken up: for the test that an idle daemon sleeps.
  std::uint64_t wakeups() const { return wakeups_.load(); }

 private:
  void Run();

  const std::string path_;
  const std::chrono::milliseconds poll_;
  const Callback on_change_;
  SignalEvent stop_;
  std::atomic<std::uint64_t> wakeups_{0};
  std::thread thread_;
};

}  // namespace liteferry::source
