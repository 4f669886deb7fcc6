#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replication/base/value.h"
#include "replication/source/catalog.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry::source {

// The order and the bounds in which a table is copied: by its INTEGER PRIMARY KEY or the key of a
// WITHOUT ROWID table where rows lie in that order, else by rowid (reading in key order would
// jump through the file), and by key where columns hide the rowid. A "scan key" is a value of that
// order.
enum class ScanOrder : std::uint8_t { kKey, kRowid };

// Reads rows of one table: by exact key (apply) and in ranges (copy). The columns given are
// `columns` (indexes into table.columns) in that order, after them the rowid when the key kind is
// kRowid. Runs within whatever transaction is open on the database.
//
// Thread-safety: as its Database; must die before it.
class RowReader {
 public:
  RowReader(Database& database, const SourceTable& table, std::vector<int> columns);

  // The row whose key is exactly `key`: same storage class, same bytes, whatever the collation.
  // False when there is none. `row` is valid until the next call.
  bool ReadByKey(std::string_view packed_key, std::vector<Value>& row);

  // The statements behind ReadByKey and Scan, for looking at their plans. A scan that goes on
  // behind a key of n columns is n statements, run one after the other: those rows that share its
  // first n-1 columns, n-2, … and none. Each is one range of the index, also with mixed directions,
  // which one comparison of row values would not be.
  std::string by_key_sql() const;
  std::vector<std::string> scan_sql(bool after, bool up_to) const;

  ScanOrder order() const { return order_; }
  // Whether VACUUM may renumber the scan key: then a changed schema version ends a scan.
  bool order_is_volatile() const { return volatile_; }

  // Rows with scan key > after (all, when absent) and <= up_to (no bound, when absent), in that
  // order, until `sink` returns false. `sink` gets the row, valid during the call. In key order of
  // an ordinary table rows with a NULL in the key are left out (ScanNullKeys has them).
  using Sink = std::function<bool(Row row)>;
  void Scan(const std::optional<PackedKey>& after, const std::optional<PackedKey>& up_to,
            const Sink& sink);
  // The scan key of the row that a sink was given; only during that call.
  PackedKey ScanKey() const;

  // Scan keys that cut the table into `parts` ranges of about the same number of rows (fewer when
  // the table is small): the upper bounds of all but the last, in scan order. Exact for small
  // tables; large ones are sampled: some thousand rows are read, however large. For keys that are
  // no integers, ranges of a large table are as even as the first bytes of its keys are.
  std::vector<PackedKey> SplitPoints(int parts);

  // Rows in the table: exact when it is small, else estimated: from samples of its rowids; without
  // those counted in a small database, in a large one from sqlite_stat1, or else from the size of a
  // row and of the database (then too many).
  std::int64_t EstimateRows();

  // Rows with NULL in a column of the primary key, which no PostgreSQL key can hold.
  void ScanNullKeys(const Sink& sink);

 private:
  // A column of the scan order.
  struct ScanTerm {
    std::string name;       // quoted
    std::string collation;  // " COLLATE …" or "" for a rowid
    bool descending = false;
    bool nullable = false;
    std::size_t position = 0;  // in a row of listed_
  };
  // A stretch of integer scan keys that holds about `rows` rows.
  struct Cell {
    std::int64_t first = 0;
    std::int64_t last = 0;
    double rows = 0;
  };

  void ChooseOrder();
  bool integer_order() const {
    return order_ == ScanOrder::kRowid || table_.integer_primary_key >= 0;
  }
  std::string ByKeyCondition() const;
  // The condition for keys behind ?first… (after), or up to and with it.
  std::string Bound(bool after, int first) const;
  std::string OrderBy(bool reversed) const;
  std::string NotNull() const;
  std::string KeyList() const;
  std::optional<PackedKey> OneKey(const std::string& order);
  std::vector<PackedKey> FirstKeys(std::int64_t limit);
  std::vector<Cell> SampleCells();
  std::vector<PackedKey> SplitIntegers(int parts);
  std::vector<PackedKey> SplitByProbes(int parts);

  Database& database_;
  const SourceTable table_;
  const std::vector<int> columns_;
  ScanOrder order_ = ScanOrder::kKey;
  bool volatile_ = false;
  std::vector<ScanTerm> terms_;
  std::size_t width_ = 0;  // values of a row that the caller sees
  std::string shown_;      // these, as SQL
  std::string from_;       // FROM …
  std::string listed_;     // and the scan key behind it, where it is not among them
  Statement by_key_;
  std::vector<Value> row_;  // of a scan, with what listed_ adds
};

}  // namespace liteferry::source
