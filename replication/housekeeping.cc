#include "replication/housekeeping.h"

#include <algorithm>
#include <vector>

#include "metrics/engine_probe.h"
#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/confirmation.h"
#include "replication/source/changelog.h"
#include "replication/trim_policy.h"
#include "replication/verify/schedule.h"

namespace liteferry {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kBeatEvery{10};
constexpr std::chrono::seconds kAgeEvery{30};

}  // namespace

Housekeeping::Housekeeping(EngineContext& context, Session& session)
    : context_(context), session_(session), last_trim_(Clock::now()) {}

milliseconds Housekeeping::Run(bool in_sync, Clock::time_point last_change) {
  Beat(in_sync);
  const auto until_beat = std::chrono::ceil<milliseconds>(last_beat_ + kBeatEvery - Clock::now());
  return std::clamp(std::min(Trim(last_change), until_beat), milliseconds(10),
                    milliseconds(kBeatEvery));
}

void Housekeeping::Beat(bool in_sync) {
  if (Clock::now() - last_beat_ < kBeatEvery) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  session_.store->Heartbeat(session_.owner,
                            in_sync ? std::chrono::floor<milliseconds>(now).count() : 0);
  context_.confirmation->Committed();
  verify::NoteLatest(context_, *session_.target);
  last_beat_ = Clock::now();
}

std::int64_t Housekeeping::TrimBound() {
  const auto& changelog = context_.settings.changelog;
  // Past its size limit the log is cut as far as it is confirmed; the rest of it is never cut.
  const std::int64_t confirmed = context_.confirmation->Confirmed();
  if (times_limit_ > 0 || changelog.retention.count() == 0) return confirmed;
  // Asks PostgreSQL.
  const auto now = Clock::now();
  if (last_age_ == Clock::time_point{} || now - last_age_ >= kAgeEvery) {
    old_enough_ = session_.store->SeqAppliedBefore(changelog.retention);
    last_age_ = now;
  }
  return std::min(confirmed, old_enough_);
}

milliseconds Housekeeping::Trim(Clock::time_point last_change) {
  source::Changelog log(*session_.source);
  const auto now = Clock::now();
  try {
    // The watcher's figure is a second old: what is cut by it must not be more than needed.
    const std::int64_t limit = context_.settings.changelog.max_size;
    times_limit_ = context_.board.Read().source.log_bytes > limit ? log.SizeBytes() / limit : 0;
    const std::int64_t bound = TrimBound();
    const source::LogBounds bounds = log.Bounds();
    TrimFacts facts;
    facts.trimmable = bounds.oldest == 0 ? 0 : std::min(bound, bounds.newest) - bounds.oldest;
    facts.rollback_journal = session_.rollback_journal;
    facts.times_limit = times_limit_;
    facts.since_last_trim = std::chrono::floor<milliseconds>(now - last_trim_);
    facts.since_last_change = std::chrono::floor<milliseconds>(now - last_change);
    const TrimDecision decision = DecideTrim(facts);
    if (decision.entries == 0) return decision.look_again;
    context_.probe.TrimmedEntries(log.Trim(bound, decision.entries));
    last_trim_ = Clock::now();
    return decision.look_again;
  } catch (const Error& error) {
    // The application holds the lock: its turn. The log waits.
    if (error.disposition() != Disposition::kRetry || error.component() != Component::kSource)
      throw;
    last_trim_ = Clock::now();
    return milliseconds(times_limit_ > 0 ? 50 : 1000);
  }
}

bool ReleaseIndexes(EngineContext& context, Session& session) {
  std::vector<target::Held> todo;
  for (target::Held& held : session.held->List()) {
    if (IsIndex(held.kind)) todo.push_back(std::move(held));
  }
  session.target->SetStatementTimeout(std::chrono::hours(24));
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < todo.size(); ++i) {
    if (context.stop.IsSet()) return false;
    context.board.Update([&](EngineStatus& status) {
      status.activity = "putting back index " + std::to_string(i + 1) + " of " +
                        std::to_string(todo.size()) + ": " + todo[i].name;
      status.activity_since = std::chrono::system_clock::now();
    });
    try {
      session.held->Release(todo[i]);
      session.store->Heartbeat(session.owner, 0);
    } catch (const Error& error) {
      // Class 23 is the data's doing; all else is dealt with as any fault.
      if (!error.sqlstate().starts_with("23")) throw;
      problems.push_back(error.message());
      context.log->warn("event=constraint_not_restored constraint={} table={} reason=\"{}\"",
                        todo[i].name, todo[i].table, error.message());
    }
  }
  session.target->SetStatementTimeout(std::chrono::minutes(5));
  const auto left = session.held->List().size();
  context.board.Update([&](EngineStatus& status) {
    status.activity.clear();
    status.held = static_cast<int>(left);
    status.held_problems = problems;
  });
  if (!todo.empty()) {
    context.log->info("event=indexes_restored restored={} failed={}", todo.size() - problems.size(),
                      problems.size());
  }
  return true;
}

}  // namespace liteferry
