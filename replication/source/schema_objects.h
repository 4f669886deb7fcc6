#pragma once

#include <string>
#include <vector>

namespace liteferry::source {

class Database;

// One line of sqlite_schema that is no table: an index, a view or a trigger.
struct SchemaObject {
  std::string type;  // index, view, trigger
  std::string name;
  std::string table;  // that it belongs to; of a view its own name
  std::string sql;    // "" for an index that a constraint made
};

// All of them in the order of their making, but those of SQLite, of liteferry and of Litestream.
std::vector<SchemaObject> ReadSchemaObjects(Database& database);

}  // namespace liteferry::source
