#pragma once

#include <deque>
#include <string>
#include <vector>

#include "replication/target/convert.h"

// Different keys of SQLite may be one key on PostgreSQL: a moment with a blank or with a T, a uuid
// with dashes or as a BLOB, 1 and '1'. Whoever writes the one must know of the other, or its row
// is lost. replication/VALUES.md, "Keys", has the rules.
namespace liteferry::target {

// The usual ways to write one key value, as SQLite holds them.
struct KeyWritings {
  std::vector<Value> values;  // point into `texts`
  std::deque<std::string> texts;

  void Clear();
  bool Has(const Value& value) const;
};

// Lists every usual way to write the key that `value` is in a column of `type`. The list depends on
// that key alone, never on how `value` itself is written, so keys that are one have one list. Empty
// for NULL and for a value that the type cannot hold. Pure.
void ListWritings(const Value& value, const TargetType& type, const ConvertOptions& options,
                  KeyWritings& writings);

// Whether `value`, which its column can hold, is among its own ListWritings. Where it is not, rows
// with the same key could not be found, so the row is rejected. Pure.
bool IsUsualKey(const Value& value, const TargetType& type, const ConvertOptions& options);

// Whether the server calls keys of this type equal that it prints differently, or prints them
// otherwise than they were written, so that no list could be complete: citext, interval, inet,
// jsonb. (Arrays are no keys.) A key must then be written as the server prints it, which only the
// server can say, and what it prints tells whose row it is.
bool IsKnownByPrint(const TargetType& type);

}  // namespace liteferry::target
