#include "replication/verify/look_around.h"

#include <algorithm>
#include <set>

#include "replication/base/text.h"
#include "replication/target/held_constraints.h"
#include "replication/target/sql.h"
#include "replication/target/state_store.h"
#include "replication/verify/grid.h"

namespace liteferry::verify {
namespace {

constexpr std::int64_t kMostOrphans = 1000;

std::string OidArray(const Mapping& mapping) {
  std::vector<std::string> oids;
  for (const TableMapping& table : mapping.tables) oids.push_back(std::to_string(table.target.oid));
  return "{" + Join(oids, ",") + "}";
}

target::PgResult Query(target::PgConnection& connection, std::string_view sql,
                       const Mapping& mapping) {
  const std::string oids = OidArray(mapping);
  const target::PgParam param{oids, 0, false};
  return connection.ExecParams(sql, {&param, 1});
}

void CountOrphans(target::PgConnection& connection, const std::string& query,
                  const std::string& name, std::vector<Finding>& findings) {
  const std::int64_t rows = connection
                                .Exec("SELECT count(*) FROM (" + query + " LIMIT " +
                                      std::to_string(kMostOrphans + 1) + ") AS orphan")
                                .Int(0, 0);
  if (rows == 0) return;
  findings.push_back(
      {Finding::Kind::kOrphans, name,
       (rows > kMostOrphans ? "more than " + std::to_string(kMostOrphans) : std::to_string(rows)) +
           (rows == 1 ? " row refers" : " rows refer") + " to none"});
}

void FindOrphans(target::PgConnection& connection, const Mapping& mapping,
                 const std::vector<target::Held>& held, std::vector<Finding>& findings) {
  for (const target::Held& one : held) {
    const std::string query = one.kind == target::HeldKind::kForeignKey ? one.RowsInTheWay() : "";
    if (!query.empty()) {
      CountOrphans(connection, query, "foreign key " + one.name + " on " + one.table, findings);
    }
  }
  const target::PgResult standing = Query(connection, sql::kVerifyForeignKeysSql, mapping);
  for (int i = 0; i < standing.rows(); ++i) {
    CountOrphans(connection, standing.Text(i, 2),
                 "foreign key " + standing.Text(i, 1) + " on " + standing.Text(i, 0), findings);
  }
}

void FindSequences(target::PgConnection& connection, const Mapping& mapping,
                   std::vector<Finding>& findings) {
  const target::PgResult sequences = Query(connection, sql::kVerifySequencesSql, mapping);
  for (int i = 0; i < sequences.rows(); ++i) {
    const target::PgResult values = connection.Exec(sequences.Text(i, 3));
    if (values.IsNull(0, 0)) continue;
    const std::int64_t largest = values.Int(0, 0);
    if (!values.IsNull(0, 1) && values.Int(0, 1) >= largest) continue;
    if (values.IsNull(0, 1) && largest < 1) continue;
    findings.push_back({Finding::Kind::kSequence, sequences.Text(i, 2),
                        "is behind column " + sequences.Text(i, 1) + " of " + sequences.Text(i, 0) +
                            "; cutover sets it"});
  }
}

void FindTargetOnly(const Mapping& mapping, const target::TargetCatalog& catalog,
                    std::vector<Finding>& findings) {
  std::set<std::string> known;
  for (const TableMapping& table : mapping.tables) {
    known.insert(table.QualifiedTarget());
    for (const std::string& column : table.target_only) {
      findings.push_back({Finding::Kind::kTargetOnly, table.QualifiedTarget(),
                          "column " + column + " is not in the source and not compared"});
    }
  }
  for (const target::TargetTable& table : catalog.tables) {
    const std::string name = QuoteQualified(table.schema, table.name);
    if (known.contains(name)) continue;
    findings.push_back({Finding::Kind::kTargetOnly, name, "is paired with no table of the source"});
  }
}

}  // namespace

std::vector<Finding> LookAround(target::PgConnection& connection, const std::string& state_schema,
                                const Mapping& mapping, const target::TargetCatalog& catalog) {
  std::vector<Finding> findings;
  FindTargetOnly(mapping, catalog, findings);
  const auto held = target::HeldConstraints(connection, state_schema).List();
  for (const target::Held& one : held) {
    findings.push_back({Finding::Kind::kHeld,
                        std::string(ToString(one.kind)) + " " + one.name + " on " + one.table,
                        "stands aside" + (one.problem.empty() ? "" : ": " + one.problem)});
  }
  BeginReading(connection);
  try {
    const auto stream = target::StateStore(connection, state_schema).ReadStream(false);
    FindSequences(connection, mapping, findings);
    // Between two states of the source a row may well refer to none.
    if (stream && stream->consistent) FindOrphans(connection, mapping, held, findings);
    connection.Commit();
  } catch (...) {
    connection.Rollback();
    throw;
  }
  return findings;
}

}  // namespace liteferry::verify
