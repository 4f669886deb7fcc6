#include "replication/apply.h"

#include <algorithm>
#include <map>
#include <set>

#include "metrics/engine_probe.h"
#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/gather.h"
#include "replication/quick_apply.h"
#include "replication/rejections.h"
#include "replication/target/row_loader.h"

namespace liteferry {
namespace {

using Clock = std::chrono::steady_clock;

// Rows that a unique constraint of the target refused are tried again with each batch of their
// table.
constexpr std::int64_t kMostRetried = 1000;

class Batch {
 public:
  Batch(EngineContext& context, Session& session) : context_(context), session_(session) {}

  ApplyResult Run() {
    Read();
    if (result_.to == result_.from) {
      Settle();
      return result_;
    }
    ReadAheadOf();
    Apply();
    Report();
    return result_;
  }

 private:
  void Read() {
    std::optional<Gathered> ahead;
    if (session_.ahead) ahead = session_.ahead->Take(session_.stream.applied_seq);
    // What was read ahead knows nothing of rows that were refused since.
    const bool fresh = !ahead || !session_.rejected.empty();
    batch_ = fresh ? Gather(context_.settings, session_, *session_.source, WhereItStands())
                   : std::move(*ahead);
    result_.from = batch_.from;
    result_.to = batch_.to;
    result_.entries = batch_.entries;
    result_.caught_up = batch_.caught_up && fresh;
  }

  // Asks before the snapshot is taken, so that the snapshot does not wait for the target.
  GatherFrom WhereItStands() {
    GatherFrom from{session_.stream.applied_seq, session_.stream.applied_mark, {}};
    for (const auto& [number, rows] : session_.rejected) {
      from.retried[number] = session_.store->RetryableRejected(number, kMostRetried);
    }
    return from;
  }

  // More is waiting: it is read while the target is at this. Not where a snapshot holds up writers.
  void ReadAheadOf() {
    if (batch_.caught_up || session_.rollback_journal || !session_.rejected.empty()) return;
    if (!session_.ahead) {
      session_.ahead = std::make_shared<ReadAhead>(context_.settings, session_);
    }
    session_.ahead->Begin({batch_.to, batch_.mark, {}});
  }

  // The last table in doubt may have been found equal without anything left to apply.
  void Settle() {
    if (!session_.settled() || session_.stream.consistent ||
        session_.stream.phase != target::Phase::kFollowing) {
      return;
    }
    session_.store->SetConsistent(session_.owner, true);
    session_.stream.consistent = true;
    context_.board.Update([](EngineStatus& status) { status.consistent = true; });
  }

  void Apply() {
    const bool consistent = batch_.caught_up && session_.settled() && batch_.unwatched.empty();
    if (!ApplyAtOnce(consistent)) ApplyByCopy(consistent);
    session_.stream.applied_seq = result_.to;
    session_.stream.applied_mark = batch_.mark;
    session_.stream.consistent = consistent;
    for (const int number : batch_.unwatched) {
      const TableMapping* table = session_.Find(number);
      if (table == nullptr) continue;
      session_.Doubt(context_, number, "its changes were not captured for a while");
      context_.log->warn("event=table_in_doubt table={} reason=\"{}\"", table->source.name,
                         session_.suspects[number].why);
    }
  }

  // A small batch in one round trip, whose time counts as the commit's. False when it is none, or
  // when the server refused.
  bool ApplyAtOnce(bool consistent) {
    if (!session_.quick) session_.quick = std::make_shared<QuickApply>();
    if (!session_.quick->Fits(session_, batch_)) return false;
    const auto start = Clock::now();
    const auto deleted = session_.quick->Apply(session_, batch_, consistent);
    if (deleted) deleted_ = *deleted;
    NoteCommit(start);
    return deleted.has_value();
  }

  void ApplyByCopy(bool consistent) {
    session_.store->BeginApply(
        session_.owner, {result_.from, result_.to, batch_.mark, session_.stream.phase, consistent});
    try {
      for (auto& [number, changes] : batch_.tables) deleted_ += Delete(number, *changes);
      for (auto& [number, changes] : batch_.tables) Insert(number, *changes);
      for (const int number : batch_.unwatched) session_.store->DoubtTable(number);
      if (session_.store->HistoryIsDue()) session_.store->NoteHistory(result_.to);
      const auto start = Clock::now();
      session_.target->Commit();
      NoteCommit(start);
    } catch (const Error& error) {
      session_.target->Rollback();
      if (error.sqlstate() == "23503") HoldForeignKey(error);
      throw;
    } catch (...) {
      session_.target->Rollback();
      throw;
    }
  }

  void NoteCommit(Clock::time_point start) {
    commit_seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
  }

  std::int64_t Delete(int number, const TableChanges& changes) {
    if (session_.rejected.contains(number)) ClearRejected(number, changes);
    return DeleteKeys(*session_.target, changes.table, changes.ordered);
  }

  void ClearRejected(int number, const TableChanges& changes) {
    std::vector<std::string> keys;
    keys.reserve(changes.keys.size());
    for (const PackedKey& key : changes.keys) keys.push_back(KeyToJson(UnpackKey(key)));
    session_.store->ClearRejected(number, keys);
    rejections_changed_ = true;
  }

  // A foreign key that somebody made since, or that could not stand aside, forbids to delete. Puts
  // it aside in a transaction of its own; the batch is then applied anew.
  [[noreturn]] void HoldForeignKey(const Error& error) {
    std::vector<std::uint32_t> tables;
    for (const TableMapping& table : session_.mapping.tables) tables.push_back(table.target.oid);
    TargetTransaction transaction(*session_.target);
    session_.store->RequireOwner(session_.owner);
    if (!session_.held->HoldForeignKey(tables, error.constraint())) {
      throw Error(Disposition::kStop, Component::kTarget,
                  "foreign key \"" + error.constraint() +
                      "\" forbids to apply changes, and this role cannot put it aside")
          .Hint("Drop it on PostgreSQL for the time of the migration.");
    }
    transaction.Commit();
    context_.log->info("event=constraint_held_again constraint={}", error.constraint());
    throw Error(Disposition::kInDoubt, Component::kTarget,
                "foreign key \"" + error.constraint() + "\" was put aside");
  }

  void Insert(int number, TableChanges& changes) {
    auto refused = Load(number, changes);
    RejectMisprinted(*session_.target, changes.table, changes.rows, refused);
    for (const target::ServerRejection& one : refused) {
      changes.rejected.push_back(
          DescribeRejection(session_, changes.table, changes.rows.key(one.row), one));
    }
    if (changes.rejected.empty()) return;
    session_.store->AddRejected(changes.rejected);
    rejections_changed_ = true;
  }

  // In a window a row may meet the old value of one that a later window changes, and in a table in
  // doubt one that should not be there. Then the constraint is held until the target is consistent
  // again; in a whole batch the violation is real, and the row is rejected. A foreign key is held
  // in any case: SQLite really had a row that refers to none.
  std::vector<target::ServerRejection> Load(int number, TableChanges& changes) {
    if (changes.rows.rows() == 0) return {};
    const target::TargetTable& table = changes.table.target;
    target::RowLoader loader(*session_.target);
    const bool hold_uniques = !batch_.caught_up || session_.suspects.contains(number) ||
                              batch_.unwatched.contains(number);
    std::set<std::string> tried;  // held, or not to be held: what they refuse now is rejected
    const auto may_hold = [&](const Error& error) {
      if (tried.contains(error.constraint())) return false;
      return error.sqlstate() == "23503" ||
             (hold_uniques && !IsKept(changes.table, error.constraint()));
    };
    for (;;) {
      try {
        return loader.Load(changes.rows, table.schema, table.name, may_hold);
      } catch (const Error& error) {
        if (!error.sqlstate().starts_with("23") || !may_hold(error)) throw;
        tried.insert(error.constraint());
        if (error.sqlstate() != "23503") {
          session_.held->HoldUnique(table.oid, error.constraint());
        } else if (!session_.held->HoldForeignKey({table.oid}, error.constraint())) {
          continue;
        }
        result_.held_again = true;
        context_.log->info("event=constraint_held_again table={} constraint={}",
                           changes.table.source.name, error.constraint());
      }
    }
  }

  // Whether a constraint stays whatever happens: the primary key, and the key rows are found by.
  static bool IsKept(const TableMapping& table, const std::string& index) {
    if (index.empty() || index == table.key_index) return true;
    return std::any_of(
        table.target.uniques.begin(), table.target.uniques.end(),
        [&](const auto& unique) { return unique.index_name == index && unique.primary_key; });
  }

  void Report() {
    std::int64_t upserts = 0;
    std::int64_t gone = 0;
    for (const auto& [number, changes] : batch_.tables) {
      upserts += static_cast<std::int64_t>(changes->rows.rows());
      gone += static_cast<std::int64_t>(changes->keys.size() - changes->rows.rows());
    }
    context_.probe.ChangesApplied(upserts, gone);
    context_.probe.TransactionApplied(result_.entries, commit_seconds_);
    context_.commits.Add(commit_seconds_);
    const auto rejected = rejections_changed_ ? ReadRejections(*session_.store) : RejectionReport{};
    if (rejections_changed_) session_.rejected.clear();
    for (const target::RejectedCount& count : rejected.counts) {
      session_.rejected[static_cast<int>(count.table_no)] = count.rows;
    }
    const auto held = result_.held_again ? session_.held->List().size() : 0;
    context_.board.Update([&](EngineStatus& status) {
      status.applied = result_.to;
      status.commit_p50_seconds = context_.commits.Quantile(0.5);
      status.commit_p99_seconds = context_.commits.Quantile(0.99);
      status.consistent = session_.stream.consistent;
      if (result_.held_again) status.held = static_cast<int>(held);
      for (const auto& [number, changes] : batch_.tables) CountChanges(status, *changes);
      if (rejections_changed_) ShowRejections(rejected, status);
    });
    context_.log->debug(
        "event=batch_applied from={} to={} entries={} upserts={} deletes={} commit={:.4f}",
        result_.from, result_.to, result_.entries, upserts, deleted_, commit_seconds_);
  }

  static void CountChanges(EngineStatus& status, const TableChanges& changes) {
    for (TableStatus& table : status.tables) {
      if (table.name == changes.table.source.name) {
        table.changes_applied += static_cast<std::int64_t>(changes.keys.size());
      }
    }
  }

  EngineContext& context_;
  Session& session_;
  ApplyResult result_;
  Gathered batch_;
  std::int64_t deleted_ = 0;
  double commit_seconds_ = 0;
  bool rejections_changed_ = false;
};

}  // namespace

ApplyResult ApplyBatch(EngineContext& context, Session& session) {
  return Batch(context, session).Run();
}

}  // namespace liteferry
