#include "replication/scan_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "replication/base/error.h"
#include "replication/source/catalog.h"
#include "replication/source/row_reader.h"

namespace liteferry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSliceWal{100};
constexpr std::chrono::milliseconds kSliceRollback{3};
constexpr std::chrono::milliseconds kPauseRollback{2};
// A wait for a lock cannot be cut short, so it is made of short ones.
constexpr std::chrono::milliseconds kShortWait{300};
constexpr std::chrono::milliseconds kReportEvery{200};
constexpr std::int64_t kRowsPerRange = 250'000;
// The clock is read after this many rows or bytes.
constexpr std::size_t kRowsPerLook = 64;
constexpr std::size_t kBytesPerLook = std::size_t{256} << 10;

// A part of one table, and what came of it.
struct Range {
  std::size_t table = 0;  // into the list of tables
  std::optional<PackedKey> after;
  std::optional<PackedKey> up_to;
  TableScan result;
};

// What the threads share. Thread-safety: `ranges` elements belong to the thread that took them.
struct Shared {
  std::vector<Range> ranges;
  std::vector<std::atomic<int>> ranges_left;  // by table
  std::atomic<std::size_t> next{0};
  std::atomic<std::int64_t> rows{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::exception_ptr failure;  // guarded by mutex
};

std::vector<int> AllColumns(const source::SourceTable& table) {
  std::vector<int> columns(table.columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
  return columns;
}

std::vector<int> ColumnsOf(const ScanTarget& target) {
  return target.mapping != nullptr ? target.mapping->SourceColumns() : AllColumns(*target.table);
}

std::size_t BytesOf(Row row) {
  std::size_t bytes = 0;
  for (const Value& value : row) bytes += value.bytes.size();
  return bytes;
}

// Scans ranges over its own connection until none is left. One thread.
class Worker {
 public:
  Worker(const config::Settings& settings, const std::vector<ScanTarget>& tables,
         const ScanOptions& options, std::int64_t schema_version, const SignalEvent& stop,
         Shared& shared)
      : settings_(settings),
        tables_(tables),
        options_(options),
        schema_version_(schema_version),
        stop_(stop),
        shared_(shared),
        source_(settings.source.path, source::OpenMode::kReadOnly,
                std::min(settings.source.busy_timeout, kShortWait)),
        rollback_(source::ReadInfo(source_).journal_mode != "wal") {}

  void Run() {
    while (!Ended()) {
      const std::size_t next = shared_.next++;
      if (next >= shared_.ranges.size()) return;
      ScanRange(shared_.ranges[next]);
    }
  }

 private:
  bool Ended() const { return stop_.IsSet() || shared_.failed; }

  void ScanRange(Range& range) {
    const ScanTarget& target = tables_[range.table];
    TableScanner scanner = target.mapping != nullptr
                               ? TableScanner(*target.mapping, options_.show_values)
                               : TableScanner(*target.table, target.settings);
    source::RowReader reader(source_, *target.table, ColumnsOf(target));
    if (!range.after && reader.order() == source::ScanOrder::kKey) ScanNullKeys(reader, scanner);
    std::optional<PackedKey> after = range.after;
    bool more = true;
    while (more && !Ended()) {
      more = ScanSlice(reader, scanner, after, range.up_to);
      // Leaves the lock to a writer that waits for it.
      if (more && rollback_) WaitFor(-1, 0, stop_, nullptr, Deadline::In(kPauseRollback));
    }
    range.result = scanner.result();
    --shared_.ranges_left[range.table];
  }

  // True when there is more to read behind `after`, which moves.
  bool ScanSlice(source::RowReader& reader, TableScanner& scanner, std::optional<PackedKey>& after,
                 const std::optional<PackedKey>& up_to) {
    const auto snapshot = Begin();
    const auto end = Clock::now() + (rollback_ ? kSliceRollback : kSliceWal);
    bool more = false;
    std::size_t rows = 0;
    std::size_t bytes = 0;
    reader.Scan(after, up_to, [&](Row row) {
      scanner.Add(row);
      bytes += BytesOf(row);
      if (++rows < kRowsPerLook && bytes < kBytesPerLook) return true;
      shared_.rows += static_cast<std::int64_t>(rows);
      rows = bytes = 0;
      more = Clock::now() >= end || Ended();
      if (more) after = reader.ScanKey();
      return !more;
    });
    shared_.rows += static_cast<std::int64_t>(rows);
    snapshot->Commit();
    return more;
  }

  void ScanNullKeys(source::RowReader& reader, TableScanner& scanner) {
    const auto snapshot = Begin();
    reader.ScanNullKeys([&](Row row) {
      scanner.AddNullKey(row);
      return !Ended();
    });
    snapshot->Commit();
  }

  std::unique_ptr<source::Transaction> Begin() {
    auto snapshot = BeginRead();
    RequireSameSchema();
    return snapshot;
  }

  std::unique_ptr<source::Transaction> BeginRead() {
    const Deadline deadline = Deadline::In(settings_.source.busy_timeout);
    for (;;) {
      try {
        return std::make_unique<source::Transaction>(source_, source::Transaction::Kind::kRead);
      } catch (const Error& error) {
        if (error.disposition() != Disposition::kRetry || deadline.Passed() || Ended()) throw;
      }
      WaitFor(-1, 0, stop_, nullptr, Deadline::In(kPauseRollback));
    }
  }

  void RequireSameSchema() {
    if (source_.QueryInt("PRAGMA schema_version") == schema_version_) return;
    throw Error(Disposition::kRetry, Component::kSource,
                "the schema of the source changed during the scan")
        .Hint("Run it again.")
        .Exit(ExitCode::kTryAgain);
  }

  const config::Settings& settings_;
  const std::vector<ScanTarget>& tables_;
  const ScanOptions& options_;
  const std::int64_t schema_version_;
  const SignalEvent& stop_;
  Shared& shared_;
  source::Database source_;
  const bool rollback_;
};

// The ranges of all tables, and the number of rows that they are thought to have.
std::int64_t Divide(source::Database& source, const std::vector<ScanTarget>& tables, int jobs,
                    const SignalEvent& stop, Shared& shared) {
  std::int64_t expected = 0;
  for (std::size_t i = 0; i < tables.size() && !stop.IsSet(); ++i) {
    source::RowReader reader(source, *tables[i].table, ColumnsOf(tables[i]));
    const std::int64_t rows = reader.EstimateRows();
    expected += rows;
    const std::int64_t parts =
        jobs == 1 ? 1 : std::clamp<std::int64_t>(rows / kRowsPerRange, 1, std::int64_t{4} * jobs);
    std::optional<PackedKey> after;
    if (parts > 1) {
      for (const PackedKey& bound : reader.SplitPoints(static_cast<int>(parts))) {
        shared.ranges.push_back({i, after, bound, {}});
        after = bound;
      }
    }
    shared.ranges.push_back({i, after, std::nullopt, {}});
  }
  shared.ranges_left = std::vector<std::atomic<int>>(tables.size());
  for (const Range& range : shared.ranges) ++shared.ranges_left[range.table];
  return expected;
}

ScanProgress ProgressOf(const Shared& shared, std::int64_t expected) {
  ScanProgress progress;
  progress.tables = static_cast<int>(shared.ranges_left.size());
  for (const auto& left : shared.ranges_left) progress.tables_done += left == 0 ? 1 : 0;
  progress.rows = shared.rows;
  progress.rows_expected = std::max(expected, progress.rows);
  return progress;
}

}  // namespace

bool CanBeScanned(const source::SourceTable& table) {
  return table.key_kind != source::KeyKind::kRowid || !table.rowid_alias.empty();
}

std::vector<TableScan> RunScan(const config::Settings& settings,
                               const std::vector<ScanTarget>& tables, std::int64_t schema_version,
                               const ScanOptions& options, const SignalEvent& stop) {
  source::Database source(settings.source.path, source::OpenMode::kReadOnly,
                          settings.source.busy_timeout);
  Shared shared;
  const std::int64_t expected = Divide(source, tables, settings.copy.jobs, stop, shared);
  const auto workers =
      std::min<std::size_t>(static_cast<std::size_t>(settings.copy.jobs), shared.ranges.size());
  std::atomic<std::size_t> running{workers};
  SignalEvent ended;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers; ++i) {
      threads.emplace_back([&] {
        try {
          Worker(settings, tables, options, schema_version, stop, shared).Run();
        } catch (...) {
          const std::lock_guard lock(shared.mutex);
          if (!shared.failure) shared.failure = std::current_exception();
          shared.failed = true;
        }
        if (--running == 0) ended.Set();
      });
    }
    while (running > 0 && !stop.IsSet()) {
      WaitFor(-1, 0, stop, &ended, Deadline::In(kReportEvery));
      if (options.progress) options.progress(ProgressOf(shared, expected));
    }
  }
  if (shared.failure) std::rethrow_exception(shared.failure);
  if (stop.IsSet()) {
    throw Error(Disposition::kRetry, Component::kSource, "the scan was interrupted")
        .Exit(ExitCode::kTryAgain);
  }
  // Workers that end before the first look leave nothing for the loop above to show.
  if (options.progress) options.progress(ProgressOf(shared, expected));
  std::vector<TableScan> results;
  for (std::size_t i = 0; i < shared.ranges.size(); ++i) {
    Range& range = shared.ranges[i];
    if (results.size() == range.table) {
      results.push_back(std::move(range.result));
    } else {
      results.back().Merge(range.result);
    }
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (tables[i].mapping == nullptr) PlanTypes(*tables[i].table, tables[i].settings, results[i]);
  }
  return results;
}

}  // namespace liteferry
