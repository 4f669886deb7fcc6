#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/base/value.h"
#include "replication/target/convert.h"
#include "replication/target/types.h"

namespace liteferry::target {

struct EncodedColumn {
  std::string name;
  TargetType type;
  ConvertOptions options;
  bool not_null = false;  // NULL is rejected here, before the server would
  bool key = false;       // finds the row: what is no IsUsualKey is rejected
};

enum class CopyFormat : std::uint8_t { kBinary, kText };

struct RowRejection {
  std::size_t column = 0;  // into the columns of the encoder
  StorageClass storage = StorageClass::kNull;
  std::string reason;
};

// Encodes rows of one table for COPY: binary where every type of it has a binary form here, else
// text (HasBinaryForm). Not a connection: it only makes
// bytes. Immutable; any thread.
class RowEncoder {
 public:
  explicit RowEncoder(std::vector<EncodedColumn> columns);

  CopyFormat format() const { return format_; }
  const std::vector<EncodedColumn>& columns() const { return columns_; }
  // COPY "schema"."table" ("a", "b") FROM STDIN (FORMAT …).
  std::string CopyStatement(std::string_view schema, std::string_view table) const;

  // INSERT INTO "schema"."table" ("a", "b") OVERRIDING SYSTEM VALUE VALUES ($1, $2): does to one
  // row of the binary format what COPY would, rules of the table apart.
  std::string InsertStatement(std::string_view schema, std::string_view table) const;
  // The fields of a row that AppendRow() made in binary format, without their length words; nothing
  // for NULL. They point into `row`.
  std::vector<std::optional<std::string_view>> Fields(std::string_view row) const;

  // What comes before the first and after the last row; empty for text.
  std::string_view header() const;
  std::string_view trailer() const;

  // Appends one row (values in the order of the columns). On rejection `out` is as before.
  std::optional<RowRejection> AppendRow(Row row, std::string& out) const;

 private:
  std::string ColumnList() const;

  std::vector<EncodedColumn> columns_;
  CopyFormat format_;
};

// Builds the parameters of DELETE … USING unnest($1, $2) for a set of keys: one array per key
// column, in binary, or text[] where the type has no array of its own here (the statement casts
// it).
class KeyArrays {
 public:
  explicit KeyArrays(std::vector<EncodedColumn> key_columns);

  // False when some key value has no form in its type: then no row on the target can have this key.
  bool Add(Row key);
  std::size_t size() const { return size_; }
  void Clear();

  // "DELETE FROM schema.table AS t USING unnest($1::int4[], …) AS d(k1, …) WHERE t.k = d.k1 AND …".
  std::string DeleteStatement(std::string_view schema, std::string_view table) const;
  // The same, but of keys that are known by their print (key_writing.h) only rows that print as the
  // key was written.
  std::string DeletePrinted(std::string_view schema, std::string_view table) const;
  // For keys of such types: deletes the others, and returns the number of each key, from 1.
  std::string DeleteMisprinted(std::string_view schema, std::string_view table) const;
  // To be appended to either: " AND d.k1 <= (…)" so that of integers only those are looked up that
  // do not lie above all that the table has. "" for other keys.
  std::string UpToLargest(std::string_view schema, std::string_view table) const;
  bool known_by_print() const;
  // The array of key column `i` in PostgreSQL's binary array form; array_oid() is its type.
  std::string BinaryArray(std::size_t i) const;
  std::uint32_t array_oid(std::size_t i) const;
  std::size_t columns() const { return columns_.size(); }

 private:
  std::string Delete(std::string_view schema, std::string_view table,
                     std::string_view number) const;
  std::string PrintedAlike() const;

  std::vector<EncodedColumn> columns_;
  std::vector<std::string> elements_;  // per column: length word and bytes of each element
  std::vector<std::size_t> before_;    // per column: the size before the key being added
  std::size_t size_ = 0;
};

}  // namespace liteferry::target
