#include "replication/target/types.h"

#include <string_view>
#include <utility>

namespace liteferry::target {
namespace {

constexpr std::int32_t kVarlenaHeader = 4;  // added to the length in a typmod

// As format_type() names arrays.
std::string WithoutBrackets(const std::string& name) {
  constexpr std::string_view kBrackets = "[]";
  return name.ends_with(kBrackets) ? name.substr(0, name.size() - kBrackets.size()) : name;
}

}  // namespace

TypeKind KindOfType(std::uint32_t oid, char typtype, const std::string& typname) {
  switch (oid) {
    case 16:
      return TypeKind::kBool;
    case 17:
      return TypeKind::kBytea;
    case 19:  // name
    case 25:
      return TypeKind::kText;
    case 20:
      return TypeKind::kInt8;
    case 21:
      return TypeKind::kInt2;
    case 23:
      return TypeKind::kInt4;
    case 114:
      return TypeKind::kJson;
    case 700:
      return TypeKind::kFloat4;
    case 701:
      return TypeKind::kFloat8;
    case 1042:
      return TypeKind::kChar;
    case 1043:
      return TypeKind::kVarchar;
    case 1082:
      return TypeKind::kDate;
    case 1083:
      return TypeKind::kTime;
    case 1114:
      return TypeKind::kTimestamp;
    case 1184:
      return TypeKind::kTimestampTz;
    case 1700:
      return TypeKind::kNumeric;
    case 2950:
      return TypeKind::kUuid;
    case 3802:
      return TypeKind::kJsonb;
    default:
      break;
  }
  if (typtype == 'e') return TypeKind::kEnum;
  // An extension's type has another OID in each database. Its binary form is that of text.
  if (typtype == 'b' && typname == "citext") return TypeKind::kText;
  return TypeKind::kOther;
}

void MakeArray(TargetType& type, TargetType element, char delimiter) {
  element.typmod = type.typmod;
  // Not of type.name: that may be the name of a domain over the array.
  element.base_name = WithoutBrackets(type.base_name);
  element.name = element.base_name;
  type.kind = TypeKind::kArray;
  type.element = std::make_shared<const TargetType>(std::move(element));
  type.delimiter = delimiter;
}

bool HasBinaryForm(const TargetType& type) {
  const TypeKind kind = type.kind == TypeKind::kArray ? type.element->kind : type.kind;
  return kind != TypeKind::kOther;
}

std::int32_t LengthLimit(const TargetType& type) {
  const bool limited = type.kind == TypeKind::kVarchar || type.kind == TypeKind::kChar;
  return limited && type.typmod > kVarlenaHeader ? type.typmod - kVarlenaHeader : 0;
}

NumericLimit NumericLimits(const TargetType& type) {
  if (type.kind != TypeKind::kNumeric || type.typmod < kVarlenaHeader) return {};
  const std::int32_t packed = type.typmod - kVarlenaHeader;
  // The scale is a signed field of 11 bits since PostgreSQL 15, and was never over 1000 before.
  return {packed >> 16 & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024};
}

std::int32_t FractionDigits(const TargetType& type) {
  const bool has_fraction = type.kind == TypeKind::kTime || type.kind == TypeKind::kTimestamp ||
                            type.kind == TypeKind::kTimestampTz;
  return has_fraction && type.typmod >= 0 && type.typmod < 6 ? type.typmod : 6;
}

}  // namespace liteferry::target
