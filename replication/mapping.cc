#include "replication/mapping.h"

#include <fnmatch.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/source/capture.h"

namespace liteferry {
namespace {

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

target::ConvertOptions Options(const config::ColumnSettings& settings) {
  target::ConvertOptions options;
  options.on_invalid = settings.on_invalid;
  options.epoch = settings.epoch;
  return options;
}

// Builds the mapping of one table, collecting problems instead of stopping at the first.
class TablePairing {
 public:
  TablePairing(const source::SourceTable& source, const target::TargetTable& target,
               const config::TableSettings& settings, Mapping& mapping)
      : settings_(settings), mapping_(mapping) {
    table_.source = source;
    table_.target = target;
  }

  void Run() {
    const std::string obstacle = source::CaptureObstacle(table_.source);
    if (!obstacle.empty()) {
      Problem("cannot be captured: " + obstacle,
              "Leave it out with source.exclude, or change the index.");
    }
    if (!table_.target.owned) {
      Problem("target table " + table_.QualifiedTarget() + " is not owned by the connected role",
              "Connect as its owner, or ALTER TABLE … OWNER TO the role.");
    }
    PairColumns();
    CheckTargetOnly();
    FindKey();
    if (problems_ == 0) mapping_.tables.push_back(std::move(table_));
  }

 private:
  void Problem(std::string message, std::string hint) {
    ++problems_;
    mapping_.problems.push_back({table_.source.name, std::move(message), std::move(hint)});
  }
  void Note(const std::string& text) {
    mapping_.notes.push_back("table " + table_.source.name + ": " + text);
  }

  void PairColumns() {
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < table_.source.columns.size(); ++i) {
      const source::SourceColumn& column = table_.source.columns[i];
      if (column.hidden) continue;
      const auto configured = settings_.columns.find(column.name);
      const config::ColumnSettings settings =
          configured == settings_.columns.end() ? config::ColumnSettings{} : configured->second;
      const std::string& wanted = settings.target.empty() ? column.name : settings.target;
      bool ambiguous = false;
      const target::TargetColumn* found = FindByName(table_.target.columns, wanted, ambiguous);
      if (found == nullptr && column.generated) {
        Note("generated column " + column.name + " has no counterpart and is not copied");
      } else if (found == nullptr) {
        missing.push_back(wanted + (ambiguous ? " (ambiguous)" : ""));
      } else if (found->generated) {
        Note("column " + column.name + " is generated on the target and computed there");
        computed_.insert(found->name);
      } else if (!taken_.insert(found->name).second) {
        Problem("two columns are paired with target column " + found->name,
                "Name the targets under tables." + table_.source.name + ".columns.");
      } else {
        table_.columns.push_back({static_cast<int>(i), *found, Options(settings)});
      }
    }
    for (const auto& [name, settings] : settings_.columns) {
      const auto named = [&name = name](const auto& column) { return column.name == name; };
      if (std::none_of(table_.source.columns.begin(), table_.source.columns.end(), named)) {
        Problem("configured column " + name + " does not exist", "Correct the configuration file.");
      }
    }
    if (missing.empty()) return;
    Problem("target table " + table_.QualifiedTarget() + " lacks " +
                (missing.size() == 1 ? "column " : "columns ") + Join(missing, ", "),
            "Run the application's migrations on the target, or name the pair under tables." +
                table_.source.name + ".columns.");
  }

  void CheckTargetOnly() {
    std::vector<std::string> unfilled;
    for (const target::TargetColumn& column : table_.target.columns) {
      if (taken_.contains(column.name) || computed_.contains(column.name)) continue;
      if (column.name == kHiddenRowidColumn) continue;
      table_.target_only.push_back(column.name);
      const bool filled = column.has_default || column.generated || !column.not_null ||
                          column.identity != target::Identity::kNone;
      if (!filled) unfilled.push_back(column.name);
    }
    if (unfilled.empty()) return;
    Problem("target table " + table_.QualifiedTarget() +
                " has NOT NULL columns without a default that " +
                "the source lacks: " + Join(unfilled, ", "),
            "Give them a default, or allow NULL until the cutover.");
  }

  void FindKey() {
    if (table_.source.key_kind == source::KeyKind::kRowid) {
      if (table_.source.rowid_alias.empty()) {
        Problem("has no key, and its columns hide every name of the rowid",
                "Give it a primary key, or leave it out with source.exclude.");
        return;
      }
      AddHiddenRowid();
      return;
    }
    std::vector<std::string> names;
    for (const int source_column : table_.source.key_columns) {
      const auto at =
          std::find_if(table_.columns.begin(), table_.columns.end(),
                       [&](const ColumnPair& pair) { return pair.source == source_column; });
      if (at == table_.columns.end()) {
        const std::string& name =
            table_.source.columns[static_cast<std::size_t>(source_column)].name;
        Problem("key column " + name + " has no counterpart that can be written", "");
        return;
      }
      table_.key.push_back(static_cast<std::size_t>(at - table_.columns.begin()));
      names.push_back(at->target.name);
    }
    for (const target::TargetUnique& unique : table_.target.uniques) {
      if (!unique.usable_as_key || !SameSet(unique.columns, names)) continue;
      if (table_.key_index.empty() || unique.primary_key) table_.key_index = unique.index_name;
    }
    if (table_.key_index.empty()) {
      Problem("target table " + table_.QualifiedTarget() +
                  " has no primary key or unique constraint on (" + Join(names, ", ") + ")",
              "Add one there: rows are found by it.");
    }
  }

  void AddHiddenRowid() {
    target::TargetColumn column;
    column.name = kHiddenRowidColumn;
    column.type.kind = target::TypeKind::kInt8;
    column.type.oid = 20;
    column.type.name = column.type.base_name = "bigint";
    table_.hidden_rowid = true;
    table_.key.push_back(table_.columns.size());
    table_.columns.push_back({-1, column, {}});
    Note("has no key: rows are told apart by the rowid, in the hidden column " +
         std::string(kHiddenRowidColumn) + " until the end of the migration");
  }

  static bool SameSet(std::vector<std::string> a, std::vector<std::string> b) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    return a == b;
  }

  const config::TableSettings& settings_;
  Mapping& mapping_;
  TableMapping table_;
  std::set<std::string> taken_;
  std::set<std::string> computed_;
  int problems_ = 0;
};

}  // namespace

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
  for (const ColumnPair& pair : columns) {
    encoded.push_back({pair.target.name, pair.target.type, pair.options, pair.target.not_null});
  }
  return target::RowEncoder(std::move(encoded));
}

std::vector<target::EncodedColumn> TableMapping::KeyColumns() const {
  std::vector<target::EncodedColumn> encoded;
  for (const std::size_t position : key) {
    const ColumnPair& pair = columns[position];
    encoded.push_back({pair.target.name, pair.target.type, pair.options, true});
  }
  return encoded;
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

Mapping BuildMapping(const source::SourceCatalog& source, const target::TargetCatalog& target,
                     const config::Settings& settings) {
  Mapping mapping;
  std::set<std::string> taken;
  for (const source::SourceTable& table : source.tables) {
    if (!IsSelected(table.name, settings)) continue;
    const auto configured = settings.tables.find(table.name);
    const config::TableSettings table_settings =
        configured == settings.tables.end() ? config::TableSettings{} : configured->second;
    const std::string& wanted = table_settings.target.empty() ? table.name : table_settings.target;
    bool ambiguous = false;
    const target::TargetTable* found = FindByName(target.tables, wanted, ambiguous);
    if (found == nullptr) {
      mapping.problems.push_back(
          {table.name,
           ambiguous ? "several target tables differ from " + wanted + " in case only"
                     : "has no counterpart " + wanted + " in schema " + settings.target.schema,
           ambiguous ? "Name the one that is meant as tables." + table.name + ".target."
                     : "Run the application's migrations on the target, name it as tables." +
                           table.name + ".target, or leave the table out with source.exclude."});
    } else if (!taken.insert(found->name).second) {
      mapping.problems.push_back({table.name, "two source tables are paired with " + found->name,
                                  "Name the pairs under tables."});
    } else {
      TablePairing(table, *found, table_settings, mapping).Run();
    }
  }
  for (const auto& [name, unused] : settings.tables) {
    const auto named = [&name = name](const auto& table) { return table.name == name; };
    if (std::none_of(source.tables.begin(), source.tables.end(), named)) {
      mapping.problems.push_back({name, "is configured but does not exist in the source",
                                  "Correct the configuration file."});
    }
  }
  return mapping;
}

}  // namespace liteferry
