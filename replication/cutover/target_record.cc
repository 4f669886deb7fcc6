#include "replication/cutover/target_record.h"

#include "replication/base/text.h"

namespace liteferry::cutover {
namespace {

std::string Table(const std::string& state_schema) {
  return QuoteQualified(state_schema, "cutover");
}

// xmin is 32 bits and wraps: the younger half of the circle.
std::string CountSql(const std::string& table, const std::string& record) {
  return "SELECT count(*), count(*) FILTER (WHERE mod(t.xmin::text::bigint - c.xid + 4294967296, "
         "4294967296) BETWEEN 1 AND 2147483647 OR t.xmin::text::bigint = ANY (c.in_flight)) FROM " +
         table + " AS t, (SELECT mod(xid, 4294967296) AS xid, in_flight FROM " + record + ") AS c";
}

// Numbers of transactions that had begun to write somewhere and had not ended: what they write
// afterwards looks older than the cutover. The locks have those of savepoints too, the snapshot
// those that are just being given their number.
constexpr const char* kInFlight =
    "ARRAY(SELECT transactionid::text::bigint FROM pg_locks WHERE locktype = 'transactionid' AND "
    "granted AND mode = 'ExclusiveLock' AND pid IS DISTINCT FROM pg_backend_pid() UNION "
    "SELECT mod(one, 4294967296) FROM txid_snapshot_xip(txid_current_snapshot()) AS one "
    "WHERE one <> txid_current())";

}  // namespace

void NoteCutover(target::PgConnection& target, const std::string& state_schema) {
  const std::string table = Table(state_schema);
  ForgetCutover(target, state_schema);
  target.Exec("CREATE TABLE " + table +
              " (xid bigint NOT NULL, in_flight bigint[] NOT NULL, at timestamptz NOT NULL DEFAULT "
              "now()); INSERT INTO " +
              table + " (xid, in_flight) SELECT txid_current(), " + kInFlight);
}

void ForgetCutover(target::PgConnection& target, const std::string& state_schema) {
  target.Exec("DROP TABLE IF EXISTS " + Table(state_schema));
}

std::vector<std::string> FindForeignWrites(Session& session, const std::string& state_schema) {
  std::vector<std::string> changed;
  for (const target::SourceTableRow& row : session.store->ReadSourceTables()) {
    source::Statement count =
        session.source->Prepare("SELECT count(*) FROM main." + QuoteIdentifier(row.name));
    const std::int64_t expected = count.Step() ? count.Int(0) : 0;
    count.Reset();
    const target::PgResult found = session.target->Exec(CountSql(row.target, Table(state_schema)));
    if (found.Int(0, 0) != expected || found.Int(0, 1) != 0) changed.push_back(row.name);
  }
  return changed;
}

}  // namespace liteferry::cutover
