#include "replication/apply.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <unordered_set>

#include "metrics/engine_probe.h"
#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/rejections.h"
#include "replication/sibling_finder.h"
#include "replication/source/changelog.h"
#include "replication/source/row_reader.h"
#include "replication/target/row_loader.h"

namespace liteferry {
namespace {

using Clock = std::chrono::steady_clock;

// Encoded rows of one table stay in memory up to this size, beyond it in a temporary file.
constexpr std::size_t kTableMemory = std::size_t{4} << 20;
// In rollback-journal mode the snapshot makes a writer's commit wait: about this many rows are read
// in a few milliseconds.
constexpr std::int64_t kRollbackJournalBatch = 1000;
// Rows that a unique constraint of the target refused are tried again with each batch of their
// table.
constexpr std::int64_t kMostRetried = 1000;

// What a batch does to one table.
struct TableChanges {
  explicit TableChanges(const TableMapping& mapped)
      : table(mapped), encoder(mapped.Encoder()), rows(encoder, kTableMemory) {}

  const TableMapping& table;
  target::RowEncoder encoder;
  std::unordered_set<PackedKey> keys;  // what was logged, what is retried, and their siblings
  // All of `keys` in the order in which both databases store them (of integers: almost).
  std::vector<std::string_view> ordered;
  target::RowBatch rows;  // what is there now
  std::vector<target::RejectedRow> rejected;
};

class Batch {
 public:
  Batch(EngineContext& context, Session& session) : context_(context), session_(session) {}

  ApplyResult Run() {
    AddRetryable();
    Read();
    if (result_.to == result_.from) {
      result_.caught_up = true;
      Settle();
      return result_;
    }
    Apply();
    Report();
    return result_;
  }

 private:
  using Tables = std::map<int, std::unique_ptr<TableChanges>>;

  TableChanges* Changes(int table_no) {
    const auto found = tables_.find(table_no);
    if (found != tables_.end()) return found->second.get();
    const TableMapping* table = session_.Find(table_no);
    if (table == nullptr) return nullptr;
    return tables_.emplace(table_no, std::make_unique<TableChanges>(*table)).first->second.get();
  }

  // Asks before the snapshot is taken, so that the snapshot does not wait for the target.
  void AddRetryable() {
    for (const auto& [number, rows] : session_.rejected) {
      retryable_[number] = session_.store->RetryableRejected(number, kMostRetried);
    }
  }

  void Read() {
    const std::int64_t most = context_.settings.apply.max_batch_changes;
    const std::int64_t limit =
        session_.rollback_journal ? std::min(most, kRollbackJournalBatch) : most;
    source::Transaction snapshot(*session_.source, source::Transaction::Kind::kRead);
    RequireSameSource();
    source::Changelog log(*session_.source);
    const source::Seq newest = log.Bounds().newest;
    result_.from = result_.to = session_.stream.applied_seq;
    const auto entries = log.Read(result_.from, newest, limit, session_.key_widths);
    if (entries.empty()) return;
    result_.to = entries.back().seq;
    result_.entries = static_cast<std::int64_t>(entries.size());
    result_.caught_up = result_.to >= newest;
    mark_ = entries.back().mark;
    for (const source::LogEntry& entry : entries) {
      if (entry.table_no < 0) unwatched_.insert(-entry.table_no);
      if (TableChanges* changes = Changes(entry.table_no)) changes->keys.insert(entry.key);
    }
    for (auto& [number, changes] : tables_) ReadRows(number, *changes);
    snapshot.Commit();
  }

  // Within the snapshot: that it is the database, the schema and the log that this session knows.
  void RequireSameSource() {
    source::Database& source = *session_.source;
    const char* changed = nullptr;
    if (source.FileMoved()) {
      changed = "the file of the source was replaced";
    } else if (source.QueryInt("PRAGMA schema_version") != session_.schema_version) {
      changed = "the schema of the source changed";
    } else if (source.QueryText("SELECT value FROM _liteferry_meta WHERE key = 'incarnation'") !=
               session_.stream.incarnation) {
      changed = "the source was replaced";
    } else if (session_.stream.applied_seq > 0) {
      source::Changelog log(source);
      const auto mark = log.MarkAt(session_.stream.applied_seq);
      if (!mark || *mark != session_.stream.applied_mark) changed = "the source went back in time";
    }
    if (changed != nullptr) throw Error(Disposition::kInDoubt, Component::kSource, changed);
    const auto broken =
        source::Capture(source).FindBroken(session_.captured_tables, session_.capture);
    if (!broken.empty()) {
      throw Error(Disposition::kInDoubt, Component::kCapture,
                  "triggers are missing or altered on table " + broken.front());
    }
  }

  void ReadRows(int number, TableChanges& changes) {
    std::unordered_set<PackedKey> refused;
    for (const std::string& json : retryable_[number]) refused.insert(KeyFromJson(json));
    changes.keys.insert(refused.begin(), refused.end());
    AddSiblings(changes);
    source::RowReader reader(*session_.source, changes.table.source, changes.table.SourceColumns());
    std::vector<Value> row;
    changes.ordered.assign(changes.keys.begin(), changes.keys.end());
    std::sort(changes.ordered.begin(), changes.ordered.end());
    std::vector<std::string_view> reading = changes.ordered;
    // Of rows that are one on the target the one that is there keeps its place.
    std::stable_partition(reading.begin(), reading.end(),
                          [&](std::string_view key) { return !refused.contains(PackedKey(key)); });
    for (const std::string_view ordered : reading) {
      if (!reader.ReadByKey(ordered, row)) continue;
      const PackedKey key(ordered);
      if (const auto rejection = changes.rows.Add(row, key)) {
        changes.rejected.push_back(DescribeRejection(session_, changes.table, key, *rejection));
      }
    }
  }

  // The key of a row of the target may be several of the source. Its rows are deleted and written
  // together, so that the server sees all who want the place: one gets it, the others are rejected.
  void AddSiblings(TableChanges& changes) {
    SiblingFinder siblings(*session_.source, changes.table);
    std::vector<PackedKey> found;
    for (const PackedKey& key : changes.keys) {
      siblings.Find(key, [&](const PackedKey& sibling) { found.push_back(sibling); });
    }
    changes.keys.insert(found.begin(), found.end());
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
    const target::Phase phase = session_.stream.phase;
    const bool consistent = result_.caught_up && session_.settled() && unwatched_.empty();
    session_.store->BeginApply(session_.owner, result_.from, result_.to, mark_, phase, consistent);
    try {
      for (auto& [number, changes] : tables_) deleted_ += Delete(number, *changes);
      for (auto& [number, changes] : tables_) Insert(number, *changes);
      for (const int number : unwatched_) session_.store->DoubtTable(number);
      session_.store->NoteHistory(result_.to);
      const auto start = Clock::now();
      session_.target->Commit();
      commit_seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
    } catch (const Error& error) {
      session_.target->Rollback();
      if (error.sqlstate() == "23503") HoldForeignKey(error);
      throw;
    } catch (...) {
      session_.target->Rollback();
      throw;
    }
    session_.stream.applied_seq = result_.to;
    session_.stream.applied_mark = mark_;
    session_.stream.consistent = consistent;
    for (const int number : unwatched_) {
      const TableMapping* table = session_.Find(number);
      if (table == nullptr) continue;
      session_.Doubt(context_, number, "its changes were not captured for a while");
      context_.log->warn("event=table_in_doubt table={} reason=\"{}\"", table->source.name,
                         session_.suspects[number].why);
    }
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
    const bool hold_uniques =
        !result_.caught_up || session_.suspects.contains(number) || unwatched_.contains(number);
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
    for (const auto& [number, changes] : tables_) {
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
      for (const auto& [number, changes] : tables_) CountChanges(status, *changes);
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
  Tables tables_;
  std::map<int, std::vector<std::string>> retryable_;
  std::set<int> unwatched_;  // tables that the log says were not captured for a while
  std::int64_t mark_ = 0;
  std::int64_t deleted_ = 0;
  double commit_seconds_ = 0;
  bool rejections_changed_ = false;
};

}  // namespace

ApplyResult ApplyBatch(EngineContext& context, Session& session) {
  return Batch(context, session).Run();
}

}  // namespace liteferry
