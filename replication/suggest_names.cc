#include <algorithm>
#include <set>
#include <utility>

#include "replication/base/text.h"
#include "replication/suggest.h"

namespace liteferry {
namespace {

// CustomerId, customer_id and customerID alike.
std::string Squashed(const std::string& name) {
  std::string squashed = ToLowerAscii(name);
  std::erase(squashed, '_');
  return squashed;
}

template <typename T>
bool HasName(const std::vector<T>& all, const std::string& name) {
  const std::string folded = ToLowerAscii(name);
  return std::any_of(all.begin(), all.end(),
                     [&](const T& one) { return ToLowerAscii(one.name) == folded; });
}

// The only one of `all` that is written with the letters of `name` and not `taken`; else null.
template <typename T>
const T* OnlyAlike(const std::vector<T>& all, const std::string& name,
                   const std::set<std::string>& taken) {
  const T* found = nullptr;
  for (const T& one : all) {
    if (Squashed(one.name) != Squashed(name) || taken.contains(one.name)) continue;
    if (found != nullptr) return nullptr;
    found = &one;
  }
  return found;
}

const target::TargetTable* TableNamed(const target::TargetCatalog& target,
                                      const std::string& name) {
  const target::TargetTable* found = nullptr;
  for (const target::TargetTable& table : target.tables) {
    if (table.name == name) return &table;
    if (ToLowerAscii(table.name) == ToLowerAscii(name)) found = &table;
  }
  return found;
}

void SuggestColumnNames(const source::SourceTable& source, const target::TargetTable& target,
                        NameSuggestions& suggestions) {
  const auto configured = suggestions.settings.tables.find(source.name);
  const config::TableSettings none;
  const config::TableSettings& settings =
      configured == suggestions.settings.tables.end() ? none : configured->second;
  const auto target_of = [&](const std::string& column) {
    const auto found = settings.columns.find(column);
    return found == settings.columns.end() || found->second.target.empty() ? column
                                                                           : found->second.target;
  };
  std::set<std::string> taken;
  for (const target::TargetColumn& column : target.columns) {
    for (const source::SourceColumn& one : source.columns) {
      if (ToLowerAscii(target_of(one.name)) == ToLowerAscii(column.name)) taken.insert(column.name);
    }
  }
  std::vector<std::pair<std::string, std::string>> found;
  for (const source::SourceColumn& column : source.columns) {
    if (column.hidden || target_of(column.name) != column.name) continue;
    if (HasName(target.columns, column.name)) continue;
    const auto* alike = OnlyAlike(target.columns, column.name, taken);
    if (alike == nullptr) continue;
    taken.insert(alike->name);
    found.emplace_back(column.name, alike->name);
  }
  for (const auto& [column, name] : found) {
    suggestions.settings.tables[source.name].columns[column].target = name;
    suggestions.evidence["tables." + source.name + ".columns." + column] =
        "the only column written with these letters";
  }
}

}  // namespace

NameSuggestions SuggestNames(const source::SourceCatalog& source,
                             const target::TargetCatalog& target,
                             const config::Settings& settings) {
  NameSuggestions suggestions;
  suggestions.settings = settings;
  const auto wanted = [&](const source::SourceTable& table) {
    const auto found = settings.tables.find(table.name);
    return found == settings.tables.end() || found->second.target.empty() ? table.name
                                                                          : found->second.target;
  };
  std::set<std::string> taken;
  for (const source::SourceTable& table : source.tables) {
    const auto* found = TableNamed(target, wanted(table));
    if (found != nullptr && IsSelected(table.name, settings)) taken.insert(found->name);
  }
  for (const source::SourceTable& table : source.tables) {
    if (!IsSelected(table.name, settings)) continue;
    const target::TargetTable* found = TableNamed(target, wanted(table));
    if (found == nullptr && wanted(table) == table.name) {
      found = OnlyAlike(target.tables, table.name, taken);
      if (found == nullptr) {
        suggestions.unpaired.push_back(table.name);
        continue;
      }
      taken.insert(found->name);
      suggestions.settings.tables[table.name].target = found->name;
      suggestions.evidence["tables." + table.name] = "the only table written with these letters";
    }
    if (found != nullptr) SuggestColumnNames(table, *found, suggestions);
  }
  return suggestions;
}

}  // namespace liteferry
