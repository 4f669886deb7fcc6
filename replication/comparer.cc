#include "replication/comparer.h"

#include <utility>

#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/source/log_keys.h"
#include "replication/verify/compare.h"

namespace liteferry {
namespace {

// Keys that differ are logged in lots of this size: memory is bounded, and a lot is a few short
// write transactions.
constexpr std::size_t kLot = 10'000;
constexpr std::chrono::seconds kPause{2};
// An application may hold the write lock for long; it is its lock.
constexpr std::chrono::minutes kLockPatience{5};

}  // namespace

struct Comparer::Job {
  int table_no = 0;
  std::uint64_t doubt = 0;
  TableMapping table;
  bool rollback_journal = false;
};

Comparer::~Comparer() {
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

void Comparer::Compare(const Session& session) {
  std::vector<Job> jobs;
  for (const auto& [number, suspect] : session.suspects) {
    const TableMapping* table = session.Find(number);
    if (table == nullptr) continue;
    jobs.push_back({number, suspect.doubt, *table, session.rollback_journal});
  }
  if (jobs.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (running_) return;
    running_ = true;
  }
  if (thread_.joinable()) thread_.join();
  thread_ = std::thread([this, work = std::move(jobs)] {
    std::exception_ptr failure;
    try {
      Run(work);
    } catch (const Error& error) {
      const bool passes = error.disposition() == Disposition::kRetry ||
                          error.disposition() == Disposition::kInDoubt;
      if (!passes) failure = std::current_exception();
      context_.log->warn("event=comparison_interrupted reason=\"{}\"", error.message());
      // What it was interrupted by needs a moment; the suspects are compared anew then.
      if (passes) WaitFor(-1, 0, stop_, nullptr, Deadline::In(kPause));
    } catch (...) {
      failure = std::current_exception();
    }
    context_.board.Update([](EngineStatus& status) { status.activity.clear(); });
    {
      const std::lock_guard lock(mutex_);
      running_ = false;
      failure_ = failure;
    }
    context_.wake.Set();
  });
}

std::vector<Comparer::Answer> Comparer::Take() {
  const std::lock_guard lock(mutex_);
  if (failure_ && answers_.empty()) std::rethrow_exception(std::exchange(failure_, nullptr));
  return std::exchange(answers_, {});
}

void Comparer::Run(const std::vector<Job>& jobs) {
  const auto& settings = context_.settings;
  source::Database source(settings.source.path, source::OpenMode::kReadWrite,
                          settings.source.busy_timeout);
  MeasureLocks(context_, source);
  const auto target = ConnectTarget(settings, stop_, "liteferry compare");
  for (const Job& job : jobs) {
    context_.board.Update([&](EngineStatus& status) {
      status.activity = "comparing table " + job.table.source.name;
      status.activity_since = std::chrono::system_clock::now();
    });
    verify::CompareOptions options;
    options.judging = verify::Judging::kReconcile;
    std::vector<PackedKey> keys;
    std::int64_t nameless = 0;
    const auto log = [&] {
      source::LogKeys(source, job.table_no, keys, stop_, Deadline::In(kLockPatience));
      keys.clear();
    };
    const verify::Sides sides{source, *target, settings.target.state_schema, stop_,
                              job.rollback_journal};
    const verify::TableOutcome outcome = verify::CompareTable(
        sides, job.table, job.table_no, options, [&](const verify::Difference& difference) {
          if (difference.key.empty()) {
            ++nameless;
            return;
          }
          keys.push_back(difference.key);
          if (keys.size() >= kLot) log();
        });
    if (!keys.empty()) log();
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(
          {job.table_no, job.doubt, outcome.source_rows, outcome.differences(), nameless});
    }
    context_.wake.Set();
  }
}

}  // namespace liteferry
