#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replication/target/types.h"

namespace liteferry::target {

class PgConnection;

enum class Identity : std::uint8_t { kNone, kByDefault, kAlways };

struct TargetColumn {
  std::string name;
  TargetType type;
  bool not_null = false;     // itself or by its domain
  bool has_default = false;  // its own or its domain's; identity and generated do not count
  bool generated = false;    // stored or virtual
  Identity identity = Identity::kNone;
};

struct TargetUnique {
  std::string index_name;
  bool primary_key = false;
  bool usable_as_key = false;        // unique, valid, not partial, no expressions, not deferrable
  std::vector<std::string> columns;  // of the key, without expressions and INCLUDE
};

struct TargetTable {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  bool partitioned = false;
  bool owned = false;        // by the connected role, directly or through membership
  bool delete_rule = false;  // a rewrite rule says what DELETE does; COPY knows no rules
  bool insert_rule = false;  // the same of INSERT, which must not be used instead of COPY then
  std::vector<TargetColumn> columns;
  std::vector<TargetUnique> uniques;  // the primary key first

  const TargetColumn* FindColumn(const std::string& column) const;
};

struct TargetCatalog {
  std::vector<TargetTable> tables;  // ordinary and partitioned (not their partitions), by name
  // What has a table's name without being one: "view", "materialized view", "foreign table", by
  // name.
  std::map<std::string, std::string> others;
};

// Tables of `schema` with columns, types and keys. Throws Error (stop) when the schema does not
// exist.
TargetCatalog ReadCatalog(PgConnection& connection, const std::string& schema);

// What the connected role lacks to do the job on `schema` and to create `state_schema`; one line
// each, such as `role "app" does not own table "public"."notes" (owner "postgres"): ALTER TABLE
// needs it`; empty when all is well.
std::vector<std::string> MissingPrivileges(PgConnection& connection, const std::string& schema,
                                           const std::string& state_schema);

}  // namespace liteferry::target
