#include "replication/cutover/attempt.h"

#include "replication/base/log.h"
#include "replication/base/text.h"
#include "replication/cutover/hook.h"
#include "replication/cutover/run.h"

namespace liteferry::cutover {
namespace {

constexpr int kTryAgain = static_cast<int>(ExitCode::kTryAgain);

}  // namespace

void EngineAttempt::Open(const std::string& step) {
  running_ = true;
  failure_.reset();
  refused_ = false;
  context_.board.Update([&](EngineStatus& status) {
    CutoverStatus& cutover = status.cutover;
    ++cutover.attempt;
    cutover.running = true;
    cutover.step = step;
    cutover.result.clear();
    cutover.message.clear();
    cutover.next_action.clear();
    cutover.exit_code = 0;
  });
}

void EngineAttempt::Close(const std::string& result, const std::string& message,
                          const std::string& hint, int exit_code) {
  running_ = false;
  context_.board.Update([&](EngineStatus& status) {
    CutoverStatus& cutover = status.cutover;
    cutover.running = false;
    cutover.step.clear();
    cutover.result = result;
    cutover.message = message;
    cutover.next_action = hint;
    cutover.exit_code = exit_code;
  });
  context_.log->info("event=cutover_ended result={} reason=\"{}\"", result, message);
}

void EngineAttempt::CloseWith(const Error& error) {
  const bool ours = error.exit_code() != ExitCode::kBug;
  Close(refused_ ? "refused" : "failed", error.message(), error.hint(),
        ours ? static_cast<int>(error.exit_code()) : kTryAgain);
}

void EngineAttempt::Say(const std::string& step) {
  context_.board.Update([&](EngineStatus& status) { status.cutover.step = step; });
  context_.log->info("event=cutover_step step=\"{}\"", step);
}

Event EngineAttempt::Begin(State state, bool settled) {
  Open("beginning");
  going_back_ = false;
  if (state == State::kCutOver) {
    Close("done", "cut over already", "", 0);
  } else if (state != State::kFollowing || !settled) {
    Close(
        "refused",
        "the state is " + std::string(ToString(state)) +
            (state == State::kFollowing ? ", but not every table is followed" : ", not following"),
        "Run `liteferry status`, or wait with `liteferry wait`.", kTryAgain);
  } else {
    return Event::Of(Event::Kind::kCutOver);
  }
  return Event::Of(Event::Kind::kWakeUp);
}

Event EngineAttempt::BeginToGoBack(State state) {
  Open("beginning");
  going_back_ = true;
  if (state == State::kCutOver) return Event::Of(Event::Kind::kAbort);
  if (state == State::kHalted) {
    // Only what Prepare halts on for this very reason is ended by it.
    context_.unfence = true;
    return Event::Of(Event::Kind::kReturned);
  }
  Close("refused", "there is nothing to abort: the state is " + std::string(ToString(state)), "",
        kTryAgain);
  return Event::Of(Event::Kind::kWakeUp);
}

Event EngineAttempt::CutOver(Session& session) {
  try {
    const auto pause =
        cutover::CutOver(context_, session, [this](const std::string& what) { Say(what); });
    const double seconds = std::chrono::duration<double>(pause).count();
    context_.board.Update([&](EngineStatus& status) {
      status.cutover.fenced = true;
      status.cutover.write_pause_seconds = seconds;
      status.applied = status.confirmed = session.stream.applied_seq;
    });
    context_.log->info("event=cut_over position={} write_pause={:.3f}", session.stream.applied_seq,
                       seconds);
    hook_due_ = true;
    return Event::Of(Event::Kind::kFenced);
  } catch (const Error& error) {
    context_.log->warn("event=cutover_interrupted reason=\"{}\"", error.message());
    refused_ = dynamic_cast<const Refused*>(&error) != nullptr;
    failure_ = error;
  }
  return Event::Of(Event::Kind::kReturned);
}

Event EngineAttempt::Finish(Session& session) {
  if (hook_due_) RunHook(session);
  hook_due_ = false;
  Say("validating the foreign keys");
  const auto problems = cutover::Finish(context_, session);
  if (running_) {
    problems.empty() ? Close("done", "the application may start on PostgreSQL", "", 0)
                     : Close("failed", "cut over, but " + Join(problems, "; "),
                             "Correct the rows on PostgreSQL, then restart liteferry.",
                             static_cast<int>(ExitCode::kDataError));
  }
  context_.board.Update([](EngineStatus& status) { status.cutover.step.clear(); });
  return Event::Of(Event::Kind::kFinished);
}

Event EngineAttempt::GoBack(Session& session) {
  try {
    cutover::GoBack(context_, session, [this](const std::string& what) { Say(what); });
    context_.board.Update([](EngineStatus& status) { status.cutover.fenced = false; });
    return Event::Of(Event::Kind::kReturned);
  } catch (const Error& error) {
    // Refused: nothing has changed. Anything else Prepare has to sort out.
    refused_ = dynamic_cast<const Refused*>(&error) != nullptr;
    if (error.exit_code() == ExitCode::kDataError) {
      CloseWith(error);
      return Event::Of(Event::Kind::kFinished);
    }
    failure_ = error;
  }
  return Event::Of(Event::Kind::kReturned);
}

void EngineAttempt::Prepared(target::Phase phase) {
  const bool cut_over = phase == target::Phase::kCutOver;
  context_.board.Update([&](EngineStatus& status) { status.cutover.fenced = cut_over; });
  if (!running_) return;
  if (going_back_ != cut_over) {
    // The one that was asked for: a cutover that got through is closed by Finish.
    if (going_back_) Close("done", "the application goes on with SQLite", "", 0);
    // It threw, but got through all the same.
    if (cut_over && failure_) hook_due_ = true;
    failure_.reset();
    return;
  }
  if (failure_) return CloseWith(*failure_);
  Close("failed", "it was interrupted and rolled back", "Try again.", kTryAgain);
}

void EngineAttempt::Halted(const Error& error) {
  context_.unfence = false;
  if (running_) CloseWith(error);
}

void EngineAttempt::RunHook(const Session& session) {
  const std::string& command = context_.settings.cutover.on_ready;
  if (command.empty()) return;
  HookFacts facts;
  facts.source_path = context_.settings.source.path;
  facts.target = session.target->Describe();
  facts.position = session.stream.applied_seq;
  facts.write_pause_seconds = context_.board.Read().cutover.write_pause_seconds.value_or(0);
  const std::string problem = cutover::RunHook(command, facts, context_.abort);
  if (problem.empty()) {
    context_.log->info("event=on_ready_done");
  } else {
    context_.log->error("event=on_ready_failed reason=\"{}\"", problem);
  }
}

}  // namespace liteferry::cutover
