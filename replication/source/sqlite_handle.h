#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/base/error.h"
#include "replication/base/value.h"

struct sqlite3;
struct sqlite3_stmt;

namespace liteferry::source {

// What one of SQLite's result codes means to us.
struct SqliteFault {
  Disposition disposition = Disposition::kBug;
  ExitCode exit = ExitCode::kBug;
};

// The one place that judges SQLite's (extended) result codes. Pure.
SqliteFault ClassifySqlite(int extended_code);

class StatementCache;

// A prepared statement. Lives no longer than its Database, which keeps it for the next one with the
// same text; used by the thread that owns that.
// Bind positions and column positions follow SQLite: binds from 1, columns from 0.
class Statement {
 public:
  Statement() = default;

  void Bind(int position, const Value& value);
  void Bind(int position, std::int64_t value) { Bind(position, Value::Integer(value)); }
  void Bind(int position, std::string_view text) { Bind(position, Value::Text(text)); }
  // Binds `values` to positions 1, 2, …
  void BindAll(Row values);

  // True while there is a row; after the last one it is reset by itself. Throws Error as
  // ClassifySqlite says; SQLITE_BUSY and SQLITE_LOCKED are kRetry.
  bool Step();
  // Runs to the end, ignoring rows, and resets.
  void Run();
  // Ends the read and forgets nothing of the bindings.
  void Reset() noexcept;

  int column_count() const;
  // Valid until the next Step or Reset. Text comes as UTF-8 whatever the encoding of the database.
  Value Column(int position) const;
  std::int64_t Int(int position) const;
  std::string Text(int position) const;  // "" for NULL
  bool IsNull(int position) const;
  // All columns of the current row; the vector is reused.
  void ReadRow(std::vector<Value>& row) const;

  explicit operator bool() const { return statement_ != nullptr; }

 private:
  friend class Database;
  struct Returner {
    Returner() : cache(nullptr) {}
    explicit Returner(StatementCache& home) : cache(&home) {}
    void operator()(sqlite3_stmt* statement) const noexcept;

    StatementCache* cache;
  };
  Statement(sqlite3_stmt* statement, StatementCache& cache)
      : statement_(statement, Returner(cache)) {}

  std::unique_ptr<sqlite3_stmt, Returner> statement_;
};

enum class OpenMode : std::uint8_t { kReadOnly, kReadWrite };

// One connection to the application's database. Never creates the file, never changes its journal
// mode, never checkpoints (wal_autocheckpoint is off here, and closing leaves the WAL in place).
// Opening holds a shared lock only while the schema is read; trusted_schema is off, so nothing in
// the schema runs code of ours, and a name in double quotes never is a string. The file is never
// opened but through SQLite: closing any other descriptor of it would drop the POSIX locks of this
// whole process.
//
// Thread-safety: owned by one thread; only Interrupt() may be called from another.
class Database {
 public:
  // Throws Error (stop): exit 66 when the file is missing or not an SQLite database, 77 when this
  // user may not use it, or when opening it would leave a -wal or -shm behind that its owner cannot
  // write; (retry) when it is locked.
  Database(const std::string& path, OpenMode mode, std::chrono::milliseconds busy_timeout);
  ~Database();

  // A statement that was prepared before, if one with this text is at rest: preparing takes longer
  // than most statements of the changelog run.
  Statement Prepare(std::string_view sql);
  // Runs every statement of `sql`, ignoring rows.
  void Execute(std::string_view sql);
  // First column of the first row; NULL and no row give "" and 0.
  std::string QueryText(std::string_view sql);
  std::int64_t QueryInt(std::string_view sql);

  void SetBusyTimeout(std::chrono::milliseconds timeout);
  std::chrono::milliseconds busy_timeout() const { return busy_timeout_; }
  // Ends a running statement of this connection soon, with Error (retry). Does not cut a wait for a
  // lock short: that takes at most the busy timeout.
  void Interrupt() noexcept;
  // Whether a transaction is open on this connection.
  bool InTransaction() const;
  // Whether the file that is open is no longer the one at path(): it was replaced or deleted, and
  // what others write goes elsewhere.
  bool FileMoved() const;
  // Rows that the last INSERT, UPDATE or DELETE changed.
  std::int64_t Changes() const;
  // Told how long each write transaction of this connection held the source's lock, once it has
  // ended; on the thread that ended it. Must not throw.
  using LockObserver = std::function<void(std::chrono::duration<double>)>;
  void SetLockObserver(LockObserver observer) { lock_observer_ = std::move(observer); }
  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* handle) const noexcept;
  };

  std::string path_;
  std::chrono::milliseconds busy_timeout_;
  std::unique_ptr<sqlite3, Closer> handle_;
  std::unique_ptr<StatementCache> cache_;  // ends before handle_
  LockObserver lock_observer_;

  friend class Transaction;
};

// A transaction: BEGIN (deferred, for a read snapshot) or BEGIN IMMEDIATE (the write lock) at once;
// rolled back by the destructor unless Commit() was called. Its end resets every statement of the
// database, because a statement that still holds a row would keep the snapshot (P3); so no row
// outlives it. Not nestable. Lives no longer than its Database.
class Transaction {
 public:
  enum class Kind : std::uint8_t { kRead, kWrite };

  // kRead takes the snapshot at once, by reading the schema. Throws Error (retry) when locked.
  Transaction(Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // For kRead it only ends the snapshot. Throws Error (retry) when SQLite says busy; the
  // transaction is then still open, and Commit may be called again.
  void Commit();

 private:
  void End();

  Database& database_;
  bool open_ = false;
  std::optional<std::chrono::steady_clock::time_point> locked_at_;  // of kWrite
};

}  // namespace liteferry::source
