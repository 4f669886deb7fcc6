#include "replication/engine.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "metrics/engine_probe.h"
#include "replication/apply.h"
#include "replication/backoff.h"
#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/base/text.h"
#include "replication/comparer.h"
#include "replication/confirmation.h"
#include "replication/copy.h"
#include "replication/cutover/attempt.h"
#include "replication/cutover/gate_watch.h"
#include "replication/cutover/run.h"
#include "replication/housekeeping.h"
#include "replication/lag_keeper.h"
#include "replication/lifecycle.h"
#include "replication/log_limit.h"
#include "replication/prepare.h"
#include "replication/reconcile.h"
#include "replication/source/watcher.h"
#include "replication/table_doubts.h"
#include "replication/table_start.h"
#include "replication/target/pg_error.h"
#include "replication/verify/schedule.h"

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

enum class Command : std::uint8_t {
  kNone,
  kPause,
  kPauseAndRelease,
  kReleaseFull,
  kResume,
  kCutOver,
  kAbort
};

// They read both databases beside the engine, but not while it cuts over.
struct Readers {
  explicit Readers(EngineContext& context) : schedule(context), gates(context) {}
  verify::Schedule schedule;
  cutover::GateWatch gates;
};

}  // namespace

class Engine::Impl {
 public:
  Impl(config::Settings settings, metrics::EngineProbe& probe, std::shared_ptr<spdlog::logger> log)
      : context_{std::move(settings),
                 probe,
                 std::move(log),
                 RandomUuid(),
                 {},
                 {},
                 {},
                 {},
                 {},
                 {},
                 {},
                 {},
                 {},
                 {}},
        backoff_(std::random_device{}()) {
    context_.confirmation = &confirmation_;
    context_.board.Update([](EngineStatus& status) { status.since = SystemClock::now(); });
  }

  ~Impl() {
    context_.stop.Set();
    context_.abort.Set();
    context_.wake.Set();
    if (thread_.joinable()) thread_.join();
    comparer_.reset();
    readers_.reset();
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
  void Abandon() noexcept {
    RequestStop();
    context_.abort.Set();
  }
  bool Stopped() const noexcept { return stopped_.load(); }

  EngineStatus Status() const {
    EngineStatus status = context_.board.Read();
    lag_.Fill(status);
    const std::string unconfirmed = confirmation_.Problem();
    if (!unconfirmed.empty()) status.notes.push_back(unconfirmed);
    const std::string outgrown = OutgrownNote(status, context_.settings.changelog.max_size);
    if (!outgrown.empty()) status.notes.push_back(outgrown);
    return status;
  }

  void Resume(bool reconcile) {
    if (reconcile) context_.reconcile = true;
    Send(Command::kResume);
  }

  void Send(Command command) {
    command_.store(command);
    context_.command_pending = true;
    context_.wake.Set();
  }

 private:
  // On the watcher's thread.
  void Observe(const source::Observation& observation) {
    const bool news = lag_.Observe(observation);
    context_.board.Update([&](EngineStatus& status) {
      status.source.up = observation.source_up;
      status.source.size_bytes = observation.size_bytes;
      status.source.wal_bytes = observation.wal_bytes;
      status.oldest_kept = observation.oldest_kept;
      if (!observation.source_up) return;
      status.captured = observation.captured;
      status.source.log_bytes = observation.log_bytes;
    });
    if (observation.source_up && observation.log_bytes != log_bytes_) {
      log_bytes_ = observation.log_bytes;
      if (MustRelease(log_limit_, Status(), context_)) Send(Command::kReleaseFull);
    }
    if (news) context_.wake.Set();
  }

  void Run() {
    Event event = Event::Of(Event::Kind::kStart);
    for (;;) {
      const State before = lifecycle_.state();
      Action action =
          lifecycle_.Resume(context_.stop.IsSet() ? Event::Of(Event::Kind::kStop) : event);
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
    EndSession();
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
        if (lifecycle_.state() == State::kCutOver) WatchFence();
        return Await(kLookAgain);
      case Action::kAwaitResume:
        return AwaitResume();
      case Action::kCutOver:
        return DoCutOver();
      case Action::kFinishCutover:
        return attempt_.Finish(*session_);
      case Action::kAbortCutover:
        return attempt_.GoBack(*session_);
      case Action::kEnd:
        break;
    }
    return Event::Of(Event::Kind::kStop);
  }

  void EndSession() {
    confirmation_.Detach();
    housekeeping_.reset();
    session_.reset();
  }

  Event DoPrepare() {
    EndSession();
    PrepareResult result = Prepare(context_);
    if (!result.session) {
      SetReason("another daemon applies to this target",
                "Stop one of the two; this one takes over as soon as the other is gone.");
      return Event::Of(Event::Kind::kOwnedByOther);
    }
    session_ = std::move(result.session);
    housekeeping_ = std::make_unique<Housekeeping>(context_, *session_);
    next_housekeeping_ = {};
    const target::StreamRow& stream = session_->stream;
    NotePosition(stream);
    NoteSettled();
    if (!target_lost_.empty()) {
      context_.probe.TargetReconnected(session_->failed_over ? "failover" : target_lost_);
    }
    target_lost_.clear();
    confirmation_.Attach(*session_);
    backoff_.Reset();
    halted_by_.clear();
    TellProblems();
    const bool paused = pause_wanted_.value_or(stream.paused);
    if (paused != stream.paused) session_->store->SetPaused(paused);
    if (session_->released && !paused) {
      throw Error(Disposition::kInDoubt, Component::kCapture, "the capture is to be installed");
    }
    context_.board.Update([](EngineStatus& status) { status.retry_attempt = 0; });
    context_.log->info("event=ready phase={} position={} epoch={} target={}",
                       ToString(stream.phase), stream.applied_seq, session_->owner.epoch,
                       session_->target->Describe());
    Event event = Event::Of(Event::Kind::kPrepared);
    event.phase = stream.phase;
    event.paused = paused;
    if (paused) TellPaused(session_->released);
    attempt_.Prepared(stream.phase);
    return event;
  }

  // Tables that are not followed are told where a person looks, and when they become others in the
  // log.
  void TellProblems() {
    const auto& problems = session_->mapping.problems;
    std::string text;
    for (const MappingProblem& problem : problems) {
      text += (text.empty() ? "not followed: table " : "; table ") + problem.table + " " +
              problem.message;
    }
    SetReason(text, problems.empty() ? ""
                                     : problems.front().hint +
                                           " It is looked at again every few seconds, and the "
                                           "table is compared then.");
    if (text != told_problems_ && !text.empty()) {
      context_.log->error("event=tables_not_followed count={} reason=\"{}\"", problems.size(),
                          text);
    }
    told_problems_ = text;
    next_pairing_ = SteadyClock::now() + kLookAgain;
  }

  void NoteSettled() {
    lag_.Settled(session_->settled() && !session_->released, session_->stream);
    ShowDoubts(context_, *session_);
  }

  void NotePosition(const target::StreamRow& stream) {
    const std::int64_t lost = lag_.Position(stream);
    if (lost == 0) return;
    context_.probe.Rewound(lost);
    context_.log->warn("event=target_rewound to={} changes={}", stream.applied_seq, lost);
  }

  Event DoCopy() {
    context_.log->info("event=copy_started jobs={}", context_.settings.copy.jobs);
    if (!RunCopy(context_, *session_)) {
      const Command command = TakeCommand();
      if (command != Command::kNone && !context_.stop.IsSet()) return Obey(command);
      return Event::Of(Event::Kind::kStop);
    }
    context_.log->info("event=copy_finished");
    return Event::Of(Event::Kind::kCopied);
  }

  Event DoApply() {
    if (const auto command = TakeCommand(); command != Command::kNone) return Obey(command);
    KeepHouse();
    context_.wake.Clear();
    TakeAnswers();
    const ApplyResult result = ApplyBatch(context_, *session_);
    in_doubt_ = 0;
    if (result.entries > 0) confirmation_.Committed();
    session_->indexes_held = session_->indexes_held || result.held_again;
    NoteSettled();
    if (result.entries > 0) {
      const auto oldest = lag_.Applied(result.to);
      if (oldest) {
        const std::chrono::duration<double> latency = SystemClock::now() - *oldest;
        context_.probe.EndToEndLatency(std::max(latency.count(), 0.0));
      }
    }
    if (result.caught_up) return CaughtUp();
    return Event::Of(Event::Kind::kWindowApplied);
  }

  // All that was captured is applied. Now, when every log entry that speaks of a gap has been read,
  // tables in doubt are compared; the applying goes on meanwhile.
  Event CaughtUp() {
    if (!readers_) readers_.emplace(context_);
    if (!comparer_) comparer_ = std::make_unique<Comparer>(context_);
    comparer_->Compare(*session_);
    Event event = Event::Of(Event::Kind::kCaughtUp);
    event.unsettled = !session_->suspects.empty();
    event.indexes_held = session_->indexes_held;
    return event;
  }

  // Tables that were compared since: what differs is in the log by now.
  void TakeAnswers() {
    if (!comparer_) return;
    for (const Comparer::Answer& answer : comparer_->Take()) {
      const auto suspect = session_->suspects.find(answer.table_no);
      if (suspect == session_->suspects.end() || suspect->second.doubt != answer.doubt) continue;
      const TableMapping* table = session_->Find(answer.table_no);
      if (table == nullptr) continue;
      if (answer.nameless > 0) {
        RestartTableCopy(context_, *session_, *table, "rows on the target have NULL in their key");
        throw Error(Disposition::kInDoubt, Component::kTarget,
                    "table " + table->source.name + " is copied again");
      }
      session_->store->PutSourceTable(DescribeTable(*session_, *table));
      session_->suspects.erase(suspect);
      context_.log->info("event=table_compared table={} rows={} differences={}", table->source.name,
                         answer.rows, answer.differences);
    }
  }

  Event DoRelease() {
    if (!ReleaseIndexes(context_, *session_)) return Event::Of(Event::Kind::kStop);
    session_->indexes_held = false;
    session_->store->SetPhase(session_->owner, target::Phase::kFollowing);
    session_->stream.phase = target::Phase::kFollowing;
    session_->stream.consistent = session_->settled();
    if (!session_->stream.consistent) session_->store->SetConsistent(session_->owner, false);
    context_.board.Update([consistent = session_->stream.consistent](EngineStatus& status) {
      status.consistent = consistent;
    });
    return Event::Of(Event::Kind::kReleased);
  }

  Event DoCutOver() {
    // Their locks are what the statements of the cutover would wait for, and its writers with them.
    readers_.reset();
    const Event event = attempt_.CutOver(*session_);
    NotePosition(session_->stream);
    return event;
  }

  void KeepHouse() {
    if (SteadyClock::now() < next_housekeeping_) return;
    LookForPairing();
    next_housekeeping_ =
        SteadyClock::now() + housekeeping_->Run(lag_.in_sync(), lag_.last_change());
  }

  // Goes on by itself once a table that could not be followed can be.
  void LookForPairing() {
    if (session_->mapping.problems.empty() || SteadyClock::now() < next_pairing_) return;
    next_pairing_ = SteadyClock::now() + kLookAgain;
    if (!PairingChanged(context_, *session_)) return;
    throw Error(Disposition::kInDoubt, Component::kTarget, "the schemas pair differently now");
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
    return Event::Of(Event::Kind::kWakeUp);
  }

  void WatchFence() {
    session_->store->Heartbeat(session_->owner, 0);
    cutover::GuardFence(context_, *session_);
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
    return Event::Of(Event::Kind::kWakeUp);
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
    if (command == Command::kCutOver) {
      return attempt_.Begin(lifecycle_.state(), session_ && session_->settled());
    }
    if (command == Command::kAbort) return attempt_.BeginToGoBack(lifecycle_.state());
    const bool pause = command != Command::kResume;
    // Remembered here as well: without a session it is written with the next one.
    pause_wanted_ = pause;
    if (session_ && session_->target && !session_->target->broken()) StorePaused(pause);
    const bool full = command == Command::kReleaseFull;
    const bool release = full || command == Command::kPauseAndRelease;
    if (release) ReleaseCapture();
    pause ? TellPaused(release) : SetReason("", "");
    if (full) SetReason(std::string(kReleasedReason), std::string(kReleasedNext));
    context_.log->info("event={}", pause ? "paused" : "resumed");
    return Event::Of(pause ? Event::Kind::kPause : Event::Kind::kResume);
  }

  // That the connection is lost is found out here as well as anywhere: the command is obeyed then.
  void StorePaused(bool paused) {
    try {
      session_->store->SetPaused(paused);
    } catch (const Error& error) {
      if (error.disposition() != Disposition::kRetry) throw;
      context_.log->warn("event=pause_not_stored reason=\"{}\"", error.message());
      EndSession();
    }
  }

  void TellPaused(bool released) {
    SetReason(released
                  ? "paused by command, and the triggers are taken away: changes are not captured"
                  : "paused by command",
              released ? "Run `liteferry resume` after the migration; the tables are compared then."
                       : "Run `liteferry resume` to go on.");
  }

  // Without a session the application may be the reason for that: a connection of its own.
  void ReleaseCapture() {
    context_.board.Update([](EngineStatus& status) {
      status.consistent = false;
      for (TableStatus& table : status.tables) table.captured = false;
    });
    if (session_) {
      source::Capture(*session_->source).RemoveTriggers();
      session_->released = true;
      NoteSettled();
      return;
    }
    source::Database database(context_.settings.source.path, source::OpenMode::kReadWrite,
                              context_.settings.source.busy_timeout);
    MeasureLocks(context_, database);
    source::Capture(database).RemoveTriggers();
  }

  Event Fault(const Error& error) {
    Disposition disposition = error.disposition();
    // A table or column that is not there any more: the catalogs tell which, and what goes on.
    if (error.sqlstate() == "42P01" || error.sqlstate() == "42703") {
      disposition = Disposition::kInDoubt;
    }
    const bool transient =
        disposition == Disposition::kRetry || disposition == Disposition::kInDoubt;
    // In doubt means looking again at once; when that settles nothing, time may.
    if (disposition == Disposition::kInDoubt && ++in_doubt_ > 3) disposition = Disposition::kRetry;
    context_.probe.ErrorSeen(ToString(error.component()), transient);
    if (!transient) lag_.Halted();
    if (error.component() == Component::kTarget) {
      // Data that forbid to go on lose no connection.
      if (error.exit_code() != ExitCode::kDataError) target_lost_ = target::LossReason(error);
      context_.board.Update([](EngineStatus& status) { status.target.up = false; });
    }
    const std::string& code = error.sqlstate();
    const bool told = error.message().find(code) != std::string::npos;
    SetReason(error.message() + (told ? "" : " (" + code + ")"),
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
    if (!transient) attempt_.Halted(error);
    EndSession();
    Event event = Event::Of(Event::Kind::kFault);
    event.disposition = disposition;
    return event;
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
  Confirmation confirmation_{context_};
  std::unique_ptr<source::Watcher> watcher_;
  std::thread thread_;
  std::atomic<bool> stopped_{false};
  std::atomic<Command> command_{Command::kNone};

  LagKeeper lag_;
  LogLimit log_limit_{context_.settings.changelog.max_size};  // watcher's thread only
  std::int64_t log_bytes_ = -1;                               // likewise

  // Engine thread only.
  Lifecycle lifecycle_;
  Backoff backoff_;
  bool published_ = false;
  std::string halted_by_;
  std::string target_lost_;  // why, until it is connected again
  int in_doubt_ = 0;         // faults in doubt since the last batch that went well
  std::unique_ptr<Session> session_;
  std::unique_ptr<Housekeeping> housekeeping_;
  SteadyClock::time_point next_housekeeping_{};
  std::unique_ptr<Comparer> comparer_;
  cutover::EngineAttempt attempt_{context_};
  std::optional<Readers> readers_;
  std::optional<bool> pause_wanted_;  // the latest command; nothing: as the stream row says
  std::string told_problems_;
  SteadyClock::time_point next_pairing_{};
};

Engine::Engine(config::Settings settings, metrics::EngineProbe& probe,
               std::shared_ptr<spdlog::logger> log)
    : impl_(std::make_unique<Impl>(std::move(settings), probe, std::move(log))) {}
Engine::~Engine() = default;

void Engine::Start() { impl_->Start(); }
void Engine::RequestStop() noexcept { impl_->RequestStop(); }
void Engine::Abandon() noexcept { impl_->Abandon(); }
bool Engine::Stopped() const noexcept { return impl_->Stopped(); }
EngineStatus Engine::Status() const { return impl_->Status(); }
void Engine::Pause(bool release_capture) {
  impl_->Send(release_capture ? Command::kPauseAndRelease : Command::kPause);
}
void Engine::Resume(bool reconcile) { impl_->Resume(reconcile); }
void Engine::CutOver() { impl_->Send(Command::kCutOver); }
void Engine::AbortCutover() { impl_->Send(Command::kAbort); }

}  // namespace liteferry
