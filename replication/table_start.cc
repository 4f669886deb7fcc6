#include "replication/table_start.h"

#include <algorithm>

#include "replication/base/log.h"
#include "replication/base/text.h"
#include "replication/existing_rows.h"
#include "replication/source/row_reader.h"
#include "replication/target_tables.h"

namespace liteferry {
namespace {

using target::Phase;

void AddHiddenColumn(Session& session, const TableMapping& table) {
  const std::string column = QuoteIdentifier(kHiddenRowidColumn);
  const std::string index =
      QuoteIdentifier(kHiddenRowidColumn + ("_" + std::to_string(table.target.oid)));
  session.target->Exec("ALTER TABLE " + table.QualifiedTarget() + " ADD COLUMN IF NOT EXISTS " +
                       column + " bigint");
  session.target->Exec("CREATE INDEX IF NOT EXISTS " + index + " ON " + table.QualifiedTarget() +
                       " (" + column + ")");
}

// Puts the table at the start of its copy; `empty` deals with the rows that the target has.
template <typename Empty>
void CopyFromTheStart(EngineContext& context, Session& session, const TableMapping& table,
                      const Empty& empty) {
  const auto ranges = MakeCopyRanges(context, session, table);
  TargetTransaction transaction(*session.target);
  session.store->RequireOwner(session.owner);
  HoldTables(session, {&table});
  empty();
  session.store->SetCopyRanges(session.NumberOf(table), ranges);
  session.store->PutSourceTable(DescribeTable(session, table));
  session.store->SetPhase(session.owner, Phase::kCopying);
  transaction.Commit();
  session.stream.phase = Phase::kCopying;
  session.stream.consistent = false;
}

}  // namespace

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

std::vector<std::string> DropHiddenColumns(target::PgConnection& connection,
                                           const config::Settings& settings) {
  std::vector<std::string> tables;
  for (const target::TargetTable& table : ReadTargetTables(connection, settings).tables) {
    if (table.FindColumn(kHiddenRowidColumn) == nullptr) continue;
    tables.push_back(QuoteQualified(table.schema, table.name));
    connection.Exec("ALTER TABLE " + tables.back() + " DROP COLUMN " +
                    QuoteIdentifier(kHiddenRowidColumn));
  }
  return tables;
}

std::vector<target::CopyRange> MakeCopyRanges(EngineContext& context, Session& session,
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

target::SourceTableRow DescribeTable(const Session& session, const TableMapping& table) {
  target::SourceTableRow row;
  row.number = session.NumberOf(table);
  row.name = table.source.name;
  row.target = table.QualifiedTarget();
  row.signature = table.Signature();
  row.schema_version = session.schema_version;
  return row;
}

void RestartTableCopy(EngineContext& context, Session& session, const TableMapping& table,
                      const std::string& why) {
  context.log->warn("event=table_copy_restarted table={} reason=\"{}\"", table.source.name, why);
  CopyFromTheStart(context, session, table, [&] {
    session.target->Exec("DELETE FROM " + table.QualifiedTarget());
    session.store->ClearRejectedTable(session.NumberOf(table));
  });
}

void StartTableCopy(EngineContext& context, Session& session, const TableMapping& table) {
  CopyFromTheStart(context, session, table, [&] { ReplaceExistingRows(context, session, table); });
  context.log->info("event=table_added table={}", table.source.name);
}

}  // namespace liteferry
