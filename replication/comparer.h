#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "replication/session.h"

namespace liteferry {

// Compares tables in doubt while the engine goes on applying, and logs the keys that differ, so
// that the ordinary apply path brings them right (P1). Changes nothing on the target itself.
//
// Threads: one of its own with connections of its own while there is something to compare; the
// methods are for the engine thread. Lifetime: the destructor stops and joins; `context` must
// outlive it.
class Comparer {
 public:
  // A table was compared to its end, and what differed is in the changelog.
  struct Answer {
    int table_no = 0;
    std::uint64_t doubt = 0;
    std::int64_t rows = 0;
    std::int64_t differences = 0;
    // Rows on the target with NULL in their key: no log entry can name them, so only a new copy
    // brings the table right.
    std::int64_t nameless = 0;
  };

  explicit Comparer(EngineContext& context) : context_(context) {}
  ~Comparer();
  Comparer(const Comparer&) = delete;
  Comparer& operator=(const Comparer&) = delete;

  // Begins to compare the suspects of `session` unless it is at it already. Returns at once;
  // context.wake is set when there is something to take.
  void Compare(const Session& session);

  // Answers since the last call. Throws the Error that ended the thread, unless it is one that time
  // heals: then the suspects that are left are compared anew with the next Compare.
  std::vector<Answer> Take();

 private:
  struct Job;

  void Run(const std::vector<Job>& jobs);

  EngineContext& context_;
  std::mutex mutex_;
  std::vector<Answer> answers_;  // guarded by mutex_
  std::exception_ptr failure_;   // guarded by mutex_
  bool running_ = false;         // guarded by mutex_
  SignalEvent stop_;
  std::thread thread_;
};

}  // namespace liteferry
