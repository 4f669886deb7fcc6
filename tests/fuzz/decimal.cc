#include "tests/fuzz/decimal.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace liteferry::fuzz {
namespace {

std::string Printed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return text.data();
}

}  // namespace

std::string Canonical(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  long long exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    exponent = std::strtoll(std::string(text.substr(e + 1)).c_str(), nullptr, 10);
    text = text.substr(0, e);
  }
  std::string digits;
  const std::size_t point = text.find('.');
  digits.append(text.substr(0, point));
  if (point != std::string_view::npos) {
    digits.append(text.substr(point + 1));
    exponent -= static_cast<long long>(text.size() - point - 1);
  }
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return "";
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return "0";
  const std::size_t last = digits.find_last_not_of('0');
  exponent += static_cast<long long>(digits.size() - 1 - last);
  return (negative ? "-" : "") + digits.substr(first, last - first + 1) + "e" +
         std::to_string(exponent);
}

std::string Exact(double value) {
  std::array<char, 400> text{};
  std::snprintf(text.data(), text.size(), "%.20f", value);
  return text.data();
}

std::string Shortest(double value) {
  for (int digits = 1; digits < 17; ++digits) {
    std::string text = Printed(value, digits);
    if (std::strtod(text.c_str(), nullptr) == value) return text;
  }
  return Printed(value, 17);
}

std::string ShortestFloat(float value) {
  for (int digits = 1; digits < 9; ++digits) {
    std::string text = Printed(static_cast<double>(value), digits);
    if (std::strtof(text.c_str(), nullptr) == value) return text;
  }
  return Printed(static_cast<double>(value), 9);
}

}  // namespace liteferry::fuzz
