#include "replication/rejections.h"

#include <algorithm>
#include <vector>

#include "replication/base/error.h"
#include "replication/target/pg_error.h"

namespace liteferry {
namespace {

target::RejectedRow Describe(const Session& session, const TableMapping& table,
                             const std::string& key) {
  target::RejectedRow row;
  row.table_no = session.NumberOf(table);
  row.table = table.source.name;
  row.key = KeyToJson(UnpackKey(key));
  return row;
}

// The source's name of a column pair; the rowid has none of its own.
std::string SourceName(const TableMapping& table, const ColumnPair& pair) {
  if (pair.source < 0) return table.source.rowid_alias;
  return table.source.columns[static_cast<std::size_t>(pair.source)].name;
}

bool HasTextFormKey(const TableMapping& table) {
  return std::any_of(table.key.begin(), table.key.end(), [&](std::size_t position) {
    return !target::HasBinaryForm(table.columns[position].target.type);
  });
}

// So many keys that a setting is worth its round trip; fewer are looked up anyhow.
constexpr std::size_t kManyKeys = 500;
// So many that it pays to ask first for the largest key of the table: that reads over what was
// deleted at its end and could not be vacuumed yet.
constexpr std::size_t kWorthTheLargest = 5000;

// `statement` with one array of each key column.
target::PgResult ExecWithKeys(target::PgConnection& connection, const target::KeyArrays& keys,
                              const std::string& statement) {
  std::vector<std::string> arrays;
  std::vector<target::PgParam> params;
  for (std::size_t i = 0; i < keys.columns(); ++i) arrays.push_back(keys.BinaryArray(i));
  for (std::size_t i = 0; i < keys.columns(); ++i) {
    params.push_back({arrays[i], keys.array_oid(i), true});
  }
  return connection.ExecParams(statement, params);
}

std::int64_t DeleteAtOnce(target::PgConnection& connection, const TableMapping& table,
                          const target::KeyArrays& keys) {
  // For many keys the planner rather reads the whole table, or a whole index, with each batch (it
  // takes each look-up for a page from the disk): 8 to 25 times the time, as keys come in order. A
  // failure's rollback takes the setting back.
  const bool many = keys.size() >= kManyKeys;
  if (many) {
    connection.ExecLater("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off");
  }
  std::string statement = keys.DeletePrinted(table.target.schema, table.target.name);
  if (keys.size() >= kWorthTheLargest) {
    // Rows are mostly added at the end, and looking for them took a third of the server's time.
    statement += keys.UpToLargest(table.target.schema, table.target.name);
  }
  const std::int64_t deleted = ExecWithKeys(connection, keys, statement).affected();
  if (many) {
    connection.ExecLater(
        "SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT");
  }
  return deleted;
}

// The numbers below `rows` that `refused`, in row order, does not have.
std::vector<std::size_t> RowsBut(std::size_t rows,
                                 const std::vector<target::ServerRejection>& refused) {
  std::vector<std::size_t> others;
  auto next = refused.begin();
  for (std::size_t row = 0; row < rows; ++row) {
    if (next != refused.end() && next->row == row) {
      ++next;
    } else {
      others.push_back(row);
    }
  }
  return others;
}

// Deletes those of these rows that the server prints otherwise; their numbers.
std::vector<std::size_t> DeleteMisprinted(target::PgConnection& connection,
                                          const TableMapping& table, const target::RowBatch& batch,
                                          const std::vector<std::size_t>& rows,
                                          target::KeyArrays& keys) {
  std::vector<std::size_t> asked;
  keys.Clear();
  for (const std::size_t row : rows) {
    if (keys.Add(UnpackKey(batch.key(row)))) asked.push_back(row);
  }
  if (asked.empty()) return {};
  const target::PgResult found =
      ExecWithKeys(connection, keys, keys.DeleteMisprinted(table.target.schema, table.target.name));
  std::vector<std::size_t> misprinted;
  for (int i = 0; i < found.rows(); ++i) {
    misprinted.push_back(asked[static_cast<std::size_t>(found.Int(i, 0) - 1)]);
  }
  return misprinted;
}

}  // namespace

target::RejectedRow DescribeRejection(const Session& session, const TableMapping& table,
                                      const std::string& key,
                                      const target::RowRejection& rejection) {
  target::RejectedRow row = Describe(session, table, key);
  row.column = SourceName(table, table.columns[rejection.column]);
  row.storage_class = ToString(rejection.storage);
  row.reason = rejection.reason;
  return row;
}

target::RejectedRow DescribeRejection(const Session& session, const TableMapping& table,
                                      const std::string& key,
                                      const target::ServerRejection& rejection) {
  target::RejectedRow row = Describe(session, table, key);
  row.column = rejection.column;
  for (const ColumnPair& pair : table.columns) {
    if (pair.target.name == rejection.column) row.column = SourceName(table, pair);
  }
  row.reason = rejection.reason;
  row.sqlstate = rejection.sqlstate;
  return row;
}

bool HasIntegerKey(const TableMapping& table) {
  const source::SourceTable& source = table.source;
  if (source.key_kind != source::KeyKind::kRowid && source.integer_primary_key < 0) return false;
  using enum target::TypeKind;
  const target::TypeKind kind = table.columns[table.key.front()].target.type.kind;
  return kind == kInt2 || kind == kInt4 || kind == kInt8;
}

RejectionReport ReadRejections(target::StateStore& store) {
  constexpr std::int64_t kSamples = 3;
  RejectionReport report;
  report.counts = store.CountRejected();
  if (!report.counts.empty()) report.samples = store.SampleRejected(kSamples);
  report.query = store.RejectedQuery();
  return report;
}

void ShowRejections(const RejectionReport& report, EngineStatus& status) {
  status.rejected_rows = 0;
  for (TableStatus& table : status.tables) table.rejected = 0;
  for (const target::RejectedCount& count : report.counts) {
    status.rejected_rows += count.rows;
    for (TableStatus& table : status.tables) {
      if (table.name == count.table) table.rejected = count.rows;
    }
  }
  status.rejections.clear();
  for (const target::RejectedRow& row : report.samples) {
    status.rejections.push_back({row.table, row.key, row.column, row.reason});
  }
  status.rejected_query = report.query;
}

std::int64_t DeleteKeys(target::PgConnection& connection, const TableMapping& table,
                        const std::vector<std::string_view>& keys) {
  target::KeyArrays arrays(table.KeyColumns());
  for (const std::string_view key : keys) arrays.Add(UnpackKey(key));
  if (arrays.size() == 0) return 0;
  if (!HasTextFormKey(table)) return DeleteAtOnce(connection, table, arrays);
  // The server's own input function may refuse the text of one key (no row there can have it), and
  // would refuse the whole statement with it.
  connection.Exec("SAVEPOINT liteferry_delete");
  try {
    const std::int64_t deleted = DeleteAtOnce(connection, table, arrays);
    connection.ExecLater("RELEASE SAVEPOINT liteferry_delete");
    return deleted;
  } catch (const Error& error) {
    if (error.sqlstate() == "23503" || connection.broken() || !target::BlamesRow(error, true))
      throw;
    connection.Exec("ROLLBACK TO SAVEPOINT liteferry_delete; RELEASE SAVEPOINT liteferry_delete");
  }
  if (keys.size() == 1) return 0;
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(keys.size() / 2);
  return DeleteKeys(connection, table, {keys.begin(), middle}) +
         DeleteKeys(connection, table, {middle, keys.end()});
}

void RejectMisprinted(target::PgConnection& connection, const TableMapping& table,
                      const target::RowBatch& batch,
                      std::vector<target::ServerRejection>& refused) {
  target::KeyArrays keys(table.KeyColumns());
  if (!keys.known_by_print()) return;
  std::vector<std::size_t> rows = RowsBut(batch.rows(), refused);
  for (;;) {
    const std::vector<std::size_t> misprinted =
        DeleteMisprinted(connection, table, batch, rows, keys);
    // The place that they had is free for rows that were refused because of them.
    std::vector<std::size_t> again;
    std::erase_if(refused, [&](const target::ServerRejection& one) {
      const bool retry = !misprinted.empty() && one.sqlstate == "23505";
      if (retry) again.push_back(one.row);
      return retry;
    });
    for (const std::size_t row : misprinted) {
      refused.push_back({row, table.columns[table.key.front()].target.name, "", "",
                         "key is not written as PostgreSQL prints it, so another row may have the "
                         "same one"});
    }
    if (again.empty()) break;
    auto still = target::RowLoader(connection)
                     .LoadAgain(batch, again, table.target.schema, table.target.name);
    rows = again;
    std::erase_if(rows, [&](std::size_t row) {
      return std::any_of(still.begin(), still.end(),
                         [&](const auto& one) { return one.row == row; });
    });
    refused.insert(refused.end(), still.begin(), still.end());
  }
  std::sort(refused.begin(), refused.end(),
            [](const auto& a, const auto& b) { return a.row < b.row; });
}

}  // namespace liteferry
