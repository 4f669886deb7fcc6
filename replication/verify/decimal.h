#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Decimal numbers as the comparison understands them. Written for verification alone: it shares no
// code with what encodes values for the target.
namespace liteferry::verify {

// Sign, digits without leading zeros (empty for zero) and how many of them stand behind the point
// (negative: so many zeros follow).
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t scale = 0;
};

// [+-] digits with or without a point, with or without an exponent. Nothing for any other text.
std::optional<Decimal> ParseDecimal(std::string_view text);

// Without an exponent, as PostgreSQL prints a numeric: `scale` digits behind the point, or none
// where the number has a negative scale. Zero has no sign.
std::string PrintDecimal(const Decimal& number);

// The number as numeric(precision, scale) holds it, printed; nothing when it does not fit without
// losing a digit. precision 0 stands for numeric without limits.
std::optional<std::string> FitDecimal(Decimal number, int precision, int scale);

// The shortest decimal that gives the same number again, as PostgreSQL prints a double precision
// (100000, 0.0001, 1e+15); also NaN, Infinity, -Infinity, -0.
std::string PrintDouble(double value);
// Ditto, of a real; exponents are used as for a double, which the server reads all the same.
std::string PrintFloat(float value);

// Nearest number to a decimal text. Nothing where the text is no decimal, and where the result is
// infinite, or zero for a number that is not.
std::optional<double> NearestDouble(std::string_view text);
std::optional<float> NearestFloat(std::string_view text);

}  // namespace liteferry::verify
