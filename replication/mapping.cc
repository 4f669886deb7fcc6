#include "replication/mapping.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <utility>

#include "replication/base/text.h"
#include "replication/table_pairing.h"

namespace liteferry {

std::string TableMapping::Signature() const {
  std::string text = target.schema + '\0' + target.name;
  for (const ColumnPair& pair : columns) {
    text += '\0' + (pair.source < 0 ? std::string("rowid")
                                    : source.columns[static_cast<std::size_t>(pair.source)].name);
    text += '\0' + pair.target.name + '\0' + pair.target.type.name + '\0' +
            std::to_string(static_cast<int>(pair.options.epoch)) +
            std::to_string(static_cast<int>(pair.options.on_invalid));
  }
  for (const std::size_t position : key) text += '\0' + std::to_string(position);
  // FNV-1a: it only has to differ when the text does, and to be the same after a restart.
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return std::to_string(hash);
}

std::vector<int> TableMapping::SourceColumns() const {
  std::vector<int> numbers;
  for (const ColumnPair& pair : columns) {
    if (pair.source >= 0) numbers.push_back(pair.source);
  }
  return numbers;
}

target::RowEncoder TableMapping::Encoder() const {
  std::vector<target::EncodedColumn> encoded;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ColumnPair& pair = columns[i];
    // A unique constraint takes any number of NULLs, and none of them could be found again.
    const bool in_key = std::find(key.begin(), key.end(), i) != key.end();
    encoded.push_back(
        {pair.target.name, pair.target.type, pair.options, pair.target.not_null || in_key, in_key});
  }
  return target::RowEncoder(std::move(encoded));
}

std::vector<target::EncodedColumn> TableMapping::KeyColumns() const {
  std::vector<target::EncodedColumn> encoded;
  for (const std::size_t position : key) {
    const ColumnPair& pair = columns[position];
    encoded.push_back({pair.target.name, pair.target.type, pair.options, true, true});
  }
  return encoded;
}

PackedKey TableMapping::KeyOf(Row row) const {
  // Almost every key is of one column, and this is asked for every row.
  if (key.size() == 1) return PackKey(row.subspan(key.front(), 1));
  std::vector<Value> values;
  values.reserve(key.size());
  for (const std::size_t position : key) values.push_back(row[position]);
  return PackKey(values);
}

std::string TableMapping::QualifiedTarget() const {
  return QuoteQualified(target.schema, target.name);
}

bool IsSelected(const std::string& table, const config::Settings& settings) {
  const auto matches = [&table](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), table.c_str(), 0) == 0;
  };
  const auto& source = settings.source;
  if (std::any_of(source.exclude.begin(), source.exclude.end(), matches)) return false;
  return source.include.empty() ||
         std::any_of(source.include.begin(), source.include.end(), matches);
}

TargetPlace TargetPlaceOf(const std::string& source_table, const target::TargetCatalog& target,
                          const config::Settings& settings) {
  const auto configured = settings.tables.find(source_table);
  const std::string& schema = settings.target.schema;
  if (configured == settings.tables.end() || configured->second.target.empty()) {
    return {schema, CutName(source_table)};
  }
  const std::string& wanted = configured->second.target;
  const std::size_t dot = wanted.find('.');
  const bool plain = std::any_of(
      target.tables.begin(), target.tables.end(),
      [&](const auto& table) { return table.schema == schema && table.name == wanted; });
  if (dot == std::string::npos || dot == 0 || dot + 1 == wanted.size() || plain) {
    return {schema, wanted};
  }
  return {wanted.substr(0, dot), wanted.substr(dot + 1)};
}

namespace {

// Pairs tables; their columns are left to TablePairing.
class Pairing {
 public:
  Pairing(const source::SourceCatalog& source, const target::TargetCatalog& target,
          const config::Settings& settings)
      : source_(source), target_(target), settings_(settings) {}

  Mapping Run() {
    for (const source::SourceTable& table : source_.tables) {
      if (IsSelected(table.name, settings_)) Pair(table);
    }
    CheckSettings();
    return std::move(mapping_);
  }

 private:
  void Problem(const std::string& table, std::string message, std::string hint) {
    mapping_.problems.push_back({table, std::move(message), std::move(hint)});
  }

  void Pair(const source::SourceTable& table) {
    const TargetPlace wanted = TargetPlaceOf(table.name, target_, settings_);
    if (wanted.schema == settings_.target.state_schema) {
      Problem(table.name, "schema " + wanted.schema + " is liteferry's own",
              "Name another one under tables." + table.name + ".target.");
      return;
    }
    std::vector<target::TargetTable> candidates;
    for (const target::TargetTable& one : target_.tables) {
      if (one.schema == wanted.schema) candidates.push_back(one);
    }
    bool ambiguous = false;
    const target::TargetTable* found = FindByName(candidates, wanted.table, ambiguous);
    if (found == nullptr) {
      NoCounterpart(table, wanted, candidates, ambiguous);
      return;
    }
    const auto [other, is_new] = taken_.emplace(found->schema + '\0' + found->name, table.name);
    if (!is_new) {
      const bool cut = CutName(other->second) != other->second;
      Problem(table.name,
              "tables " + other->second + " and " + table.name + " are both paired with " +
                  found->name + (cut ? ": PostgreSQL cuts names after 63 bytes" : ""),
              "Name the pairs under tables.");
      return;
    }
    const auto configured = settings_.tables.find(table.name);
    PairTable(table, *found,
              configured == settings_.tables.end() ? config::TableSettings{} : configured->second,
              mapping_);
  }

  void NoCounterpart(const source::SourceTable& table, const TargetPlace& wanted,
                     const std::vector<target::TargetTable>& candidates, bool ambiguous) {
    const std::string path = "tables." + table.name + ".target";
    if (ambiguous) {
      Problem(table.name, "several target tables differ from " + wanted.table + " in case only",
              "Name the one that is meant as " + path + ".");
      return;
    }
    const auto other = target_.others.find(wanted.table);
    if (other != target_.others.end() && wanted.schema == settings_.target.schema) {
      Problem(table.name, wanted.table + " is a " + other->second + " in schema " + wanted.schema,
              "Name the table behind it as " + path + ", or leave it out with source.exclude.");
      return;
    }
    const bool named = wanted.table != CutName(table.name);
    Problem(table.name,
            "has no counterpart " + wanted.table + " in schema " + wanted.schema +
                (named ? NearestOf(candidates, wanted.table) : ""),
            "Run the application's migrations on the target, name it as " + path +
                " (`liteferry check --suggest` looks for names that are written alike), or leave "
                "the table out with source.exclude.");
  }

  // Names in the configuration that mean nothing here.
  void CheckSettings() {
    for (const auto& [name, unused] : settings_.tables) {
      if (HasNamed(source_.tables, name)) continue;
      Problem(name,
              "is configured but does not exist in the source" + NearestOf(source_.tables, name),
              "Correct the configuration file.");
    }
    for (const std::string& pattern : settings_.source.include) {
      const auto matches = [&](const source::SourceTable& table) {
        return ::fnmatch(pattern.c_str(), table.name.c_str(), 0) == 0;
      };
      if (std::any_of(source_.tables.begin(), source_.tables.end(), matches)) continue;
      if (pattern.find_first_of("*?[") != std::string::npos) {
        mapping_.notes.push_back("source.include: no table matches " + pattern);
      } else {
        Problem(pattern,
                "is in source.include but does not exist in the source" +
                    NearestOf(source_.tables, pattern),
                "Correct the configuration file.");
      }
    }
  }

  const source::SourceCatalog& source_;
  const target::TargetCatalog& target_;
  const config::Settings& settings_;
  Mapping mapping_;
  std::map<std::string, std::string> taken_;  // target table: source table
};

}  // namespace

Mapping BuildMapping(const source::SourceCatalog& source, const target::TargetCatalog& target,
                     const config::Settings& settings) {
  return Pairing(source, target, settings).Run();
}

}  // namespace liteferry
