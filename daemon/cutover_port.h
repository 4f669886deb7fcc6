#pragma once

#include <memory>
#include <string>

#include "config/settings.h"
#include "replication/base/signal_event.h"
#include "replication/status.h"

namespace liteferry::daemon {

// Whoever carries a cutover out: the daemon that runs, by its control socket, or an engine of this
// process where none does.
class CutoverPort {
 public:
  virtual ~CutoverPort() = default;
  // "cutover" or "cutover-abort".
  virtual void Send(const std::string& command) = 0;
  virtual EngineStatus Status() = 0;
  virtual bool IsDaemon() const = 0;
};

// Throws Error where something listens on the socket but does not answer.
std::unique_ptr<CutoverPort> FindCutoverPort(const config::Settings& settings,
                                             const SignalEvent& stop);
bool DaemonAnswers(const config::Settings& settings, const SignalEvent& stop);

}  // namespace liteferry::daemon
