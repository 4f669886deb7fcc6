#include "tests/replication/verify/pair.h"

#include <sqlite3.h>

#include <memory>
#include <stdexcept>

namespace liteferry::testing {
namespace {

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

void BindValue(sqlite3_stmt* statement, int at, const Value& value) {
  const auto size = static_cast<int>(value.bytes.size());
  // A null pointer would be bound as NULL.
  const char* const bytes = size == 0 ? "" : value.bytes.data();
  switch (value.storage) {
    case StorageClass::kNull:
      sqlite3_bind_null(statement, at);
      break;
    case StorageClass::kInteger:
      sqlite3_bind_int64(statement, at, value.integer);
      break;
    case StorageClass::kReal:
      sqlite3_bind_double(statement, at, value.real);
      break;
    case StorageClass::kText:
      sqlite3_bind_text(statement, at, bytes, size, nullptr);
      break;
    case StorageClass::kBlob:
      sqlite3_bind_blob(statement, at, bytes, size, nullptr);
      break;
  }
}

}  // namespace

void Pair::Insert(const std::string& table, const std::vector<Value>& values) {
  std::string sql = "INSERT OR IGNORE INTO " + table + " VALUES(";
  for (std::size_t i = 0; i < values.size(); ++i) sql += i > 0 ? ",?" : "?";
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(app_.handle(), (sql + ")").c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(app_.handle()));
  }
  const std::unique_ptr<sqlite3_stmt, Finalizer> statement(raw);
  for (std::size_t i = 0; i < values.size(); ++i) {
    BindValue(raw, static_cast<int>(i) + 1, values[i]);
  }
  if (sqlite3_step(raw) != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(app_.handle()));
}

}  // namespace liteferry::testing
