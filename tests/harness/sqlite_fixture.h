#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace liteferry::testing {

// A fresh folder under the system's temporary one, removed with all it holds.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string Path(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// The application: a plain connection of its own to an SQLite file, with SQLite's default settings,
// made without any of the code under test.
class AppDatabase {
 public:
  // Creates the file when it is missing. `journal_mode` "" leaves the mode as it is.
  explicit AppDatabase(const std::string& path, std::string_view journal_mode = "wal");

  // Runs every statement; throws std::runtime_error with SQLite's message.
  void Run(const std::string& sql);
  // The same without throwing: "" or SQLite's message.
  std::string Try(const std::string& sql);
  // Every row as its values in quote() form. Throws as Run.
  std::vector<std::vector<std::string>> Table(const std::string& sql);
  // The same with the values of a row joined by '|'.
  std::vector<std::string> Rows(const std::string& sql);
  // The first value of the first row as text, "" when there is none.
  std::string Text(const std::string& sql);
  std::int64_t Int(const std::string& sql);
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* handle) const noexcept;
  };

  std::unique_ptr<sqlite3, Closer> handle_;
};

// The key and the contents of each row of `table` (quoted), both in quote() form and joined by '|';
// rows that share a key (NULL) stand together. `key` and `columns` are lists of expressions.
std::map<std::string, std::string> Snapshot(AppDatabase& app, const std::string& table,
                                            const std::vector<std::string>& key,
                                            const std::vector<std::string>& columns);

}  // namespace liteferry::testing
