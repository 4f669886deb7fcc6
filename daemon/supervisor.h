#pragma once

#include <cstdint>
#include <memory>

#include "config/settings.h"
#include "daemon/replication_port.h"
#include "daemon/systemd.h"
#include "daemon/terminal.h"
#include "metrics/engine_probe.h"
#include "replication/base/error.h"

namespace spdlog {
class logger;
}

namespace liteferry::daemon {

// The main thread of `liteferry run`: signals, timers, progress, systemd, HTTP and the control
// socket around one engine. It touches neither database. The first SIGTERM or SIGINT asks the
// engine to finish its batch, and gives that up after ten seconds; the second ends the process at
// once. While nothing happens it wakes
// once a second. Thread-safety: one thread. Lifetime: what is handed in must outlive it.
class Supervisor {
 public:
  // Opens HTTP and the control socket, so that a second daemon is refused before anything starts.
  // Throws Error as HttpServer and ControlSocket do.
  Supervisor(const config::Settings& settings, ReplicationPort& replication,
             metrics::EngineProbe& probe, std::shared_ptr<spdlog::logger> log, Terminal& terminal,
             SystemdNotifier notifier);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts the engine and runs until it has stopped. kOk after a signal; kBug when the engine ended
  // by itself.
  ExitCode Run();

  // Where HTTP listens.
  std::uint16_t http_port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liteferry::daemon
