#include "replication/verify/schedule.h"

#include <algorithm>

#include "config/value_text.h"
#include "metrics/engine_probe.h"
#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/target/verification_store.h"
#include "replication/verify/run.h"

namespace liteferry::verify {
namespace {

using std::chrono::milliseconds;
using SystemClock = std::chrono::system_clock;

constexpr double kShare = 0.25;
constexpr std::chrono::seconds kLook{1};
constexpr std::chrono::minutes kAfterFault{5};

VerifyStatus ToStatus(const std::optional<target::Verification>& latest) {
  VerifyStatus status;
  status.id = 0;
  if (!latest) return status;
  status.id = latest->id;
  status.last_finished = latest->finished_at;
  status.last_success = latest->last_success;
  status.duration = latest->duration;
  status.rows = latest->rows;
  status.differences = latest->differences;
  status.complete = latest->complete;
  for (const auto& table : latest->by_table) {
    status.tables.push_back({table.table, table.differences});
  }
  return status;
}

}  // namespace

VerifyStatus ReadLatest(target::PgConnection& connection, const std::string& state_schema) {
  return ToStatus(target::VerificationStore(connection, state_schema).ReadLatest());
}

void NoteLatest(EngineContext& context, target::PgConnection& connection) {
  const auto latest =
      target::VerificationStore(connection, context.settings.target.state_schema).ReadLatest();
  const VerifyStatus now = ToStatus(latest);
  const std::int64_t before = context.board.Read().verify.id;
  if (before == now.id) return;
  context.board.Update([&](EngineStatus& status) { status.verify = now; });
  // What was found before this process looked for the first time is not counted again.
  if (before == VerifyStatus::kUnknown || !latest) return;
  for (const auto& table : latest->by_table) {
    if (table.differences > 0) context.probe.RowsDiffer(table.table, table.differences);
  }
}

Schedule::Schedule(EngineContext& context) : context_(context) {
  interval_ = config::ParseDuration(context.settings.verify.schedule).value_or(milliseconds(0));
  if (interval_.count() > 0) thread_ = std::thread([this] { Run(); });
}

Schedule::~Schedule() {
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

void Schedule::Run() {
  Deadline rest = Deadline::In(milliseconds(0));
  while (!stop_.IsSet()) {
    WaitFor(-1, 0, stop_, nullptr, Deadline::In(kLook));
    const EngineStatus status = context_.board.Read();
    if (status.state != State::kFollowing || !rest.Passed()) continue;
    const auto last = status.verify.last_finished;
    if (last && SystemClock::now() >= *last && SystemClock::now() < *last + interval_) continue;
    rest = Deadline::In(Compare() ? interval_ : std::min<milliseconds>(interval_, kAfterFault));
  }
}

bool Schedule::Compare() {
  RunRequest request;
  request.jobs = 1;
  request.share = kShare;
  try {
    const RunResult result = RunVerify(context_.settings, request, stop_);
    StoreResult(context_.settings, result, "schedule", stop_);
    const TableOutcome total = result.Total();
    context_.log->log(total.differences() > 0 ? spdlog::level::err : spdlog::level::info,
                      "event=verified rows={} differences={} rejected={} waiting={} complete={} "
                      "seconds={:.1f}",
                      std::max(total.source_rows, total.target_rows), total.differences(),
                      total.rejected, total.waiting, result.complete(),
                      static_cast<double>(result.duration.count()) / 1000);
    context_.wake.Set();
    return true;
  } catch (const Error& error) {
    if (stop_.IsSet()) return false;
    const bool transient = error.disposition() == Disposition::kRetry;
    context_.probe.ErrorSeen(ToString(Component::kVerify), transient);
    context_.log->warn("event=verify_failed reason=\"{}\"", error.message());
  } catch (const std::exception& error) {
    context_.log->error("event=verify_failed reason=\"{}\"", error.what());
  }
  return false;
}

}  // namespace liteferry::verify
