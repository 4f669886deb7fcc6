#include "replication/target/catalog.h"

#include <initializer_list>
#include <string_view>
#include <utility>

#include "replication/base/error.h"
#include "replication/target/pg_connection.h"
#include "replication/target/sql.h"

namespace liteferry::target {
namespace {

using Oid = std::uint32_t;
using EnumLabels = std::map<Oid, std::vector<std::string>>;
using TablesByOid = std::map<Oid, TargetTable*>;

PgResult Query(PgConnection& connection, std::string_view sql,
               std::initializer_list<std::string_view> arguments) {
  std::vector<PgParam> params;
  for (const std::string_view argument : arguments) params.push_back({.value = argument});
  return connection.ExecParams(sql, params);
}

Oid OidAt(const PgResult& rows, int row, int column) {
  return static_cast<Oid>(rows.Int(row, column));
}

Identity IdentityFromText(const std::string& text) {
  if (text == "a") return Identity::kAlways;
  if (text == "d") return Identity::kByDefault;
  return Identity::kNone;
}

std::string RelationName(char kind) {
  switch (kind) {
    case 'v':
      return "view";
    case 'm':
      return "materialized view";
    default:
      return "foreign table";
  }
}

void RequireSchema(PgConnection& connection, const std::string& schema) {
  const PgResult found = Query(connection, "SELECT FROM pg_namespace WHERE nspname = $1", {schema});
  if (found.rows() > 0) return;
  throw Error(Disposition::kStop, Component::kTarget,
              "schema \"" + schema + "\" does not exist in " + connection.Describe())
      .Hint("Create it on PostgreSQL or set target.schema to the one that holds the tables.");
}

TargetCatalog ReadTables(PgConnection& connection, const std::string& schema) {
  TargetCatalog catalog;
  const PgResult rows = Query(connection, sql::kCatalogTablesSql, {schema});
  for (int i = 0; i < rows.rows(); ++i) {
    const char kind = rows.Text(i, 2).at(0);
    if (kind != 'r' && kind != 'p') {
      catalog.others.emplace(rows.Text(i, 1), RelationName(kind));
      continue;
    }
    TargetTable& table = catalog.tables.emplace_back();
    table.oid = OidAt(rows, i, 0);
    table.schema = schema;
    table.name = rows.Text(i, 1);
    table.partitioned = kind == 'p';
    table.owned = rows.Bool(i, 3);
    table.delete_rule = rows.Bool(i, 4);
    table.insert_rule = rows.Bool(i, 5);
  }
  return catalog;
}

EnumLabels ReadEnums(PgConnection& connection) {
  EnumLabels labels;
  const PgResult rows = Query(connection, sql::kCatalogEnumsSql, {});
  for (int i = 0; i < rows.rows(); ++i) labels[OidAt(rows, i, 0)].push_back(rows.Text(i, 1));
  return labels;
}

// The labels of the enum `oid`; none for other types.
std::vector<std::string> LabelsOf(const EnumLabels& enums, Oid oid) {
  const auto found = enums.find(oid);
  return found == enums.end() ? std::vector<std::string>() : found->second;
}

// Where the type is an array: of what.
void ReadElement(const PgResult& rows, int row, const EnumLabels& enums, TargetType& type) {
  if (rows.IsNull(row, 12)) return;
  TargetType element;
  element.oid = OidAt(rows, row, 12);
  element.kind = KindOfType(element.oid, rows.Text(row, 13).at(0), rows.Text(row, 14));
  element.enum_labels = LabelsOf(enums, element.oid);
  MakeArray(type, std::move(element), rows.Text(row, 15).at(0));
}

void ReadColumns(PgConnection& connection, const std::string& schema, const TablesByOid& tables) {
  const EnumLabels enums = ReadEnums(connection);
  const PgResult rows = Query(connection, sql::kCatalogColumnsSql, {schema});
  for (int i = 0; i < rows.rows(); ++i) {
    const auto table = tables.find(OidAt(rows, i, 0));
    if (table == tables.end()) continue;  // created since
    TargetColumn& column = table->second->columns.emplace_back();
    column.name = rows.Text(i, 1);
    column.type.name = rows.Text(i, 2);
    column.type.oid = OidAt(rows, i, 3);
    column.type.typmod = static_cast<std::int32_t>(rows.Int(i, 4));
    column.type.base_name = rows.Text(i, 5);
    column.type.kind = KindOfType(column.type.oid, rows.Text(i, 6).at(0), rows.Text(i, 7));
    column.type.enum_labels = LabelsOf(enums, column.type.oid);
    ReadElement(rows, i, enums, column.type);
    column.type.folds = rows.Bool(i, 16);
    column.not_null = rows.Bool(i, 8);
    column.has_default = rows.Bool(i, 9);
    column.generated = rows.Bool(i, 10);
    column.identity = IdentityFromText(rows.Text(i, 11));
  }
}

void ReadUniques(PgConnection& connection, const std::string& schema, const TablesByOid& tables) {
  const PgResult rows = Query(connection, sql::kCatalogUniquesSql, {schema});
  for (int i = 0; i < rows.rows(); ++i) {
    const auto table = tables.find(OidAt(rows, i, 0));
    if (table == tables.end()) continue;
    std::vector<TargetUnique>& uniques = table->second->uniques;
    if (uniques.empty() || uniques.back().index_name != rows.Text(i, 1)) {
      uniques.push_back({.index_name = rows.Text(i, 1),
                         .primary_key = rows.Bool(i, 2),
                         .usable_as_key = rows.Bool(i, 3),
                         .columns = {}});
    }
    if (!rows.IsNull(i, 4)) uniques.back().columns.push_back(rows.Text(i, 4));
  }
}

}  // namespace

const TargetColumn* TargetTable::FindColumn(const std::string& column) const {
  for (const TargetColumn& candidate : columns) {
    if (candidate.name == column) return &candidate;
  }
  return nullptr;
}

TargetCatalog ReadCatalog(PgConnection& connection, const std::string& schema) {
  RequireSchema(connection, schema);
  TargetCatalog catalog = ReadTables(connection, schema);
  TablesByOid by_oid;
  for (TargetTable& table : catalog.tables) by_oid[table.oid] = &table;
  ReadColumns(connection, schema, by_oid);
  ReadUniques(connection, schema, by_oid);
  return catalog;
}

std::vector<std::string> MissingPrivileges(PgConnection& connection, const std::string& schema,
                                           const std::string& state_schema) {
  const PgResult rows = Query(connection, sql::kMissingPrivilegesSql, {schema, state_schema});
  std::vector<std::string> lines;
  lines.reserve(static_cast<std::size_t>(rows.rows()));
  for (int i = 0; i < rows.rows(); ++i) lines.push_back(rows.Text(i, 0));
  return lines;
}

}  // namespace liteferry::target
