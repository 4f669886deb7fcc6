#include "replication/target_tables.h"

#include <set>

namespace liteferry {
namespace {

// Schemas that tables.<name>.target may mean beside target.schema.
std::set<std::string> OtherSchemas(const config::Settings& settings) {
  std::set<std::string> schemas;
  for (const auto& [name, table] : settings.tables) {
    const std::size_t dot = table.target.find('.');
    if (dot != std::string::npos && dot > 0) schemas.insert(table.target.substr(0, dot));
  }
  schemas.erase(settings.target.schema);
  return schemas;
}

}  // namespace

target::TargetCatalog ReadTargetTables(target::PgConnection& connection,
                                       const config::Settings& settings) {
  target::TargetCatalog catalog = target::ReadCatalog(connection, settings.target.schema);
  for (const std::string& schema : OtherSchemas(settings)) {
    const target::PgParam name{.value = schema};
    const target::PgResult found =
        connection.ExecParams("SELECT FROM pg_namespace WHERE nspname = $1", {&name, 1});
    if (found.rows() == 0) continue;
    for (target::TargetTable& table : target::ReadCatalog(connection, schema).tables) {
      catalog.tables.push_back(std::move(table));
    }
  }
  return catalog;
}

std::vector<std::string> MissingTargetPrivileges(target::PgConnection& connection,
                                                 const config::Settings& settings) {
  std::vector<std::string> lines =
      target::MissingPrivileges(connection, settings.target.schema, settings.target.state_schema);
  for (const std::string& schema : OtherSchemas(settings)) {
    const target::PgParam name{.value = schema};
    const target::PgResult missing = connection.ExecParams(
        "SELECT format('role \"%s\" may not create in schema \"%s\" (owner \"%s\"): indexes could "
        "not be put back', current_user, nspname, pg_get_userbyid(nspowner)) FROM pg_namespace "
        "WHERE nspname = $1 AND NOT has_schema_privilege(oid, 'CREATE')",
        {&name, 1});
    if (missing.rows() > 0) lines.push_back(missing.Text(0, 0));
  }
  return lines;
}

}  // namespace liteferry
