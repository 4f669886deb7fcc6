#include "replication/offline.h"

#include <memory>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/mapping.h"
#include "replication/rejections.h"
#include "replication/session.h"
#include "replication/source/changelog.h"
#include "replication/source/fence.h"
#include "replication/table_start.h"
#include "replication/verify/schedule.h"

namespace liteferry {
namespace {

void ReadSource(const config::Settings& settings, EngineStatus& status) {
  source::Database database(settings.source.path, source::OpenMode::kReadOnly,
                            settings.source.busy_timeout);
  const source::SourceInfo info = source::ReadInfo(database);
  status.source.up = true;
  status.source.journal_mode = info.journal_mode;
  status.source.size_bytes = static_cast<std::uint64_t>(info.page_size * info.page_count);
  if (!source::Capture(database).Read().installed) {
    status.notes.emplace_back("capture is not installed in the source");
    return;
  }
  status.cutover.fenced = source::Fence(database).Read() != source::FenceMark::kNone;
  source::Changelog log(database);
  const source::LogBounds bounds = log.Bounds();
  status.captured = bounds.newest;
  status.oldest_kept = bounds.oldest;
  status.source.log_bytes = log.SizeBytes();
}

void ReadTables(target::StateStore& store, EngineStatus& status) {
  const auto ranges = store.ReadCopyRanges();
  for (const target::SourceTableRow& row : store.ReadSourceTables()) {
    TableStatus table;
    table.name = row.name;
    table.captured = status.source.up;
    table.copy_done = true;
    for (const target::CopyRange& range : ranges) {
      if (range.table_no != row.number) continue;
      table.rows_copied += range.rows;
      table.copy_done = table.copy_done && range.done;
    }
    table.rows_expected = table.rows_copied;
    status.tables.push_back(std::move(table));
  }
  ShowRejections(ReadRejections(store), status);
}

State StateOf(const target::StreamRow& stream) {
  if (stream.paused) return State::kPaused;
  switch (stream.phase) {
    case target::Phase::kCopying:
      return State::kCopying;
    case target::Phase::kCatchingUp:
      return State::kCatchingUp;
    case target::Phase::kFollowing:
      return State::kFollowing;
    case target::Phase::kCutOver:
      return State::kCutOver;
  }
  return State::kHalted;
}

// The target knows of a daemon that does not answer here.
void SayWhoseItIs(const target::StreamRow& stream, EngineStatus& status) {
  if (stream.owner_backend_alive) {
    status.reason = "a daemon is connected to the target, but does not answer here";
    status.next_action =
        "Give `--socket` or the configuration it was started with, and be the user it runs as.";
  } else if (stream.owner_age_ms > 0) {
    status.reason += "; its last sign of life was " +
                     FormatDuration(std::chrono::milliseconds(stream.owner_age_ms)) + " ago";
  }
}

void ReadTarget(const config::Settings& settings, const SignalEvent& stop, EngineStatus& status) {
  const auto connection = ConnectTarget(settings, stop, "liteferry status");
  status.target.up = true;
  status.target.server_version = connection->server().version_text;
  status.target.database = connection->server().database;
  status.target.role = connection->server().role;
  status.target.pooled = connection->server().pooled;
  status.target.address = connection->Describe();
  status.target.timeline = connection->server().timeline;
  target::StateStore store(*connection, settings.target.state_schema);
  const auto stream = store.Exists() ? store.ReadStream(false) : std::nullopt;
  if (!stream) {
    status.notes.emplace_back("no replication has been started on the target");
    return;
  }
  status.state = StateOf(*stream);
  status.position_known = true;
  if (status.source.up && status.cutover.fenced != (stream->phase == target::Phase::kCutOver)) {
    status.state = State::kCuttingOver;
    status.notes.emplace_back(
        "a cutover was interrupted: the daemon completes or undoes it when it starts");
  }
  SayWhoseItIs(*stream, status);
  status.applied = stream->applied_seq;
  // What a standby has confirmed only the daemon knows.
  if (settings.target.durability == config::Durability::kLocal) status.confirmed = status.applied;
  status.consistent = stream->consistent;
  if (stream->in_sync_at_ms > 0 && status.captured > status.applied) {
    status.oldest_unapplied_at =
        std::chrono::system_clock::time_point(std::chrono::milliseconds(stream->in_sync_at_ms));
  }
  ReadTables(store, status);
  target::HeldConstraints held(*connection, settings.target.state_schema);
  status.held = static_cast<int>(held.List().size());
  status.verify = verify::ReadLatest(*connection, settings.target.state_schema);
}

// Puts back all that can be; what the data forbid is a problem.
void ReleaseAll(target::HeldConstraints& held, bool not_valid, CleanupReport& report) {
  for (const target::Held& one : held.List()) {
    const std::string name = std::string(ToString(one.kind)) + " " + one.name + " on " + one.table;
    // The message of the error names the constraint again; what is wrong is all that is wanted
    // here.
    const auto problem = [](const Error& error) {
      const auto& message = error.message();
      const auto colon = message.find(": ");
      return colon == std::string::npos ? message : message.substr(colon + 2);
    };
    try {
      held.Release(one);
      report.done.push_back("put back " + name);
    } catch (const Error& error) {
      if (!error.sqlstate().starts_with("23")) throw;
      if (not_valid && one.kind == target::HeldKind::kForeignKey) {
        held.ReleaseNotValid(one);
        report.done.push_back("put back " + name + " NOT VALID: " + problem(error));
      } else {
        report.problems.push_back(name + ": " + problem(error));
      }
    }
  }
}

void CleanTarget(const config::Settings& settings, bool not_valid, const SignalEvent& stop,
                 CleanupReport& report) {
  const auto connection = ConnectTarget(settings, stop, "liteferry cleanup");
  connection->SetStatementTimeout(std::chrono::hours(24));
  target::StateStore store(*connection, settings.target.state_schema);
  if (!store.Exists()) return;
  target::HeldConstraints held(*connection, settings.target.state_schema);
  ReleaseAll(held, not_valid, report);
  if (!report.problems.empty()) return;
  TargetTransaction transaction(*connection);
  for (const std::string& table : DropHiddenColumns(*connection, settings)) {
    report.done.push_back("dropped column " + std::string(kHiddenRowidColumn) + " of " + table);
  }
  store.Drop();
  transaction.Commit();
  report.done.push_back("dropped schema " + settings.target.state_schema + " on " +
                        connection->Describe());
}

}  // namespace

std::optional<std::int64_t> ReadNewestChange(const config::Settings& settings) {
  source::Database database(settings.source.path, source::OpenMode::kReadOnly,
                            settings.source.busy_timeout);
  if (!source::Capture(database).Read().installed) return std::nullopt;
  return source::Changelog(database).Bounds().newest;
}

EngineStatus ReadOfflineStatus(const config::Settings& settings, const SignalEvent& stop) {
  EngineStatus status;
  status.state = State::kStarting;
  status.position_known = false;
  status.reason = "no daemon is running";
  status.next_action = "Start it with `liteferry run`.";
  status.source.path = settings.source.path;
  try {
    ReadSource(settings, status);
  } catch (const Error& error) {
    status.notes.push_back("source: " + error.message());
  }
  try {
    ReadTarget(settings, stop, status);
  } catch (const Error& error) {
    status.notes.push_back("target: " + error.message());
  }
  if (status.position_known) {
    status.backlog_changes = std::max<std::int64_t>(status.captured - status.applied, 0);
  }
  return status;
}

CleanupReport RunCleanup(const config::Settings& settings, bool not_valid,
                         const SignalEvent& stop) {
  CleanupReport report;
  CleanTarget(settings, not_valid, stop, report);
  if (!report.problems.empty()) return report;
  // The source comes last: as long as the target has our state, a second cleanup finds its way.
  source::Database database(settings.source.path, source::OpenMode::kReadWrite,
                            settings.source.busy_timeout);
  source::Capture capture(database);
  if (capture.Read().installed) {
    capture.Remove();
    report.done.push_back("removed triggers and tables of liteferry from " + settings.source.path);
  }
  return report;
}

}  // namespace liteferry
