#include "replication/schema_scan.h"

#include <utility>
#include <vector>

#include "replication/mapping.h"

namespace liteferry {

SchemaInput ReadSchemaInput(source::Database& database, const config::Settings& settings) {
  SchemaInput input;
  input.settings = settings;
  source::Transaction snapshot(database, source::Transaction::Kind::kRead);
  input.catalog = source::ReadCatalog(database);
  input.objects = source::ReadSchemaObjects(database);
  snapshot.Commit();
  return input;
}

void ScanForSchema(const ScanProgressSink& progress, const SignalEvent& stop, SchemaInput& input) {
  std::vector<ScanTarget> targets;
  for (const source::SourceTable& table : input.catalog.tables) {
    if (!IsSelected(table.name, input.settings) || !CanBeScanned(table)) continue;
    const auto settings = input.settings.tables.find(table.name);
    const bool configured = settings != input.settings.tables.end();
    targets.push_back({&table, nullptr, configured ? settings->second : config::TableSettings{}});
  }
  ScanOptions options;
  options.progress = progress;
  for (TableScan& scan :
       RunScan(input.settings, targets, input.catalog.schema_version, options, stop)) {
    TableEvidence evidence;
    evidence.rows = scan.rows;
    for (ColumnScan& column : scan.columns) {
      evidence.columns.push_back({column.profile, std::move(column.misfits)});
    }
    input.evidence[scan.source] = std::move(evidence);
  }
}

}  // namespace liteferry
