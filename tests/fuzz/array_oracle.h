#pragma once

#include <string>
#include <string_view>

#include "tests/fuzz/encoder_input.h"

namespace liteferry::fuzz {

// CheckBinary() for arrays. JSON arrays are read by another parser and compared element by element;
// of PostgreSQL's own form only the shape of the result is looked at.
std::string CheckArray(const Input& input, std::string_view binary);

}  // namespace liteferry::fuzz
