#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "config/options.h"
#include "config/settings.h"
#include "replication/base/text.h"
#include "replication/mapping.h"

// What BuildMapping is made of. Not for use elsewhere.
namespace liteferry {

// The element of `all` named `wanted`: exactly, else the only one that differs in case. `ambiguous`
// is set when several do.
template <typename T>
const T* FindByName(const std::vector<T>& all, const std::string& wanted, bool& ambiguous) {
  const T* found = nullptr;
  ambiguous = false;
  for (const T& one : all) {
    if (one.name == wanted) {
      ambiguous = false;
      return &one;
    }
    if (ToLowerAscii(one.name) == ToLowerAscii(wanted)) {
      ambiguous = ambiguous || found != nullptr;
      found = &one;
    }
  }
  return ambiguous ? nullptr : found;
}

template <typename T>
std::string NearestOf(const std::vector<T>& all, const std::string& name) {
  std::vector<std::string> names;
  for (const T& one : all) names.push_back(one.name);
  return names.empty() ? "" : "; the nearest name is " + config::Nearest(name, names);
}

template <typename T>
bool HasNamed(const std::vector<T>& all, const std::string& name) {
  return std::any_of(all.begin(), all.end(), [&](const T& one) { return one.name == name; });
}

// What PostgreSQL makes of `name`: at most 63 bytes, and no half character.
std::string CutName(const std::string& name);

// Pairs the columns of two tables that belong together, finds the key, and adds the result to
// `mapping`: a table, or the problems that forbid it. Pure.
void PairTable(const source::SourceTable& source, const target::TargetTable& target,
               const config::TableSettings& settings, Mapping& mapping);

}  // namespace liteferry
