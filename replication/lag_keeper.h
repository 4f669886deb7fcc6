#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "replication/lag_clock.h"
#include "replication/source/watcher.h"
#include "replication/status.h"
#include "replication/target/state_store.h"

namespace liteferry {

// What an engine knows of its lag, shared between the watcher's thread, which sees what is
// captured, the engine thread, which applies, and whoever reads the status. Bookkeeping only. Every
// method may be called from any thread.
class LagKeeper {
 public:
  using Time = LagClock::Time;
  using SteadyClock = std::chrono::steady_clock;

  // What the watcher saw. True when the engine has something to look at: a change, another schema
  // or file, a source that is gone or went back in time.
  bool Observe(const source::Observation& observation);

  // The stream stands at `stream`'s position. Returns by how many changes the target went back
  // since the last call, 0 ordinarily.
  std::int64_t Position(const target::StreamRow& stream);
  // All up to `to` is on the target. Returns when the oldest of it was captured.
  std::optional<Time> Applied(std::int64_t to);
  // Whether every change is captured and every table known to be equal. While not, the lag counts
  // from the last moment when `stream`'s owner knew that nothing was missing.
  void Settled(bool settled, const target::StreamRow& stream);

  // The engine cannot go on: from now on nobody knows whether something is missing, until
  // Settled().
  void Halted();

  bool in_sync() const;
  SteadyClock::time_point last_change() const;
  // Completes `status` with what is known here.
  void Fill(EngineStatus& status) const;

 private:
  mutable std::mutex mutex_;
  LagClock clock_;
  std::int64_t observed_ = 0;   // the newest seq, as the watcher saw it last
  bool positioned_ = false;     // the clock counts from the position
  bool position_read_ = false;  // at least once
  SteadyClock::time_point last_change_{};
  std::int64_t schema_version_ = 0;  // as the watcher saw it last
  std::uint64_t triggers_ = 0;
  std::uint64_t file_ = 0;
  std::optional<Time> unsettled_since_;
};

// When the owner of the stream last knew that nothing was missing; now, when it never did.
LagKeeper::Time LastInSync(const target::StreamRow& stream);

}  // namespace liteferry
