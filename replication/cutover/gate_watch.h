#pragma once

#include <chrono>
#include <thread>

#include "replication/session.h"

namespace liteferry::cutover {

// Judges every gate of the cutover now and then while the engine follows, by a thread and
// connections of its own, and keeps what it found on the board: so that status, page and metrics
// tell also what only a look at both databases can. Once a minute, or more seldom where that takes
// long: a fiftieth of the time at most. Faults are logged; they never disturb the engine.
//
// Lifetime: the destructor stops and joins; `context` must outlive it.
class GateWatch {
 public:
  explicit GateWatch(EngineContext& context);
  ~GateWatch();
  GateWatch(const GateWatch&) = delete;
  GateWatch& operator=(const GateWatch&) = delete;

 private:
  void Run();
  // Returns how long to rest then.
  std::chrono::milliseconds Look();

  EngineContext& context_;
  SignalEvent stop_;
  std::thread thread_;
};

}  // namespace liteferry::cutover
