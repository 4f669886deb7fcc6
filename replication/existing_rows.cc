#include "replication/existing_rows.h"

#include <optional>

#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/base/text.h"
#include "replication/source/row_reader.h"
#include "replication/target/row_loader.h"

namespace liteferry {
namespace {

// More rows than migrations insert are somebody's data, not worth comparing.
constexpr std::int64_t kMostCompared = 10'000;

// The number of target rows that have no equal row on the source.
std::int64_t CountForeignRows(Session& session, const TableMapping& table) {
  const target::RowEncoder encoder = table.Encoder();
  target::RowBatch batch(encoder, std::size_t{8} << 20);
  source::Transaction snapshot(*session.source, source::Transaction::Kind::kRead);
  source::RowReader reader(*session.source, table.source, table.SourceColumns());
  std::int64_t read = 0;
  reader.Scan(std::nullopt, std::nullopt, [&](Row row) {
    batch.Add(row, reader.ScanKey());  // a row that is rejected equals none on the target
    return ++read < 10 * kMostCompared;
  });
  snapshot.Commit();

  std::vector<std::string> columns;
  std::vector<std::string> equal;
  for (const ColumnPair& pair : table.columns) {
    const std::string name = QuoteIdentifier(pair.target.name);
    columns.push_back(name);
    // As text: json has no equality, and what prints the same is the same for our purpose.
    if (pair.source >= 0)
      equal.push_back("s." + name + "::text IS NOT DISTINCT FROM t." + name + "::text");
  }
  session.target->Exec("CREATE TEMP TABLE liteferry_existing ON COMMIT DROP AS SELECT " +
                       Join(columns, ", ") + " FROM " + table.QualifiedTarget() + " WITH NO DATA");
  target::RowLoader(*session.target).Load(batch, "pg_temp", "liteferry_existing", false);
  const target::PgResult result = session.target->Exec(
      "SELECT count(*) FROM " + table.QualifiedTarget() + " t WHERE NOT EXISTS " +
      "(SELECT FROM pg_temp.liteferry_existing s WHERE " + Join(equal, " AND ") + ")");
  session.target->Exec("DROP TABLE pg_temp.liteferry_existing");
  return result.Int(0, 0);
}

}  // namespace

void ReplaceExistingRows(EngineContext& context, Session& session, const TableMapping& table) {
  const std::string name = table.QualifiedTarget();
  const target::PgResult some =
      session.target->Exec("SELECT count(*) FROM (SELECT FROM " + name + " LIMIT " +
                           std::to_string(kMostCompared + 1) + ") t");
  const std::int64_t rows = some.Int(0, 0);
  if (rows == 0) return;
  if (context.settings.target.existing_rows == config::ExistingRows::kRefuse) {
    const std::int64_t foreign = rows > kMostCompared ? rows : CountForeignRows(session, table);
    if (foreign > 0) {
      throw Error(Disposition::kStop, Component::kTarget,
                  "target table " + name + " already has " +
                      (rows > kMostCompared ? "more than " + std::to_string(kMostCompared)
                                            : std::to_string(foreign)) +
                      " rows that the source does not have")
          .Hint(
              "Check that the target is the right database. If these rows may go, empty the table "
              "or set "
              "target.existing_rows: replace.")
          .Exit(ExitCode::kDataError);
    }
  }
  const target::PgResult deleted = session.target->Exec("DELETE FROM " + name);
  context.log->info("event=existing_rows_replaced table={} rows={}", table.source.name,
                    deleted.affected());
}

}  // namespace liteferry
