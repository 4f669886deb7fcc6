#include "tests/fuzz/encoder_input.h"

#include <bit>

namespace liteferry::fuzz {
namespace {

using target::TargetType;
using target::TypeKind;

constexpr std::uint64_t kEpochs = 5;
constexpr std::uint64_t kOnInvalid = 3;

std::int32_t NumericTypmod(std::int32_t precision, std::int32_t scale) {
  return (precision << 16 | (scale & 0x7ff)) + 4;
}

TargetType Scalar(TypeKind kind, std::uint32_t oid, const char* name, std::int32_t typmod = -1) {
  TargetType type;
  type.kind = kind;
  type.oid = oid;
  type.typmod = typmod;
  type.name = type.base_name = name;
  if (kind == TypeKind::kEnum) type.enum_labels = {"sad", "O'K", "1", ""};
  return type;
}

std::vector<TargetType> Scalars() {
  return {
      Scalar(TypeKind::kBool, 16, "boolean"),
      Scalar(TypeKind::kInt2, 21, "smallint"),
      Scalar(TypeKind::kInt4, 23, "integer"),
      Scalar(TypeKind::kInt8, 20, "bigint"),
      Scalar(TypeKind::kFloat4, 700, "real"),
      Scalar(TypeKind::kFloat8, 701, "double precision"),
      Scalar(TypeKind::kNumeric, 1700, "numeric"),
      Scalar(TypeKind::kNumeric, 1700, "numeric(7,3)", NumericTypmod(7, 3)),
      Scalar(TypeKind::kNumeric, 1700, "numeric(2,-3)", NumericTypmod(2, -3)),
      Scalar(TypeKind::kText, 25, "text"),
      Scalar(TypeKind::kText, 19, "name"),
      Scalar(TypeKind::kVarchar, 1043, "character varying(5)", 9),
      Scalar(TypeKind::kChar, 1042, "character(4)", 8),
      Scalar(TypeKind::kBytea, 17, "bytea"),
      Scalar(TypeKind::kDate, 1082, "date"),
      Scalar(TypeKind::kTime, 1083, "time without time zone"),
      Scalar(TypeKind::kTime, 1083, "time(2) without time zone", 2),
      Scalar(TypeKind::kTimestamp, 1114, "timestamp without time zone"),
      Scalar(TypeKind::kTimestamp, 1114, "timestamp(3) without time zone", 3),
      Scalar(TypeKind::kTimestampTz, 1184, "timestamp with time zone"),
      Scalar(TypeKind::kUuid, 2950, "uuid"),
      Scalar(TypeKind::kJson, 114, "json"),
      Scalar(TypeKind::kJsonb, 3802, "jsonb"),
      Scalar(TypeKind::kEnum, 16400, "mood"),
      Scalar(TypeKind::kOther, 790, "money"),
      Scalar(TypeKind::kOther, 1186, "interval"),
      Scalar(TypeKind::kOther, 26, "oid"),
  };
}

std::vector<TargetType> AllTypes() {
  std::vector<TargetType> types = Scalars();
  for (const TargetType& element : Scalars()) {
    TargetType type;
    type.typmod = element.typmod;
    type.name = type.base_name = element.name + "[]";
    target::MakeArray(type, element, element.oid == 26 ? ';' : ',');
    types.push_back(type);
  }
  return types;
}

}  // namespace

const std::vector<TargetType>& Types() {
  static const std::vector<TargetType> types = AllTypes();
  return types;
}

Input Unpack(std::string_view bytes) {
  std::uint8_t head[3] = {};
  for (std::size_t i = 0; i < 3 && i < bytes.size(); ++i) {
    head[i] = static_cast<std::uint8_t>(bytes[i]);
  }
  bytes.remove_prefix(bytes.size() < 3 ? bytes.size() : 3);
  Input input;
  input.type = &Types()[head[0] % Types().size()];
  input.options.on_invalid = static_cast<target::OnInvalid>(head[1] % kOnInvalid);
  input.options.epoch = static_cast<target::Epoch>(head[1] / kOnInvalid % kEpochs);
  input.value.storage = static_cast<StorageClass>(head[2] % 5);
  std::uint64_t word = 0;
  for (std::size_t i = 8; i-- > 0;) {
    word = word << 8U | (i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0U);
  }
  if (input.value.storage == StorageClass::kInteger) {
    input.value.integer = static_cast<std::int64_t>(word);
  } else if (input.value.storage == StorageClass::kReal) {
    input.value.real = std::bit_cast<double>(word);
  } else if (input.value.storage != StorageClass::kNull) {
    input.value.bytes = bytes;
  }
  return input;
}

std::string Pack(std::size_t type, const target::ConvertOptions& options, const Value& value) {
  const auto choice = static_cast<std::uint64_t>(options.on_invalid) +
                      kOnInvalid * static_cast<std::uint64_t>(options.epoch);
  std::string bytes = {static_cast<char>(type), static_cast<char>(choice),
                       static_cast<char>(value.storage)};
  std::uint64_t word = value.storage == StorageClass::kReal
                           ? std::bit_cast<std::uint64_t>(value.real)
                           : static_cast<std::uint64_t>(value.integer);
  if (value.storage == StorageClass::kInteger || value.storage == StorageClass::kReal) {
    for (int i = 0; i < 8; ++i, word >>= 8U) bytes.push_back(static_cast<char>(word & 0xffU));
  }
  return bytes.append(value.bytes);
}

}  // namespace liteferry::fuzz
