#pragma once

#include <string>
#include <string_view>

namespace liteferry::fuzz {

// A decimal number, as written or with an exponent, in one form for every number: sign, digits
// without zeros at either end, "e", the power of the last digit; "0" for zero. Empty for what is no
// number.
std::string Canonical(std::string_view text);

// All the digits of a double without an exponent; those of its fraction are cut off at the
// twentieth.
std::string Exact(double value);

// The fewest significant digits, from `from` to `to`, that give the same double (or float) again.
std::string Shortest(double value);
std::string ShortestFloat(float value);

}  // namespace liteferry::fuzz
