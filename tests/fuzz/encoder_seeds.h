#pragma once

#include <string>

#include "tests/fuzz/encoder_input.h"
#include "tests/replication/target/random_values.h"

namespace liteferry::fuzz {

// An input for the fuzz target: mostly a plausible value for its type.
inline std::string RandomInput(testing::RandomValues& random) {
  const std::size_t type = random.Below(Types().size());
  target::ConvertOptions options;
  options.on_invalid = static_cast<target::OnInvalid>(random.Below(3));
  options.epoch = static_cast<target::Epoch>(random.Below(5));
  const target::TypeKind kind = Types()[type].kind;
  const bool counts = kind == target::TypeKind::kDate || kind == target::TypeKind::kTimestamp ||
                      kind == target::TypeKind::kTimestampTz;
  if (counts && random.OneIn(2)) {
    const double day = static_cast<double>(random.Below(6'000'000'000)) / 1000;
    if (random.OneIn(2))
      return Pack(type, options, Value::Real(random.OneIn(2) ? day : random.Real()));
    return Pack(type, options, Value::Integer(random.Integer()));
  }
  const std::size_t like = random.OneIn(10) ? random.Below(Types().size()) : type;
  return Pack(type, options, random.For(Types()[like]).value());
}

}  // namespace liteferry::fuzz
