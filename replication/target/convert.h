#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "replication/base/value.h"
#include "replication/target/types.h"

namespace liteferry::target {

using config::Epoch;
using config::OnInvalid;

struct ConvertOptions {
  OnInvalid on_invalid = OnInvalid::kReject;
  Epoch epoch = Epoch::kNone;
};

// Why a value cannot be held by its column: a sentence part without the value itself, e.g. "integer
// out of range for smallint".
struct CellError {
  std::string reason;
};

// Converts one SQLite value to one PostgreSQL value: exactly or not at all (P6). The rules are
// those of replication/VALUES.md. Appends to `out` the value in the form that PostgreSQL's binary
// receive function of type.kind reads (without the length word), or in its text form where
// HasBinaryForm() says no. `is_null` is set where the result is NULL (nothing is appended then). On
// error `out` is as before. `rounded`, where asked for, becomes true when digits are dropped that
// VALUES.md lets drop, and is left alone otherwise. Pure; no allocation in the ordinary case.
std::optional<CellError> ConvertBinary(const Value& value, const TargetType& type,
                                       const ConvertOptions& options, std::string& out,
                                       bool& is_null, bool* rounded = nullptr);

// The same value in PostgreSQL's text form, unescaped: what its input function reads.
std::optional<CellError> ConvertText(const Value& value, const TargetType& type,
                                     const ConvertOptions& options, std::string& out, bool& is_null,
                                     bool* rounded = nullptr);

}  // namespace liteferry::target
