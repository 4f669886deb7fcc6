#include "replication/reconcile.h"

#include <algorithm>
#include <optional>
#include <set>

#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/source/changelog.h"
#include "replication/table_start.h"
#include "replication/target_tables.h"

namespace liteferry {
namespace {

using target::Phase;
using target::SourceTableRow;

constexpr const char* kAcceptHint =
    "If this is the right database, `liteferry resume --reconcile` brings both sides to equality "
    "by comparing; apply.on_rewind: reconcile does so by itself.";

// What the signature of a suspect says: that its rows are not known to be equal.
constexpr const char* kInDoubt = "";

bool CopyIsDone(const std::vector<target::CopyRange>& ranges, std::int64_t number) {
  return std::all_of(ranges.begin(), ranges.end(), [number](const target::CopyRange& range) {
    return range.table_no != number || range.done;
  });
}

bool HasHiddenColumn(const TableMapping& table) {
  const auto& columns = table.target.columns;
  return std::any_of(columns.begin(), columns.end(),
                     [](const auto& column) { return column.name == kHiddenRowidColumn; });
}

enum class Remedy : std::uint8_t { kNone, kNote, kCompare, kCopy };

// What a known table needs. Pure.
struct Verdict {
  Remedy remedy = Remedy::kNone;
  std::string why;
};
Verdict Judge(const TableMapping& table, const SourceTableRow& before, const SourceTableRow& now,
              Phase phase, bool copied) {
  if (table.hidden_rowid && !HasHiddenColumn(table)) {
    return {Remedy::kCopy, "it has lost its key, and its rows on the target have no rowid yet"};
  }
  const bool other_schema = before.schema_version != now.schema_version;
  if (before.signature == kInDoubt) {
    return {copied ? Remedy::kCompare : Remedy::kCopy, "it changed and was not compared yet"};
  }
  if (before.signature != now.signature) {
    return {copied ? Remedy::kCompare : Remedy::kCopy, "its columns or its key have changed"};
  }
  if (!copied && other_schema && phase == Phase::kCopying && table.ScanIsVolatile()) {
    return {Remedy::kCopy, "the schema changed and VACUUM may have moved its rows during the copy"};
  }
  if (table.hidden_rowid && other_schema) {
    return {Remedy::kCompare, "the schema changed and VACUUM may have renumbered its rows"};
  }
  return {other_schema ? Remedy::kNote : Remedy::kNone, ""};
}

// Takes a table out of the mapping of this session: it is not followed, and said to be a problem.
void GiveUp(Session& session, const std::string& name, const Error& error) {
  session.mapping.problems.push_back({name, error.message(), error.hint()});
  std::erase_if(session.mapping.tables,
                [&](const TableMapping& table) { return table.source.name == name; });
}

// Tables that the stream knows and that are not followed now: should they come back, they are
// compared. Those that are gone from the source are told.
void NoteAbsent(Session& session, const std::vector<SourceTableRow>& known) {
  std::set<std::string> followed;
  std::set<std::string> problems;
  for (const TableMapping& table : session.mapping.tables) followed.insert(table.source.name);
  for (const MappingProblem& problem : session.mapping.problems) problems.insert(problem.table);
  for (const SourceTableRow& row : known) {
    if (followed.contains(row.name)) continue;
    if (row.signature != kInDoubt) session.store->DoubtTable(row.number);
    if (problems.contains(row.name)) continue;
    session.store->ClearRejectedTable(row.number);
    session.mapping.notes.push_back("table " + row.name +
                                    " is gone from the source; its rows on the target stay in " +
                                    row.target);
  }
}

}  // namespace

std::optional<Error> FindRewind(Session& session) {
  const auto stop = [](Component component, const std::string& message, const std::string& cause) {
    return Error(Disposition::kStop, component, message)
        .Hint(cause + kAcceptHint)
        .Exit(ExitCode::kDataError);
  };
  if (!session.capture.installed) {
    return stop(Component::kSource,
                "the source has lost liteferry's tables: it was replaced, or restored from a "
                "backup older than the migration",
                "");
  }
  if (session.capture.incarnation != session.stream.incarnation) {
    return stop(Component::kSource,
                "the source is another database than the one that was followed (incarnation " +
                    session.capture.incarnation + ", expected " + session.stream.incarnation + ")",
                "");
  }
  source::Changelog log(*session.source);
  const source::LogBounds bounds = log.Bounds();
  const target::StreamRow& stream = session.stream;
  const char* gone_back = nullptr;
  if (stream.applied_seq > bounds.newest) {
    gone_back = "its changelog ends before the position applied last";
  } else if (stream.applied_seq > 0 && stream.applied_seq >= bounds.oldest) {
    const auto mark = log.MarkAt(stream.applied_seq);
    if (mark && *mark != stream.applied_mark) {
      gone_back = "its changelog has another entry at that position";
    }
    if (!mark) gone_back = "its changelog lacks the entry applied last";
  }
  if (gone_back != nullptr) {
    return stop(Component::kSource,
                "the source went back in time: " + std::string(gone_back) + " (" +
                    std::to_string(stream.applied_seq) + ", newest " +
                    std::to_string(bounds.newest) + ")",
                "It was restored from a backup. ");
  }
  if (stream.applied_seq + 1 < bounds.oldest) {
    return stop(Component::kTarget,
                "the target went back to position " + std::to_string(stream.applied_seq) +
                    ", older than the oldest kept change " + std::to_string(bounds.oldest),
                "It failed over or was restored. ");
  }
  return std::nullopt;
}

std::optional<Error> FindOtherCluster(const Session& session) {
  const std::string& now = session.target->server().system_identifier;
  const std::string& before = session.stream.system_identifier;
  // Some servers do not tell.
  if (now.empty() || before.empty() || now == before) return std::nullopt;
  return Error(
             Disposition::kStop, Component::kTarget,
             "the target is another cluster than the one that was written to (system identifier " +
                 now + ", expected " + before + ")")
      .Hint(std::string("A dump was restored there, or target.url leads elsewhere. ") + kAcceptHint)
      .Exit(ExitCode::kDataError);
}

void NoteCluster(EngineContext& context, Session& session) {
  const target::PgServer& now = session.target->server();
  target::StreamRow& stream = session.stream;
  if (now.system_identifier.empty() ||
      (now.system_identifier == stream.system_identifier && now.timeline == stream.timeline)) {
    return;
  }
  session.failed_over = now.system_identifier == stream.system_identifier;
  context.log->warn("event=target_failed_over timeline={} before={} position={}", now.timeline,
                    stream.timeline, stream.applied_seq);
  session.store->SetCluster(session.owner, now.system_identifier, now.timeline);
  stream.system_identifier = now.system_identifier;
  stream.timeline = now.timeline;
}

void AdoptSource(EngineContext& context, Session& session) {
  source::Changelog log(*session.source);
  const source::LogBounds bounds = log.Bounds();
  target::StreamRow stream = session.stream;
  const std::int64_t before = stream.applied_seq;
  stream.incarnation = session.capture.incarnation;
  stream.applied_seq = bounds.newest;
  stream.applied_mark = bounds.newest > 0 ? log.MarkAt(bounds.newest).value_or(0) : 0;
  stream.consistent = false;
  const bool copying = stream.phase == Phase::kCopying;
  if (!copying) stream.phase = Phase::kCatchingUp;
  {
    TargetTransaction transaction(*session.target);
    session.store->Restart(session.owner, stream);
    for (const TableMapping& table : session.mapping.tables) {
      SourceTableRow row = DescribeTable(session, table);
      row.signature = kInDoubt;
      session.store->PutSourceTable(row);
    }
    // A copy that was under way does not say which rows of a table it has: it starts anew.
    for (const TableMapping& table : session.mapping.tables) {
      if (copying) session.store->SetCopyRanges(session.NumberOf(table), {});
    }
    transaction.Commit();
  }
  session.stream = stream;
  context.log->warn("event=source_adopted from={} to={} incarnation={}", before, stream.applied_seq,
                    stream.incarnation);
  if (!copying) return;
  for (const TableMapping& table : session.mapping.tables) {
    RestartTableCopy(context, session, table, "a side went back in time during the copy");
  }
}

void DoubtTable(EngineContext& context, Session& session, const TableMapping& table,
                const std::string& why) {
  context.log->warn("event=table_in_doubt table={} reason=\"{}\"", table.source.name, why);
  SourceTableRow row = DescribeTable(session, table);
  row.signature = kInDoubt;
  session.store->PutSourceTable(row);
  session.Doubt(context, static_cast<int>(row.number), why);
}

void ReconcileTables(EngineContext& context, Session& session) {
  const auto known = session.store->ReadSourceTables();
  const auto ranges = session.store->ReadCopyRanges();
  const std::vector<TableMapping> tables = session.mapping.tables;
  for (const TableMapping& table : tables) {
    const SourceTableRow now = DescribeTable(session, table);
    const auto before = std::find_if(known.begin(), known.end(),
                                     [&](const auto& row) { return row.number == now.number; });
    if (before == known.end()) {
      try {
        StartTableCopy(context, session, table);
      } catch (const Error& error) {
        if (error.disposition() != Disposition::kStop) throw;
        GiveUp(session, table.source.name, error);
      }
      continue;
    }
    const Verdict verdict =
        Judge(table, *before, now, session.stream.phase, CopyIsDone(ranges, now.number));
    switch (verdict.remedy) {
      case Remedy::kCopy:
        RestartTableCopy(context, session, table, verdict.why);
        break;
      case Remedy::kCompare:
        DoubtTable(context, session, table, verdict.why);
        break;
      case Remedy::kNote:
        session.store->PutSourceTable(now);
        break;
      case Remedy::kNone:
        break;
    }
  }
  NoteAbsent(session, known);
}

bool PairingChanged(EngineContext& context, Session& session) {
  const auto& settings = context.settings;
  const Mapping now = BuildMapping(source::ReadCatalog(*session.source),
                                   ReadTargetTables(*session.target, settings), settings);
  const auto text = [](const Mapping& mapping) {
    std::set<std::string> lines;
    for (const MappingProblem& one : mapping.problems) lines.insert(one.table + '\0' + one.message);
    return lines;
  };
  return text(now) != text(session.mapping);
}

}  // namespace liteferry
