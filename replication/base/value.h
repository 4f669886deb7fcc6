#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry {

// SQLite's storage classes, which are those of a value, not of its column.
enum class StorageClass : std::uint8_t { kNull, kInteger, kReal, kText, kBlob };

std::string_view ToString(StorageClass storage);

// One value as SQLite holds it. A view: `bytes` (text as UTF-8, or a blob) belongs to whoever gave
// it, for a row that is the statement until its next step.
struct Value {
  StorageClass storage = StorageClass::kNull;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes;

  static Value Null() { return {}; }
  static Value Integer(std::int64_t v) { return {StorageClass::kInteger, v, 0, {}}; }
  static Value Real(double v) { return {StorageClass::kReal, 0, v, {}}; }
  static Value Text(std::string_view v) { return {StorageClass::kText, 0, 0, v}; }
  static Value Blob(std::string_view v) { return {StorageClass::kBlob, 0, 0, v}; }

  bool is_null() const { return storage == StorageClass::kNull; }
  // Same storage class and same bits: 1 and 1.0 differ, 'a' and 'A' differ.
  friend bool operator==(const Value& a, const Value& b);
};

using Row = std::span<const Value>;

// The key of a row as SQLite holds it, packed into one string: hashable, comparable for equality,
// and decodable again. Two keys are equal exactly when their packed forms are.
// Format, one entry per column: tag byte (n i r t b), then 8 bytes big-endian for i and r, 4 bytes
// big-endian length and the bytes for t and b.
using PackedKey = std::string;

PackedKey PackKey(Row key);
// The values point into `packed`. Throws Error (bug) if it is not such a form.
std::vector<Value> UnpackKey(std::string_view packed);

// The key as people and the state tables see it: a JSON array of numbers and strings; a blob, a
// real and text that is not UTF-8 are objects: {"blob":"<hex>"}, {"real":"<hex float>"},
// {"text":"<hex>"}.
std::string KeyToJson(Row key);
// The inverse. Throws Error (bug) when `json` is not such a form.
PackedKey KeyFromJson(std::string_view json);

// Whether `text` is valid UTF-8 as PostgreSQL means it (no surrogates, nothing over U+10FFFF). NUL
// counts as valid here.
bool IsValidUtf8(std::string_view text);

}  // namespace liteferry
