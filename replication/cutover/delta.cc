#include "replication/cutover/delta.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "replication/base/text.h"
#include "replication/source/changelog.h"
#include "replication/target/sql.h"
#include "replication/verify/judge.h"

namespace liteferry::cutover {
namespace {

constexpr std::int64_t kPiece = 10'000;

using Keys = std::map<int, std::unordered_set<PackedKey>>;

Keys ReadKeys(Session& session, std::int64_t after, std::int64_t up_to) {
  Keys keys;
  source::Changelog log(*session.source);
  for (std::int64_t at = after; at < up_to;) {
    const auto entries = log.Read(at, up_to, kPiece, session.key_widths);
    if (entries.empty()) break;
    at = entries.back().seq;
    for (const source::LogEntry& entry : entries) {
      if (entry.table_no > 0 && !entry.key.empty()) keys[entry.table_no].insert(entry.key);
    }
  }
  return keys;
}

// SQLite's own high-water mark of an AUTOINCREMENT table; 0 for none.
std::int64_t HighWater(source::Database& source, const TableMapping& table) {
  if (!table.source.autoincrement) return 0;
  source::Statement read =
      source.Prepare("SELECT max(seq) FROM main.sqlite_sequence WHERE name = ?1 COLLATE NOCASE");
  read.Bind(1, std::string_view(table.source.name));
  return read.Step() ? read.Int(0) : 0;
}

bool IsRowidColumn(const TableMapping& table, const std::string& target_column) {
  return std::any_of(table.columns.begin(), table.columns.end(), [&](const ColumnPair& pair) {
    return pair.target.name == target_column && pair.source >= 0 &&
           pair.source == table.source.integer_primary_key;
  });
}

}  // namespace

std::int64_t CompareLogged(EngineContext& context, Session& session, std::int64_t after,
                           std::int64_t up_to) {
  const verify::Sides sides{
      *session.source, *session.target,          context.settings.target.state_schema,
      context.abort,   session.rollback_journal, session.schema_version};
  verify::CompareOptions options;
  options.settle = std::chrono::milliseconds(0);  // nobody applies meanwhile but this thread
  std::int64_t compared = 0;
  for (const auto& [number, set] : ReadKeys(session, after, up_to)) {
    const TableMapping* table = session.Find(number);
    if (table == nullptr) continue;
    verify::TableOutcome outcome;
    const verify::DifferenceSink ignore = [](const verify::Difference&) {};
    verify::Judge judge(sides, *table, number, options, ignore, outcome);
    judge.AddKeys({set.begin(), set.end()});
    judge.Finish();
    compared += static_cast<std::int64_t>(set.size());
    if (!judge.over() && outcome.differences() == 0) continue;
    throw Error(Disposition::kRetry, Component::kVerify,
                "table " + table->source.name +
                    (judge.over() ? " is in doubt"
                                  : " differs: " + GroupDigits(outcome.differences()) + " rows"))
        .Hint("Run `liteferry resync " + table->source.name + "`, then `liteferry verify`.")
        .Exit(ExitCode::kTryAgain);
  }
  return compared;
}

int SetSequences(Session& session) {
  int moved = 0;
  for (const TableMapping& table : session.mapping.tables) {
    const std::string oid = "{" + std::to_string(table.target.oid) + "}";
    const target::PgParam param{oid, 0, false};
    const target::PgResult sequences =
        session.target->ExecParams(sql::kVerifySequencesSql, {&param, 1});
    for (int i = 0; i < sequences.rows(); ++i) {
      const target::PgResult values = session.target->Exec(sequences.Text(i, 3));
      std::int64_t want = values.IsNull(0, 0) ? 0 : values.Int(0, 0);
      if (IsRowidColumn(table, sequences.Text(i, 1))) {
        want = std::max(want, HighWater(*session.source, table));
      }
      const std::int64_t last = values.IsNull(0, 1) ? 0 : values.Int(0, 1);
      if (want < 1 || want <= last) continue;
      session.target->Exec("SELECT setval(" + QuoteLiteral(sequences.Text(i, 2)) + "::regclass, " +
                           std::to_string(want) + ")");
      ++moved;
    }
  }
  return moved;
}

}  // namespace liteferry::cutover
