#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "replication/column_profile.h"
#include "replication/source/catalog.h"
#include "replication/target/types.h"

namespace liteferry {

// How SQLite converts what is stored in a column, by its declared type (datatype3.html).
enum class Affinity : std::uint8_t { kInteger, kText, kBlob, kReal, kNumeric };
Affinity AffinityOf(std::string_view declared_type);

// A built-in type; `length` of varchar and char, or precision and scale of numeric.
target::TargetType MakeType(target::TypeKind kind, std::int32_t length = 0, std::int32_t scale = 0);
// The type that a configuration names, such as "numeric(10,2)" or "timestamptz". One that is not
// known here is kOther: the server will know it.
target::TargetType NamedType(std::string_view name);

// A type that a declaration suggests.
struct TypeCandidate {
  target::TargetType type;
  // Taken only when there are values and all of them fit: the declaration alone says too little.
  bool needs_evidence = false;
};
// What the declared type of `column` suggests, best first; one from the settings stands alone.
// Empty where it says nothing: no declared type, ANY. `epoch` and `type` of `settings` decide when
// given.
std::vector<TypeCandidate> SuggestedTypes(const source::SourceColumn& column, bool strict,
                                          const config::ColumnSettings& settings);

// What a scan found in one column.
struct ColumnEvidence {
  ColumnProfile profile;
  std::vector<std::int64_t> misfits;  // of each suggested type: values that VALUES.md refuses it
};

struct TypeChoice {
  target::TargetType type;
  std::string reason;         // why it is not the suggested type, or ""
  std::int64_t rejected = 0;  // values that even this type does not take
};

// The first suggested type that takes every value found, else the narrowest of bigint, double
// precision, numeric, timestamp, timestamptz, text and bytea that does. Without evidence by the
// declaration alone. Pure.
TypeChoice ChooseType(const source::SourceColumn& column, bool strict,
                      const config::ColumnSettings& settings, const ColumnEvidence* evidence);

// Whether every value that `profile` counts fits `type`, by VALUES.md; only for the types that
// ChooseType falls back to. May say no where a closer look would say yes.
bool ProfileFits(const ColumnProfile& profile, target::TypeKind type);

}  // namespace liteferry
