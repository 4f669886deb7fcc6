#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "replication/target/row_encoder.h"

namespace liteferry::target {

class PgConnection;
class RowBatch;

// Asks the server which rows of a batch one constraint will refuse, all in one query and by the
// columns of the constraint only: a unique index, a CHECK of the table or of a column's domain. A
// COPY finds such rows one by one, and has taken in and given up many good rows for each.
// Statements run in the caller's transaction. One thread, for one Load().
class ConstraintProbe {
 public:
  // `constraint` and `column` as an error of COPY names them.
  ConstraintProbe(PgConnection& connection, std::string_view schema, std::string_view table,
                  std::string_view constraint, std::string_view column, const RowEncoder& encoder);

  // False where nothing can be asked: partial indexes, expressions, columns that are not in the
  // rows, rows in text format.
  bool usable() const { return !columns_.empty(); }

  struct Found {
    std::size_t row = 0;
    bool certain = false;  // else it only equals an earlier one of the rows asked about
  };

  // Those of `rows` (numbers in the batch, ascending) that the constraint refuses as the table is
  // now. Throws Error like any statement, also where the constraint itself fails for a row.
  std::vector<Found> Find(const RowBatch& batch, const std::vector<std::size_t>& rows);

 private:
  struct Column {
    std::size_t place = 0;  // in the encoder's columns
    std::uint32_t array_oid = 0;
    std::string alias;
  };

  std::vector<std::string> Arrays(const RowBatch& batch,
                                  const std::vector<std::size_t>& rows) const;
  std::string Query() const;

  PgConnection& connection_;
  const RowEncoder& encoder_;
  const std::string target_;  // qualified and quoted
  std::string condition_;     // of a CHECK; empty for a unique index
  std::vector<Column> columns_;
};

}  // namespace liteferry::target
