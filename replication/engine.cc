#include "replication/engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "metrics/engine_probe.h"
#include "replication/apply.h"
#include "replication/backoff.h"
#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/copy.h"
#include "replication/housekeeping.h"
#include "replication/lag_clock.h"
#include "replication/lifecycle.h"
#include "replication/prepare.h"
#include "replication/source/watcher.h"

namespace liteferry {
namespace {

using SteadyClock = std::chrono::steady_clock;
using SystemClock = std::chrono::system_clock;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kWatcherPoll{2};
// How often a halted engine looks whether the cause is gone, and a waiting one whether the owner
// is.
constexpr std::chrono::seconds kLookAgain{15};
constexpr std::chrono::seconds kAskOwner{1};

enum class Command : std::uint8_t { kNone, kPause, kResume };

}  // namespace

class Engine::Impl {
 public:
  Impl(config::Settings settings, metrics::EngineProbe& probe, std::shared_ptr<spdlog::logger> log)
      : context_{std::move(settings), probe, std::move(log), RandomUuid(), {}, {}, {}, {}, {}},
        backoff_(std::random_device{}()) {
    context_.board.Update([](EngineStatus& status) { status.since = SystemClock::now(); });
  }

  ~Impl() {
    context_.stop.Set();
    context_.abort.Set();
    context_.wake.Set();
    if (thread_.joinable()) thread_.join();
    watcher_.reset();
  }

  void Start() {
    watcher_ = std::make_unique<source::Watcher>(
        context_.settings.source.path, kWatcherPoll,
        [this](const source::Observation& observation) { Observe(observation); });
    thread_ = std::thread([this] { Run(); });
  }

  void RequestStop() noexcept {
    context_.stop.Set();
    context_.wake.Set();
  }
  bool Stopped() const noexcept { return stopped_.load(); }

  EngineStatus Status() const {
    EngineStatus status = context_.board.Read();
    const std::lock_guard lock(lag_mutex_);
    status.captured = std::max(lag_.captured(), status.captured);
    status.oldest_unapplied_at = lag_.OldestUnapplied();
    status.backlog_changes = std::max<std::int64_t>(status.captured - status.applied, 0);
    return status;
  }

  void Send(Command command) {
    command_.store(command);
    context_.command_pending = true;
    context_.wake.Set();
  }

 private:
  // On the watcher's thread.
  void Observe(const source::Observation& observation) {
    bool grown = false;
    bool other_schema = false;
    {
      const std::lock_guard lock(lag_mutex_);
      grown = observation.captured > lag_.captured();
      other_schema = observation.source_up && observation.schema_version != schema_version_;
      if (observation.source_up) schema_version_ = observation.schema_version;
      if (observation.source_up) lag_.Observe(observation.captured, SystemClock::now());
      if (grown) last_change_ = SteadyClock::now();
    }
    context_.board.Update([&](EngineStatus& status) {
      status.source.up = observation.source_up;
      status.source.size_bytes = observation.size_bytes;
      status.source.wal_bytes = observation.wal_bytes;
      status.oldest_kept = observation.oldest_kept;
      if (observation.source_up) status.captured = observation.captured;
    });
    if (grown || other_schema || !observation.source_up) context_.wake.Set();
  }

  void Run() {
    Event event{Event::Kind::kStart, {}, {}, {}};
    for (;;) {
      const State before = lifecycle_.state();
      Action action =
          lifecycle_.Resume(context_.stop.IsSet() ? Event{Event::Kind::kStop, {}, {}, {}} : event);
      Publish(before);
      if (action == Action::kEnd) break;
      try {
        event = Perform(action);
      } catch (const Error& error) {
        event = Fault(error);
      } catch (const std::exception& error) {
        event = Fault(Error(Disposition::kBug, Component::kControl, error.what()));
      }
    }
    if (session_ && session_->target && !session_->target->broken()) {
      session_->store->Release(session_->owner);
    }
    session_.reset();
    context_.log->info("event=stopped applied={}", context_.board.Read().applied);
    stopped_ = true;
  }

  Event Perform(Action action) {
    switch (action) {
      case Action::kPrepare:
        return DoPrepare();
      case Action::kCopy:
        return DoCopy();
      case Action::kApply:
        return DoApply();
      case Action::kRelease:
        return DoRelease();
      case Action::kAwaitChange:
        return AwaitChange();
      case Action::kBackOff:
        return BackOff();
      case Action::kAwaitOwner:
        return Await(kAskOwner);
      case Action::kAwaitPerson:
        return Await(kLookAgain);
      case Action::kAwaitResume:
        return AwaitResume();
      case Action::kEnd:
        break;
    }
    return {Event::Kind::kStop, {}, {}, {}};
  }

  Event DoPrepare() {
    session_.reset();
    housekeeping_.reset();
    PrepareResult result = Prepare(context_);
    if (!result.session) {
      SetReason("another daemon applies to this target",
                "Stop one of the two; this one takes over as soon as the other is gone.");
      return {Event::Kind::kOwnedByOther, {}, {}, {}};
    }
    session_ = std::move(result.session);
    housekeeping_ = std::make_unique<Housekeeping>(context_, *session_);
    next_housekeeping_ = {};
    const target::StreamRow& stream = session_->stream;
    NotePosition(stream);
    if (backoff_.attempt() > 0) context_.probe.TargetReconnected("other");
    backoff_.Reset();
    halted_by_.clear();
    SetReason("", "");
    context_.board.Update([](EngineStatus& status) { status.retry_attempt = 0; });
    context_.log->info("event=ready phase={} position={} epoch={} target={}",
                       ToString(stream.phase), stream.applied_seq, session_->owner.epoch,
                       session_->target->Describe());
    return {Event::Kind::kPrepared, stream.phase, stream.paused, {}};
  }

  // The lag starts from what the target says: what is newer has waited at least since the owner
  // last knew that nothing was waiting.
  void NotePosition(const target::StreamRow& stream) {
    const std::lock_guard lock(lag_mutex_);
    const std::int64_t expected = lag_.applied();
    if (expected > stream.applied_seq && expected > 0 && positioned_) {
      context_.probe.Rewound(expected - stream.applied_seq);
      context_.log->warn("event=target_rewound from={} to={}", expected, stream.applied_seq);
    }
    if (!positioned_ || expected > stream.applied_seq) {
      const auto since = stream.in_sync_at_ms > 0
                             ? SystemClock::time_point(milliseconds(stream.in_sync_at_ms))
                             : SystemClock::now();
      lag_.Reset(stream.applied_seq, lag_.captured(), std::min(since, SystemClock::now()));
      positioned_ = true;
    } else {
      lag_.Applied(stream.applied_seq);
    }
  }

  Event DoCopy() {
    context_.log->info("event=copy_started jobs={}", context_.settings.copy.jobs);
    if (!RunCopy(context_, *session_)) {
      const Command command = TakeCommand();
      if (command != Command::kNone && !context_.stop.IsSet()) return Obey(command);
      return {Event::Kind::kStop, {}, {}, {}};
    }
    context_.log->info("event=copy_finished");
    return {Event::Kind::kCopied, {}, {}, {}};
  }

  Event DoApply() {
    if (const auto command = TakeCommand(); command != Command::kNone) return Obey(command);
    KeepHouse();
    context_.wake.Clear();
    const ApplyResult result = ApplyBatch(context_, *session_);
    in_doubt_ = 0;
    if (result.entries > 0) {
      std::optional<SystemClock::time_point> oldest;
      {
        const std::lock_guard lock(lag_mutex_);
        oldest = lag_.OldestUnapplied();
        lag_.Applied(result.to);
      }
      if (oldest) {
        const std::chrono::duration<double> latency = SystemClock::now() - *oldest;
        context_.probe.EndToEndLatency(std::max(latency.count(), 0.0));
      }
    }
    if (result.caught_up) return {Event::Kind::kCaughtUp, {}, {}, {}};
    return {Event::Kind::kWindowApplied, {}, {}, {}};
  }

  Event DoRelease() {
    if (!ReleaseIndexes(context_, *session_)) return {Event::Kind::kStop, {}, {}, {}};
    session_->store->SetPhase(session_->owner, target::Phase::kFollowing);
    session_->stream.phase = target::Phase::kFollowing;
    session_->stream.consistent = true;
    context_.board.Update([](EngineStatus& status) { status.consistent = true; });
    return {Event::Kind::kReleased, {}, {}, {}};
  }

  void KeepHouse() {
    if (SteadyClock::now() < next_housekeeping_) return;
    SteadyClock::time_point last_change;
    bool in_sync = false;
    {
      const std::lock_guard lock(lag_mutex_);
      last_change = last_change_;
      in_sync = !lag_.OldestUnapplied();
    }
    next_housekeeping_ = SteadyClock::now() + housekeeping_->Run(in_sync, last_change);
  }

  Event AwaitChange() {
    KeepHouse();
    const auto until = std::chrono::ceil<milliseconds>(next_housekeeping_ - SteadyClock::now());
    WaitFor(-1, 0, context_.stop, &context_.wake, Deadline::In(std::max(until, milliseconds(1))));
    // Housekeeping alone is no reason to look at the log again.
    while (!context_.wake.IsSet() && !context_.stop.IsSet()) {
      KeepHouse();
      const auto next = std::chrono::ceil<milliseconds>(next_housekeeping_ - SteadyClock::now());
      WaitFor(-1, 0, context_.stop, &context_.wake, Deadline::In(std::max(next, milliseconds(1))));
    }
    return {Event::Kind::kWakeUp, {}, {}, {}};
  }

  Event BackOff() {
    const milliseconds delay = backoff_.Next();
    context_.board.Update([&](EngineStatus& status) {
      status.retry_attempt = backoff_.attempt();
      status.retry_at = SystemClock::now() + delay;
    });
    context_.log->warn("event=retrying attempt={} delay=\"{}\" reason=\"{}\"", backoff_.attempt(),
                       FormatDuration(delay), context_.board.Read().reason);
    return Await(delay);
  }

  // Waits for a command or until `time` is over; commits of the application do not end it.
  Event Await(milliseconds time) {
    const Deadline deadline = Deadline::In(time);
    while (!deadline.Passed() && !context_.stop.IsSet()) {
      context_.wake.Clear();
      if (const auto command = TakeCommand(); command != Command::kNone) return Obey(command);
      WaitFor(-1, 0, context_.stop, &context_.wake, deadline);
    }
    return {Event::Kind::kWakeUp, {}, {}, {}};
  }

  // Paused: the stream stays ours.
  Event AwaitResume() {
    if (housekeeping_ && SteadyClock::now() >= next_housekeeping_) KeepHouse();
    return Await(std::chrono::seconds(5));
  }

  Command TakeCommand() {
    context_.command_pending = false;
    return command_.exchange(Command::kNone);
  }

  Event Obey(Command command) {
    const bool pause = command == Command::kPause;
    if (session_ && session_->target && !session_->target->broken()) {
      session_->store->SetPaused(pause);
    }
    SetReason(pause ? "paused by command" : "", pause ? "Run `liteferry resume` to go on." : "");
    context_.log->info("event={}", pause ? "paused" : "resumed");
    return {pause ? Event::Kind::kPause : Event::Kind::kResume, {}, {}, {}};
  }

  Event Fault(const Error& error) {
    Disposition disposition = error.disposition();
    const bool transient =
        disposition == Disposition::kRetry || disposition == Disposition::kInDoubt;
    // In doubt means looking again at once; when that settles nothing, time may.
    if (disposition == Disposition::kInDoubt && ++in_doubt_ > 3) disposition = Disposition::kRetry;
    context_.probe.ErrorSeen(ToString(error.component()), transient);
    if (error.component() == Component::kTarget) {
      context_.board.Update([](EngineStatus& status) { status.target.up = false; });
    }
    const std::string& code = error.sqlstate();
    SetReason(error.message() + (code.empty() ? "" : " (" + code + ")"),
              !error.hint().empty() ? error.hint()
              : transient           ? "Nothing to do unless this lasts; capture goes on."
                          : "Correct the cause; the daemon looks again by itself, or at once "
                            "after `liteferry resume`.");
    if (disposition == Disposition::kInDoubt) {
      context_.log->warn("event=position_in_doubt reason=\"{}\"", error.message());
    } else if (!transient && error.message() != halted_by_) {
      // Told once: the daemon looks again every few seconds.
      halted_by_ = error.message();
      context_.log->error("event=halted reason=\"{}\" hint=\"{}\"", error.message(), error.hint());
    }
    session_.reset();
    housekeeping_.reset();
    return {Event::Kind::kFault, {}, {}, disposition};
  }

  void SetReason(const std::string& reason, const std::string& next_action) {
    context_.board.Update([&](EngineStatus& status) {
      status.reason = reason;
      status.next_action = next_action;
    });
  }

  void Publish(State before) {
    const State now = lifecycle_.state();
    if (now == before && published_) return;
    published_ = true;
    context_.board.Update([now](EngineStatus& status) {
      if (now == State::kCatchingUp && status.state != now) status.catch_up_from = status.applied;
      status.state = now;
      status.since = SystemClock::now();
    });
    context_.log->info("event=state state={}", ToString(now));
  }

  EngineContext context_;
  std::unique_ptr<source::Watcher> watcher_;
  std::thread thread_;
  std::atomic<bool> stopped_{false};
  std::atomic<Command> command_{Command::kNone};

  // Guarded by lag_mutex_.
  mutable std::mutex lag_mutex_;
  LagClock lag_;
  bool positioned_ = false;
  SteadyClock::time_point last_change_{};
  std::int64_t schema_version_ = 0;  // as the watcher saw it last

  // Engine thread only.
  Lifecycle lifecycle_;
  Backoff backoff_;
  bool published_ = false;
  std::string halted_by_;
  int in_doubt_ = 0;  // faults in doubt since the last batch that went well
  std::unique_ptr<Session> session_;
  std::unique_ptr<Housekeeping> housekeeping_;
  SteadyClock::time_point next_housekeeping_{};
};

Engine::Engine(config::Settings settings, metrics::EngineProbe& probe,
               std::shared_ptr<spdlog::logger> log)
    : impl_(std::make_unique<Impl>(std::move(settings), probe, std::move(log))) {}
Engine::~Engine() = default;

void Engine::Start() { impl_->Start(); }
void Engine::RequestStop() noexcept { impl_->RequestStop(); }
bool Engine::Stopped() const noexcept { return impl_->Stopped(); }
EngineStatus Engine::Status() const { return impl_->Status(); }
void Engine::Pause() { impl_->Send(Command::kPause); }
void Engine::Resume() { impl_->Send(Command::kResume); }

}  // namespace liteferry
