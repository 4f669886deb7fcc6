#include "replication/target/row_encoder.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/target/convert_internal.h"
#include "replication/target/key_writing.h"

namespace liteferry::target {
namespace {

using internal::Sink;
using internal::StoreLength;

// Signature, flags, length of the header's extension: COPY's documentation, "Binary Format".
constexpr std::string_view kBinaryHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view kBinaryTrailer("\377\377", 2);
constexpr std::int32_t kNullLength = -1;

CopyFormat FormatFor(const std::vector<EncodedColumn>& columns) {
  for (const EncodedColumn& column : columns) {
    if (!HasBinaryForm(column.type)) return CopyFormat::kText;
  }
  return CopyFormat::kBinary;
}

bool NeedsEscape(char c) { return (c >= '\b' && c <= '\r') || c == '\\'; }

// What stands after the backslash.
char EscapeLetter(char c) {
  constexpr std::string_view kLetters = "btnvfr";  // in the order of their codes, from \b
  return c == '\\' ? c : kLetters[static_cast<std::size_t>(c - '\b')];
}

// Escapes out[from..] in place, from the end, for COPY's text format.
void EscapeFrom(std::string& out, std::size_t from) {
  std::size_t extra = 0;
  for (std::size_t i = from; i < out.size(); ++i) extra += NeedsEscape(out[i]) ? 1 : 0;
  if (extra == 0) return;
  std::size_t read = out.size();
  out.resize(out.size() + extra);
  for (std::size_t write = out.size(); read != write;) {
    const char c = out[--read];
    const bool escape = NeedsEscape(c);
    out[--write] = escape ? EscapeLetter(c) : c;
    if (escape) out[--write] = '\\';
  }
}

// Appends one field, with what stands before it. On rejection `out` is left as it happens to be.
std::optional<CellError> AppendField(const Value& value, const EncodedColumn& column,
                                     CopyFormat format, std::string& out) {
  const std::size_t before = out.size();
  std::optional<CellError> error;
  bool is_null = false;
  if (format == CopyFormat::kBinary) {
    out.append(4, '\0');
    error = ConvertBinary(value, column.type, column.options, out, is_null);
    if (!error && !is_null) StoreLength(out, before);
  } else {
    error = ConvertText(value, column.type, column.options, out, is_null);
    if (!error && !is_null) EscapeFrom(out, before);
  }
  if (!error && !is_null && column.key && !IsUsualKey(value, column.type, column.options)) {
    return CellError{"key is not written in a usual way, so another row may have the same one"};
  }
  if (error || !is_null) return error;
  if (column.not_null) {
    return CellError{value.is_null() ? "NULL in a column that is NOT NULL"
                                     : "value is invalid and its column takes no NULL instead"};
  }
  out.resize(before);
  if (format == CopyFormat::kBinary) {
    Sink{out}.Big(kNullLength);
  } else {
    out.append("\\N");
  }
  return std::nullopt;
}

// How the values of a key column travel.
struct KeyForm {
  std::uint32_t element_oid = 25;
  std::uint32_t array_oid = 1009;
  std::string_view array_name = "text[]";
  bool native = false;  // else text, cast to the column's type by the statement
};

struct NativeForm {
  TypeKind kind;
  KeyForm form;
};

constexpr NativeForm kNativeForms[] = {
    {TypeKind::kBool, {16, 1000, "bool[]", true}},
    {TypeKind::kBytea, {17, 1001, "bytea[]", true}},
    {TypeKind::kInt8, {20, 1016, "int8[]", true}},
    {TypeKind::kInt2, {21, 1005, "int2[]", true}},
    {TypeKind::kInt4, {23, 1007, "int4[]", true}},
    {TypeKind::kText, {25, 1009, "text[]", true}},
    {TypeKind::kFloat4, {700, 1021, "float4[]", true}},
    {TypeKind::kFloat8, {701, 1022, "float8[]", true}},
    // Not "character": that is character(1) and would cut the key. bpchar compares without the
    // blanks at the end, as the column does.
    {TypeKind::kChar, {1042, 1014, "bpchar[]", true}},
    {TypeKind::kVarchar, {1043, 1015, "varchar[]", true}},
    {TypeKind::kDate, {1082, 1182, "date[]", true}},
    {TypeKind::kTime, {1083, 1183, "time[]", true}},
    {TypeKind::kTimestamp, {1114, 1115, "timestamp[]", true}},
    {TypeKind::kTimestampTz, {1184, 1185, "timestamptz[]", true}},
    {TypeKind::kNumeric, {1700, 1231, "numeric[]", true}},
    {TypeKind::kUuid, {2950, 2951, "uuid[]", true}},
};

// citext and name are of kind kText, but compare in their own way: they go as text with a cast. So
// does what is known by its print, which is compared as text too.
KeyForm KeyFormOf(const TargetType& type) {
  if (IsKnownByPrint(type)) return {};
  for (const NativeForm& native : kNativeForms) {
    if (native.kind == type.kind && native.form.element_oid == type.oid) return native.form;
  }
  return {};
}

// The type that a key's text is cast to. It has the column's modifier, because the server applied
// that when it stored the key: interval(0) rounds. Bit strings are the exception: there the server
// refuses another length when it stores, but an explicit cast cuts, and '101' would find the row
// '10'.
std::string_view CastName(const TargetType& type) {
  constexpr std::uint32_t kBit = 1560;
  constexpr std::uint32_t kVarbit = 1562;
  if (type.oid == kBit) return "pg_catalog.\"bit\"";
  return type.oid == kVarbit ? "bit varying" : std::string_view(type.base_name);
}

}  // namespace

RowEncoder::RowEncoder(std::vector<EncodedColumn> columns)
    : columns_(std::move(columns)), format_(FormatFor(columns_)) {}

std::string RowEncoder::ColumnList() const {
  std::string list;
  for (const EncodedColumn& column : columns_) {
    if (!list.empty()) list += ", ";
    list += QuoteIdentifier(column.name);
  }
  return list;
}

std::string RowEncoder::CopyStatement(std::string_view schema, std::string_view table) const {
  return "COPY " + QuoteQualified(schema, table) + " (" + ColumnList() + ") FROM STDIN (FORMAT " +
         (format_ == CopyFormat::kBinary ? "binary" : "text") + ")";
}

std::string RowEncoder::InsertStatement(std::string_view schema, std::string_view table) const {
  std::string sql = "INSERT INTO " + QuoteQualified(schema, table) + " (" + ColumnList() +
                    ") OVERRIDING SYSTEM VALUE VALUES (";
  for (std::size_t i = 1; i <= columns_.size(); ++i) {
    if (i > 1) sql += ", ";
    sql += "$" + std::to_string(i);
  }
  return sql + ")";
}

std::vector<std::optional<std::string_view>> RowEncoder::Fields(std::string_view row) const {
  Require(format_ == CopyFormat::kBinary, "a row in text format has no binary fields");
  std::vector<std::optional<std::string_view>> fields;
  fields.reserve(columns_.size());
  row.remove_prefix(sizeof(std::int16_t));  // number of fields
  while (!row.empty()) {
    const std::int32_t size =
        boost::endian::load_big_s32(reinterpret_cast<const unsigned char*>(row.data()));
    row.remove_prefix(sizeof size);
    if (size == kNullLength) {
      fields.emplace_back();
      continue;
    }
    fields.emplace_back(row.substr(0, static_cast<std::size_t>(size)));
    row.remove_prefix(static_cast<std::size_t>(size));
  }
  Require(fields.size() == columns_.size(), "a row has another number of fields than columns");
  return fields;
}

std::string_view RowEncoder::header() const {
  return format_ == CopyFormat::kBinary ? kBinaryHeader : std::string_view();
}

std::string_view RowEncoder::trailer() const {
  return format_ == CopyFormat::kBinary ? kBinaryTrailer : std::string_view();
}

std::optional<RowRejection> RowEncoder::AppendRow(Row row, std::string& out) const {
  Require(row.size() == columns_.size(), "row has another number of values than columns");
  const std::size_t before = out.size();
  if (format_ == CopyFormat::kBinary) Sink{out}.Big(static_cast<std::int16_t>(columns_.size()));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (format_ == CopyFormat::kText && i > 0) out.push_back('\t');
    auto error = AppendField(row[i], columns_[i], format_, out);
    // A row is one allocation on the server too, and in text format one line.
    if (!error && out.size() - before > internal::kMaxFieldBytes) {
      error = CellError{"row of more than 1 GiB exceeds PostgreSQL's limit"};
    }
    if (error) {
      out.resize(before);
      return RowRejection{i, row[i].storage, std::move(error->reason)};
    }
  }
  if (format_ == CopyFormat::kText) out.push_back('\n');
  return std::nullopt;
}

KeyArrays::KeyArrays(std::vector<EncodedColumn> key_columns)
    : columns_(std::move(key_columns)), elements_(columns_.size()), before_(columns_.size()) {}

bool KeyArrays::Add(Row key) {
  Require(key.size() == columns_.size(), "key has another number of values than columns");
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::string& out = elements_[i];
    before_[i] = out.size();
    out.append(4, '\0');
    bool is_null = false;
    const EncodedColumn& column = columns_[i];
    const auto convert = KeyFormOf(column.type).native ? ConvertBinary : ConvertText;
    const auto error = convert(key[i], column.type, column.options, out, is_null, nullptr);
    if (!error && !is_null) {
      StoreLength(out, before_[i]);
      continue;
    }
    for (std::size_t undo = 0; undo <= i; ++undo) elements_[undo].resize(before_[undo]);
    return false;
  }
  ++size_;
  return true;
}

void KeyArrays::Clear() {
  for (std::string& elements : elements_) elements.clear();
  size_ = 0;
}

bool KeyArrays::known_by_print() const {
  return std::any_of(columns_.begin(), columns_.end(),
                     [](const EncodedColumn& column) { return IsKnownByPrint(column.type); });
}

std::string KeyArrays::DeleteStatement(std::string_view schema, std::string_view table) const {
  return Delete(schema, table, "");
}

std::string KeyArrays::DeletePrinted(std::string_view schema, std::string_view table) const {
  const std::string printed = PrintedAlike();
  return Delete(schema, table, "") + (printed.empty() ? "" : " AND " + printed);
}

std::string KeyArrays::DeleteMisprinted(std::string_view schema, std::string_view table) const {
  return Delete(schema, table, ", n") + " AND NOT (" + PrintedAlike() + ") RETURNING d.n";
}

std::string KeyArrays::UpToLargest(std::string_view schema, std::string_view table) const {
  const TypeKind kind = columns_.front().type.kind;
  const bool integer =
      kind == TypeKind::kInt2 || kind == TypeKind::kInt4 || kind == TypeKind::kInt8;
  if (columns_.size() != 1 || !integer || !KeyFormOf(columns_.front().type).native) return "";
  return " AND d.k1 <= (SELECT max(" + QuoteIdentifier(columns_.front().name) + ") FROM " +
         QuoteQualified(schema, table) + ")";
}

// format() prints by the output function, which a cast to text need not do (inet).
std::string KeyArrays::PrintedAlike() const {
  std::string condition;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!IsKnownByPrint(columns_[i].type)) continue;
    if (!condition.empty()) condition += " AND ";
    condition += "format('%s', t." + QuoteIdentifier(columns_[i].name) + ") COLLATE \"C\" = d.k" +
                 std::to_string(i + 1);
  }
  return condition;
}

// `number` names the place of a key behind its columns, or is empty.
std::string KeyArrays::Delete(std::string_view schema, std::string_view table,
                              std::string_view number) const {
  std::string arrays;
  std::string names;
  std::string condition;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const KeyForm form = KeyFormOf(columns_[i].type);
    const std::string place = std::to_string(i + 1);
    if (i > 0) {
      arrays += ", ";
      names += ", ";
      condition += " AND ";
    }
    arrays += "$" + place + "::" + std::string(form.array_name);
    names += "k" + place;
    condition += "t." + QuoteIdentifier(columns_[i].name) + " = d.k" + place;
    if (!form.native) condition.append("::").append(CastName(columns_[i].type));
  }
  return "DELETE FROM " + QuoteQualified(schema, table) + " AS t USING unnest(" + arrays + ")" +
         (number.empty() ? "" : " WITH ORDINALITY") + " AS d(" + names + std::string(number) +
         ") WHERE " + condition;
}

std::string KeyArrays::BinaryArray(std::size_t i) const {
  std::string array;
  array.reserve(20 + elements_[i].size());
  const Sink sink{array};
  sink.Big(std::int32_t{size_ > 0 ? 1 : 0});  // dimensions
  sink.Big(std::int32_t{0});                  // no NULLs
  sink.Big(KeyFormOf(columns_[i].type).element_oid);
  if (size_ > 0) {
    sink.Big(static_cast<std::int32_t>(size_));
    sink.Big(std::int32_t{1});  // lower bound
  }
  sink.Bytes(elements_[i]);
  return array;
}

std::uint32_t KeyArrays::array_oid(std::size_t i) const {
  return KeyFormOf(columns_[i].type).array_oid;
}

}  // namespace liteferry::target
