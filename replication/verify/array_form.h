#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "replication/base/value.h"
#include "replication/target/types.h"

namespace liteferry::verify {

// What one element must be, as text for the server's input function; nothing when it does not fit.
using FitElement = std::function<std::optional<std::string>(const Value& element)>;

// An array written as JSON or in PostgreSQL's own form, by the rules of VALUES.md, as text in
// PostgreSQL's form that its input function reads; nothing when it is no such array. Shares no code
// with what encodes arrays for the target.
std::optional<std::string> FitArray(std::string_view text, const target::TargetType& type,
                                    const FitElement& fit);

}  // namespace liteferry::verify
