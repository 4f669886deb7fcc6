#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "config/url.h"
#include "daemon/build_info.h"
#include "daemon/commands/commands.h"
#include "daemon/logging.h"
#include "daemon/supervisor.h"
#include "replication/base/log.h"
#include "replication/engine.h"

namespace liteferry::daemon {
namespace {

class EnginePort final : public ReplicationPort {
 public:
  EnginePort(const config::Settings& settings, metrics::EngineProbe& probe,
             const std::shared_ptr<spdlog::logger>& log)
      : engine_(settings, probe, log) {}

  void Start() override { engine_.Start(); }
  void RequestStop() noexcept override { engine_.RequestStop(); }
  void Abandon() noexcept override { engine_.Abandon(); }
  bool Stopped() const noexcept override { return engine_.Stopped(); }
  EngineStatus Status() const override { return engine_.Status(); }
  void Pause(bool release_capture) override { engine_.Pause(release_capture); }
  void Resume(bool reconcile) override { engine_.Resume(reconcile); }
  void CutOver() override { engine_.CutOver(); }
  void AbortCutover() override { engine_.AbortCutover(); }

 private:
  Engine engine_;
};

// A wrong path should be told at once, not retried for ever.
void RequireSource(const std::string& path) {
  if (::access(path.c_str(), R_OK) == 0) return;
  const int error = errno;
  throw Error(Disposition::kStop, Component::kSource,
              "cannot read the source " + path + ": " + std::generic_category().message(error))
      .Hint(error == ENOENT ? "Give the path of the application's SQLite file with --source."
                            : "Run liteferry as the user that owns the database.")
      .Exit(error == EACCES ? ExitCode::kPermission : ExitCode::kSourceMissing);
}

ExitCode Run(const Invocation& invocation, Console&) {
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kBoth);
  RequireSource(settings.source.path);
  std::signal(SIGPIPE, SIG_IGN);
  Terminal terminal(STDERR_FILENO,
                    IsTerminal(STDERR_FILENO) && settings.log.format != config::LogFormat::kJson);
  const auto log = MakeLogger(terminal, settings.log.level, settings.log.format);
  const metrics::BuildInfo build = CurrentBuild();
  std::string ignored;
  log->info("event=starting version={} pid={} source={} target={}", build.version, getpid(),
            LogValue(settings.source.path),
            LogValue(config::DisplayUrl(config::ReadTargetUrl(settings, ignored).value_or(""))));
  metrics::EngineProbe probe(build);
  EnginePort engine(settings, probe, log);
  return Supervisor(settings, engine, probe, log, terminal, SystemdNotifier::FromEnvironment())
      .Run();
}

}  // namespace

CommandSpec RunSpec() {
  CommandSpec spec;
  spec.name = "run";
  spec.summary = "the daemon: install capture, copy, then follow every write";
  spec.details =
      "Resumes where it was. Stays up while PostgreSQL is away. The first SIGTERM or Ctrl-C "
      "finishes\n"
      "the batch under way and ends with 0; a second one ends at once. Logs to standard error, as\n"
      "JSON unless that is a terminal. Serves /metrics, /livez, /readyz, /status and a page on\n"
      "http.listen, and commands on the control socket.";
  spec.example =
      "liteferry run --source app.db --target postgresql://app@localhost/app\n"
      "liteferry run -c /etc/liteferry/liteferry.yaml --set http.listen=:9809";
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
