#include "replication/source/sqlite_handle.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace liteferry::source {
namespace {

constexpr std::string_view kUserHint =
    "Run liteferry as the user that the application runs as, with write access to the database and "
    "to "
    "its folder.";

Error MakeError(int code, const std::string& message) {
  const SqliteFault fault = ClassifySqlite(code);
  Error error = Error(fault.disposition, Component::kSource, message).Sqlite(code).Exit(fault.exit);
  if (fault.exit == ExitCode::kPermission) error = std::move(error).Hint(std::string(kUserHint));
  return error;
}

std::string PathOf(sqlite3* handle) {
  const char* path = sqlite3_db_filename(handle, "main");
  return path == nullptr ? "" : path;
}

[[noreturn]] void ThrowLast(sqlite3* handle, std::string_view doing) {
  const int code = sqlite3_extended_errcode(handle);
  throw MakeError(code, "cannot " + std::string(doing) + " in '" + PathOf(handle) +
                            "': " + sqlite3_errmsg(handle) + " (" + std::to_string(code) + ")");
}

// All that can be wrong with a value of a row that was read.
[[noreturn]] void ThrowNoMemory() { throw MakeError(SQLITE_NOMEM, "no memory to read a value"); }

Error CannotOpen(const std::string& path, int error_number) {
  const bool denied = error_number == EACCES || error_number == EPERM || error_number == EROFS;
  Error error(Disposition::kStop, Component::kSource,
              "cannot open the database '" + path + "': " + std::strerror(error_number));
  if (denied) return std::move(error).Exit(ExitCode::kPermission).Hint(std::string(kUserHint));
  return std::move(error)
      .Exit(ExitCode::kSourceMissing)
      .Hint("Check source.path; liteferry never creates the file.");
}

struct stat StatOrThrow(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw CannotOpen(path, errno);
  if (S_ISDIR(status.st_mode)) throw CannotOpen(path, EISDIR);
  return status;
}

// Whether the file's header says WAL. Read through SQLite's own descriptor and without a lock,
// which is harmless: the two bytes are written once, when the mode changes.
bool HeaderSaysWal(sqlite3* handle) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (file == nullptr || file->pMethods == nullptr) return false;
  std::array<unsigned char, 20> header{};
  if (file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0) != SQLITE_OK) {
    return false;
  }
  return header[18] == 2 || header[19] == 2;
}

// The first connection to a WAL database creates -wal and -shm with the mode of the database but
// with its own user as owner (unless it is root, for whom SQLite hands them over). Left behind,
// they would keep an application that runs as another user from writing.
void RefuseForeignSidecars(sqlite3* handle, const std::string& path, const struct stat& status) {
  const uid_t user = ::geteuid();
  if (user == 0 || user == status.st_uid || !HeaderSaysWal(handle)) return;
  struct stat ignored {};
  if (::stat((PathOf(handle) + "-shm").c_str(), &ignored) == 0) return;
  const bool shared_by_group = (status.st_mode & S_IWGRP) != 0 && (status.st_mode & S_IRGRP) != 0 &&
                               ::getegid() == status.st_gid;
  if (shared_by_group) return;
  throw Error(Disposition::kStop, Component::kSource,
              "user " + std::to_string(user) + " must not be the first to open '" + path +
                  "': its -wal and -shm would not be writable for the owner, user " +
                  std::to_string(status.st_uid))
      .Exit(ExitCode::kPermission)
      .Hint("Run liteferry as user " + std::to_string(status.st_uid) +
            ", or start the application first.");
}

void ResetStatements(sqlite3* handle) noexcept {
  for (sqlite3_stmt* statement = sqlite3_next_stmt(handle, nullptr); statement != nullptr;
       statement = sqlite3_next_stmt(handle, statement)) {
    if (sqlite3_stmt_busy(statement) != 0) sqlite3_reset(statement);
  }
}

// sqlite3_bind_* take a null pointer for NULL, so an empty value needs another one.
const char* DataOf(std::string_view bytes) { return bytes.empty() ? "" : bytes.data(); }

}  // namespace

SqliteFault ClassifySqlite(int extended_code) {
  constexpr SqliteFault kRetryLater{Disposition::kRetry, ExitCode::kTryAgain};
  constexpr SqliteFault kRetryIo{Disposition::kRetry, ExitCode::kIo};
  constexpr SqliteFault kForbidden{Disposition::kStop, ExitCode::kPermission};
  constexpr SqliteFault kUnreadable{Disposition::kStop, ExitCode::kSourceMissing};
  constexpr SqliteFault kUnfit{Disposition::kStop, ExitCode::kDataError};
  switch (extended_code) {
    case SQLITE_READONLY_RECOVERY:  // a crashed writer's WAL; its next start recovers it
    case SQLITE_READONLY_CANTLOCK:
    case SQLITE_READONLY_CANTINIT:
    case SQLITE_READONLY_DBMOVED:  // the file was replaced: a new connection opens the new one
    case SQLITE_ERROR_RETRY:
    case SQLITE_ERROR_SNAPSHOT:
      return kRetryLater;
    case SQLITE_IOERR_AUTH:
    case SQLITE_IOERR_ACCESS:
      return kForbidden;
    case SQLITE_IOERR_CORRUPTFS:
    case SQLITE_IOERR_DATA:
      return kUnreadable;
    default:
      break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT:
    case SQLITE_SCHEMA:
    case SQLITE_NOMEM:
      return kRetryLater;
    case SQLITE_IOERR:
    case SQLITE_FULL:
      return kRetryIo;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return kForbidden;
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOLFS:
      return kUnreadable;
    // No such table or column, or a function that only the application has: the schema changed, or
    // cannot be used from here.
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
      return kUnfit;
    default:
      return {Disposition::kBug, ExitCode::kBug};
  }
}

// Statements at rest, the latest last: reset and without bindings, so that they hold neither a
// snapshot nor a value. SQLite prepares them anew by itself when the schema has changed.
class StatementCache {
 public:
  StatementCache() { resting_.reserve(kMost); }

  // Null when there is none with this text.
  sqlite3_stmt* Take(std::string_view sql) {
    const auto found = std::find_if(resting_.rbegin(), resting_.rend(), [sql](const Owned& one) {
      return sqlite3_sql(one.get()) == sql;
    });
    if (found == resting_.rend()) return nullptr;
    sqlite3_stmt* const statement = found->release();
    resting_.erase(std::next(found).base());
    return statement;
  }

  void Keep(sqlite3_stmt* statement) noexcept {
    Owned owned(statement);
    // Some pragmas do their work while they are prepared.
    if (sqlite3_strnicmp(sqlite3_sql(statement), "PRAGMA", 6) == 0) return;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (resting_.size() == kMost) resting_.erase(resting_.begin());
    resting_.push_back(std::move(owned));
  }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  using Owned = std::unique_ptr<sqlite3_stmt, Finalizer>;

  static constexpr std::size_t kMost = 64;  // a few kilobytes each

  std::vector<Owned> resting_;
};

void Statement::Returner::operator()(sqlite3_stmt* statement) const noexcept {
  cache->Keep(statement);
}

void Statement::Bind(int position, const Value& value) {
  sqlite3_stmt* const s = statement_.get();
  if (sqlite3_stmt_busy(s) != 0) sqlite3_reset(s);
  int code = SQLITE_OK;
  switch (value.storage) {
    case StorageClass::kNull:
      code = sqlite3_bind_null(s, position);
      break;
    case StorageClass::kInteger:
      code = sqlite3_bind_int64(s, position, value.integer);
      break;
    case StorageClass::kReal:
      code = sqlite3_bind_double(s, position, value.real);
      break;
    case StorageClass::kText:
      code = sqlite3_bind_text64(s, position, DataOf(value.bytes), value.bytes.size(),
                                 SQLITE_TRANSIENT, SQLITE_UTF8);
      break;
    case StorageClass::kBlob:
      code = sqlite3_bind_blob64(s, position, DataOf(value.bytes), value.bytes.size(),
                                 SQLITE_TRANSIENT);
      break;
  }
  if (code != SQLITE_OK) ThrowLast(sqlite3_db_handle(s), "bind a value");
}

void Statement::BindAll(Row values) {
  for (std::size_t i = 0; i < values.size(); ++i) Bind(static_cast<int>(i) + 1, values[i]);
}

bool Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  sqlite3* const handle = sqlite3_db_handle(statement_.get());
  const Error error =
      MakeError(code, "statement failed in '" + PathOf(handle) + "': " + sqlite3_errmsg(handle) +
                          " (" + std::to_string(code) + ")");
  sqlite3_reset(statement_.get());
  throw error;
}

void Statement::Run() {
  while (Step()) {
  }
}

void Statement::Reset() noexcept { sqlite3_reset(statement_.get()); }

int Statement::column_count() const { return sqlite3_column_count(statement_.get()); }

// By way of sqlite3_value, which the connection's being of one thread allows (SQLITE_OPEN_NOMUTEX):
// each sqlite3_column_* looks for the column and for an error anew.
Value Statement::Column(int position) const {
  sqlite3_value* const value = sqlite3_column_value(statement_.get(), position);
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      return Value::Integer(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
      return Value::Real(sqlite3_value_double(value));
    case SQLITE_TEXT: {
      // Text before bytes: it converts a UTF-16 database's value, whose length then is another.
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      if (text == nullptr) ThrowNoMemory();
      return Value::Text({text, static_cast<std::size_t>(sqlite3_value_bytes(value))});
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
      const int size = sqlite3_value_bytes(value);
      if (bytes == nullptr && size > 0) ThrowNoMemory();
      return Value::Blob({size > 0 ? bytes : "", static_cast<std::size_t>(size)});
    }
    default:
      return Value::Null();
  }
}

std::int64_t Statement::Int(int position) const {
  return sqlite3_column_int64(statement_.get(), position);
}

std::string Statement::Text(int position) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), position));
  if (text == nullptr) return "";
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), position))};
}

bool Statement::IsNull(int position) const {
  return sqlite3_column_type(statement_.get(), position) == SQLITE_NULL;
}

void Statement::ReadRow(std::vector<Value>& row) const {
  row.clear();
  const int count = column_count();
  for (int i = 0; i < count; ++i) row.push_back(Column(i));
}

Database::~Database() = default;

void Database::Closer::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Database::Database(const std::string& path, OpenMode mode, std::chrono::milliseconds busy_timeout)
    : path_(path), busy_timeout_(busy_timeout), cache_(std::make_unique<StatementCache>()) {
  const struct stat status = StatOrThrow(path);
  // A relative path gets a "./" so that neither ":memory:" nor "file:x?y" means anything but a
  // file.
  const std::string name = path.front() == '/' ? path : "./" + path;
  const int access = mode == OpenMode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle,
                                   access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) {
    const int error_number = handle == nullptr ? 0 : sqlite3_system_errno(handle);
    if ((code & 0xff) == SQLITE_CANTOPEN && error_number != 0) throw CannotOpen(path, error_number);
    throw MakeError(code, "cannot open the database '" + path + "': " + sqlite3_errstr(code));
  }
  // SQLite falls back to reading when it may not write.
  if (mode == OpenMode::kReadWrite && sqlite3_db_readonly(handle, "main") != 0) {
    throw CannotOpen(path, EACCES);
  }
  RefuseForeignSidecars(handle, path, status);
  SetBusyTimeout(busy_timeout);
  sqlite3_wal_autocheckpoint(handle, 0);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // The schema is the application's own. Not trusting it would make one with JSON functions in an
  // index or a generated column "malformed": SQLite before 3.41 takes those functions for unsafe.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  Execute("PRAGMA mmap_size=0");
  // Reads and parses the whole schema, so what is no database fails here.
  Execute("SELECT 1 FROM sqlite_schema LIMIT 1");
}

Statement Database::Prepare(std::string_view sql) {
  if (sqlite3_stmt* const resting = cache_->Take(sql)) return {resting, *cache_};
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) ThrowLast(handle_.get(), "prepare a statement");
  Require(statement != nullptr, "an SQL statement is empty");
  return {statement, *cache_};
}

void Database::Execute(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(handle_.get(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    ThrowLast(handle_.get(), "run a statement");
  }
}

std::string Database::QueryText(std::string_view sql) {
  Statement statement = Prepare(sql);
  return statement.Step() ? statement.Text(0) : "";
}

std::int64_t Database::QueryInt(std::string_view sql) {
  Statement statement = Prepare(sql);
  return statement.Step() ? statement.Int(0) : 0;
}

void Database::SetBusyTimeout(std::chrono::milliseconds timeout) {
  busy_timeout_ = timeout;
  const auto most = static_cast<long long>(std::numeric_limits<int>::max());
  sqlite3_busy_timeout(handle_.get(), static_cast<int>(std::min<long long>(timeout.count(), most)));
}

void Database::Interrupt() noexcept { sqlite3_interrupt(handle_.get()); }

bool Database::InTransaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

bool Database::FileMoved() const {
  int moved = 0;
  return sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
         moved != 0;
}

std::int64_t Database::Changes() const { return sqlite3_changes64(handle_.get()); }

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  Require(!database.InTransaction(), "a transaction is already open");
  if (kind == Kind::kWrite) {
    database.Execute("BEGIN IMMEDIATE");
    open_ = true;
    locked_at_ = std::chrono::steady_clock::now();
    return;
  }
  database.Execute("BEGIN");
  try {
    // BEGIN alone takes no snapshot; the first read does.
    database.Execute("PRAGMA schema_version");
  } catch (...) {
    sqlite3_exec(database.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
  open_ = true;
}

Transaction::~Transaction() {
  if (!open_) return;
  ResetStatements(database_.handle());
  if (database_.InTransaction()) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  End();
}

void Transaction::Commit() {
  ResetStatements(database_.handle());
  database_.Execute("COMMIT");
  End();
}

void Transaction::End() {
  open_ = false;
  if (!locked_at_ || !database_.lock_observer_) return;
  database_.lock_observer_(std::chrono::steady_clock::now() - *locked_at_);
}

}  // namespace liteferry::source
