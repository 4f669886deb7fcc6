#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "replication/base/text.h"
#include "replication/target/convert.h"

// What the tests of the conversion share: types, values, and one line per cell of VALUES.md.
namespace liteferry::target::cells {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr std::int64_t kMax64 = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMin64 = std::numeric_limits<std::int64_t>::min();
inline constexpr const char* kRefused = "<refused>";

inline TargetType Type(TypeKind kind, const char* name, std::int32_t typmod = -1) {
  TargetType type;
  type.kind = kind;
  type.name = type.base_name = name;
  type.typmod = typmod;
  return type;
}

inline const TargetType kBool = Type(TypeKind::kBool, "boolean");
inline const TargetType kInt2 = Type(TypeKind::kInt2, "smallint");
inline const TargetType kInt4 = Type(TypeKind::kInt4, "integer");
inline const TargetType kInt8 = Type(TypeKind::kInt8, "bigint");
inline const TargetType kFloat4 = Type(TypeKind::kFloat4, "real");
inline const TargetType kFloat8 = Type(TypeKind::kFloat8, "double precision");
inline const TargetType kNumeric = Type(TypeKind::kNumeric, "numeric");
inline const TargetType kText = Type(TypeKind::kText, "text");
inline const TargetType kVarchar5 = Type(TypeKind::kVarchar, "character varying(5)", 9);
inline const TargetType kChar3 = Type(TypeKind::kChar, "character(3)", 7);
inline const TargetType kBytea = Type(TypeKind::kBytea, "bytea");
inline const TargetType kDate = Type(TypeKind::kDate, "date");
inline const TargetType kTime = Type(TypeKind::kTime, "time without time zone");
inline const TargetType kTimestamp = Type(TypeKind::kTimestamp, "timestamp without time zone");
inline const TargetType kTimestampTz = Type(TypeKind::kTimestampTz, "timestamp with time zone");
inline const TargetType kUuid = Type(TypeKind::kUuid, "uuid");
inline const TargetType kJson = Type(TypeKind::kJson, "json");
inline const TargetType kJsonb = Type(TypeKind::kJsonb, "jsonb");

inline TargetType Other(std::uint32_t oid, const char* name) {
  TargetType type = Type(TypeKind::kOther, name);
  type.oid = oid;
  return type;
}
inline const TargetType kInterval = Other(1186, "interval");
inline const TargetType kMoney = Other(790, "money");
inline const TargetType kOid = Other(26, "oid");

inline TargetType IntArray() {
  TargetType type = Type(TypeKind::kArray, "integer[]");
  MakeArray(type, kInt4, ',');
  return type;
}

inline TargetType NumericOf(int precision, int scale) {
  return Type(TypeKind::kNumeric, "numeric(p,s)", ((precision << 16) | (scale & 0x7ff)) + 4);
}

inline TargetType Mood() {
  TargetType type = Type(TypeKind::kEnum, "mood");
  type.enum_labels = {"sad", "O'K", "1"};
  return type;
}

// The text form, "<refused>" or "<null>". Also checks that both forms agree on which of these it
// is, and that what stood in the buffer still stands there.
inline std::string Text(const Value& value, const TargetType& type,
                        const ConvertOptions& options = {}) {
  std::string text = "before";
  std::string binary = "before";
  bool text_null = false;
  bool binary_null = false;
  const auto text_error = ConvertText(value, type, options, text, text_null);
  const auto binary_error = ConvertBinary(value, type, options, binary, binary_null);
  EXPECT_EQ(text_error.has_value(), binary_error.has_value());
  EXPECT_EQ(text_null, binary_null);
  EXPECT_TRUE(text.starts_with("before"));
  EXPECT_TRUE(binary.starts_with("before"));
  if (text_error || text_null) {
    EXPECT_EQ(text, "before");
    EXPECT_EQ(binary, "before");
    return text_error ? kRefused : "<null>";
  }
  return text.substr(6);
}

inline std::string Hex(const Value& value, const TargetType& type,
                       const ConvertOptions& options = {}) {
  std::string out;
  bool is_null = false;
  if (ConvertBinary(value, type, options, out, is_null)) return kRefused;
  return is_null ? "<null>" : ToHex(out);
}

inline std::string Reason(const Value& value, const TargetType& type,
                          const ConvertOptions& options = {}) {
  std::string out;
  bool is_null = false;
  const auto error = ConvertBinary(value, type, options, out, is_null);
  return error ? error->reason : "";
}

inline Value I(std::int64_t value) { return Value::Integer(value); }
inline Value R(double value) { return Value::Real(value); }
inline Value T(std::string_view value) { return Value::Text(value); }
inline Value B(std::string_view value) { return Value::Blob(value); }

struct Cell {
  TargetType type;
  Value value;
  std::string expected;
};

inline std::string Describe(const Cell& cell) {
  return cell.type.name + " from " + std::string(ToString(cell.value.storage)) + " '" +
         std::string(cell.value.bytes) + "' " + std::to_string(cell.value.integer) + " " +
         std::to_string(cell.value.real);
}

inline void ExpectCells(const std::vector<Cell>& cells) {
  for (const Cell& cell : cells) {
    EXPECT_EQ(Text(cell.value, cell.type), cell.expected) << Describe(cell);
  }
}

}  // namespace liteferry::target::cells
