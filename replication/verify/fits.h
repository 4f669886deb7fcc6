#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "replication/base/value.h"
#include "replication/target/convert.h"
#include "replication/target/types.h"

// The rules of VALUES.md for numbers and times. Not for use outside of forms.cc.
namespace liteferry::verify {

// The form as text, or nothing for a value that the type cannot hold.
using Fitted = std::optional<std::string>;

// A number as the bytes that it is.
template <typename Number>
std::string Bits(Number value) {
  std::string bits(sizeof value, '\0');
  std::memcpy(bits.data(), &value, sizeof value);
  return bits;
}

template <typename Number>
Number FromBits(std::string_view bits) {
  Number number{};
  std::memcpy(&number, bits.data(), std::min(bits.size(), sizeof number));
  return number;
}

Fitted FitBool(const Value& value);
Fitted FitInteger(const Value& value, std::int64_t least, std::int64_t most);
Fitted FitDouble(const Value& value);
Fitted FitFloat(const Value& value);
Fitted FitNumeric(const Value& value, const target::TargetType& type);
Fitted FitMoney(const Value& value);

Fitted FitDate(const Value& value, config::Epoch epoch);
Fitted FitClock(const Value& value, const target::TargetType& type);
Fitted FitTimestamp(const Value& value, const target::TargetType& type, config::Epoch epoch);

}  // namespace liteferry::verify
