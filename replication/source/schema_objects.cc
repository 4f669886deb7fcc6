#include "replication/source/schema_objects.h"

#include "replication/base/text.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry::source {

std::vector<SchemaObject> ReadSchemaObjects(Database& database) {
  std::vector<SchemaObject> objects;
  Statement list = database.Prepare(
      "SELECT type, name, tbl_name, sql FROM main.sqlite_schema "
      "WHERE type IN ('index', 'view', 'trigger') AND sql IS NOT NULL ORDER BY rowid");
  while (list.Step()) {
    SchemaObject object{list.Text(0), list.Text(1), list.Text(2), list.Text(3)};
    const std::string lower = ToLowerAscii(object.name);
    if (lower.starts_with("_liteferry_") || lower.starts_with("_litestream_")) continue;
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace liteferry::source
