#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "replication/base/value.h"
#include "replication/target/convert.h"

// What the encoder's fuzz target reads: byte 0 chooses the type, byte 1 the options, byte 2 the
// storage class; the rest is the value (8 bytes, the lowest first, of an INTEGER or REAL).
namespace liteferry::fuzz {

// Every kind of type, with and without modifiers, and arrays of them.
const std::vector<target::TargetType>& Types();

struct Input {
  const target::TargetType* type = nullptr;
  target::ConvertOptions options;
  Value value;  // its bytes are those of the input
};

Input Unpack(std::string_view bytes);
// The inverse; `type` is an index into Types().
std::string Pack(std::size_t type, const target::ConvertOptions& options, const Value& value);

}  // namespace liteferry::fuzz
