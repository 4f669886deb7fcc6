#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace liteferry::target {

class PgConnection;
struct PgStep;

enum class Phase : std::uint8_t { kCopying, kCatchingUp, kFollowing, kCutOver };
std::string_view ToString(Phase phase);

// The one row of <state_schema>.stream: where the replication stands. Committed together with the
// data it speaks of (P2). Format: replication/target/STATE_FORMAT.md.
struct StreamRow {
  std::string incarnation;  // of the source
  Phase phase = Phase::kCopying;
  std::int64_t applied_seq = 0;
  std::int64_t applied_mark = 0;  // of the log entry at applied_seq; 0 when there was none
  bool consistent = false;        // the target is a state that the source really had
  bool paused = false;
  std::int64_t owner_epoch = 0;   // grows with each takeover; every write is fenced by it
  std::string owner_id;           // UUID of the daemon that owns the stream
  int owner_backend = 0;          // its backend pid, 0 when pooled
  std::int64_t owner_age_ms = 0;  // since its last sign of life, by the server's clock
  bool owner_backend_alive = false;
  // When the owner last knew that nothing was left to apply, by its own clock (ms since 1970).
  std::int64_t in_sync_at_ms = 0;
  std::string system_identifier;
  std::int64_t timeline = 0;
};

// Progress of one range of one table's initial copy.
struct CopyRange {
  std::int64_t table_no = 0;
  int range_no = 0;
  std::string after;  // scan key as JSON: copied up to and including it; "" for nothing yet
  std::string up_to;  // upper bound, inclusive; "" for none
  bool done = false;
  std::int64_t rows = 0;  // copied so far
};

// What was known of a source table when it was last copied or applied: by this a change made while
// no daemon ran is noticed.
struct SourceTableRow {
  std::int64_t number = 0;
  std::string name;
  std::string target;  // schema-qualified and quoted
  // Digest of the columns and the key; empty while the rows are not known to be equal.
  std::string signature;
  std::int64_t schema_version = 0;  // of the source; matters where VACUUM may renumber the key
};

struct RejectedRow {
  std::int64_t table_no = 0;
  std::string table;   // source name
  std::string key;     // KeyToJson
  std::string column;  // source name, "" when the row as a whole
  std::string storage_class;
  std::string reason;
  std::string sqlstate;  // "" when liteferry itself rejected it
};

struct RejectedCount {
  std::int64_t table_no = 0;
  std::string table;
  std::int64_t rows = 0;
};

// A daemon's name for itself in the stream row.
struct Owner {
  std::string id;
  std::int64_t epoch = 0;
};

// From one position to the next, and what is so once that is committed.
struct PositionMove {
  std::int64_t from_seq = 0;
  std::int64_t to_seq = 0;
  std::int64_t to_mark = 0;
  Phase phase = Phase::kCopying;
  bool consistent = false;
};

// Everything that liteferry keeps on PostgreSQL: the schema <state_schema> and its tables. Only
// SQL; the caller says where transactions begin and end, except where a method says otherwise.
class StateStore {
 public:
  StateStore(PgConnection& connection, std::string state_schema);

  // Creates schema and tables where missing (in the caller's transaction, which waits for another
  // one that is at it). Throws Error (stop) when they are of a newer format, or when the schema is
  // somebody else's.
  void Create();
  // Throws Error (stop) when the tables are of a newer format.
  bool Exists();
  // DROP SCHEMA … CASCADE, in the caller's transaction; nothing when there is none. Throws Error
  // (stop) when the schema is somebody else's.
  void Drop();

  // The stream row; nothing before the first InitStream. The schema must exist. FOR UPDATE when
  // `lock`: then it also waits for a COMMIT of ours that is still under way on the server after a
  // lost connection.
  std::optional<StreamRow> ReadStream(bool lock);
  // The first row; the owner's backend is taken to be this connection's when owner_backend says so.
  // Error (retry) when another daemon was quicker.
  void InitStream(const StreamRow& row);
  // Becomes owner: next epoch. False when another live owner holds it (its backend still connected,
  // or sign of life younger than `lease` where a pooler hides the backend), when the row is locked
  // (a batch is at work) or missing. Whoever has the same id, or finds the owner's backend gone,
  // need not wait. Runs its own transaction.
  bool TryTakeOver(Owner& owner, std::chrono::milliseconds lease);
  // Sign of life (and that all was applied at in_sync_at_ms, when not zero). Error (retry) when the
  // ownership is lost. Its own transaction.
  void Heartbeat(const Owner& owner, std::int64_t in_sync_at_ms);
  // Gives the stream up so that another daemon need not wait; an open transaction is rolled back.
  // Never throws.
  void Release(const Owner& owner) noexcept;
  // Fences a chunk: throws Error (retry, "another daemon has taken over") unless `owner` holds it;
  // the row stays locked FOR KEY SHARE until the transaction ends, which a takeover waits for but a
  // heartbeat does not.
  void RequireOwner(const Owner& owner);

  // PgConnection::Begin() and the compare-and-swap of the position in one message: must hit one
  // row, else rolls back and throws Error (in doubt) that names both positions.
  void BeginApply(const Owner& owner, const PositionMove& move);
  // The same compare-and-swap as a step of a pipeline, where what follows it does not run unless it
  // hits.
  PgStep MoveStep(const Owner& owner, const PositionMove& move) const;
  // Also says what it means for consistency: a stream enters `following` at a consistent point, and
  // is not consistent while it copies or catches up.
  void SetPhase(const Owner& owner, Phase phase);
  void SetConsistent(const Owner& owner, bool consistent);
  // On which cluster and timeline the stream is.
  void SetCluster(const Owner& owner, const std::string& system_identifier, std::int64_t timeline);
  // Makes the stream begin anew at `row`'s position and incarnation, in the caller's transaction:
  // forgets history, tables, copy ranges and rejections of before, which speak of numbers that may
  // mean something else now.
  void Restart(const Owner& owner, const StreamRow& row);
  void SetPaused(bool paused);
  // Position up to which the log may be trimmed by age: largest seq applied before now - age.
  std::int64_t SeqAppliedBefore(std::chrono::milliseconds age);
  // Notes (seq, now) once a minute at most, in the caller's transaction, with its next statement.
  void NoteHistory(std::int64_t seq);
  // Whether it is time to: it is asked of the server every ten seconds only.
  bool HistoryIsDue() const;

  std::vector<SourceTableRow> ReadSourceTables();
  // Inserts or replaces by number.
  void PutSourceTable(const SourceTableRow& table);
  // That the rows of a table are not known to be equal any more: empties its signature. Nothing
  // when the table is not known.
  void DoubtTable(std::int64_t number);

  std::vector<CopyRange> ReadCopyRanges();
  // Replaces the ranges of a table (new or restarted copy).
  void SetCopyRanges(std::int64_t table_no, const std::vector<CopyRange>& ranges);
  // Error (bug) when there is no such range.
  void AdvanceCopyRange(const CopyRange& range);

  std::vector<RejectedCount> CountRejected();
  std::vector<RejectedRow> ListRejected(std::int64_t limit);
  // Up to `limit` of each table.
  std::vector<RejectedRow> SampleRejected(std::int64_t limit);
  // The query by which a person lists them all.
  std::string RejectedQuery() const;
  // Keys (JSON) of table_no that were rejected because of another row (unique, exclusion, foreign
  // key): tried again
  // with each batch of that table.
  std::vector<std::string> RetryableRejected(std::int64_t table_no, std::int64_t limit);
  void ClearRejected(std::int64_t table_no, const std::vector<std::string>& keys);
  void ClearRejectedTable(std::int64_t table_no);
  void AddRejected(const std::vector<RejectedRow>& rows);

 private:
  // The values of one statement's placeholders.
  using Values = std::vector<std::pair<std::string_view, std::string>>;

  // `sql` with :"schema" and each :'name' filled in; with `step`, values become values of it.
  std::string Fill(std::string_view sql, const Values& values = {}, PgStep* step = nullptr) const;
  std::string FillFor(const Owner& owner, std::string_view sql, Values values = {},
                      PgStep* step = nullptr) const;
  static Values ValuesOf(const PositionMove& move);
  std::vector<RejectedRow> ReadRejected(std::string_view sql, std::int64_t limit);
  // Throws unless exactly one row was hit: another daemon has taken over.
  void UpdateOwned(const std::string& sql);

  PgConnection& connection_;
  const std::string schema_;
  std::optional<std::chrono::steady_clock::time_point> noted_at_;
};

}  // namespace liteferry::target
