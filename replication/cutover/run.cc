#include "replication/cutover/run.h"

#include <algorithm>

#include "replication/apply.h"
#include "replication/base/log.h"
#include "replication/base/text.h"
#include "replication/confirmation.h"
#include "replication/cutover/delta.h"
#include "replication/cutover/gates.h"
#include "replication/cutover/seam.h"
#include "replication/cutover/source_lock.h"
#include "replication/cutover/target_record.h"
#include "replication/source/fence.h"
#include "replication/table_start.h"

namespace liteferry::cutover {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// What is left to be compared under the lock: so little that it takes a moment.
constexpr std::int64_t kSmallDelta = 500;
constexpr int kRounds = 5;
constexpr std::chrono::minutes kUnlocked{30};  // a statement before the lock
// How long a standby may take before the lock: what it has not by then it has not under the lock.
constexpr std::chrono::seconds kConfirmed{15};

Error TimeIsUp(const std::string& at) {
  return Error(Disposition::kRetry, Component::kControl,
               "cutover.max_pause was over while " + at + "; everything was rolled back")
      .Hint("Try again when less is written, or raise cutover.max_pause.")
      .Exit(ExitCode::kTryAgain);
}

Error NotNow(const std::string& why) {
  return Error(Disposition::kRetry, Component::kControl, why)
      .Hint("Run `liteferry status`, and try again.")
      .Exit(ExitCode::kTryAgain);
}

class Attempt {
 public:
  Attempt(EngineContext& context, Session& session, const Step& step)
      : context_(context), session_(session), step_(step) {}

  milliseconds Run() {
    Say("checking the gates");
    RequireGates();
    session_.target->SetStatementTimeout(kUnlocked);
    Analyze();
    CompareBefore();
    Confirm(Deadline::In(kConfirmed));
    return Locked();
  }

 private:
  void Say(const std::string& what) {
    at_ = what;
    step_(what);
  }

  void RequireGates() {
    Plan plan = MakePlan(context_.settings, context_.abort);
    context_.board.Update([&](EngineStatus& status) { status.cutover.gates = plan.gates; });
    if (AllOpen(plan.gates)) return;
    std::vector<CutoverGate> shut;
    std::copy_if(plan.gates.begin(), plan.gates.end(), std::back_inserter(shut),
                 [](const CutoverGate& gate) { return !gate.ok; });
    throw Refused(Error(Disposition::kRetry, Component::kControl,
                        "not ready to cut over: " + Blockers(plan.gates))
                      .Hint(shut.size() == 1
                                ? shut.front().next_action
                                : "Run `liteferry cutover plan`: it says of each what to do.")
                      .Exit(ExitCode::kTryAgain));
  }

  // The application's first queries on the target shall have statistics.
  void Analyze() {
    Say("ANALYZE of the tables");
    for (const TableMapping& table : session_.mapping.tables) {
      session_.target->Exec("ANALYZE (SKIP_LOCKED) " + table.QualifiedTarget());
    }
  }

  // Until what is left is small: the longest part must not be under the lock.
  void CompareBefore() {
    Say("comparing what was written since the last comparison");
    compared_ = VerifiedUpTo(*session_.target, context_.settings.target.state_schema);
    for (int round = 0; round < kRounds; ++round) {
      Drain();
      const std::int64_t applied = session_.stream.applied_seq;
      if (round > 0 && applied - compared_ <= kSmallDelta) return;
      CompareLogged(context_, session_, compared_, applied);
      compared_ = applied;
    }
  }

  void Drain() {
    for (;;) {
      Budget();
      const ApplyResult result = ApplyBatch(context_, session_);
      if (result.held_again) throw NotNow("an index had to stand aside again");
      if (result.caught_up) break;
    }
    std::int64_t rejected = 0;
    for (const auto& [number, rows] : session_.rejected) rejected += rows;
    if (rejected == 0 && session_.settled() && session_.stream.consistent) return;
    throw NotNow(rejected > 0 ? "a row was refused by the target meanwhile"
                              : "a table came in doubt meanwhile");
  }

  // Behind the fence nothing can be replayed: the target has to keep all of it (target.durability).
  void Confirm(Deadline deadline) {
    Say("waiting until the target is sure to keep it");
    context_.confirmation->Committed();
    if (context_.confirmation->Await(session_.stream.applied_seq, deadline)) return;
    const std::string problem = context_.confirmation->Problem();
    throw NotNow("the target does not confirm the last changes" +
                 (problem.empty() ? "" : ": " + problem));
  }

  // Under the lock every wait ends with the budget.
  void Budget() {
    if (!deadline_) return;
    if (deadline_->Passed()) throw TimeIsUp(at_);
    session_.target->SetStatementTimeout(std::max(deadline_->Remaining(), milliseconds(1)));
  }

  milliseconds Locked() {
    const milliseconds budget = context_.settings.cutover.max_pause;
    Say("taking the write lock");
    SourceLock lock(context_, Deadline::In(budget));
    const auto start = Clock::now();
    deadline_ = Deadline::In(budget);
    try {
      Seam("locked");
      Say("applying the last changes");
      Drain();
      Say("comparing the last changes");
      const bool news = session_.stream.applied_seq > compared_;
      CompareLogged(context_, session_, compared_, session_.stream.applied_seq);
      if (news) FindOrphans();
      Confirm(*deadline_);
      Say("putting up the fence");
      source::Fence(lock.database()).Install();
      Say("putting back constraints and sequences");
      CommitTarget();
      Seam("target_committed");
      Say("committing the fence");
      lock.Commit(context_, Deadline::In(budget));
      Seam("fenced");
    } catch (const Error& error) {
      if (!session_.target->broken()) session_.target->Rollback();
      // A statement that the budget cut short says so by its time-out, not by what it was.
      if (deadline_->Passed() && error.exit_code() != ExitCode::kTryAgain &&
          error.disposition() == Disposition::kRetry) {
        throw TimeIsUp(at_ + " (" + error.message() + ")");
      }
      throw;
    }
    const auto pause = std::chrono::ceil<milliseconds>(Clock::now() - start);
    session_.target->SetStatementTimeout(std::chrono::minutes(5));
    return pause;
  }

  // What the last changes may have left without a parent. The whole check again, as far as half of
  // what is left of the budget allows; what it does not allow the validation finds.
  void FindOrphans() {
    const Deadline until = Deadline::In(deadline_->Remaining() / 2);
    for (const target::Held& held : session_.held->List()) {
      const std::string query = held.RowsInTheWay();
      if (query.empty() || held.kind != target::HeldKind::kForeignKey) continue;
      if (until.Passed()) break;
      std::int64_t found = 0;
      TargetTransaction transaction(*session_.target);
      try {
        found = session_.target
                    ->Exec("SET LOCAL statement_timeout = " +
                           std::to_string(std::max(until.Remaining().count(), std::int64_t{1})) +
                           "; SELECT count(*) FROM (" + query + " LIMIT 1000) AS orphan")
                    .Int(0, 0);
      } catch (const Error& error) {
        if (error.sqlstate() != "57014") throw;
        context_.log->warn("event=orphans_left_to_validation constraint={}", held.name);
        break;
      }
      if (found == 0) continue;
      throw Error(Disposition::kRetry, Component::kTarget,
                  "foreign key " + held.name + " on " + held.table + ": " + GroupDigits(found) +
                      " rows refer to none")
          .Hint("Correct the rows in the application.")
          .Exit(ExitCode::kTryAgain);
    }
  }

  void CommitTarget() {
    Budget();
    const target::StreamRow& stream = session_.stream;
    session_.store->BeginApply(session_.owner,
                               {stream.applied_seq, stream.applied_seq, stream.applied_mark,
                                target::Phase::kCutOver, true});
    session_.target->Exec("SET LOCAL lock_timeout = " + std::to_string(std::max<std::int64_t>(
                                                            deadline_->Remaining().count(), 1)));
    session_.held->ReleaseTies();
    Budget();
    DropHiddenColumns(*session_.target, context_.settings);
    const int moved = SetSequences(session_);
    NoteCutover(*session_.target, context_.settings.target.state_schema);
    Seam("target_prepared");
    Budget();
    session_.target->Commit();
    session_.stream.phase = target::Phase::kCutOver;
    context_.log->info("event=cutover_target_committed position={} sequences={}",
                       stream.applied_seq, moved);
  }

  EngineContext& context_;
  Session& session_;
  const Step& step_;
  std::string at_;
  std::int64_t compared_ = 0;
  std::optional<Deadline> deadline_;
};

}  // namespace

milliseconds CutOver(EngineContext& context, Session& session, const Step& step) {
  return Attempt(context, session, step).Run();
}

std::vector<std::string> Finish(EngineContext& context, Session& session) {
  session.target->SetStatementTimeout(std::chrono::hours(24));
  std::vector<std::string> problems;
  for (const target::Held& held : session.held->List()) {
    Seam("validating");
    try {
      session.held->Release(held);
    } catch (const Error& error) {
      if (!error.sqlstate().starts_with("23")) throw;
      problems.push_back(error.message());
      context.log->error("event=constraint_not_restored constraint={} table={} reason=\"{}\"",
                         held.name, held.table, error.message());
    }
  }
  session.target->SetStatementTimeout(std::chrono::minutes(5));
  context.board.Update([&](EngineStatus& status) {
    status.held = static_cast<int>(problems.size());
    status.held_problems = problems;
  });
  return problems;
}

}  // namespace liteferry::cutover
