#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "replication/base/spill_buffer.h"
#include "replication/target/row_encoder.h"

namespace liteferry::target {

class PgConnection;

// Encoded rows of one table, waiting to be loaded: the bytes and where each row ends.
class RowBatch {
 public:
  RowBatch(const RowEncoder& encoder, std::size_t memory_limit);

  // Encodes and appends; on rejection nothing is appended. `key` is kept for reports and deletes.
  std::optional<RowRejection> Add(Row row, std::string key);
  std::size_t rows() const { return ends_.size(); }
  std::uint64_t bytes() const { return data_.size(); }
  const std::string& key(std::size_t row) const { return keys_[row]; }
  void Clear();

 private:
  friend class RowLoader;
  const RowEncoder& encoder_;
  SpillBuffer data_;
  std::vector<std::uint64_t> ends_;
  std::vector<std::string> keys_;
  std::string scratch_;
};

// A row that only the server could refuse.
struct ServerRejection {
  std::size_t row = 0;     // in the batch
  std::string column;      // "" when the server named none
  std::string constraint;  // ditto
  std::string sqlstate;
  std::string reason;
};

// Loads a RowBatch into its table with COPY. Where the server refuses a row (CHECK, NOT NULL,
// length, json syntax, unique), the row is pinned by the line number in the error's context, left
// out and reported, and the rows after it are sent again: each row goes over the wire about twice,
// and one bad row never stops the others. Where the context tells no line, halving finds the row.
//
// Runs inside the caller's transaction, between savepoints of its own (liteferry, liteferry_part),
// and leaves it usable unless it throws an error that is no row's. The last RELEASE SAVEPOINT goes
// out with the caller's next statement. One thread.
class RowLoader {
 public:
  explicit RowLoader(PgConnection& connection) : connection_(connection) {}

  // Rejections in row order. Errors that are no row's fault are thrown.
  // `stop_at_unique`: a unique violation is thrown instead (Error with sqlstate 23505 and the
  // constraint's name; 23P01 alike), for a caller that can do better than to reject. Nothing of the
  // batch is loaded then, and the transaction is usable.
  std::vector<ServerRejection> Load(const RowBatch& batch, std::string_view schema,
                                    std::string_view table, bool stop_at_unique);

  // COPY commands sent so far.
  std::int64_t copies() const { return copies_; }

 private:
  class Attempt;

  PgConnection& connection_;
  std::int64_t copies_ = 0;
};

// The line that the context of a failed COPY names, counted from 1, and where it says so, the
// column.
struct CopyPlace {
  std::int64_t line = 0;  // 0: it names none
  bool certain = false;   // in the server's untranslated words
  std::string column;
};

// `columns` are the names to look for: only one of them can be the column.
CopyPlace ParseCopyContext(std::string_view context, std::string_view table,
                           const std::vector<EncodedColumn>& columns);

}  // namespace liteferry::target
