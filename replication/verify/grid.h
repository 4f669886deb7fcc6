#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/base/value.h"
#include "replication/mapping.h"
#include "replication/verify/forms.h"

namespace liteferry::target {
class PgConnection;
}

namespace liteferry::verify {

// 128 bits of a row or a value, under a key drawn at random by each process: that two different
// rows share one is as likely as guessing the key.
using Digest = std::array<std::uint64_t, 2>;
Digest DigestOf(std::string_view bytes);

// Rows of one table as forms (forms.h), cell by cell; of either side. Keeps its memory when
// emptied. One thread.
class Grid {
 public:
  explicit Grid(const TableMapping& table);

  // A row of the source, in the order of the mapping's columns.
  void AddExpected(Row row);
  // A row as COPY … TO STDOUT prints it, in the same order, with or without its newline. Throws
  // Error (bug) when it has another number of columns.
  void AddObserved(std::string_view line);
  // Asks the server for the forms that only it knows. Inside a transaction begun by BeginReading.
  void Resolve(target::PgConnection& connection);
  bool resolved() const { return !ask_; }
  void Clear();

  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return text_.size(); }
  std::size_t columns() const { return table_.columns.size(); }
  Form form(std::size_t row, std::size_t column) const { return cell(row, column).form; }
  std::string_view text(std::size_t row, std::size_t column) const;
  // Whether some column cannot hold the row's value.
  bool Unfit(std::size_t row) const;
  // The key of a row as one string, equal exactly when the forms are; "" when it is unfit.
  std::string Key(std::size_t row) const;
  Digest RowDigest(std::size_t row) const;
  std::vector<Digest> CellDigests(std::size_t row) const;

 private:
  struct Cell {
    std::uint64_t at = 0;
    std::uint32_t size = 0;
    Form form = Form::kNull;
  };

  const Cell& cell(std::size_t row, std::size_t column) const {
    return cells_[row * columns() + column];
  }

  const TableMapping& table_;
  std::vector<bool> in_key_;  // by column
  std::size_t rows_ = 0;
  std::vector<Cell> cells_;
  std::string text_;
  std::string scratch_;
  bool ask_ = false;
};

// Whether both rows have the same forms in every column.
bool SameRow(const Grid& a, std::size_t row_a, const Grid& b, std::size_t row_b);

// The form of a key alone, as Grid::Key makes it of the whole row; "" when it is unfit. `ask` is
// set where only the server knows it; then the result means nothing.
std::string KeyForm(const TableMapping& table, Row key, bool& ask);
// The forms of the key's columns; nothing for NULL.
std::vector<std::optional<std::string>> SplitKey(std::string_view key_form);

// Begins a read-only transaction of one snapshot on the target, with the settings that forms mean.
void BeginReading(target::PgConnection& connection);
// What the server's input and output functions of `type` make of each text; nothing for one that
// they refuse. Inside such a transaction.
std::vector<std::optional<std::string>> AskForms(target::PgConnection& connection,
                                                 const std::string& type,
                                                 const std::vector<std::string_view>& texts);

// The names of the mapping's columns on the target, quoted, with commas.
std::string ColumnList(const TableMapping& table);
// Resolve() in a transaction of its own; nothing where the server need not be asked.
void ResolveAlone(Grid& grid, target::PgConnection& connection);
// Whether rows of both sides can be read in the order of one integer: the rowid under any name.
bool HasIntegerKey(const TableMapping& table);
// An array of texts as PostgreSQL reads it.
std::string ArrayLiteral(const std::vector<std::string_view>& elements);

}  // namespace liteferry::verify
