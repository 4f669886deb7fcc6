#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace liteferry::target {

// How values of a PostgreSQL type are converted. Domains are resolved to their base type.
enum class TypeKind : std::uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kText,     // text, citext, name and other text-like types without a length
  kVarchar,  // varchar(n), or without n
  kChar,     // char(n)
  kBytea,
  kDate,
  kTime,
  kTimestamp,
  kTimestampTz,
  kUuid,
  kJson,
  kJsonb,
  kEnum,
  kArray,  // of any of these; of kOther too
  kOther,  // anything else: through its text form, read by the server's own input function
};

struct TargetType {
  TypeKind kind = TypeKind::kOther;
  std::uint32_t oid = 0;     // of the base type
  std::int32_t typmod = -1;  // of the column, or of the domain
  std::string name;          // as format_type() prints the column's own type
  std::string base_name;     // format_type() of the base type with its typmod, for casts
  bool folds = false;        // the column's collation calls different texts equal
  std::vector<std::string> enum_labels;
  std::shared_ptr<const TargetType> element;  // kArray: the type of its elements
  char delimiter = ',';                       // kArray: between elements in its text form
};

// From pg_type: the kind of a base type by its OID (built-in types have fixed ones) or its typtype.
TypeKind KindOfType(std::uint32_t oid, char typtype, const std::string& typname);

// Makes `type`, of which all but the kind is known, an array of `element`, of which only the kind
// and what belongs to its own type are: names and modifier are those of the array.
void MakeArray(TargetType& type, TargetType element, char delimiter);

// False for what is sent as text, to be read by the server's own input function: kOther, and arrays
// of it.
bool HasBinaryForm(const TargetType& type);

// varchar(n), char(n): n; 0 for no limit.
std::int32_t LengthLimit(const TargetType& type);
// numeric(p,s); precision 0 for no limit.
struct NumericLimit {
  std::int32_t precision = 0;
  std::int32_t scale = 0;
};
NumericLimit NumericLimits(const TargetType& type);
// timestamp(n), time(n): fraction digits kept, 6 without n.
std::int32_t FractionDigits(const TargetType& type);

}  // namespace liteferry::target
