#pragma once

#include <atomic>

#include "replication/base/deadline.h"
#include "replication/base/unique_fd.h"

namespace liteferry {

// A flag that threads can wait for together with sockets: an eventfd behind a boolean. Used for
// "stop" (set once, never cleared) and for "wake up" (set and cleared).
//
// Thread-safety: every method may be called from any thread, Set() also from a signal handler.
class SignalEvent {
 public:
  // Throws Error (bug) when the system has no descriptor left.
  SignalEvent();

  void Set() noexcept;
  void Clear() noexcept;
  bool IsSet() const noexcept { return set_.load(std::memory_order_acquire); }
  // Readable while set.
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::atomic<bool> set_{false};
};

// Waits until `fd` is ready for `events` (poll(2) flags; fd -1 for none), `wake` is set, `stop` is
// set or `deadline` passes, whichever is first. `wake` may be null. Returns poll's flags for fd,
// zero where it was not fd that ended the wait.
short WaitFor(int fd, short events, const SignalEvent& stop, const SignalEvent* wake,
              Deadline deadline);

}  // namespace liteferry
