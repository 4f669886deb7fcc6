#include "tests/harness/sqlite_fixture.h"

#include <sqlite3.h>
#include <stdlib.h>

#include <algorithm>
#include <stdexcept>

namespace liteferry::testing {
namespace {

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

std::string Quoted(sqlite3_stmt* statement, int column) {
  const auto text = [&] {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return bytes == nullptr ? std::string() : std::string(bytes, size);
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return "NULL";
    case SQLITE_TEXT:
      return "'" + text() + "'";
    case SQLITE_BLOB: {
      std::string hex = "x'";
      for (const char c : text()) {
        const auto byte = static_cast<unsigned char>(c);
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
      }
      return hex + "'";
    }
    case SQLITE_FLOAT: {
      char buffer[64];
      sqlite3_snprintf(sizeof(buffer), buffer, "%!.20g", sqlite3_column_double(statement, column));
      return buffer;
    }
    default:
      return text();
  }
}

std::string JoinAll(const std::vector<std::string>& parts, const std::string& separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) out += (i > 0 ? separator : "") + parts[i];
  return out;
}

}  // namespace

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "liteferry-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void AppDatabase::Closer::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

AppDatabase::AppDatabase(const std::string& path, std::string_view journal_mode) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open(path.c_str(), &handle);
  handle_.reset(handle);
  if (code != SQLITE_OK) throw std::runtime_error("cannot open " + path);
  sqlite3_busy_timeout(handle, 10'000);
  if (!journal_mode.empty()) Run("PRAGMA journal_mode=" + std::string(journal_mode));
  Run("PRAGMA synchronous=OFF");
}

std::string AppDatabase::Try(const std::string& sql) {
  char* message = nullptr;
  sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, &message);
  const std::string result = message == nullptr ? "" : message;
  sqlite3_free(message);
  return result;
}

void AppDatabase::Run(const std::string& sql) {
  const std::string message = Try(sql);
  if (!message.empty()) throw std::runtime_error(message + " in: " + sql);
}

std::vector<std::vector<std::string>> AppDatabase::Table(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(sqlite3_errmsg(handle_.get())) + " in: " + sql);
  }
  const std::unique_ptr<sqlite3_stmt, Finalizer> statement(raw);
  std::vector<std::vector<std::string>> rows;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
    std::vector<std::string> row;
    for (int i = 0; i < sqlite3_column_count(raw); ++i) row.push_back(Quoted(raw, i));
    rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) {
    throw std::runtime_error(std::string(sqlite3_errmsg(handle_.get())) + " in: " + sql);
  }
  return rows;
}

std::vector<std::string> AppDatabase::Rows(const std::string& sql) {
  std::vector<std::string> rows;
  for (const std::vector<std::string>& row : Table(sql)) rows.push_back(JoinAll(row, "|"));
  return rows;
}

std::string AppDatabase::Text(const std::string& sql) {
  const std::vector<std::string> rows = Rows("SELECT CAST((" + sql + ") AS TEXT)");
  if (rows.empty() || rows.front().size() < 2 || rows.front() == "NULL") return "";
  return rows.front().substr(1, rows.front().size() - 2);
}

std::int64_t AppDatabase::Int(const std::string& sql) {
  const std::string text = Text(sql);
  return text.empty() ? 0 : std::stoll(text);
}

std::map<std::string, std::string> Snapshot(AppDatabase& app, const std::string& table,
                                            const std::vector<std::string>& key,
                                            const std::vector<std::string>& columns) {
  auto rows =
      app.Table("SELECT " + JoinAll(key, ",") + "," + JoinAll(columns, ",") + " FROM " + table);
  std::sort(rows.begin(), rows.end());
  std::map<std::string, std::string> snapshot;
  for (const std::vector<std::string>& row : rows) {
    const auto cut = row.begin() + static_cast<std::ptrdiff_t>(key.size());
    snapshot[JoinAll({row.begin(), cut}, "|")] += JoinAll({cut, row.end()}, "|") + "\n";
  }
  return snapshot;
}

}  // namespace liteferry::testing
