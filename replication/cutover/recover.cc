#include <algorithm>

#include "replication/base/log.h"
#include "replication/base/text.h"
#include "replication/cutover/decision.h"
#include "replication/cutover/run.h"
#include "replication/cutover/seam.h"
#include "replication/cutover/source_lock.h"
#include "replication/cutover/target_record.h"
#include "replication/reconcile.h"
#include "replication/source/changelog.h"
#include "replication/target_tables.h"

namespace liteferry::cutover {
namespace {

using source::Fence;
using source::FenceMark;

template <typename Change>
void ChangeFence(EngineContext& context, const Change& change) {
  const Deadline patience = Deadline::In(context.settings.cutover.max_pause);
  SourceLock lock(context, patience);
  Fence fence(lock.database());
  change(lock.database(), fence);
  lock.Commit(context, patience);
}

// The target as it was while following: constraints stand aside again. Hidden columns are missing;
// those tables are copied again by what follows.
void TakeTargetBack(EngineContext& context, Session& session) {
  std::vector<std::uint32_t> oids;
  const auto rows = session.store->ReadSourceTables();
  for (const target::TargetTable& table :
       ReadTargetTables(*session.target, context.settings).tables) {
    const std::string name = QuoteQualified(table.schema, table.name);
    if (std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.target == name; }))
      oids.push_back(table.oid);
  }
  TargetTransaction transaction(*session.target);
  session.store->RequireOwner(session.owner);
  session.held->HoldTies(oids);
  ForgetCutover(*session.target, context.settings.target.state_schema);
  session.store->SetPhase(session.owner, target::Phase::kFollowing);
  transaction.Commit();
  session.stream.phase = target::Phase::kFollowing;
}

std::int64_t Newest(source::Database& database) {
  return source::Changelog(database).Bounds().newest;
}

// False when the application wrote meanwhile.
bool PutFenceUp(EngineContext& context, Session& session) {
  bool unchanged = false;
  ChangeFence(context, [&](source::Database& database, Fence& fence) {
    unchanged = Newest(database) == session.stream.applied_seq;
    if (unchanged) fence.Install();
  });
  return unchanged;
}

Error Forgotten() {
  return Error(Disposition::kStop, Component::kTarget,
               "the source is fenced, but the target knows nothing of a cutover: it went back in "
               "time, or was made anew")
      .Hint(
          "If the application has not written to PostgreSQL since, `liteferry cutover abort` takes "
          "the fence away and goes on following.")
      .Exit(ExitCode::kDataError);
}

}  // namespace

bool StaysCutOver(EngineContext& context, Session& session) {
  Sides sides;
  sides.target_cut_over = session.stream.phase == target::Phase::kCutOver;
  sides.fence = Fence(*session.source).Read();
  if (sides.target_cut_over && sides.fence == FenceMark::kNone) {
    if (const auto rewind = FindRewind(session)) throw *rewind;
    sides.source_unchanged = Newest(*session.source) == session.stream.applied_seq;
  }
  Decision decision = Decide(sides);
  if (decision == Decision::kFence && !PutFenceUp(context, session)) decision = Decision::kUndo;
  switch (decision) {
    case Decision::kFollow:
      return false;
    case Decision::kFence:
      context.log->warn("event=cutover_completed reason=\"it was interrupted before the fence\"");
      return true;
    case Decision::kStay:
      GuardFence(context, session);
      return true;
    case Decision::kUndo:
      TakeTargetBack(context, session);
      context.log->warn("event=cutover_undone reason=\"interrupted, and the application went on\"");
      return false;
    case Decision::kUnfence:
      ChangeFence(context, [](source::Database&, Fence& fence) { fence.Remove(); });
      return false;
    case Decision::kForgotten:
      break;
  }
  if (!context.unfence.exchange(false)) throw Forgotten();
  ChangeFence(context, [](source::Database&, Fence& fence) { fence.Remove(); });
  return false;
}

void GuardFence(EngineContext& context, Session& session) {
  Fence fence(*session.source);
  const auto damaged = fence.Damaged();
  if (damaged.empty() && fence.Read() == FenceMark::kUp) return;
  ChangeFence(context, [](source::Database&, Fence& locked) { locked.Install(); });
  if (damaged.empty()) return;
  context.log->warn("event=fence_restored tables=\"{}\" reason=\"they were rebuilt since\"",
                    Join(damaged, ", "));
}

void GoBack(EngineContext& context, Session& session, const Step& step) {
  step("looking for rows that were written to the target since");
  session.target->SetStatementTimeout(std::chrono::hours(1));
  const auto changed = FindForeignWrites(session, context.settings.target.state_schema);
  if (!changed.empty()) {
    throw Refused(Error(Disposition::kRetry, Component::kTarget,
                        "PostgreSQL was written to since the cutover: table " + Join(changed, ", "))
                      .Hint("Going back would lose that. There is no automatic way back from here.")
                      .Exit(ExitCode::kDataError));
  }
  step("taking the target back");
  ChangeFence(context, [](source::Database&, Fence& fence) { fence.SetMark(FenceMark::kLeaving); });
  Seam("leaving");
  TakeTargetBack(context, session);
  Seam("target_back");
  step("taking the fence away");
  ChangeFence(context, [](source::Database&, Fence& fence) { fence.Remove(); });
}

}  // namespace liteferry::cutover
