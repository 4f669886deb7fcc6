#pragma once

#include "replication/base/signal_event.h"

namespace liteferry::daemon {

// For one-shot commands: SIGINT and SIGTERM set event() instead of ending the process. The
// destructor puts back what was, and then lets the process die of the signal, unless Accept() was
// called. One at a time, on the main thread.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  const SignalEvent& event() const { return event_; }
  // The signal was an ordinary way to end this command.
  void Accept() { accepted_ = true; }

 private:
  SignalEvent event_;
  bool accepted_ = false;
};

}  // namespace liteferry::daemon
