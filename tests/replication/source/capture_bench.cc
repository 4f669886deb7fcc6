#include "tests/replication/source/capture_bench.h"

#include <sqlite3.h>

#include <algorithm>
#include <set>

#include "replication/base/text.h"

namespace liteferry::source {
namespace {

using testing::AppDatabase;

std::vector<std::string> KeyOf(const SourceTable& table) {
  if (table.key_kind == KeyKind::kRowid) return {table.rowid_alias};
  std::vector<std::string> key;
  for (const int column : table.key_columns) {
    key.push_back(QuoteIdentifier(table.columns[static_cast<std::size_t>(column)].name));
  }
  return key;
}

using TableState = CaptureBench::TableState;

TableState StateOf(AppDatabase& app, const SourceTable& table) {
  std::vector<std::string> columns;
  for (const SourceColumn& column : table.columns) columns.push_back(QuoteIdentifier(column.name));
  return testing::Snapshot(app, QuoteIdentifier(table.name), KeyOf(table), columns);
}

std::set<std::string> Differing(const TableState& before, const TableState& after) {
  std::set<std::string> keys;
  for (const auto& [key, row] : before) {
    const auto found = after.find(key);
    if (found == after.end() || found->second != row) keys.insert(key);
  }
  for (const auto& [key, row] : after) {
    if (!before.contains(key)) keys.insert(key);
  }
  return keys;
}

}  // namespace

CaptureBench::CaptureBench(const std::string& schema, const std::string& rows)
    : app_(dir_.Path("app.db")),
      ours_((app_.Run(schema), dir_.Path("app.db")), OpenMode::kReadWrite,
            std::chrono::milliseconds(5000)),
      capture_(ours_) {
  ours_.Execute("PRAGMA synchronous=OFF");
  Install();
  app_.Run(rows);
  NewEntries();
}

void CaptureBench::Install() {
  tables_.clear();
  for (SourceTable& table : ReadCatalog(ours_).tables) {
    if (CaptureObstacle(table).empty()) tables_.push_back(std::move(table));
  }
  state_ = capture_.Install(tables_);
  if (only_after_) KeepOnlyAfterTriggers();
}

std::vector<std::string> CaptureBench::Broken() {
  std::vector<SourceTable> tables;
  for (SourceTable& table : ReadCatalog(ours_).tables) {
    if (CaptureObstacle(table).empty()) tables.push_back(std::move(table));
  }
  return capture_.FindBroken(tables, capture_.Read());
}

void CaptureBench::KeepOnlyAfterTriggers() {
  only_after_ = true;
  for (const std::string& name :
       app_.Rows("SELECT name FROM sqlite_schema WHERE type='trigger' AND "
                 "(name GLOB '_liteferry_*_bi' OR name GLOB '_liteferry_*_bu*')")) {
    app_.Run("DROP TRIGGER " + name.substr(1, name.size() - 2));
  }
}

std::vector<std::string> CaptureBench::Missed(const std::string& sql, std::string* error) {
  const std::vector<TableState> before = States();
  NewEntries();
  const std::string message = app_.Try(sql);
  if (error != nullptr) *error = message;
  const std::vector<std::string> entries = NewEntries();
  const std::vector<TableState> after = States();
  std::vector<std::string> missed;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    for (std::string& key : Unlogged(i, before[i], after[i], entries)) missed.push_back(key);
  }
  return missed;
}

std::vector<std::string> CaptureBench::MissedByAll(const std::vector<std::string>& statements,
                                                   std::vector<Failure>* failures) {
  const std::vector<TableState> before = States();
  const std::string version = app_.Rows("PRAGMA schema_version").at(0);
  NewEntries();
  for (const std::string& sql : statements) {
    const std::string message = app_.Try(sql);
    if (!message.empty()) failures->push_back({sql, message});
  }
  const std::vector<std::string> entries = NewEntries();
  const bool same = app_.Rows("PRAGMA schema_version").at(0) == version;
  if (same && before == States()) return {};
  const SourceCatalog catalog = same ? SourceCatalog() : ReadCatalog(ours_);
  const std::vector<std::string> broken = same ? std::vector<std::string>() : Broken();
  std::vector<std::string> missed;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const SourceTable& table = tables_[i];
    const bool comparable =
        same || (table.key_kind != KeyKind::kRowid &&
                 std::find(broken.begin(), broken.end(), table.name) == broken.end() &&
                 std::any_of(catalog.tables.begin(), catalog.tables.end(), [&](const auto& now) {
                   return now.name == table.name && now.sql == table.sql &&
                          now.key_columns == table.key_columns;
                 }));
    if (!comparable) continue;
    const TableState after = same ? States()[i] : StateOf(app_, table);
    for (std::string& key : Unlogged(i, before[i], after, entries)) missed.push_back(key);
  }
  if (!same) Install();
  NewEntries();
  return missed;
}

std::vector<std::string> CaptureBench::Unlogged(std::size_t i, const TableState& before,
                                                const TableState& after,
                                                const std::vector<std::string>& entries) const {
  const SourceTable& table = tables_[i];
  const auto captured = std::find_if(state_.tables.begin(), state_.tables.end(),
                                     [&](const CapturedTable& t) { return t.name == table.name; });
  std::vector<std::string> missed;
  for (const std::string& key : Differing(before, after)) {
    const std::string entry = std::to_string(captured->number) + "|" + key;
    if (std::find(entries.begin(), entries.end(), entry) == entries.end()) {
      missed.push_back(table.name + ": " + key);
    }
  }
  return missed;
}

std::vector<CaptureBench::TableState> CaptureBench::States() {
  const std::int64_t version = sqlite3_total_changes64(app_.handle());
  const std::string schema = app_.Rows("PRAGMA schema_version").at(0);
  if (version != states_version_ || schema != states_schema_) {
    states_.clear();
    for (const SourceTable& table : tables_) states_.push_back(StateOf(app_, table));
    states_version_ = version;
    states_schema_ = schema;
  }
  return states_;
}

std::vector<std::string> CaptureBench::NewEntries() {
  std::map<std::string, std::size_t> widths;
  for (const CapturedTable& captured : state_.tables) {
    for (const SourceTable& table : tables_) {
      if (table.name == captured.name) {
        widths[std::to_string(captured.number)] =
            std::max<std::size_t>(1, table.key_columns.size());
      }
    }
  }
  std::vector<std::string> entries;
  for (const std::vector<std::string>& row : app_.Table(
           "SELECT * FROM _liteferry_log WHERE seq > " + std::to_string(seen_) + " ORDER BY seq")) {
    seen_ = std::stoll(row.at(0));
    std::string entry = row.at(1);
    for (std::size_t k = 0; k < widths[row.at(1)]; ++k) entry += "|" + row.at(3 + k);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<std::string> CaptureBench::Logged(const std::string& sql) {
  NewEntries();
  app_.Run(sql);
  return NewEntries();
}

}  // namespace liteferry::source
