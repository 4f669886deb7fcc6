#pragma once

#include <string>
#include <string_view>

#include "tests/fuzz/encoder_input.h"

// Judges what the encoder did, without its code: it decodes PostgreSQL's binary form and compares
// with the value that went in. Everything returns what is wrong, or an empty string.
namespace liteferry::fuzz {

// `binary` is what came of the value of `input`, which was accepted and is not NULL.
std::string CheckBinary(const Input& input, std::string_view binary);

// A reason must be one of the sentences known here, with names of types and counts in their places:
// so no part of a value can be in it.
std::string CheckReason(const Input& input, std::string_view reason);

}  // namespace liteferry::fuzz
