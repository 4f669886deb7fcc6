#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "replication/base/error.h"
#include "replication/base/spill_buffer.h"
#include "replication/target/copy_context.h"
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
  // The encoded bytes of one row.
  void ReadRow(std::size_t row, std::string& bytes) const;
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

// Loads a RowBatch into its table with COPY. Where the server refuses a row, whatever its reason
// (see BlamesRow()), the row is pinned by the line number in the error's context, left out and
// reported, and the others are sent again; one bad row never stops them. How many rows go into one
// COPY follows from how far apart refusals are, so that with one bad row in a hundred each row goes
// over the wire two to three times; where one constraint refuses several, ConstraintProbe
// finds the others at once. Where the context tells no line, halving finds the row.
//
// Runs inside the caller's transaction, between savepoints of its own (liteferry, liteferry_part),
// and leaves it usable unless it throws an error that is no row's. The last RELEASE SAVEPOINT goes
// out with the caller's next statement. One thread; keep it for the batches that follow, which tell
// it what to expect.
class RowLoader {
 public:
  // Asked about a unique violation (23505), an exclusion (23P01) and a foreign key (23503): true
  // has it thrown instead, for a caller that can do better than to reject. Nothing of the batch is
  // loaded then, and the transaction is usable.
  using StopAt = std::function<bool(const Error&)>;

  explicit RowLoader(PgConnection& connection) : connection_(connection) {}

  // Rejections in row order. Errors that are no row's fault are thrown.
  std::vector<ServerRejection> Load(const RowBatch& batch, std::string_view schema,
                                    std::string_view table, const StopAt& stop_at);
  // The same, to stop at every unique violation and exclusion, or at nothing.
  std::vector<ServerRejection> Load(const RowBatch& batch, std::string_view schema,
                                    std::string_view table, bool stop_at_unique);

  // Loads only the rows of these numbers, which were refused before; stops at nothing.
  std::vector<ServerRejection> LoadAgain(const RowBatch& batch,
                                         const std::vector<std::size_t>& rows,
                                         std::string_view schema, std::string_view table);

  // COPY commands sent so far.
  std::int64_t copies() const { return copies_; }

 private:
  class Attempt;

  static constexpr double kFarApart = 1e9;  // rows; no refusal is expected

  std::size_t SegmentRows() const;
  void NoteRefusal(std::size_t rows_before);
  void NoteCleanSegment();

  PgConnection& connection_;
  std::int64_t copies_ = 0;
  double apart_ = kFarApart;  // how many rows refusals are apart, of late
};

}  // namespace liteferry::target
