#include "replication/source/fence.h"

#include <array>
#include <utility>

#include "replication/base/text.h"

namespace liteferry::source {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kEvents = {
    {{"i", "INSERT"}, {"u", "UPDATE"}, {"d", "DELETE"}}};

constexpr std::string_view kMessage =
    "this database has moved to PostgreSQL (liteferry cutover): it can be read, not written";

struct Captured {
  std::string number;
  std::string name;
};

// Captured tables that are still there; one that lost its capture triggers counts too.
std::vector<Captured> CapturedTables(Database& database) {
  Statement read = database.Prepare(
      "SELECT t.number, s.name FROM main._liteferry_table AS t JOIN main.sqlite_schema AS s "
      "ON s.type = 'table' AND s.name = t.name COLLATE NOCASE ORDER BY t.number");
  std::vector<Captured> tables;
  while (read.Step()) tables.push_back({std::to_string(read.Int(0)), read.Text(1)});
  return tables;
}

std::string TriggerName(const Captured& table, std::string_view kind) {
  return "_liteferry_fence_" + table.number + "_" + std::string(kind);
}

std::string TriggerSql(const Captured& table, std::string_view kind, std::string_view event) {
  return "CREATE TRIGGER " + TriggerName(table, kind) + " BEFORE " + std::string(event) + " ON " +
         QuoteIdentifier(table.name) + " BEGIN SELECT RAISE(ABORT, " +
         QuoteLiteral(std::string(kMessage)) + "); END";
}

// Whether this trigger stands on this table.
bool Stands(Database& database, const Captured& table, std::string_view kind,
            std::string_view event) {
  Statement find = database.Prepare(
      "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND name = ?1 AND sql = ?2");
  const std::string name = TriggerName(table, kind);
  const std::string sql = TriggerSql(table, kind, event);
  find.Bind(1, std::string_view(name));
  find.Bind(2, std::string_view(sql));
  return find.Step();
}

bool HasMeta(Database& database) {
  return database.QueryInt(
             "SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name IN "
             "('_liteferry_meta', '_liteferry_table')") == 2;
}

}  // namespace

FenceMark Fence::Read() {
  if (!HasMeta(database_)) return FenceMark::kNone;
  const std::string mark =
      database_.QueryText("SELECT value FROM main._liteferry_meta WHERE key = 'fence'");
  if (mark.empty()) return FenceMark::kNone;
  return mark == "leaving" ? FenceMark::kLeaving : FenceMark::kUp;
}

void Fence::Install() {
  for (const Captured& table : CapturedTables(database_)) {
    for (const auto& [kind, event] : kEvents) {
      if (Stands(database_, table, kind, event)) continue;
      database_.Execute("DROP TRIGGER IF EXISTS main." + TriggerName(table, kind));
      database_.Execute(TriggerSql(table, kind, event));
    }
  }
  SetMark(FenceMark::kUp);
}

std::vector<std::string> Fence::Damaged() {
  std::vector<std::string> names;
  for (const Captured& table : CapturedTables(database_)) {
    for (const auto& [kind, event] : kEvents) {
      if (Stands(database_, table, kind, event)) continue;
      names.push_back(table.name);
      break;
    }
  }
  return names;
}

void Fence::SetMark(FenceMark mark) {
  if (mark == FenceMark::kNone) {
    database_.Execute("DELETE FROM main._liteferry_meta WHERE key = 'fence'");
    return;
  }
  database_.Execute("INSERT OR REPLACE INTO main._liteferry_meta(key, value) VALUES('fence', '" +
                    std::string(mark == FenceMark::kUp ? "up" : "leaving") + "')");
}

void Fence::Remove() {
  std::vector<std::string> names;
  {
    Statement read = database_.Prepare(
        "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND "
        "name GLOB '_liteferry_fence_*'");
    while (read.Step()) names.push_back(read.Text(0));
  }
  for (const std::string& name : names) {
    database_.Execute("DROP TRIGGER main." + QuoteIdentifier(name));
  }
  SetMark(FenceMark::kNone);
}

}  // namespace liteferry::source
