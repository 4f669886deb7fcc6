#include "replication/create_tables.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/base/text.h"
#include "replication/schema_scan.h"
#include "replication/target_tables.h"

namespace liteferry {
namespace {

constexpr std::chrono::seconds kReportEvery{5};

// What decides the types and names: another text means another plan.
std::string DigestOf(const SchemaInput& input, const std::vector<std::string>& tables) {
  std::string text = Join(tables, ",");
  for (const source::SourceTable& table : input.catalog.tables) text += '\0' + table.sql;
  for (const source::SchemaObject& object : input.objects) {
    if (object.type == "index") text += '\0' + object.sql;
  }
  return text;
}

// Names of relations that stand in the way, other than the tables themselves.
std::vector<std::string> TakenNames(target::PgConnection& connection, const std::string& schema,
                                    const target::TargetCatalog& catalog) {
  std::set<std::string> tables;
  for (const target::TargetTable& table : catalog.tables) tables.insert(table.name);
  const target::PgResult result = connection.Exec(
      "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = "
      "c.relnamespace WHERE n.nspname = " +
      QuoteLiteral(schema));
  std::vector<std::string> names;
  for (int row = 0; row < result.rows(); ++row) {
    if (!tables.contains(result.Text(row, 0))) names.push_back(result.Text(row, 0));
  }
  return names;
}

TableCreation Plan(EngineContext& context, Session& session, SchemaInput input,
                   std::vector<std::string> tables, const target::TargetCatalog& target) {
  context.log->info("event=schema_scan_started tables={}", tables.size());
  auto next = std::chrono::steady_clock::now() + kReportEvery;
  input.taken = TakenNames(*session.target, input.settings.target.schema, target);
  ScanForSchema(
      [&](const ScanProgress& progress) {
        if (std::chrono::steady_clock::now() < next) return;
        next += kReportEvery;
        context.log->info("event=schema_scan tables={}/{} rows={} rows_expected={}",
                          progress.tables_done, progress.tables, progress.rows,
                          progress.rows_expected);
      },
      context.stop, input);
  TableCreation creation;
  creation.made_from = DigestOf(input, tables);
  creation.plan = TranslateSchema(input);
  creation.tables = std::move(tables);
  std::erase_if(creation.plan.statements, [&](const SchemaStatement& statement) {
    return std::find(creation.tables.begin(), creation.tables.end(), statement.table) ==
           creation.tables.end();
  });
  for (const SchemaNote& note : creation.plan.notes) {
    context.log->warn("event=schema_note object=\"{}\" note=\"{}\"", note.object, note.message);
  }
  return creation;
}

// Runs the statements in the transaction that is open, and leaves its search_path as it was.
void Execute(const TableCreation& creation, const std::string& schema,
             target::PgConnection& connection) {
  const std::string before = connection.Exec("SELECT current_setting('search_path')").Text(0, 0);
  const auto set_path = [&](const std::string& path) {
    connection.Exec("SELECT set_config('search_path', " + QuoteLiteral(path) + ", true)");
  };
  set_path(QuoteIdentifier(schema));
  for (const SchemaStatement& statement : creation.plan.statements) {
    try {
      connection.Exec(statement.sql);
    } catch (const Error& error) {
      if (error.disposition() != Disposition::kStop) throw;
      throw Error(Disposition::kStop, Component::kTarget,
                  "cannot create " + statement.object + ": " + error.message())
          .Hint(
              "`liteferry schema` prints what was tried. Create the tables yourself, or mend the "
              "configuration; target.create_tables: never leaves them to you.")
          .Exit(ExitCode::kDataError);
    }
  }
  set_path(before);
}

}  // namespace

std::vector<std::string> TablesToCreate(const source::SourceCatalog& source,
                                        const target::TargetCatalog& target,
                                        const config::Settings& settings) {
  std::vector<std::string> missing;
  if (settings.target.create_tables == config::CreateTables::kNever) return missing;
  std::size_t selected = 0;
  for (const source::SourceTable& table : source.tables) {
    if (!IsSelected(table.name, settings)) continue;
    ++selected;
    const auto wanted = TargetPlaceOf(table.name, target, settings);
    const bool exists =
        target.others.contains(wanted.table) ||
        std::any_of(target.tables.begin(), target.tables.end(), [&](const auto& one) {
          return one.schema == wanted.schema &&
                 ToLowerAscii(one.name) == ToLowerAscii(wanted.table);
        });
    if (!exists) missing.push_back(table.name);
  }
  const bool all = settings.target.create_tables == config::CreateTables::kAlways;
  if (!all && missing.size() < selected) missing.clear();
  return missing;
}

target::TargetCatalog ReadOrPlanTables(EngineContext& context, Session& session,
                                       const source::SourceCatalog& source) {
  const config::Settings& settings = context.settings;
  target::TargetCatalog target = ReadTargetTables(*session.target, settings);
  std::vector<std::string> tables = TablesToCreate(source, target, settings);
  const bool started = session.store->Exists() && session.store->ReadStream(false).has_value();
  const bool always = settings.target.create_tables == config::CreateTables::kAlways;
  if (tables.empty() || (started && !always)) {
    session.creation.reset();
    return target;
  }
  SchemaInput input = ReadSchemaInput(*session.source, settings);
  if (session.creation == nullptr || session.creation->made_from != DigestOf(input, tables)) {
    session.creation = std::make_shared<const TableCreation>(
        Plan(context, session, std::move(input), std::move(tables), target));
  }
  TargetTransaction transaction(*session.target);
  Execute(*session.creation, settings.target.schema, *session.target);
  target = ReadTargetTables(*session.target, settings);
  if (started) {
    transaction.Commit();
    context.log->info("event=tables_created tables={}", session.creation->tables.size());
    session.creation.reset();
  }
  return target;
}

void CreatePlannedTables(EngineContext& context, Session& session) {
  if (session.creation == nullptr) return;
  Execute(*session.creation, context.settings.target.schema, *session.target);
  const target::TargetCatalog now = ReadTargetTables(*session.target, context.settings);
  for (TableMapping& table : session.mapping.tables) {
    const auto found =
        std::find_if(now.tables.begin(), now.tables.end(), [&](const target::TargetTable& one) {
          return one.schema == table.target.schema && one.name == table.target.name;
        });
    Require(found != now.tables.end(), "table " + table.QualifiedTarget() + " was not created");
    table.target = *found;
  }
  context.log->info("event=tables_created tables={}", session.creation->tables.size());
  session.creation.reset();
}

}  // namespace liteferry
