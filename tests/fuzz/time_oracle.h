#pragma once

#include <string>
#include <string_view>

#include "tests/fuzz/encoder_input.h"

namespace liteferry::fuzz {

// CheckBinary() for date, time, timestamp and timestamptz.
std::string CheckTime(const Input& input, std::string_view binary);

}  // namespace liteferry::fuzz
