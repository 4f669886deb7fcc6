#include "daemon/cutover_port.h"

#include <unistd.h>

#include "daemon/build_info.h"
#include "daemon/control_client.h"
#include "daemon/logging.h"
#include "daemon/status_json.h"
#include "daemon/terminal.h"
#include "metrics/engine_probe.h"
#include "replication/base/log.h"
#include "replication/engine.h"

namespace liteferry::daemon {
namespace {

constexpr std::chrono::seconds kPatience(10);

class DaemonPort final : public CutoverPort {
 public:
  DaemonPort(std::string socket, const SignalEvent& stop)
      : socket_(std::move(socket)), stop_(stop) {}

  void Send(const std::string& command) override {
    AskRunningDaemon(socket_, command, Deadline::In(kPatience), stop_);
  }
  EngineStatus Status() override {
    return ParseStatusJson(AskRunningDaemon(socket_, "status", Deadline::In(kPatience), stop_))
        .status;
  }
  bool IsDaemon() const override { return true; }

 private:
  const std::string socket_;
  const SignalEvent& stop_;
};

// Its destructor finishes what is under way.
class EnginePort final : public CutoverPort {
 public:
  explicit EnginePort(const config::Settings& settings)
      : terminal_(STDERR_FILENO, false),
        log_(MakeLogger(terminal_, config::LogLevel::kWarn, config::LogFormat::kText)),
        probe_(CurrentBuild()),
        engine_(settings, probe_, log_) {
    engine_.Start();
  }
  ~EnginePort() override {
    engine_.RequestStop();
    const SignalEvent never;
    while (!engine_.Stopped()) {
      WaitFor(-1, 0, never, nullptr, Deadline::In(std::chrono::milliseconds(10)));
    }
  }
  EnginePort(const EnginePort&) = delete;
  EnginePort& operator=(const EnginePort&) = delete;

  void Send(const std::string& command) override {
    command == "cutover" ? engine_.CutOver() : engine_.AbortCutover();
  }
  EngineStatus Status() override { return engine_.Status(); }
  bool IsDaemon() const override { return false; }

 private:
  Terminal terminal_;
  std::shared_ptr<spdlog::logger> log_;
  metrics::EngineProbe probe_;
  Engine engine_;
};

}  // namespace

bool DaemonAnswers(const config::Settings& settings, const SignalEvent& stop) {
  return AskDaemon(config::SocketPath(settings), "ping", Deadline::In(kPatience), stop).has_value();
}

std::unique_ptr<CutoverPort> FindCutoverPort(const config::Settings& settings,
                                             const SignalEvent& stop) {
  if (DaemonAnswers(settings, stop)) {
    return std::make_unique<DaemonPort>(config::SocketPath(settings), stop);
  }
  return std::make_unique<EnginePort>(settings);
}

}  // namespace liteferry::daemon
