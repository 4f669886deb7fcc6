#pragma once

#include <memory>

#include "config/settings.h"
#include "replication/status.h"

namespace spdlog {
class logger;
}

namespace liteferry::metrics {
class EngineProbe;
}

namespace liteferry {

// One replication: from one SQLite database to one PostgreSQL schema. Installs capture, copies,
// follows; retries what time heals and halts, staying up, on what needs a person. Nothing in it is
// global: a process may carry many.
//
// Threads: its own engine thread (owns the source and target connections), a watcher of the source,
// and copy.jobs workers while copying. The methods below may be called from any thread and never
// block on either database. Lifetime: the destructor stops and joins; `probe` must outlive it.
class Engine {
 public:
  Engine(config::Settings settings, metrics::EngineProbe& probe,
         std::shared_ptr<spdlog::logger> log);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void Start();
  // Asks it to finish the batch under way and end. Returns at once; see Stopped().
  void RequestStop() noexcept;
  // Cuts the batch under way short, for one that would not end: it is rolled back, or the position
  // tells the next start that it was applied. Returns at once; see Stopped().
  void Abandon() noexcept;
  // True once the engine thread has ended.
  bool Stopped() const noexcept;

  EngineStatus Status() const;

  // Stop applying after the batch under way; capture goes on, unless `release_capture`: then the
  // triggers are taken away, and every table is compared after Resume. Remembered across restarts.
  void Pause(bool release_capture);
  // Go on; also leaves `halted` by starting over from the position, and cuts a retry delay short.
  // With `reconcile` a side that went back in time is accepted as it is, and every table compared.
  void Resume(bool reconcile);
  // Cut over now, or go back; Status().cutover tells what comes of it. Only from `following`, or
  // `cut_over`; refused in every other state.
  void CutOver();
  void AbortCutover();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liteferry
