#include "replication/scan_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "replication/base/text.h"
#include "replication/target/json_syntax.h"

namespace liteferry {

using target::TypeKind;

bool IsBrokenJson(const Value& value, const target::TargetType& type) {
  const TypeKind kind = type.kind;
  if (kind != TypeKind::kJson && kind != TypeKind::kJsonb) return false;
  if (value.storage != StorageClass::kText && value.storage != StorageClass::kBlob) return false;
  const bool jsonb = kind == TypeKind::kJsonb;
  if (value.bytes.find('\0') == std::string_view::npos) {
    return !target::IsJson(value.bytes, jsonb);
  }
  std::string stripped(value.bytes);
  std::erase(stripped, '\0');
  return !target::IsJson(stripped, jsonb);
}

bool MayRound(const Value& value, TypeKind kind) {
  switch (kind) {
    case TypeKind::kBool:
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kChar:
    case TypeKind::kBytea:
    case TypeKind::kUuid:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
    case TypeKind::kEnum:
      return false;
    default:
      return value.storage == StorageClass::kText || value.storage == StorageClass::kReal;
  }
}

std::string ShownValue(const Value& value) {
  constexpr std::size_t kMost = 60;
  switch (value.storage) {
    case StorageClass::kNull:
      return "NULL";
    case StorageClass::kInteger:
      return std::to_string(value.integer);
    case StorageClass::kReal:
      return fmt::format("{}", value.real);
    case StorageClass::kBlob:
      return "x'" + ToHex(value.bytes.substr(0, kMost / 2)) +
             (value.bytes.size() > kMost / 2 ? "'…" : "'");
    case StorageClass::kText:
      break;
  }
  if (!IsValidUtf8(value.bytes))
    return "CAST(" + ShownValue(Value::Blob(value.bytes)) + " AS TEXT)";
  std::string_view text = value.bytes;
  std::size_t end = std::min(text.size(), kMost);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) {
    --end;
  }
  std::string literal = "'";
  for (const char c : text.substr(0, end)) {
    if (c == '\0') {
      literal += "\\0";
      continue;
    }
    if (c == '\'') literal += '\'';
    literal += c;
  }
  return literal + (end < text.size() ? "'…" : "'");
}

}  // namespace liteferry
