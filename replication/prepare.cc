#include "replication/prepare.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/existing_rows.h"
#include "replication/source/changelog.h"
#include "replication/source/row_reader.h"
#include "replication/target/catalog.h"

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
  });
  session.store =
      std::make_unique<target::StateStore>(*session.target, settings.target.state_schema);
  session.held =
      std::make_unique<target::HeldConstraints>(*session.target, settings.target.state_schema);
}

void ReadMapping(EngineContext& context, Session& session) {
  const auto& settings = context.settings;
  const auto missing = target::MissingPrivileges(*session.target, settings.target.schema,
                                                 settings.target.state_schema);
  if (!missing.empty()) {
    throw Error(Disposition::kStop, Component::kTarget, Join(missing, "; "))
        .Hint("Grant what is missing, or connect as the owner of the tables.")
        .Exit(ExitCode::kPermission);
  }
  const source::SourceCatalog source = source::ReadCatalog(*session.source);
  const target::TargetCatalog target = target::ReadCatalog(*session.target, settings.target.schema);
  session.schema_version = source.schema_version;
  session.mapping = BuildMapping(source, target, settings);
  if (!session.mapping.problems.empty()) throw MappingError(session.mapping);
  if (session.mapping.tables.empty()) {
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

// Throws unless the source is the one that the stream follows and still has the entry that was
// applied last.
void CheckSourceIdentity(Session& session) {
  if (!session.capture.installed || session.capture.incarnation != session.stream.incarnation) {
    throw Error(
        Disposition::kStop, Component::kSource,
        session.capture.installed
            ? "the source is another database than the one that was followed (incarnation " +
                  session.capture.incarnation + ", expected " + session.stream.incarnation + ")"
            : "the source has lost liteferry's tables: it was replaced or restored from a backup "
              "older than the migration")
        .Hint(
            "Put the right file back, or start over: `liteferry cleanup`, then `liteferry run` "
            "with "
            "target.existing_rows: replace.")
        .Exit(ExitCode::kDataError);
  }
  source::Changelog log(*session.source);
  const source::LogBounds bounds = log.Bounds();
  const target::StreamRow& stream = session.stream;
  const char* gone_back = nullptr;
  if (stream.applied_seq > bounds.newest) {
    gone_back = "its changelog ends before the position applied last";
  } else if (stream.applied_seq > 0 && stream.applied_seq >= bounds.oldest) {
    const auto mark = log.MarkAt(stream.applied_seq);
    if (mark && *mark != stream.applied_mark)
      gone_back = "its changelog has another entry at that position";
    if (!mark) gone_back = "its changelog lacks the entry applied last";
  }
  if (gone_back != nullptr) {
    throw Error(Disposition::kStop, Component::kSource,
                "the source went back in time: " + std::string(gone_back) + " (" +
                    std::to_string(stream.applied_seq) + ", newest " +
                    std::to_string(bounds.newest) + ")")
        .Hint(
            "It was restored from a backup. Start over: `liteferry cleanup`, then `liteferry run` "
            "with "
            "target.existing_rows: replace.")
        .Exit(ExitCode::kDataError);
  }
  if (stream.applied_seq + 1 < bounds.oldest) {
    throw Error(Disposition::kStop, Component::kTarget,
                "the target went back to position " + std::to_string(stream.applied_seq) +
                    ", older than the oldest kept change " + std::to_string(bounds.oldest))
        .Hint(
            "It failed over or was restored. Start over: `liteferry cleanup`, then `liteferry run` "
            "with "
            "target.existing_rows: replace.")
        .Exit(ExitCode::kDataError);
  }
}

std::vector<target::CopyRange> MakeRanges(EngineContext& context, Session& session,
                                          const TableMapping& table) {
  source::Transaction snapshot(*session.source, source::Transaction::Kind::kRead);
  source::RowReader reader(*session.source, table.source, table.SourceColumns());
  const std::int64_t rows = reader.EstimateRows();
  const auto chunks = rows / context.settings.copy.chunk_rows;
  const int parts = static_cast<int>(
      std::clamp<std::int64_t>(chunks / 4, 1, 2 * std::int64_t{context.settings.copy.jobs}));
  std::vector<target::CopyRange> ranges;
  std::string after;
  const auto add = [&](const std::string& up_to) {
    target::CopyRange range;
    range.table_no = session.NumberOf(table);
    range.range_no = static_cast<int>(ranges.size());
    range.after = after;
    range.up_to = up_to;
    ranges.push_back(range);
    after = up_to;
  };
  for (const PackedKey& point : parts > 1 ? reader.SplitPoints(parts) : std::vector<PackedKey>{}) {
    add(KeyToJson(UnpackKey(point)));
  }
  add("");
  return ranges;
}

void AddHiddenColumn(Session& session, const TableMapping& table) {
  const std::string column = QuoteIdentifier(kHiddenRowidColumn);
  const std::string index =
      QuoteIdentifier(kHiddenRowidColumn + ("_" + std::to_string(table.target.oid)));
  session.target->Exec("ALTER TABLE " + table.QualifiedTarget() + " ADD COLUMN IF NOT EXISTS " +
                       column + " bigint");
  session.target->Exec("CREATE INDEX IF NOT EXISTS " + index + " ON " + table.QualifiedTarget() +
                       " (" + column + ")");
}

// Puts aside what forbids loading `tables`, and prepares their hidden columns. In the caller's
// transaction.
void HoldTables(Session& session, const std::vector<const TableMapping*>& tables) {
  std::vector<std::uint32_t> oids;
  std::vector<std::string> keys;
  for (const TableMapping* table : tables) {
    oids.push_back(table->target.oid);
    keys.push_back(table->hidden_rowid
                       ? kHiddenRowidColumn + ("_" + std::to_string(table->target.oid))
                       : table->key_index);
  }
  session.held->HoldAll(oids, keys);
  for (const TableMapping* table : tables) {
    if (table->hidden_rowid) AddHiddenColumn(session, *table);
  }
}

target::SourceTableRow DescribeTable(const Session& session, const TableMapping& table) {
  target::SourceTableRow row;
  row.number = session.NumberOf(table);
  row.name = table.source.name;
  row.target = table.QualifiedTarget();
  row.signature = table.Signature();
  row.schema_version = session.schema_version;
  return row;
}

// The first run: state tables, stream row, held constraints, copy ranges, in one transaction.
void StartStream(EngineContext& context, Session& session) {
  source::Changelog log(*session.source);
  const source::LogBounds bounds = log.Bounds();
  std::vector<const TableMapping*> tables;
  for (const TableMapping& table : session.mapping.tables) tables.push_back(&table);

  TargetTransaction transaction(*session.target);
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
    session.store->SetCopyRanges(session.NumberOf(*table), MakeRanges(context, session, *table));
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

// Compares what is known of each table with what is there now, and has those copied again that
// changed while nobody watched.
void ReconcileTables(EngineContext& context, Session& session,
                     const std::vector<std::string>& unwatched) {
  const auto known = session.store->ReadSourceTables();
  for (const TableMapping& table : session.mapping.tables) {
    const target::SourceTableRow now = DescribeTable(session, table);
    const auto before = std::find_if(known.begin(), known.end(),
                                     [&](const auto& row) { return row.number == now.number; });
    std::string why;
    if (before == known.end()) {
      why = "it is new";
    } else if (before->signature != now.signature) {
      why = "its columns or its key have changed";
    } else if (std::find(unwatched.begin(), unwatched.end(), now.name) != unwatched.end()) {
      why = "its triggers were missing for a while";
    } else if (table.hidden_rowid && before->schema_version != now.schema_version) {
      why = "the schema changed and VACUUM may have renumbered its rows";
    } else if (before->schema_version != now.schema_version &&
               session.stream.phase == Phase::kCopying && table.ScanIsVolatile()) {
      why = "the schema changed and VACUUM may have moved its rows during the copy";
    }
    if (!why.empty()) {
      RestartTableCopy(context, session, table, why);
    } else if (before->schema_version != now.schema_version) {
      session.store->PutSourceTable(now);
    }
  }
}

void PublishStream(EngineContext& context, Session& session) {
  std::vector<TableStatus> tables;
  const auto ranges = session.store->ReadCopyRanges();
  const auto rejected = session.store->CountRejected();
  session.rejected.clear();
  for (const target::RejectedCount& count : rejected) {
    session.rejected[static_cast<int>(count.table_no)] = count.rows;
  }
  for (const TableMapping& table : session.mapping.tables) {
    TableStatus status;
    status.name = table.source.name;
    status.captured = true;
    status.copy_done = true;
    const int number = session.NumberOf(table);
    for (const target::CopyRange& range : ranges) {
      if (range.table_no != number) continue;
      status.rows_copied += range.rows;
      status.copy_done = status.copy_done && range.done;
    }
    for (const target::RejectedCount& count : rejected) {
      if (count.table_no == number) status.rejected = count.rows;
    }
    source::RowReader reader(*session.source, table.source, table.SourceColumns());
    status.rows_expected =
        std::max(reader.EstimateRows(), status.copy_done ? 0 : status.rows_copied);
    tables.push_back(std::move(status));
  }
  const auto held = session.held->List();
  context.board.Update([&](EngineStatus& status) {
    for (TableStatus& table : tables) {
      const auto before = std::find_if(status.tables.begin(), status.tables.end(),
                                       [&](const TableStatus& t) { return t.name == table.name; });
      if (before != status.tables.end()) table.changes_applied = before->changes_applied;
    }
    status.tables = tables;
    status.applied = status.confirmed = session.stream.applied_seq;
    status.consistent = session.stream.consistent;
    status.held = static_cast<int>(held.size());
    status.held_problems.clear();
    for (const target::Held& one : held) {
      if (!one.problem.empty())
        status.held_problems.push_back(one.name + " on " + one.table + ": " + one.problem);
    }
    status.rejected_rows = 0;
    for (const target::RejectedCount& count : rejected) status.rejected_rows += count.rows;
  });
}

}  // namespace

void RestartTableCopy(EngineContext& context, Session& session, const TableMapping& table,
                      const std::string& why) {
  const int number = session.NumberOf(table);
  context.log->warn("event=table_copy_restarted table={} reason=\"{}\"", table.source.name, why);
  const auto ranges = MakeRanges(context, session, table);
  TargetTransaction transaction(*session.target);
  session.store->RequireOwner(session.owner);
  HoldTables(session, {&table});
  session.target->Exec("DELETE FROM " + table.QualifiedTarget());
  session.store->ClearRejectedTable(number);
  session.store->SetCopyRanges(number, ranges);
  session.store->PutSourceTable(DescribeTable(session, table));
  session.store->SetPhase(session.owner, Phase::kCopying);
  transaction.Commit();
  session.stream.phase = Phase::kCopying;
  session.stream.consistent = false;
}

PrepareResult Prepare(EngineContext& context) {
  auto session = std::make_unique<Session>();
  OpenBoth(context, *session);
  ReadMapping(context, *session);
  session->owner.id = context.owner_id;
  session->capture = source::Capture(*session->source).Read();
  const auto stream = session->store->Exists() ? session->store->ReadStream(false) : std::nullopt;
  std::vector<std::string> unwatched;
  if (stream) {
    session->stream = *stream;
    CheckSourceIdentity(*session);
    unwatched =
        source::Capture(*session->source).FindBroken(session->captured_tables, session->capture);
    InstallCapture(context, *session);
  } else {
    InstallCapture(context, *session);
    StartStream(context, *session);
  }
  if (!session->store->TryTakeOver(session->owner, kLease)) return {};
  session->stream = session->store->ReadStream(false).value();
  // Once more, now that nobody else moves the position.
  CheckSourceIdentity(*session);
  ReconcileTables(context, *session, unwatched);
  PublishStream(context, *session);
  return {std::move(session)};
}

}  // namespace liteferry
