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
         "4294967296) BETWEEN 1 AND 2147483647) FROM " +
         table + " AS t, (SELECT mod(xid, 4294967296) AS xid FROM " + record + ") AS c";
}

}  // namespace

void NoteCutover(target::PgConnection& target, const std::string& state_schema) {
  const std::string table = Table(state_schema);
  target.Exec("CREATE TABLE IF NOT EXISTS " + table +
              " (xid bigint NOT NULL, at timestamptz NOT NULL DEFAULT now()); DELETE FROM " +
              table + "; INSERT INTO " + table + " (xid) VALUES (txid_current())");
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
