#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "replication/session.h"

namespace liteferry::verify {

// The latest comparison of all tables that the state on the target tells of. The state schema must
// exist.
VerifyStatus ReadLatest(target::PgConnection& connection, const std::string& state_schema);

// Brings the board up to date with it, and counts the differences of one that is news; of the
// schedule and of a command alike. For the engine thread.
void NoteLatest(EngineContext& context, target::PgConnection& connection);

// Compares all tables every verify.schedule while the engine follows, by a thread of its own with
// connections of its own, and stores the results on the target. A quarter of its time it works, the
// rest it waits. Nothing where the schedule is off. Faults are logged and tried again later; they
// never disturb the engine.
//
// Lifetime: the destructor stops and joins; `context` must outlive it.
class Schedule {
 public:
  explicit Schedule(EngineContext& context);
  ~Schedule();
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

 private:
  void Run();
  // False when it failed.
  bool Compare();

  EngineContext& context_;
  std::chrono::milliseconds interval_{0};
  SignalEvent stop_;
  std::thread thread_;
};

}  // namespace liteferry::verify
