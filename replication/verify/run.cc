#include "replication/verify/run.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "replication/base/error.h"
#include "replication/session.h"
#include "replication/source/capture.h"
#include "replication/source/log_keys.h"
#include "replication/source/row_reader.h"
#include "replication/target_tables.h"
#include "replication/verify/look_around.h"

namespace liteferry::verify {
namespace {

using Clock = std::chrono::steady_clock;

// Tables of fewer rows are one piece of work.
constexpr std::int64_t kSplitRows = 500'000;
constexpr std::size_t kLogLot = 10'000;
constexpr std::chrono::minutes kLockPatience{5};
constexpr std::chrono::milliseconds kProgressEvery{500};

// What both catalogs say, when the run begins.
struct Pairing {
  Mapping mapping;
  target::TargetCatalog target;
  std::vector<source::CapturedTable> captured;
  std::int64_t schema_version = 0;
  bool rollback_journal = false;
};

struct Unit {
  std::size_t table = 0;  // into RunResult::tables
  const TableMapping* mapping = nullptr;
  int number = 0;
  KeyRange range;
};

// The work of one run: hands out units, collects what comes of them. Methods
// from any thread.
class Run {
 public:
  Run(const config::Settings& settings, const RunRequest& request, const SignalEvent& stop)
      : settings_(settings), request_(request), outer_stop_(stop) {}

  RunResult Execute() {
    const auto start = Clock::now();
    ReadPairing();
    MakeUnits();
    Work();
    if (request_.look_around) {
      const auto target = ConnectTarget(settings_, outer_stop_, "liteferry verify");
      target->SetStatementTimeout(std::chrono::hours(24));
      const auto found =
          LookAround(*target, settings_.target.state_schema, pairing_.mapping, pairing_.target);
      result_.findings.insert(result_.findings.end(), found.begin(), found.end());
    }
    NoteNotComparable();
    result_.duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    return std::move(result_);
  }

 private:
  void ReadPairing() {
    source::Database source(settings_.source.path, source::OpenMode::kReadOnly,
                            settings_.source.busy_timeout);
    const auto target = ConnectTarget(settings_, outer_stop_, "liteferry verify");
    pairing_.rollback_journal = source::ReadInfo(source).journal_mode != "wal";
    const source::SourceCatalog catalog = source::ReadCatalog(source);
    pairing_.schema_version = catalog.schema_version;
    pairing_.target = ReadTargetTables(*target, settings_);
    pairing_.mapping = BuildMapping(catalog, pairing_.target, settings_);
    const source::CaptureState capture = source::Capture(source).Read();
    if (!capture.installed) {
      throw Error(Disposition::kStop, Component::kVerify,
                  "no replication was started from " + settings_.source.path)
          .Hint("Start it with `liteferry run`.")
          .Exit(ExitCode::kDataError);
    }
    pairing_.captured = capture.tables;
    for (const MappingProblem& problem : pairing_.mapping.problems) {
      result_.findings.push_back({Finding::Kind::kNotFollowed, problem.table, problem.message});
    }
  }

  bool Chosen(const std::string& name) const {
    const auto& chosen = request_.tables;
    return chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
  }

  void RequireKnown() const {
    for (const std::string& name : request_.tables) {
      const auto& tables = pairing_.mapping.tables;
      if (std::any_of(tables.begin(), tables.end(),
                      [&](const TableMapping& table) { return table.source.name == name; })) {
        continue;
      }
      throw Error(Disposition::kStop, Component::kVerify, "there is no replicated table " + name)
          .Hint(
              "`liteferry check` shows the tables and why one is not "
              "replicated.")
          .Exit(ExitCode::kUsage);
    }
  }

  void MakeUnits() {
    RequireKnown();
    result_.full = request_.tables.empty();
    source::Database source(settings_.source.path, source::OpenMode::kReadOnly,
                            settings_.source.busy_timeout);
    for (const TableMapping& table : pairing_.mapping.tables) {
      if (!Chosen(table.source.name)) continue;
      const auto captured =
          std::find_if(pairing_.captured.begin(), pairing_.captured.end(),
                       [&](const auto& one) { return one.name == table.source.name; });
      result_.tables.push_back({table.source.name, table.QualifiedTarget(), {}});
      if (captured == pairing_.captured.end()) {
        result_.tables.back().outcome.state = TableOutcome::State::kInDoubt;
        continue;
      }
      const std::int64_t rows =
          source::RowReader(source, table.source, table.SourceColumns()).EstimateRows();
      progress_.rows_expected += rows;
      const int parts = rows > kSplitRows ? 2 * request_.jobs : 1;
      for (const KeyRange& range : SplitTable(source, table, parts)) {
        units_.push_back({result_.tables.size() - 1, &table, captured->number, range});
        left_.resize(result_.tables.size());
        ++left_.back();
      }
    }
    progress_.tables = static_cast<int>(result_.tables.size());
  }

  void Work() {
    const std::size_t jobs = std::clamp<std::size_t>(static_cast<std::size_t>(request_.jobs), 1,
                                                     std::max<std::size_t>(units_.size(), 1));
    std::atomic<std::size_t> running{jobs};
    SignalEvent ended;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < jobs; ++i) {
        threads.emplace_back([&] {
          try {
            WorkOff();
          } catch (...) {
            Fail(std::current_exception());
          }
          --running;
          ended.Set();
        });
      }
      while (running > 0) {
        ended.Clear();
        if (running == 0) break;
        WaitFor(-1, 0, stop_, &ended, Deadline::In(kProgressEvery));
        if (outer_stop_.IsSet()) stop_.Set();
        if (request_.on_progress) request_.on_progress(Progress());
      }
    }
    if (failure_) std::rethrow_exception(failure_);
  }

  RunProgress Progress() {
    const std::lock_guard lock(mutex_);
    return progress_;
  }

  void Fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
    stop_.Set();
  }

  std::optional<Unit> Next() {
    const std::lock_guard lock(mutex_);
    if (failure_ || units_.empty()) return std::nullopt;
    const Unit unit = units_.front();
    units_.pop_front();
    return unit;
  }

  // One job: its own connections, unit after unit.
  void WorkOff() {
    source::Database source(
        settings_.source.path,
        request_.log_keys ? source::OpenMode::kReadWrite : source::OpenMode::kReadOnly,
        settings_.source.busy_timeout);
    const auto target = ConnectTarget(settings_, stop_, "liteferry verify");
    const Sides sides{source,
                      *target,
                      settings_.target.state_schema,
                      stop_,
                      pairing_.rollback_journal,
                      pairing_.schema_version};
    while (const auto unit = Next()) {
      const TableOutcome outcome = Compare(sides, *unit);
      const std::lock_guard lock(mutex_);
      result_.tables[unit->table].outcome.Add(outcome);
      if (--left_[unit->table] == 0) ++progress_.tables_done;
    }
  }

  TableOutcome Compare(const Sides& sides, const Unit& unit) {
    CompareOptions options;
    options.range = unit.range;
    options.share = request_.share;
    options.progress = [this](std::int64_t rows) {
      const std::lock_guard lock(mutex_);
      progress_.rows += rows;
    };
    std::vector<PackedKey> keys;
    const auto log = [&] {
      if (keys.empty()) return;
      source::LogKeys(sides.source, unit.number, keys, stop_, Deadline::In(kLockPatience));
      const std::lock_guard lock(mutex_);
      result_.keys_logged += static_cast<std::int64_t>(keys.size());
      keys.clear();
    };
    const TableOutcome outcome =
        CompareTable(sides, *unit.mapping, unit.number, options, [&](const Difference& difference) {
          Note(unit.mapping->source.name, difference);
          if (!request_.log_keys || difference.key.empty()) return;
          keys.push_back(difference.key);
          if (keys.size() >= kLogLot) log();
        });
    log();
    return outcome;
  }

  void Note(const std::string& table, const Difference& difference) {
    const std::lock_guard lock(mutex_);
    ++progress_.differences;
    if (difference.key.empty()) ++result_.keys_unloggable;
    if (request_.on_difference) request_.on_difference(table, difference);
  }

  void NoteNotComparable() {
    for (const TableResult& table : result_.tables) {
      if (table.outcome.state == TableOutcome::State::kCompared) continue;
      const bool copying = table.outcome.state == TableOutcome::State::kCopying;
      result_.findings.push_back({Finding::Kind::kNotComparable, table.name,
                                  copying
                                      ? "is still being copied"
                                      : "changed while nobody watched, or is configured otherwise "
                                        "here than in the "
                                        "daemon; the daemon compares it before it is equal"});
    }
  }

  const config::Settings& settings_;
  const RunRequest& request_;
  const SignalEvent& outer_stop_;
  SignalEvent stop_;
  Pairing pairing_;
  std::mutex mutex_;  // guards all that follows
  std::deque<Unit> units_;
  std::vector<int> left_;  // units of each table that are not done
  RunProgress progress_;
  RunResult result_;
  std::exception_ptr failure_;
};

}  // namespace

std::string_view ToString(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kNotFollowed:
      return "not_followed";
    case Finding::Kind::kNotComparable:
      return "not_comparable";
    case Finding::Kind::kHeld:
      return "held";
    case Finding::Kind::kSequence:
      return "sequence";
    case Finding::Kind::kOrphans:
      return "orphans";
    case Finding::Kind::kTargetOnly:
      return "target_only";
  }
  return "held";
}

TableOutcome RunResult::Total() const {
  TableOutcome total;
  for (const TableResult& table : tables) total.Add(table.outcome);
  return total;
}

bool RunResult::complete() const {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.kind == Finding::Kind::kNotFollowed ||
           finding.kind == Finding::Kind::kNotComparable;
  });
}

target::Verification RunResult::ToVerification(const std::string& started_by) const {
  const TableOutcome total = Total();
  target::Verification one;
  one.started_by = started_by;
  one.duration = duration;
  one.tables = static_cast<std::int64_t>(tables.size());
  one.rows = std::max(total.source_rows, total.target_rows);
  one.differences = total.differences();
  one.rejected = total.rejected;
  one.waiting = total.waiting;
  one.complete = complete();
  for (const TableResult& table : tables) {
    if (table.outcome.state == TableOutcome::State::kCompared) {
      one.by_table.push_back({table.name, table.outcome.differences()});
    }
  }
  return one;
}

RunResult RunVerify(const config::Settings& settings, const RunRequest& request,
                    const SignalEvent& stop) {
  return Run(settings, request, stop).Execute();
}

void StoreResult(const config::Settings& settings, const RunResult& result,
                 const std::string& started_by, const SignalEvent& stop) {
  const auto target = ConnectTarget(settings, stop, "liteferry verify");
  TargetTransaction transaction(*target);
  target::VerificationStore(*target, settings.target.state_schema)
      .Add(result.ToVerification(started_by));
  transaction.Commit();
}

}  // namespace liteferry::verify
