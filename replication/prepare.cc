#include "replication/prepare.h"

#include <algorithm>

#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/base/text.h"
#include "replication/create_tables.h"
#include "replication/cutover/run.h"
#include "replication/existing_rows.h"
#include "replication/reconcile.h"
#include "replication/rejections.h"
#include "replication/source/changelog.h"
#include "replication/source/fence.h"
#include "replication/source/row_reader.h"
#include "replication/table_start.h"
#include "replication/target_tables.h"

namespace liteferry {
namespace {

using target::Phase;

constexpr std::chrono::seconds kLease{30};

Error MappingError(const Mapping& mapping) {
  std::string text = "the schemas do not fit:";
  for (const MappingProblem& problem : mapping.problems) {
    text += "\n  table " + problem.table + ": " + problem.message;
  }
  const std::string& hint = mapping.problems.front().hint;
  return Error(Disposition::kStop, Component::kConfig, text)
      .Hint(hint + (hint.empty() ? "" : " ") +
            "`liteferry check` shows the whole pairing; the daemon looks again by itself.")
      .Exit(ExitCode::kDataError);
}

void OpenBoth(EngineContext& context, Session& session) {
  const auto& settings = context.settings;
  session.source = std::make_unique<source::Database>(
      settings.source.path, source::OpenMode::kReadWrite, settings.source.busy_timeout);
  MeasureLocks(context, *session.source);
  const source::SourceInfo info = source::ReadInfo(*session.source);
  session.rollback_journal = info.journal_mode != "wal";
  context.board.Update([&](EngineStatus& status) {
    status.source.path = settings.source.path;
    status.source.journal_mode = info.journal_mode;
  });

  session.target = ConnectTarget(settings, context.abort, "liteferry");
  const target::PgServer& server = session.target->server();
  context.board.Update([&](EngineStatus& status) {
    status.target.up = true;
    status.target.server_version = server.version_text;
    status.target.database = server.database;
    status.target.role = server.role;
    status.target.pooled = server.pooled;
    status.target.address = session.target->Describe();
    status.target.timeline = server.timeline;
  });
  session.store =
      std::make_unique<target::StateStore>(*session.target, settings.target.state_schema);
  session.held =
      std::make_unique<target::HeldConstraints>(*session.target, settings.target.state_schema);
}

void ReadMapping(EngineContext& context, Session& session) {
  const auto& settings = context.settings;
  const auto missing = MissingTargetPrivileges(*session.target, settings);
  if (!missing.empty()) {
    throw Error(Disposition::kStop, Component::kTarget, Join(missing, "; "))
        .Hint("Grant what is missing, or connect as the owner of the tables.")
        .Exit(ExitCode::kPermission);
  }
  const source::SourceCatalog source = source::ReadCatalog(*session.source);
  const target::TargetCatalog target = ReadOrPlanTables(context, session, source);
  session.schema_version = source.schema_version;
  session.mapping = BuildMapping(source, target, settings);
  if (session.mapping.tables.empty() && session.mapping.problems.empty()) {
    throw Error(Disposition::kStop, Component::kSource,
                "no table to replicate in " + settings.source.path)
        .Hint("Check source.path, source.include and source.exclude.");
  }
  session.captured_tables.clear();
  for (const TableMapping& table : session.mapping.tables) {
    session.captured_tables.push_back(table.source);
  }
  context.board.Update([&](EngineStatus& status) { status.notes = session.mapping.notes; });
}

// The first run: state tables, stream row, held constraints, copy ranges, in one transaction.
void StartStream(EngineContext& context, Session& session) {
  source::Changelog log(*session.source);
  const source::LogBounds bounds = log.Bounds();
  std::vector<const TableMapping*> tables;
  for (const TableMapping& table : session.mapping.tables) tables.push_back(&table);

  TargetTransaction transaction(*session.target);
  CreatePlannedTables(context, session);
  session.store->Create();
  HoldTables(session, tables);
  for (const TableMapping* table : tables) ReplaceExistingRows(context, session, *table);
  target::StreamRow stream;
  stream.incarnation = session.capture.incarnation;
  stream.phase = Phase::kCopying;
  stream.applied_seq = bounds.newest;
  stream.applied_mark = bounds.newest > 0 ? log.MarkAt(bounds.newest).value_or(0) : 0;
  stream.owner_id = context.owner_id;
  stream.owner_backend = session.target->server().pooled ? 0 : session.target->server().backend_pid;
  stream.system_identifier = session.target->server().system_identifier;
  stream.timeline = session.target->server().timeline;
  session.store->InitStream(stream);
  for (const TableMapping* table : tables) {
    session.store->PutSourceTable(DescribeTable(session, *table));
    session.store->SetCopyRanges(session.NumberOf(*table),
                                 MakeCopyRanges(context, session, *table));
  }
  transaction.Commit();
  context.log->info("event=stream_started tables={} position={} held={}", tables.size(),
                    bounds.newest, session.held->List().size());
}

// Installs the capture for the tables of the mapping, and makes sure that the mapping is that of
// the schema which is captured: our own triggers change the schema version, and so may the
// application meanwhile.
void InstallCapture(EngineContext& context, Session& session) {
  source::Capture capture(*session.source);
  for (int tries = 0; tries < 5; ++tries) {
    session.capture = capture.Install(session.captured_tables);
    if (session.source->QueryInt("PRAGMA schema_version") == session.schema_version) {
      session.key_widths.clear();
      for (const source::CapturedTable& table : session.capture.tables) {
        const auto number = static_cast<std::size_t>(table.number);
        if (session.key_widths.size() <= number) session.key_widths.resize(number + 1, 0);
        const TableMapping* mapped = session.Find(table.number);
        session.key_widths[number] = mapped == nullptr ? 0 : static_cast<int>(mapped->key.size());
      }
      return;
    }
    ReadMapping(context, session);
  }
  throw Error(Disposition::kRetry, Component::kCapture, "the schema of the source keeps changing");
}

// Puts aside foreign keys and triggers that were made while the stream was under way: deleting a
// row to insert it anew would fire them.
void HoldTies(Session& session) {
  if (session.stream.phase == Phase::kCutOver) return;
  std::vector<std::uint32_t> oids;
  for (const TableMapping& table : session.mapping.tables) oids.push_back(table.target.oid);
  TargetTransaction transaction(*session.target);
  session.store->RequireOwner(session.owner);
  session.held->HoldTies(oids);
  transaction.Commit();
}

// Takes up a stream of which this daemon is the owner.
void Continue(EngineContext& context, Session& session) {
  auto rewind = FindRewind(session);
  if (!rewind) rewind = FindOtherCluster(session);
  const bool accepted = context.reconcile.exchange(false) ||
                        context.settings.apply.on_rewind == config::OnRewind::kReconcile;
  if (rewind && !accepted) throw *rewind;
  // Released: the application is at its migrations, and no trigger of ours may stand in their way.
  session.released = session.stream.paused && session.capture.released;
  if (session.released) return;
  InstallCapture(context, session);
  NoteCluster(context, session);
  if (rewind) {
    context.log->warn("event=rewind_accepted reason=\"{}\"", rewind->message());
    AdoptSource(context, session);
  }
  HoldTies(session);
  ReconcileTables(context, session);
}

void PublishStream(EngineContext& context, Session& session) {
  std::vector<TableStatus> tables;
  const auto ranges = session.store->ReadCopyRanges();
  const RejectionReport rejected = ReadRejections(*session.store);
  session.rejected.clear();
  for (const target::RejectedCount& count : rejected.counts) {
    session.rejected[static_cast<int>(count.table_no)] = count.rows;
  }
  for (const TableMapping& table : session.mapping.tables) {
    // While the capture is released a migration may make tables that have no number yet.
    if (session.released && !session.FindNumber(table)) continue;
    TableStatus status;
    status.name = table.source.name;
    status.captured = !session.released;
    status.copy_done = true;
    const int number = session.NumberOf(table);
    for (const target::CopyRange& range : ranges) {
      if (range.table_no != number) continue;
      status.rows_copied += range.rows;
      status.copy_done = status.copy_done && range.done;
    }
    source::RowReader reader(*session.source, table.source, table.SourceColumns());
    status.rows_expected =
        std::max(reader.EstimateRows(), status.copy_done ? 0 : status.rows_copied);
    tables.push_back(std::move(status));
  }
  for (const MappingProblem& problem : session.mapping.problems) {
    TableStatus status;
    status.name = problem.table;
    status.problem = problem.message;
    tables.push_back(std::move(status));
  }
  const auto held = session.held->List();
  session.indexes_held = std::any_of(held.begin(), held.end(), [](const target::Held& one) {
    return one.problem.empty() && IsIndex(one.kind);
  });
  context.board.Update([&](EngineStatus& status) {
    status.notes = session.mapping.notes;
    for (TableStatus& table : tables) {
      const auto before = std::find_if(status.tables.begin(), status.tables.end(),
                                       [&](const TableStatus& t) { return t.name == table.name; });
      if (before != status.tables.end()) table.changes_applied = before->changes_applied;
    }
    status.tables = tables;
    status.applied = session.stream.applied_seq;
    status.consistent = session.stream.consistent && !session.released;
    status.held = static_cast<int>(held.size());
    status.held_problems.clear();
    for (const target::Held& one : held) {
      if (!one.problem.empty())
        status.held_problems.push_back(one.name + " on " + one.table + ": " + one.problem);
    }
    ShowRejections(rejected, status);
  });
}

void PublishCutOver(EngineContext& context, Session& session) {
  context.board.Update([&](EngineStatus& status) {
    status.applied = status.confirmed = session.stream.applied_seq;
    status.consistent = true;
    status.cutover.fenced = true;
  });
}

Error MovedAlready() {
  return Error(Disposition::kStop, Component::kSource,
               "the source is fenced: it has moved to PostgreSQL, and this target has no state of "
               "that")
      .Hint(
          "Check target.url and target.state_schema. If the migration is over and the fence is no "
          "longer wanted, run `liteferry cleanup`.")
      .Exit(ExitCode::kDataError);
}

}  // namespace

PrepareResult Prepare(EngineContext& context) {
  auto session = std::make_unique<Session>();
  OpenBoth(context, *session);
  session->owner.id = context.owner_id;
  session->capture = source::Capture(*session->source).Read();
  const auto stream = session->store->Exists() ? session->store->ReadStream(false) : std::nullopt;
  const bool fenced = source::Fence(*session->source).Read() != source::FenceMark::kNone;
  if (fenced && !stream) throw MovedAlready();
  if (fenced || (stream && stream->phase == Phase::kCutOver)) {
    if (!session->store->TryTakeOver(session->owner, kLease)) return {};
    session->stream = session->store->ReadStream(false).value();
    // Cut over, the target's tables are the application's: nothing is paired any more.
    if (cutover::StaysCutOver(context, *session)) {
      PublishCutOver(context, *session);
      return {std::move(session)};
    }
  }
  ReadMapping(context, *session);
  if (!stream) {
    if (!session->mapping.problems.empty()) throw MappingError(session->mapping);
    InstallCapture(context, *session);
    StartStream(context, *session);
  }
  if (!session->store->TryTakeOver(session->owner, kLease)) return {};
  // Read now that nobody else moves the position.
  session->stream = session->store->ReadStream(false).value();
  if (stream) Continue(context, *session);
  PublishStream(context, *session);
  return {std::move(session)};
}

}  // namespace liteferry
