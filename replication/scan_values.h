#pragma once

#include <string>

#include "replication/base/value.h"
#include "replication/target/types.h"

// What the scan says of single values. Pure.
namespace liteferry {

// Whether the server will refuse as no JSON what the encoder takes.
bool IsBrokenJson(const Value& value, const target::TargetType& type);

// Whether digits of such a value may be dropped, so that it is worth asking.
bool MayRound(const Value& value, target::TypeKind kind);

// The value as an SQL literal of SQLite, cut; a NUL is shown as \0.
std::string ShownValue(const Value& value);

}  // namespace liteferry
