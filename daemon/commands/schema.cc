#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "daemon/build_info.h"
#include "daemon/commands/commands.h"
#include "daemon/scan_progress.h"
#include "daemon/stop_signal.h"
#include "daemon/terminal.h"
#include "replication/base/text.h"
#include "replication/schema.h"
#include "replication/schema_scan.h"

namespace liteferry::daemon {
namespace {

using Json = nlohmann::ordered_json;

Json NotesJson(const SchemaPlan& plan) {
  Json notes = Json::array();
  for (const SchemaNote& note : plan.notes) {
    notes.push_back({{"object", note.object}, {"message", note.message}, {"source", note.source}});
  }
  return notes;
}

Json TablesJson(const SchemaPlan& plan) {
  Json tables = Json::array();
  for (const SchemaTable& table : plan.tables) {
    Json columns = Json::array();
    for (const SchemaColumn& column : table.columns) {
      columns.push_back({{"source", column.source},
                         {"source_type", column.declared},
                         {"target", column.target},
                         {"target_type", column.type},
                         {"reason", column.reason}});
    }
    tables.push_back({{"source", table.source}, {"target", table.target}, {"columns", columns}});
    if (table.rows >= 0) tables.back()["rows"] = table.rows;
  }
  return tables;
}

std::string PlanJson(const SchemaPlan& plan, const std::string& script) {
  Json statements = Json::array();
  for (const SchemaStatement& statement : plan.statements) {
    statements.push_back(
        {{"object", statement.object}, {"table", statement.table}, {"sql", statement.sql}});
  }
  const Json root = {{"tables", TablesJson(plan)},
                     {"statements", statements},
                     {"notes", NotesJson(plan)},
                     {"script", script}};
  return root.dump(-1, ' ', false, Json::error_handler_t::replace);
}

NameStyle Style(const Invocation& invocation) {
  const std::string value = invocation.Value("--names", "keep");
  if (value == "keep") return NameStyle::kKeep;
  if (value == "fold") return NameStyle::kFold;
  throw Error(Disposition::kStop, Component::kConfig, "--names takes keep or fold")
      .Exit(ExitCode::kUsage);
}

bool InTransaction(const Invocation& invocation) {
  const std::string value = invocation.Value("--transaction", "yes");
  if (value == "yes") return true;
  if (value == "no") return false;
  throw Error(Disposition::kStop, Component::kConfig, "--transaction takes yes or no")
      .Exit(ExitCode::kUsage);
}

// The file's name alone: where it lies is nobody's business.
std::string BaseName(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::vector<std::string> Title(const SchemaInput& input, const SchemaPlan& plan, bool scanned) {
  std::int64_t rows = 0;
  for (const SchemaTable& table : plan.tables) rows += std::max<std::int64_t>(table.rows, 0);
  const bool one = plan.tables.size() == 1;
  const std::string tables =
      GroupDigits(static_cast<std::int64_t>(plan.tables.size())) + (one ? " table" : " tables");
  return {"Schema of " + BaseName(input.settings.source.path) + " for PostgreSQL, by liteferry " +
              CurrentBuild().version + ".",
          scanned ? tables + "; types chosen by all " + GroupDigits(rows) + " rows."
                  : tables + "; types by declaration, no row was read."};
}

void Scan(const Invocation& invocation, const SignalEvent& stop, SchemaInput& input) {
  Terminal terminal(STDERR_FILENO, IsTerminal(STDERR_FILENO));
  ScanDisplay display(terminal, std::chrono::steady_clock::now());
  ScanForSchema(
      [&](const ScanProgress& progress) {
        if (!invocation.quiet) display.Show(progress, std::chrono::steady_clock::now());
      },
      stop, input);
}

void SayNotes(const Invocation& invocation, Console& console, const SchemaPlan& plan) {
  for (const SchemaNote& note : plan.notes) {
    Say(invocation, console, Printable(note.object + ": " + note.message));
  }
}

ExitCode Run(const Invocation& invocation, Console& console) {
  const NameStyle style = Style(invocation);
  const bool transaction = InTransaction(invocation);
  const config::Settings settings = LoadSettings(invocation, config::Purpose::kSource);
  StopSignal stop;
  source::Database database(settings.source.path, source::OpenMode::kReadOnly,
                            settings.source.busy_timeout);
  SchemaInput input = ReadSchemaInput(database, settings);
  input.names = style;
  const bool scan = !invocation.Has("--no-scan");
  if (scan) Scan(invocation, stop.event(), input);
  const SchemaPlan plan = TranslateSchema(input);
  const std::string script =
      SchemaScript(plan, Title(input, plan, scan), settings.target.schema, transaction);
  SayNotes(invocation, console, plan);
  if (style == NameStyle::kFold) {
    Say(invocation, console,
        "names were folded: `liteferry check --suggest` prints the configuration that pairs them");
  }
  console.out << (invocation.json ? PlanJson(plan, script) + "\n" : script);
  return ExitCode::kOk;
}

}  // namespace

CommandSpec SchemaSpec() {
  CommandSpec spec;
  spec.name = "schema";
  spec.summary = "print a PostgreSQL schema for this SQLite database";
  spec.details =
      "Reads the schema and every row, so that each column gets a type that takes what it holds;\n"
      "--no-scan goes by the declarations alone. Keys, indexes, foreign keys, checks, defaults "
      "and\n"
      "generated columns come along where PostgreSQL has the same; what it has not is a comment "
      "in\n"
      "the script and a line on standard error. `tables` of the configuration decides names and\n"
      "types. Writes to neither side. docs/SCHEMA.md says what becomes what.";
  spec.example =
      "liteferry schema --source app.db | psql -v ON_ERROR_STOP=1 postgresql://app@localhost/app\n"
      "liteferry schema --source app.db --no-scan --names fold";
  spec.options = {
      {"--no-scan", "", "choose types by declaration, read no row"},
      {"--names", "STYLE", "keep (default) or fold: CamelCase as camel_case"},
      {"--transaction", "yes|no", "wrap the script in BEGIN and COMMIT (default yes)"},
  };
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
