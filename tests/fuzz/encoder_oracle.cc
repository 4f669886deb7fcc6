#include "tests/fuzz/encoder_oracle.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "tests/fuzz/array_oracle.h"
#include "tests/fuzz/big_endian.h"
#include "tests/fuzz/decimal.h"
#include "tests/fuzz/time_oracle.h"

namespace liteferry::fuzz {
namespace {

using target::TargetType;
using target::TypeKind;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

// A number that is not NaN or infinite, as a decimal.
std::string DecimalOf(const Value& value) {
  if (value.storage == StorageClass::kInteger) return Canonical(std::to_string(value.integer));
  if (value.storage == StorageClass::kReal) return Canonical(Shortest(value.real));
  return Canonical(value.bytes);
}

std::string CheckBool(const Value& value, std::string_view binary) {
  if (binary.size() != 1 || (binary[0] != 0 && binary[0] != 1)) return "not a boolean";
  const bool truth = binary[0] == 1;
  const std::string_view words = truth ? "|1|t|true|y|yes|on|" : "|0|f|false|n|no|off|";
  const double number =
      value.storage == StorageClass::kReal ? value.real : static_cast<double>(value.integer);
  const bool same = value.storage == StorageClass::kText
                        ? words.find("|" + Lower(value.bytes) + "|") != std::string_view::npos
                        : number == (truth ? 1 : 0);
  return same ? "" : "another truth";
}

std::string CheckInteger(const Value& value, std::string_view binary, std::size_t size) {
  if (binary.size() != size) return "integer of another size";
  if (value.storage == StorageClass::kReal && !std::isfinite(value.real)) return "not finite";
  const std::string meant =
      value.storage == StorageClass::kReal ? Canonical(Exact(value.real)) : DecimalOf(value);
  return Canonical(std::to_string(SignedBig(binary))) == meant ? "" : "another integer";
}

// The double that a value stands for; nothing where only another number is near.
std::optional<double> DoubleOf(const Value& value) {
  if (value.storage == StorageClass::kReal) return value.real;
  if (value.storage == StorageClass::kText) {
    return std::strtod(std::string(value.bytes).c_str(), nullptr);
  }
  const auto real = static_cast<double>(value.integer);
  if (Canonical(Shortest(real)).empty() || std::fabs(real) >= 9.3e18) return std::nullopt;
  if (real < 9223372036854775808.0 && static_cast<std::int64_t>(real) == value.integer) return real;
  return std::nullopt;
}

std::string CheckFloat8(const Value& value, std::string_view binary) {
  if (binary.size() != 8) return "double of another size";
  const auto stored = std::bit_cast<double>(static_cast<std::uint64_t>(SignedBig(binary)));
  const auto meant = DoubleOf(value);
  if (!meant) return "integer without a double was taken";
  if (std::isnan(stored) && std::isnan(*meant)) return "";
  return std::bit_cast<std::uint64_t>(stored) == std::bit_cast<std::uint64_t>(*meant)
             ? ""
             : "another double";
}

std::string CheckFloat4(const Value& value, std::string_view binary) {
  if (binary.size() != 4) return "float of another size";
  const auto stored = std::bit_cast<float>(static_cast<std::uint32_t>(SignedBig(binary)));
  const auto meant = DoubleOf(value);
  if (!meant) return "integer without a double was taken";
  if (std::isnan(stored) && std::isnan(*meant)) return "";
  if (std::signbit(stored) != std::signbit(*meant)) return "another sign";
  if (static_cast<double>(stored) == *meant) return "";
  if (!std::isfinite(stored) || !std::isfinite(*meant)) return "infinity from a number";
  return std::strtod(ShortestFloat(stored).c_str(), nullptr) == *meant ? "" : "another float";
}

// As numeric_send() writes it: groups, weight, sign, scale, groups of four digits.
std::string NumericText(std::string_view binary) {
  if (binary.size() < 8) return "";
  const std::int64_t groups = SignedBig(binary.substr(0, 2));
  const std::int64_t weight = SignedBig(binary.substr(2, 2));
  if (static_cast<std::int64_t>(binary.size()) != 8 + 2 * groups) return "";
  std::string digits;
  for (std::int64_t i = 0; i < groups; ++i) {
    const std::int64_t group = SignedBig(binary.substr(static_cast<std::size_t>(8 + 2 * i), 2));
    if (group < 0 || group > 9999) return "";
    const std::string text = std::to_string(group);
    digits += std::string(4 - text.size(), '0') + text;
  }
  const std::string sign = SignedBig(binary.substr(4, 2)) == 0x4000 ? "-" : "";
  return sign + (digits.empty() ? "0" : digits) + "e" + std::to_string(4 * (weight - groups + 1));
}

// The server would round, or refuse: more fraction digits, or more whole ones, than the type has.
bool FitsNumeric(const std::string& canonical, const TargetType& type) {
  if (type.typmod == -1 || canonical == "0") return true;
  const std::int32_t precision = (type.typmod - 4) >> 16;
  const std::int32_t packed = (type.typmod - 4) & 0x7ff;
  const std::int32_t scale = packed >= 1024 ? packed - 2048 : packed;
  const std::size_t e = canonical.find('e');
  const long last = std::strtol(canonical.c_str() + e + 1, nullptr, 10);
  const auto digits = static_cast<long>(e) - (canonical[0] == '-' ? 1 : 0);
  return last >= -scale && last + digits <= precision - scale;
}

std::string CheckNumeric(const Value& value, const TargetType& type, std::string_view binary) {
  if (binary.size() >= 8 && (SignedBig(binary.substr(4, 2)) & 0xffff) == 0xc000) {
    const bool nan =
        value.storage == StorageClass::kReal ? std::isnan(value.real) : Lower(value.bytes) == "nan";
    return nan && binary.size() == 8 ? "" : "NaN from a number";
  }
  if (value.storage == StorageClass::kReal && !std::isfinite(value.real)) return "not finite";
  const std::string stored = Canonical(NumericText(binary));
  if (stored.empty()) return "not a numeric";
  if (!FitsNumeric(stored, type)) return "more digits than fit";
  if (stored == DecimalOf(value)) return "";
  if (value.storage != StorageClass::kReal) return "another number";
  char fifteen[40];
  std::snprintf(fifteen, sizeof fifteen, "%.15g", value.real);
  if (type.typmod != -1 && stored == Canonical(fifteen)) return "";
  // Where two decimals of the same length give the same double, either will do.
  const bool same = std::strtod(NumericText(binary).c_str(), nullptr) == value.real &&
                    stored.size() <= DecimalOf(value).size() + 1;
  return same ? "" : "another number";
}

std::string CheckCharacters(const Input& input, std::string_view put) {
  const Value& value = input.value;
  if (!IsValidUtf8(put) || put.find('\0') != std::string_view::npos) return "not text";
  if (value.storage == StorageClass::kInteger) {
    return put == std::to_string(value.integer) ? "" : "another integer as text";
  }
  if (value.storage == StorageClass::kReal) {
    const double read = std::strtod(std::string(put).c_str(), nullptr);
    const bool same =
        std::bit_cast<std::uint64_t>(read) == std::bit_cast<std::uint64_t>(value.real);
    return same || (std::isnan(read) && std::isnan(value.real)) ? "" : "another real as text";
  }
  std::string kept(value.bytes);
  if (input.options.on_invalid == target::OnInvalid::kStripNul &&
      value.storage == StorageClass::kText) {
    kept.erase(std::remove(kept.begin(), kept.end(), '\0'), kept.end());
  }
  return put == kept ? "" : "another text";
}

std::string CheckLength(const TargetType& type, std::string_view put) {
  const auto characters = std::count_if(put.begin(), put.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
  });
  const bool limited = type.kind == TypeKind::kVarchar || type.kind == TypeKind::kChar;
  if (limited && characters > type.typmod - 4) return "more characters than fit";
  return type.oid == 19 && put.size() > 63 ? "more bytes than fit a name" : "";
}

std::string CheckUuid(const Value& value, std::string_view binary) {
  if (value.storage == StorageClass::kBlob) return binary == value.bytes ? "" : "another UUID";
  std::string hex;
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : binary) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4U];
    hex += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  std::string meant;
  for (const char c : Lower(value.bytes)) {
    if (c != '-' && c != '{' && c != '}') meant += c;
  }
  return hex == meant ? "" : "another UUID";
}

std::string CheckText(const Input& input, std::string_view binary) {
  const std::string problem = CheckCharacters(input, binary);
  return problem.empty() ? CheckLength(*input.type, binary) : problem;
}

}  // namespace

std::string CheckBinary(const Input& input, std::string_view binary) {
  const Value& value = input.value;
  const TargetType& type = *input.type;
  switch (type.kind) {
    case TypeKind::kBool:
      return CheckBool(value, binary);
    case TypeKind::kInt2:
      return CheckInteger(value, binary, 2);
    case TypeKind::kInt4:
      return CheckInteger(value, binary, 4);
    case TypeKind::kInt8:
      return CheckInteger(value, binary, 8);
    case TypeKind::kFloat4:
      return CheckFloat4(value, binary);
    case TypeKind::kFloat8:
      return CheckFloat8(value, binary);
    case TypeKind::kNumeric:
      return CheckNumeric(value, type, binary);
    case TypeKind::kBytea:
      return binary == value.bytes ? "" : "other bytes";
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return CheckTime(input, binary);
    case TypeKind::kUuid:
      return CheckUuid(value, binary);
    case TypeKind::kJsonb:
      if (!binary.starts_with('\1')) return "no version before jsonb";
      return CheckCharacters(input, binary.substr(1));
    case TypeKind::kEnum: {
      const auto& labels = type.enum_labels;
      const bool known = std::find(labels.begin(), labels.end(), binary) != labels.end();
      return known && binary == value.bytes ? "" : "another label";
    }
    case TypeKind::kArray:
      return CheckArray(input, binary);
    case TypeKind::kOther:
      if (type.name == "money") {
        return Canonical(binary) == DecimalOf(value) || value.storage == StorageClass::kReal
                   ? ""
                   : "other money";
      }
      return CheckCharacters(input, binary);
    default:
      return CheckText(input, binary);
  }
}

}  // namespace liteferry::fuzz
