#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "replication/base/text.h"
#include "replication/verify/decimal.h"
#include "replication/verify/fits.h"

namespace liteferry::verify {
namespace {

using target::TargetType;

bool IsTrue(std::string_view word) {
  return word == "t" || word == "true" || word == "y" || word == "yes" || word == "on" ||
         word == "1";
}

bool IsFalse(std::string_view word) {
  return word == "f" || word == "false" || word == "n" || word == "no" || word == "off" ||
         word == "0";
}

// NaN and the infinities as words.
std::optional<double> SpecialNumber(std::string_view text) {
  std::string word = ToLowerAscii(text);
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  const bool minus = word.starts_with('-');
  if (minus || word.starts_with('+')) word.erase(0, 1);
  if (word != "inf" && word != "infinity") return std::nullopt;
  const double infinity = std::numeric_limits<double>::infinity();
  return minus ? -infinity : infinity;
}

// A real holds a double that is the same number, or that a reader of its digits would get.
Fitted FloatOf(double number) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  const bool beyond = std::isfinite(number) && std::fabs(number) > static_cast<double>(kLargest);
  const float narrow =
      beyond ? std::copysign(kLargest, number < 0 ? -1.0F : 1.0F) : static_cast<float>(number);
  if (std::isnan(number) || static_cast<double>(narrow) == number) return Bits(narrow);
  if (std::isinf(narrow) || NearestDouble(PrintFloat(narrow)) != number) return std::nullopt;
  return Bits(narrow);
}

// A REAL with more digits than the column has is read at the 15 digits that are certain.
Fitted FitRealDecimal(double number, int precision, int scale) {
  if (!std::isfinite(number)) return std::nullopt;
  const auto shortest = ParseDecimal(PrintDouble(number));
  if (precision == 0) return FitDecimal(*shortest, 0, 0);
  if (auto fits = FitDecimal(*shortest, precision, scale)) return fits;
  if (shortest->scale <= scale) return std::nullopt;
  char text[40];
  std::snprintf(text, sizeof text, "%.14e", number);
  return FitDecimal(*ParseDecimal(text), precision, scale);
}

}  // namespace

Fitted FitBool(const Value& value) {
  switch (value.storage) {
    case StorageClass::kInteger:
      if (value.integer == 0 || value.integer == 1) return value.integer == 1 ? "t" : "f";
      return std::nullopt;
    case StorageClass::kReal:
      if (value.real == 0 || value.real == 1) return value.real == 1 ? "t" : "f";
      return std::nullopt;
    case StorageClass::kText: {
      const std::string word = ToLowerAscii(value.bytes);
      if (IsTrue(word)) return "t";
      if (IsFalse(word)) return "f";
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

Fitted FitInteger(const Value& value, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  if (value.storage == StorageClass::kInteger) {
    number = value.integer;
  } else if (value.storage == StorageClass::kReal) {
    // 2^63 itself is out of range; NaN fails both comparisons.
    if (!(value.real >= -0x1p63 && value.real < 0x1p63)) return std::nullopt;
    number = static_cast<std::int64_t>(value.real);
    if (static_cast<double>(number) != value.real) return std::nullopt;
  } else if (value.storage == StorageClass::kText) {
    std::string_view text = value.bytes;
    if (text.starts_with('+')) text.remove_prefix(1);
    if (text.size() < value.bytes.size() && text.starts_with('-')) return std::nullopt;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (number < least || number > most) return std::nullopt;
  return std::to_string(number);
}

Fitted FitDouble(const Value& value) {
  switch (value.storage) {
    case StorageClass::kReal:
      return Bits(value.real);
    case StorageClass::kInteger: {
      const auto number = static_cast<double>(value.integer);
      // 2^63 as a double is one more than any integer.
      if (number >= 0x1p63 || static_cast<std::int64_t>(number) != value.integer)
        return std::nullopt;
      return Bits(number);
    }
    case StorageClass::kText: {
      const auto special = SpecialNumber(value.bytes);
      const auto number = special ? special : NearestDouble(value.bytes);
      return number ? Fitted(Bits(*number)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

Fitted FitFloat(const Value& value) {
  const Fitted wide = FitDouble(value);
  return wide ? FloatOf(FromBits<double>(*wide)) : std::nullopt;
}

Fitted FitNumeric(const Value& value, const TargetType& type) {
  const target::NumericLimit limit = target::NumericLimits(type);
  switch (value.storage) {
    case StorageClass::kInteger:
      return FitDecimal(*ParseDecimal(std::to_string(value.integer)), limit.precision, limit.scale);
    case StorageClass::kReal:
      return FitRealDecimal(value.real, limit.precision, limit.scale);
    case StorageClass::kText: {
      if (ToLowerAscii(value.bytes) == "nan") return "NaN";
      const auto number = ParseDecimal(value.bytes);
      return number ? FitDecimal(*number, limit.precision, limit.scale) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// Two fraction digits; what the server would read by itself beyond that is not taken.
Fitted FitMoney(const Value& value) {
  switch (value.storage) {
    case StorageClass::kInteger: {
      const std::string digits = std::to_string(value.integer);
      if (digits.size() - (digits[0] == '-' ? 1 : 0) > 17) return std::nullopt;
      return digits;
    }
    case StorageClass::kReal:
      return FitRealDecimal(value.real, 19, 2);
    case StorageClass::kText: {
      const auto number = ParseDecimal(value.bytes);
      if (!number || value.bytes.find_first_of("eE") != std::string_view::npos) return std::nullopt;
      return FitDecimal(*number, 19, 2);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace liteferry::verify
