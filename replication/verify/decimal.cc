#include "replication/verify/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace liteferry::verify {
namespace {

// Beyond this an exponent only says that the number does not fit.
constexpr std::int64_t kMostExponent = 1'000'000;
// PostgreSQL's limits of a numeric without precision.
constexpr std::int64_t kMostWholeDigits = 131'072;
constexpr std::int64_t kMostFractionDigits = 16'383;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// True when a sign was taken that is a minus.
bool TakeSign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  const bool minus = text[0] == '-';
  text.remove_prefix(1);
  return minus;
}

bool TakeExponent(std::string_view text, std::int64_t& exponent) {
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  const bool minus = TakeSign(text);
  const std::string_view digits = TakeDigits(text);
  if (digits.empty() || !text.empty()) return false;
  for (const char c : digits) {
    if (exponent <= kMostExponent) exponent = exponent * 10 + (c - '0');
  }
  if (minus) exponent = -exponent;
  return true;
}

// From scientific digits ("1.25e+06") to the form of printf's %g, with exponents from 15 on.
std::string Rearrange(std::string_view scientific) {
  std::string out;
  if (scientific[0] == '-') {
    out = "-";
    scientific.remove_prefix(1);
  }
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  const std::size_t skip = scientific[e + 1] == '+' ? 2 : 1;
  std::from_chars(scientific.data() + e + skip, scientific.data() + scientific.size(), exponent);
  std::string digits(1, scientific[0]);
  if (e > 2) digits += scientific.substr(2, e - 2);
  if (exponent < -4 || exponent >= 15) {
    out += digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    const std::string power = std::to_string(std::abs(exponent));
    return out + (exponent < 0 ? "e-" : "e+") + (power.size() < 2 ? "0" : "") + power;
  }
  if (exponent < 0)
    return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0');
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

template <typename Number>
std::string Print(Number value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char text[64];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  return Rearrange(std::string_view(text, static_cast<std::size_t>(end - text)));
}

template <typename Number>
std::optional<Number> Nearest(std::string_view text) {
  const auto decimal = ParseDecimal(text);
  if (!decimal) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  Number value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || std::isinf(value)) return std::nullopt;
  if (value == 0 && !decimal->digits.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Decimal> ParseDecimal(std::string_view text) {
  Decimal number;
  number.negative = TakeSign(text);
  const std::string_view whole = TakeDigits(text);
  std::string_view fraction;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    fraction = TakeDigits(text);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  std::int64_t exponent = 0;
  if (!TakeExponent(text, exponent)) return std::nullopt;
  number.digits.append(whole).append(fraction);
  number.digits.erase(0, std::min(number.digits.find_first_not_of('0'), number.digits.size()));
  number.scale = static_cast<std::int64_t>(fraction.size()) - exponent;
  return number;
}

std::string PrintDecimal(const Decimal& number) {
  std::string digits = number.digits;
  if (number.scale < 0 && !digits.empty())
    digits.append(static_cast<std::size_t>(-number.scale), '0');
  const auto fraction = static_cast<std::size_t>(std::max<std::int64_t>(number.scale, 0));
  if (digits.size() <= fraction) digits.insert(0, fraction + 1 - digits.size(), '0');
  if (fraction > 0) digits.insert(digits.size() - fraction, ".");
  return (number.negative && !number.digits.empty() ? "-" : "") + digits;
}

std::optional<std::string> FitDecimal(Decimal number, int precision, int scale) {
  if (precision == 0) {
    const auto whole = static_cast<std::int64_t>(number.digits.size()) - number.scale;
    if (!number.digits.empty() && whole > kMostWholeDigits) return std::nullopt;
    if (number.scale > kMostFractionDigits) return std::nullopt;
    return PrintDecimal(number);
  }
  while (number.scale > scale && !number.digits.empty() && number.digits.back() == '0') {
    number.digits.pop_back();
    --number.scale;
  }
  if (number.digits.empty()) {
    number.scale = std::max(scale, 0);
    return PrintDecimal(number);
  }
  if (number.scale > scale) return std::nullopt;
  const std::int64_t zeros = scale - number.scale;
  if (static_cast<std::int64_t>(number.digits.size()) + zeros > precision) return std::nullopt;
  number.digits.append(static_cast<std::size_t>(zeros), '0');
  number.scale = scale;
  return PrintDecimal(number);
}

std::string PrintDouble(double value) { return Print(value); }
std::string PrintFloat(float value) { return Print(value); }

std::optional<double> NearestDouble(std::string_view text) { return Nearest<double>(text); }
std::optional<float> NearestFloat(std::string_view text) { return Nearest<float>(text); }

}  // namespace liteferry::verify
