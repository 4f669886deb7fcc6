#include "replication/target/state_store.h"

#include <algorithm>
#include <array>
#include <map>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/target/pg_connection.h"
#include "replication/target/sql.h"

namespace liteferry::target {
namespace {

constexpr int kFormat = 1;
constexpr std::chrono::seconds kAskEvery{10};  // for NoteHistory(): a sixth of its minute
constexpr std::array<std::string_view, 4> kPhases = {"copying", "catching_up", "following",
                                                     "cut_over"};

Phase PhaseFromText(std::string_view text) {
  const auto found = std::find(kPhases.begin(), kPhases.end(), text);
  Require(found != kPhases.end(), "unknown phase in the stream row");
  return static_cast<Phase>(found - kPhases.begin());
}

std::string Text(bool value) { return value ? "true" : "false"; }

// A text array as PostgreSQL reads it.
std::string ArrayText(const std::vector<std::string>& elements) {
  std::string out = "{";
  for (const std::string& element : elements) {
    out += out.size() > 1 ? ",\"" : "\"";
    for (const char c : element) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  return out + "}";
}

// One element per row that came back.
template <typename Make>
auto ForEachRow(const PgResult& found, Make make) {
  std::vector<decltype(make(0))> elements;
  elements.reserve(static_cast<std::size_t>(found.rows()));
  for (int i = 0; i < found.rows(); ++i) elements.push_back(make(i));
  return elements;
}

Error TakenOver() {
  return {Disposition::kRetry, Component::kTarget, "another daemon has taken over the stream"};
}

}  // namespace

std::string_view ToString(Phase phase) { return kPhases[static_cast<std::size_t>(phase)]; }

StateStore::StateStore(PgConnection& connection, std::string state_schema)
    : connection_(connection), schema_(std::move(state_schema)) {}

// The placeholders are psql's, so that the files can be run by hand with -v. A value that looks
// like one is left alone: the text is read once, from left to right.
std::string StateStore::Fill(std::string_view sql, const Values& values, PgStep* step) const {
  std::string out;
  for (std::size_t at = 0; at < sql.size();) {
    const char quote = sql[at] == ':' && at + 1 < sql.size() ? sql[at + 1] : '\0';
    const auto end =
        quote == '\'' || quote == '"' ? sql.find(quote, at + 2) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out.push_back(sql[at++]);
      continue;
    }
    const std::string_view name = sql.substr(at + 2, end - at - 2);
    const auto value = std::find_if(values.begin(), values.end(),
                                    [name](const auto& entry) { return entry.first == name; });
    Require(name == "schema" || value != values.end(), "SQL placeholder without a value");
    const std::string& text = name == "schema" ? schema_ : value->second;
    at = end + 1;
    if (quote == '"') {
      out += QuoteIdentifier(text);
    } else if (step == nullptr) {
      out += QuoteLiteral(text);
    } else {
      step->values.emplace_back(text);
      out += "$" + std::to_string(step->values.size());
    }
  }
  return out;
}

std::string StateStore::FillFor(const Owner& owner, std::string_view sql, Values values,
                                PgStep* step) const {
  values.emplace_back("owner_id", owner.id);
  values.emplace_back("owner_epoch", std::to_string(owner.epoch));
  return Fill(sql, values, step);
}

void StateStore::UpdateOwned(const std::string& sql) {
  if (connection_.Exec(sql).affected() != 1) throw TakenOver();
}

void StateStore::Create() {
  // Two daemons may start at once; the lock ends with the transaction.
  connection_.Exec(
      Fill("SELECT pg_advisory_xact_lock(hashtextextended('liteferry ' || :'schema', 0))"));
  if (Exists()) return;
  const PgResult found = connection_.Exec(Fill(sql::kStateInspectSql));
  if (found.Bool(0, 2)) {
    throw Error(Disposition::kStop, Component::kTarget,
                "schema " + schema_ + " on the target is not liteferry's")
        .Hint("Set target.state_schema to a name that is free.")
        .Exit(ExitCode::kConfig);
  }
  if (!found.Bool(0, 0)) connection_.Exec(Fill("CREATE SCHEMA :\"schema\""));
  connection_.Exec(Fill(sql::kStateCreateSql, {{"format", std::to_string(kFormat)},
                                               {"created_by", "liteferry " LITEFERRY_VERSION}}));
}

bool StateStore::Exists() {
  if (!connection_.Exec(Fill(sql::kStateInspectSql)).Bool(0, 1)) return false;
  const PgResult meta = connection_.Exec(Fill("SELECT format FROM :\"schema\".meta"));
  Require(meta.rows() == 1, "the state schema has no format");
  if (meta.Int(0, 0) > kFormat) {
    throw Error(Disposition::kStop, Component::kTarget,
                "state schema " + schema_ + " has format " + meta.Text(0, 0) +
                    ", this program knows " + std::to_string(kFormat))
        .Hint("A newer liteferry has been at work on this target: run that one.")
        .Exit(ExitCode::kConfig);
  }
  return true;
}

void StateStore::Drop() {
  const PgResult found = connection_.Exec(Fill(sql::kStateInspectSql));
  if (!found.Bool(0, 0)) return;
  if (found.Bool(0, 2) && !found.Bool(0, 1)) {
    throw Error(Disposition::kStop, Component::kTarget,
                "schema " + schema_ + " on the target is not liteferry's, so it is not dropped")
        .Exit(ExitCode::kConfig);
  }
  connection_.Exec(Fill("DROP SCHEMA :\"schema\" CASCADE"));
}

std::optional<StreamRow> StateStore::ReadStream(bool lock) {
  const PgResult found =
      connection_.Exec(Fill(sql::kStateReadStreamSql) + (lock ? " FOR UPDATE OF s" : ""));
  if (found.rows() == 0) return std::nullopt;
  StreamRow row;
  int column = 0;
  row.incarnation = found.Text(0, column++);
  row.phase = PhaseFromText(found.Text(0, column++));
  row.applied_seq = found.Int(0, column++);
  row.applied_mark = found.Int(0, column++);
  row.consistent = found.Bool(0, column++);
  row.paused = found.Bool(0, column++);
  row.owner_epoch = found.Int(0, column++);
  row.owner_id = found.Text(0, column++);
  row.owner_backend = static_cast<int>(found.Int(0, column++));
  row.owner_age_ms = found.Int(0, column++);
  row.owner_backend_alive = found.Bool(0, column++);
  row.in_sync_at_ms = found.Int(0, column++);
  row.system_identifier = found.Text(0, column++);
  row.timeline = found.Int(0, column++);
  return row;
}

void StateStore::InitStream(const StreamRow& row) {
  const PgResult inserted = connection_.Exec(
      Fill(sql::kStateInitStreamSql, {{"incarnation", row.incarnation},
                                      {"phase", std::string(ToString(row.phase))},
                                      {"applied_seq", std::to_string(row.applied_seq)},
                                      {"applied_mark", std::to_string(row.applied_mark)},
                                      {"consistent", Text(row.consistent)},
                                      {"paused", Text(row.paused)},
                                      {"owner_epoch", std::to_string(row.owner_epoch)},
                                      {"owner_id", row.owner_id},
                                      {"owner_backend", std::to_string(row.owner_backend)},
                                      {"in_sync_at_ms", std::to_string(row.in_sync_at_ms)},
                                      {"system_identifier", row.system_identifier},
                                      {"timeline", std::to_string(row.timeline)}}));
  if (inserted.affected() != 1) {
    throw Error(Disposition::kRetry, Component::kTarget,
                "another daemon has just set up the stream");
  }
}

bool StateStore::TryTakeOver(Owner& owner, std::chrono::milliseconds lease) {
  const PgResult taken = connection_.Exec(FillFor(
      owner, sql::kStateTakeOverSql,
      {{"lease", std::to_string(lease.count())}, {"pooled", Text(connection_.server().pooled)}}));
  if (taken.rows() == 0) return false;
  owner.epoch = taken.Int(0, 0);
  return true;
}

void StateStore::Heartbeat(const Owner& owner, std::int64_t in_sync_at_ms) {
  UpdateOwned(
      FillFor(owner, sql::kStateHeartbeatSql, {{"in_sync_at_ms", std::to_string(in_sync_at_ms)}}));
}

void StateStore::Release(const Owner& owner) noexcept {
  try {
    connection_.Rollback();
    connection_.Exec(FillFor(owner, sql::kStateReleaseSql));
  } catch (const std::exception&) {
    // Then the next daemon finds the backend gone, or waits for the lease.
  }
}

void StateStore::RequireOwner(const Owner& owner) {
  const PgResult held = connection_.Exec(FillFor(owner, sql::kStateRequireOwnerSql));
  if (held.rows() != 1) throw TakenOver();
}

void StateStore::BeginApply(const Owner& owner, const PositionMove& move) {
  connection_.Begin();
  try {
    connection_.Exec(FillFor(owner, sql::kStateBeginApplySql, ValuesOf(move)));
    return;
  } catch (const Error& error) {
    if (error.sqlstate() != "22012") throw;
  }
  connection_.Rollback();
  const auto row = ReadStream(false);
  if (!row) {
    throw Error(Disposition::kInDoubt, Component::kTarget,
                "the stream row is gone from the target, expected it at position " +
                    std::to_string(move.from_seq));
  }
  const bool owned = row->owner_id == owner.id && row->owner_epoch == owner.epoch;
  throw Error(Disposition::kInDoubt, Component::kTarget,
              "the target stands at position " + std::to_string(row->applied_seq) + ", expected " +
                  std::to_string(move.from_seq) +
                  (owned ? "" : ", and another daemon has taken over the stream"));
}

PgStep StateStore::MoveStep(const Owner& owner, const PositionMove& move) const {
  PgStep step;
  step.sql = FillFor(owner, sql::kStateBeginApplySql, ValuesOf(move), &step);
  return step;
}

StateStore::Values StateStore::ValuesOf(const PositionMove& move) {
  return {{"from_seq", std::to_string(move.from_seq)},
          {"to_seq", std::to_string(move.to_seq)},
          {"to_mark", std::to_string(move.to_mark)},
          {"phase", std::string(ToString(move.phase))},
          {"consistent", Text(move.consistent)}};
}

void StateStore::SetPhase(const Owner& owner, Phase phase) {
  const bool consistent = phase == Phase::kFollowing || phase == Phase::kCutOver;
  UpdateOwned(FillFor(owner, sql::kStateSetPhaseSql,
                      {{"phase", std::string(ToString(phase))}, {"consistent", Text(consistent)}}));
}

void StateStore::SetPaused(bool paused) {
  connection_.Exec(Fill("UPDATE :\"schema\".stream SET paused = :'paused' WHERE id = 1",
                        {{"paused", Text(paused)}}));
}

std::int64_t StateStore::SeqAppliedBefore(std::chrono::milliseconds age) {
  return connection_
      .Exec(Fill(sql::kStateSeqAppliedBeforeSql, {{"age", std::to_string(age.count())}}))
      .Int(0, 0);
}

bool StateStore::HistoryIsDue() const {
  return !noted_at_ || std::chrono::steady_clock::now() - *noted_at_ >= kAskEvery;
}

void StateStore::NoteHistory(std::int64_t seq) {
  noted_at_ = std::chrono::steady_clock::now();
  connection_.ExecLater(Fill(sql::kStateNoteHistorySql, {{"seq", std::to_string(seq)}}));
}

void StateStore::SetConsistent(const Owner& owner, bool consistent) {
  UpdateOwned(FillFor(owner, sql::kStateSetConsistentSql, {{"consistent", Text(consistent)}}));
}

void StateStore::SetCluster(const Owner& owner, const std::string& system_identifier,
                            std::int64_t timeline) {
  UpdateOwned(
      FillFor(owner, sql::kStateSetClusterSql,
              {{"system_identifier", system_identifier}, {"timeline", std::to_string(timeline)}}));
}

void StateStore::Restart(const Owner& owner, const StreamRow& row) {
  // Of several statements the last one's count is given: that of the fenced update.
  UpdateOwned(FillFor(owner, sql::kStateRestartSql,
                      {{"incarnation", row.incarnation},
                       {"phase", std::string(ToString(row.phase))},
                       {"applied_seq", std::to_string(row.applied_seq)},
                       {"applied_mark", std::to_string(row.applied_mark)}}));
}

void StateStore::DoubtTable(std::int64_t number) {
  connection_.Exec(Fill(sql::kStateDoubtTableSql, {{"number", std::to_string(number)}}));
}

std::vector<SourceTableRow> StateStore::ReadSourceTables() {
  const PgResult found = connection_.Exec(Fill(sql::kStateReadSourceTablesSql));
  return ForEachRow(found, [&](int i) {
    return SourceTableRow{found.Int(i, 0), found.Text(i, 1), found.Text(i, 2), found.Text(i, 3),
                          found.Int(i, 4)};
  });
}

void StateStore::PutSourceTable(const SourceTableRow& table) {
  connection_.Exec(Fill(sql::kStatePutSourceTableSql,
                        {{"number", std::to_string(table.number)},
                         {"name", table.name},
                         {"target", table.target},
                         {"signature", table.signature},
                         {"schema_version", std::to_string(table.schema_version)}}));
}

std::vector<CopyRange> StateStore::ReadCopyRanges() {
  const PgResult found = connection_.Exec(Fill(sql::kStateReadCopyRangesSql));
  return ForEachRow(found, [&](int i) {
    return CopyRange{found.Int(i, 0),  static_cast<int>(found.Int(i, 1)),
                     found.Text(i, 2), found.Text(i, 3),
                     found.Bool(i, 4), found.Int(i, 5)};
  });
}

void StateStore::SetCopyRanges(std::int64_t table_no, const std::vector<CopyRange>& ranges) {
  // One message, so that it is one transaction also where the caller has none.
  std::string message = Fill("DELETE FROM :\"schema\".copy_range WHERE table_no = :'table_no';\n",
                             {{"table_no", std::to_string(table_no)}});
  for (const CopyRange& range : ranges) {
    message += Fill(sql::kStateAddCopyRangeSql, {{"table_no", std::to_string(table_no)},
                                                 {"range_no", std::to_string(range.range_no)},
                                                 {"after", range.after},
                                                 {"up_to", range.up_to},
                                                 {"done", Text(range.done)},
                                                 {"rows", std::to_string(range.rows)}});
  }
  connection_.Exec(message);
}

void StateStore::AdvanceCopyRange(const CopyRange& range) {
  const PgResult updated = connection_.Exec(
      Fill(sql::kStateAdvanceCopyRangeSql, {{"after", range.after},
                                            {"done", Text(range.done)},
                                            {"rows", std::to_string(range.rows)},
                                            {"table_no", std::to_string(range.table_no)},
                                            {"range_no", std::to_string(range.range_no)}}));
  Require(updated.affected() == 1, "a range being copied is not in the state tables");
}

std::vector<RejectedCount> StateStore::CountRejected() {
  const PgResult found = connection_.Exec(Fill(sql::kStateCountRejectedSql));
  return ForEachRow(found, [&](int i) {
    return RejectedCount{found.Int(i, 0), found.Text(i, 1), found.Int(i, 2)};
  });
}

std::vector<RejectedRow> StateStore::ReadRejected(std::string_view sql, std::int64_t limit) {
  const PgResult found = connection_.Exec(Fill(sql, {{"limit", std::to_string(limit)}}));
  return ForEachRow(found, [&](int i) {
    return RejectedRow{found.Int(i, 0),  found.Text(i, 1), found.Text(i, 2), found.Text(i, 3),
                       found.Text(i, 4), found.Text(i, 5), found.Text(i, 6)};
  });
}

std::vector<RejectedRow> StateStore::ListRejected(std::int64_t limit) {
  return ReadRejected(sql::kStateListRejectedSql, limit);
}

std::vector<RejectedRow> StateStore::SampleRejected(std::int64_t limit) {
  return ReadRejected(sql::kStateSampleRejectedSql, limit);
}

std::string StateStore::RejectedQuery() const {
  return "SELECT table_name, row_key, column_name, reason FROM " +
         QuoteQualified(schema_, "rejected_row") + " ORDER BY 1, 2";
}

std::vector<std::string> StateStore::RetryableRejected(std::int64_t table_no, std::int64_t limit) {
  const PgResult found = connection_.Exec(
      Fill(sql::kStateRetryableRejectedSql,
           {{"table_no", std::to_string(table_no)}, {"limit", std::to_string(limit)}}));
  return ForEachRow(found, [&](int i) { return found.Text(i, 0); });
}

void StateStore::ClearRejected(std::int64_t table_no, const std::vector<std::string>& keys) {
  if (keys.empty()) return;
  connection_.Exec(Fill(sql::kStateClearRejectedSql,
                        {{"table_no", std::to_string(table_no)}, {"keys", ArrayText(keys)}}));
}

void StateStore::ClearRejectedTable(std::int64_t table_no) {
  connection_.Exec(Fill("DELETE FROM :\"schema\".rejected_row WHERE table_no = :'table_no'",
                        {{"table_no", std::to_string(table_no)}}));
}

void StateStore::AddRejected(const std::vector<RejectedRow>& rows) {
  if (rows.empty()) return;
  // One statement may not meet the same key twice; the later reason counts.
  std::map<std::pair<std::int64_t, std::string_view>, const RejectedRow*> by_key;
  for (const RejectedRow& row : rows) by_key[{row.table_no, row.key}] = &row;
  std::array<std::vector<std::string>, 7> columns;
  for (const auto& [key, row] : by_key) {
    std::size_t i = 0;
    columns[i++].push_back(std::to_string(row->table_no));
    for (const std::string* text : {&row->table, &row->key, &row->column, &row->storage_class,
                                    &row->reason, &row->sqlstate}) {
      columns[i++].push_back(*text);
    }
  }
  connection_.Exec(Fill(sql::kStateAddRejectedSql, {{"table_no", ArrayText(columns[0])},
                                                    {"table_name", ArrayText(columns[1])},
                                                    {"row_key", ArrayText(columns[2])},
                                                    {"column_name", ArrayText(columns[3])},
                                                    {"storage_class", ArrayText(columns[4])},
                                                    {"reason", ArrayText(columns[5])},
                                                    {"sqlstate", ArrayText(columns[6])}}));
}

}  // namespace liteferry::target
