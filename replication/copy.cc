#include "replication/copy.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "metrics/engine_probe.h"
#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/rejections.h"
#include "replication/sibling_finder.h"
#include "replication/source/row_reader.h"
#include "replication/target/row_loader.h"

namespace liteferry {
namespace {

using Clock = std::chrono::steady_clock;

// A chunk ends at this many bytes even if it has few rows, so that wide rows do not fill the
// memory.
constexpr std::uint64_t kChunkBytes = std::uint64_t{8} << 20;
// How long one read snapshot may last. In rollback-journal mode a reader makes a writer's commit
// wait.
constexpr std::chrono::milliseconds kSliceWal{100};
constexpr std::chrono::milliseconds kSliceRollback{3};
constexpr std::chrono::milliseconds kPauseRollback{2};

// The ranges that are left, handed out to the workers; the first failure ends them all.
// Thread-safety: every method from any thread.
class Work {
 public:
  explicit Work(std::vector<target::CopyRange> ranges) {
    for (target::CopyRange& range : ranges) {
      if (!range.done) ranges_.push_back(std::move(range));
    }
  }

  std::optional<target::CopyRange> Next() {
    const std::lock_guard lock(mutex_);
    if (failure_ || ranges_.empty()) return std::nullopt;
    target::CopyRange range = std::move(ranges_.front());
    ranges_.pop_front();
    return range;
  }
  void Fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
    failed_ = true;
  }
  bool failed() const { return failed_; }
  std::size_t left() const {
    const std::lock_guard lock(mutex_);
    return ranges_.size();
  }
  void Rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  mutable std::mutex mutex_;
  std::deque<target::CopyRange> ranges_;
  std::exception_ptr failure_;
  std::atomic<bool> failed_{false};
};

// Copies ranges one after the other over its own connections. One thread, from start to end.
class Worker {
 public:
  Worker(EngineContext& context, const Session& session, Work& work)
      : context_(context),
        session_(session),
        work_(work),
        source_(context.settings.source.path, source::OpenMode::kReadOnly,
                context.settings.source.busy_timeout),
        target_(ConnectTarget(context.settings, context.abort, "liteferry copy")),
        store_(*target_, context.settings.target.state_schema),
        loader_(*target_) {}

  void Run() {
    while (auto range = work_.Next()) {
      if (!CopyRange(*range)) return;
    }
  }

 private:
  bool Interrupted() const {
    return context_.stop.IsSet() || context_.command_pending || work_.failed();
  }

  // False when interrupted before the end of the range.
  bool CopyRange(target::CopyRange range) {
    const TableMapping* table = session_.Find(static_cast<int>(range.table_no));
    Require(table != nullptr, "a copy range belongs to no table");
    const target::RowEncoder encoder = table->Encoder();
    target::RowBatch batch(encoder, kChunkBytes);
    source::RowReader reader(source_, table->source, table->SourceColumns());
    if (range.after.empty() && range.rows == 0) RejectNullKeys(*table, reader, range);
    while (!range.done) {
      if (Interrupted()) return false;
      batch.Clear();
      std::vector<target::RejectedRow> rejected;
      ReadChunk(*table, reader, range, batch, rejected);
      StoreChunk(*table, batch, range, rejected);
    }
    return true;
  }

  // Fills `batch` from where `range` stands, and moves the range.
  void ReadChunk(const TableMapping& table, source::RowReader& reader, target::CopyRange& range,
                 target::RowBatch& batch, std::vector<target::RejectedRow>& rejected) {
    const auto chunk_rows = static_cast<std::size_t>(context_.settings.copy.chunk_rows);
    const auto slice = session_.rollback_journal ? kSliceRollback : kSliceWal;
    std::size_t read = 0;
    std::optional<PackedKey> after;
    if (!range.after.empty()) after = KeyFromJson(range.after);
    std::optional<PackedKey> up_to;
    if (!range.up_to.empty()) up_to = KeyFromJson(range.up_to);
    const auto full = [&] { return read >= chunk_rows || batch.bytes() >= kChunkBytes; };
    while (!full() && !range.done) {
      bool more = false;
      const auto end = Clock::now() + slice;
      source::Transaction snapshot(source_, source::Transaction::Kind::kRead);
      RequireSameSchema();
      reader.Scan(after, up_to, [&](Row row) {
        const std::string key = table.KeyOf(row);
        if (auto rejection = batch.Add(row, key)) {
          rejected.push_back(DescribeRejection(session_, table, key, *rejection));
        }
        ++read;
        more = full() || ((read % 64) == 0 && Clock::now() >= end) || context_.abort.IsSet();
        if (more) after = reader.ScanKey();
        return !more;
      });
      snapshot.Commit();
      range.done = !more;
      if (context_.abort.IsSet())
        throw Error(Disposition::kRetry, Component::kSource, "copy interrupted");
      if (more && session_.rollback_journal) {
        // Leaves the lock to a writer that waits for it.
        WaitFor(-1, 0, context_.stop, nullptr, Deadline::In(kPauseRollback));
      }
    }
    if (after) range.after = KeyToJson(UnpackKey(*after));
    range.rows += static_cast<std::int64_t>(read);
  }

  void RequireSameSchema() {
    if (source_.QueryInt("PRAGMA schema_version") == session_.schema_version) return;
    throw Error(Disposition::kRetry, Component::kSource,
                "the schema of the source changed during the copy");
  }

  void StoreChunk(const TableMapping& table, const target::RowBatch& batch,
                  const target::CopyRange& range, std::vector<target::RejectedRow>& rejected) {
    const auto start = Clock::now();
    TargetTransaction transaction(*target_);
    // A chunk that a crash of the server takes back takes its progress with it and is copied again.
    // What ends the copy is committed as durably as the role wants it, and the chunks before it.
    target_->ExecLater("SET LOCAL synchronous_commit = off");
    store_.RequireOwner(session_.owner);
    auto refused = Load(table, batch);
    RejectMisprinted(*target_, table, batch, refused);
    for (const target::ServerRejection& one : refused) {
      rejected.push_back(DescribeRejection(session_, table, batch.key(one.row), one));
    }
    if (!rejected.empty()) store_.AddRejected(rejected);
    store_.AdvanceCopyRange(range);
    transaction.Commit();
    Report(table, batch.rows(), rejected.size(), start);
  }

  std::vector<target::ServerRejection> Load(const TableMapping& table,
                                            const target::RowBatch& batch) {
    const auto comes_twice = [&table](const Error& error) {
      return error.sqlstate() == "23505" && table.ScanIsVolatile() &&
             (table.target.partitioned || error.constraint() == table.key_index);
    };
    try {
      return loader_.Load(batch, table.target.schema, table.target.name, comes_twice);
    } catch (const Error& error) {
      if (!comes_twice(error)) throw;
      // A row that moved to a higher rowid while the table was scanned; the later reading wins.
      // What another row of the source may have copied under its own key stays.
      SiblingFinder siblings(source_, table);
      std::vector<std::string_view> keys;
      for (std::size_t row = 0; row < batch.rows(); ++row) {
        bool shared = false;
        siblings.Find(batch.key(row), [&](const PackedKey&) { shared = true; });
        if (!shared) keys.push_back(batch.key(row));
      }
      DeleteKeys(*target_, table, keys);
      return loader_.Load(batch, table.target.schema, table.target.name, nullptr);
    }
  }

  void Report(const TableMapping& table, std::size_t rows, std::size_t rejected,
              Clock::time_point start) {
    const auto count = static_cast<std::int64_t>(rows + rejected);
    context_.probe.RowsCopied(table.source.name, count);
    context_.board.Update([&](EngineStatus& status) {
      for (TableStatus& one : status.tables) {
        if (one.name != table.source.name) continue;
        one.rows_copied += count;
        one.rows_expected = std::max(one.rows_expected, one.rows_copied);
        one.rejected += static_cast<std::int64_t>(rejected);
      }
      status.rejected_rows += static_cast<std::int64_t>(rejected);
    });
    const std::chrono::duration<double> took = Clock::now() - start;
    context_.log->debug("event=chunk_copied table={} rows={} rejected={} seconds={:.3f}",
                        table.source.name, rows, rejected, took.count());
  }

  // Rows whose primary key holds a NULL, which SQLite allows: named and held back, not passed over.
  void RejectNullKeys(const TableMapping& table, source::RowReader& reader,
                      const target::CopyRange& range) {
    if (range.range_no != 0 || table.hidden_rowid) return;
    std::vector<target::RejectedRow> rejected;
    source::Transaction snapshot(source_, source::Transaction::Kind::kRead);
    reader.ScanNullKeys([&](Row row) {
      target::RowRejection rejection;
      rejection.column = table.key.front();
      rejection.reason = "primary key holds NULL";
      rejected.push_back(DescribeRejection(session_, table, table.KeyOf(row), rejection));
      return rejected.size() < 100'000;
    });
    snapshot.Commit();
    if (rejected.empty()) return;
    TargetTransaction transaction(*target_);
    store_.RequireOwner(session_.owner);
    store_.AddRejected(rejected);
    transaction.Commit();
  }

  EngineContext& context_;
  const Session& session_;
  Work& work_;
  source::Database source_;
  std::unique_ptr<target::PgConnection> target_;
  target::StateStore store_;
  target::RowLoader loader_;
};

void MarkCopied(EngineContext& context, Session& session) {
  const auto ranges = session.store->ReadCopyRanges();
  session.rejected.clear();
  const RejectionReport rejected = ReadRejections(*session.store);
  for (const target::RejectedCount& count : rejected.counts) {
    session.rejected[static_cast<int>(count.table_no)] = count.rows;
  }
  context.board.Update([&](EngineStatus& status) {
    ShowRejections(rejected, status);
    for (TableStatus& table : status.tables) {
      table.copy_done = true;
      table.rows_copied = 0;
      for (const target::CopyRange& range : ranges) {
        const TableMapping* mapped = session.Find(static_cast<int>(range.table_no));
        if (mapped == nullptr || mapped->source.name != table.name) continue;
        table.copy_done = table.copy_done && range.done;
        table.rows_copied += range.rows;
      }
      table.rows_expected = std::max(table.rows_copied, table.copy_done ? 0 : table.rows_expected);
    }
  });
}

}  // namespace

bool RunCopy(EngineContext& context, Session& session) {
  Work work(session.store->ReadCopyRanges());
  const auto workers = std::min<std::size_t>(static_cast<std::size_t>(context.settings.copy.jobs),
                                             std::max<std::size_t>(work.left(), 1));
  std::atomic<std::size_t> running{workers};
  SignalEvent ended;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers; ++i) {
      threads.emplace_back([&] {
        try {
          Worker(context, session, work).Run();
        } catch (...) {
          work.Fail(std::current_exception());
        }
        --running;
        ended.Set();
      });
    }
    while (running > 0) {
      ended.Clear();
      if (running == 0) break;
      // The stream must not look abandoned to a second daemon during a long copy.
      WaitFor(-1, 0, context.abort, &ended, Deadline::In(std::chrono::seconds(5)));
      try {
        if (running > 0) session.store->Heartbeat(session.owner, 0);
      } catch (...) {
        work.Fail(std::current_exception());
        break;
      }
    }
  }
  work.Rethrow();
  MarkCopied(context, session);
  const auto left = session.store->ReadCopyRanges();
  if (!std::all_of(left.begin(), left.end(), [](const auto& range) { return range.done; }))
    return false;
  session.store->SetPhase(session.owner, target::Phase::kCatchingUp);
  session.stream.phase = target::Phase::kCatchingUp;
  session.stream.consistent = false;
  return true;
}

}  // namespace liteferry
