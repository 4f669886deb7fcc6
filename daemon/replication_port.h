#pragma once

#include "replication/status.h"

namespace liteferry::daemon {

// What the supervisor needs of an engine (replication/engine.h says what each does). Tests script
// it.
class ReplicationPort {
 public:
  virtual ~ReplicationPort() = default;

  virtual void Start() = 0;
  virtual void RequestStop() noexcept = 0;
  virtual void Abandon() noexcept = 0;
  virtual bool Stopped() const noexcept = 0;
  virtual EngineStatus Status() const = 0;
  virtual void Pause(bool release_capture) = 0;
  virtual void Resume(bool reconcile) = 0;
  virtual void CutOver() = 0;
  virtual void AbortCutover() = 0;
};

}  // namespace liteferry::daemon
