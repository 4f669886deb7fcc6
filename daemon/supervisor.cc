#include "daemon/supervisor.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

#include "config/options.h"
#include "daemon/control_socket.h"
#include "daemon/gauges.h"
#include "daemon/http_server.h"
#include "daemon/logging.h"
#include "daemon/progress.h"
#include "daemon/status_json.h"
#include "replication/base/log.h"

namespace liteferry::daemon {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr milliseconds kTick(1000);
constexpr milliseconds kTickOnTerminal(250);  // while the status line moves
constexpr milliseconds kTickStopping(20);
// systemd's patience is prolonged while a batch is being finished, but not for ever.
constexpr auto kLongestDrain = std::chrono::minutes(2);
// A batch that takes longer waits for somebody, for a lock most likely; it can be done again.
constexpr std::chrono::seconds kBatchPatience(10);

}  // namespace

class Supervisor::Impl {
 public:
  Impl(const config::Settings& settings, ReplicationPort& replication, metrics::EngineProbe& probe,
       std::shared_ptr<spdlog::logger> log, Terminal& terminal, SystemdNotifier notifier)
      : settings_(settings),
        replication_(replication),
        probe_(probe),
        log_(std::move(log)),
        terminal_(terminal),
        notifier_(std::move(notifier)),
        signals_(io_),
        timer_(io_),
        control_(io_, config::SocketPath(settings), settings.socket.mode, MakeControlHandlers()),
        http_(io_, settings.http.listen, MakeHttpHandlers()) {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    log_->info("event=listening http={} port={} socket={}", LogValue(settings.http.listen),
               http_.port(), LogValue(config::SocketPath(settings)));
  }

  ExitCode Run() {
    replication_.Start();
    notifier_.Notify("READY=1");
    AwaitSignal();
    Tick();
    io_.run();
    terminal_.SetStatus("");
    return result_;
  }

  std::uint16_t http_port() const { return http_.port(); }

 private:
  ControlHandlers MakeControlHandlers() {
    return {[this] { return StatusJson(Report()); },
            [this](bool release_capture) {
              log_->info("event=pause_requested release_capture={}", release_capture);
              replication_.Pause(release_capture);
            },
            [this](bool reconcile) {
              log_->info("event=resume_requested reconcile={}", reconcile);
              replication_.Resume(reconcile);
            },
            [this](bool abort) {
              log_->info("event=cutover_requested abort={}", abort);
              abort ? replication_.AbortCutover() : replication_.CutOver();
            }};
  }

  HttpHandlers MakeHttpHandlers() {
    return {[this] {
              StatusReport report = Report();
              report.history = history_.Samples();
              return report;
            },
            [this] {
              probe_.SetGauges(MakeGauges(Report()));
              return probe_.Expose();
            },
            [this](bool transient) { probe_.ErrorSeen("http", transient); }};
  }

  // An option of the configuration as its text.
  std::string Setting(std::string_view key) const {
    const auto* option = config::FindOption(key);
    return config::ValueText(option->spec, option->get(settings_));
  }

  StatusReport Report() const {
    StatusReport report;
    report.status = replication_.Status();
    report.progress = meter_.current();
    report.now = system_clock::now();
    report.version = LITEFERRY_VERSION;
    report.pid = getpid();
    report.started_at = started_at_;
    report.log_limit_bytes = settings_.changelog.max_size;
    report.durability = Setting("target.durability");
    report.verify_max_age = settings_.cutover.verify_max_age;
    return report;
  }

  void AwaitSignal() {
    signals_.async_wait([this](error_code error, int signal) {
      if (error) return;
      if (stopping_since_) {
        terminal_.SetStatus("");
        log_->warn("event=killed signal={}", signal);
        _exit(128 + signal);
      }
      BeginStop(signal);
      AwaitSignal();
    });
  }

  void BeginStop(int signal) {
    stopping_since_ = steady_clock::now();
    log_->info("event=stopping signal={} finishing the batch; a second signal ends at once",
               signal);
    notifier_.Notify("STOPPING=1\nSTATUS=finishing the batch");
    cutting_over_ = settings_.cutover.on_shutdown;
    if (!cutting_over_) RequestStop();
    Schedule(milliseconds(0));
  }

  void RequestStop() {
    replication_.RequestStop();
    give_up_at_ = steady_clock::now() + kBatchPatience;
  }

  // The position tells the next start what of it was applied.
  void GiveUpInTime(steady_clock::time_point now) {
    if (!give_up_at_ || now < *give_up_at_) return;
    give_up_at_.reset();
    log_->warn("event=batch_given_up reason=\"it was not finished in {} s\"",
               kBatchPatience.count());
    replication_.Abandon();
  }

  // cutover.on_shutdown: once all is applied, the cutover; the engine is stopped when it has ended.
  void LeadCutover(steady_clock::time_point now) {
    const EngineStatus status = replication_.Status();
    const bool over = now - *stopping_since_ >= kLongestDrain;
    if (!attempt_) {
      const bool waiting = status.state == State::kStarting || status.state == State::kCopying ||
                           status.state == State::kCatchingUp || status.state == State::kRetrying ||
                           status.state == State::kCuttingOver;
      if (waiting && !over) return;
      attempt_ = status.cutover.attempt;
      replication_.CutOver();
      return;
    }
    const bool ended = status.cutover.attempt > *attempt_ && !status.cutover.running;
    if (!ended && !over) return;
    cutting_over_ = false;
    if (status.state != State::kCutOver) {
      log_->error("event=not_cut_over reason=\"{}\"", status.cutover.message);
      result_ = ExitCode::kTryAgain;
    }
    RequestStop();
  }

  void Tick() {
    if (replication_.Stopped()) return Finish();
    const steady_clock::time_point now = steady_clock::now();
    FeedWatchdog(now);
    if (stopping_since_) {
      if (now - *stopping_since_ < kLongestDrain && now - extended_ >= std::chrono::seconds(1)) {
        extended_ = now;
        notifier_.Notify("EXTEND_TIMEOUT_USEC=10000000");
      }
      if (cutting_over_) LeadCutover(now);
      GiveUpInTime(now);
      return Schedule(kTickStopping);
    }
    const EngineStatus status = replication_.Status();
    ShowProgress(status, now);
    const bool moving = terminal_.is_terminal() &&
                        (status.state == State::kStarting || status.state == State::kCopying ||
                         status.state == State::kCatchingUp);
    Schedule(moving ? kTickOnTerminal : kTick);
  }

  void ShowProgress(const EngineStatus& status, steady_clock::time_point now) {
    const Progress& progress = meter_.Observe(status, now);
    const system_clock::time_point wall = system_clock::now();
    history_.Observe(status, progress, now, wall);
    if (terminal_.is_terminal()) {
      terminal_.SetStatus(Printable(DescribeProgress(status, progress, wall)));
    }
    if (!cadence_.Due(status, now)) return;
    notifier_.Status(DescribeProgress(status, progress, wall));
    if (!terminal_.is_terminal()) {
      log_->info("event=progress {}", ProgressFields(status, progress, wall));
    }
  }

  // Twice as often as asked. Ticks come at least once a second, so that shorter periods are not
  // kept; systemd's are seconds.
  void FeedWatchdog(steady_clock::time_point now) {
    if (!notifier_.watchdog() || now - fed_ < *notifier_.watchdog() / 2 - kTick / 2) return;
    fed_ = now;
    notifier_.Notify("WATCHDOG=1");
  }

  void Finish() {
    if (stopping_since_) {
      log_->info("event=exiting");
    } else {
      result_ = ExitCode::kBug;
      log_->error("event=engine_ended the engine ended by itself");
    }
    control_.Close();
    http_.Close();
    io_.stop();
  }

  void Schedule(milliseconds delay) {
    timer_.expires_after(delay);
    timer_.async_wait([this](error_code error) {
      if (!error) Tick();
    });
  }

  const config::Settings& settings_;
  ReplicationPort& replication_;
  metrics::EngineProbe& probe_;
  const std::shared_ptr<spdlog::logger> log_;
  Terminal& terminal_;
  const SystemdNotifier notifier_;
  const system_clock::time_point started_at_ = system_clock::now();

  ProgressMeter meter_;
  History history_;
  ProgressCadence cadence_{steady_clock::now()};
  std::optional<steady_clock::time_point> stopping_since_;
  std::optional<steady_clock::time_point> give_up_at_;
  bool cutting_over_ = false;
  std::optional<std::int64_t> attempt_;  // the one before that of the shutdown
  steady_clock::time_point extended_;
  steady_clock::time_point fed_;
  ExitCode result_ = ExitCode::kOk;

  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer timer_;
  ControlSocket control_;
  HttpServer http_;
};

Supervisor::Supervisor(const config::Settings& settings, ReplicationPort& replication,
                       metrics::EngineProbe& probe, std::shared_ptr<spdlog::logger> log,
                       Terminal& terminal, SystemdNotifier notifier)
    : impl_(std::make_unique<Impl>(settings, replication, probe, std::move(log), terminal,
                                   std::move(notifier))) {}

Supervisor::~Supervisor() = default;

ExitCode Supervisor::Run() { return impl_->Run(); }

std::uint16_t Supervisor::http_port() const { return impl_->http_port(); }

}  // namespace liteferry::daemon
