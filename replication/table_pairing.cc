#include "replication/table_pairing.h"

#include <map>
#include <set>
#include <utility>

#include "replication/source/capture.h"

namespace liteferry {
namespace {

constexpr std::size_t kMostNameBytes = 63;  // of an identifier; PostgreSQL cuts off the rest

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
    if (table_.target.delete_rule) {
      Problem("target table " + table_.QualifiedTarget() + " has a rewrite rule for DELETE",
              "Disable or drop the rule on PostgreSQL for the time of the migration.");
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
    for (std::size_t i = 0; i < table_.source.columns.size(); ++i) {
      if (!table_.source.columns[i].hidden) PairColumn(static_cast<int>(i));
    }
    for (const auto& [name, settings] : settings_.columns) {
      if (HasNamed(table_.source.columns, name)) continue;
      Problem(
          "configured column " + name + " does not exist" + NearestOf(table_.source.columns, name),
          "Correct the configuration file.");
    }
    if (missing_.empty()) return;
    Problem("target table " + table_.QualifiedTarget() + " lacks " +
                (missing_.size() == 1 ? "column " : "columns ") + Join(missing_, ", "),
            "Run the application's migrations on the target, or name the pair under tables." +
                table_.source.name +
                ".columns (`liteferry check --suggest` looks for names that "
                "are written alike).");
  }

  void PairColumn(int number) {
    const source::SourceColumn& column = table_.source.columns[static_cast<std::size_t>(number)];
    const auto configured = settings_.columns.find(column.name);
    const config::ColumnSettings settings =
        configured == settings_.columns.end() ? config::ColumnSettings{} : configured->second;
    const std::string wanted = settings.target.empty() ? CutName(column.name) : settings.target;
    bool ambiguous = false;
    const target::TargetColumn* found = FindByName(table_.target.columns, wanted, ambiguous);
    if (found == nullptr && column.generated) {
      Note("generated column " + column.name + " has no counterpart and is not copied");
    } else if (found == nullptr) {
      missing_.push_back(wanted + (ambiguous ? " (several differ from it in case only)" : ""));
    } else if (found->generated) {
      Note("column " + column.name + " is generated on the target and computed there");
      computed_.insert(found->name);
    } else if (!taken_.emplace(found->name, column.name).second) {
      const std::string& other = taken_.find(found->name)->second;
      const bool cut = CutName(other) != other && CutName(column.name) == CutName(other);
      Problem("columns " + other + " and " + column.name + " are both paired with target column " +
                  found->name + (cut ? ": PostgreSQL cuts names after 63 bytes" : ""),
              "Name the targets under tables." + table_.source.name + ".columns.");
    } else {
      NoteSettings(column, *found, settings);
      table_.columns.push_back({number, *found, Options(settings)});
    }
  }

  // Settings that have no effect on this column.
  void NoteSettings(const source::SourceColumn& column, const target::TargetColumn& found,
                    const config::ColumnSettings& settings) {
    using target::TypeKind;
    const TypeKind kind = found.type.kind;
    const std::string has = ", but the column is " + found.type.name + " on the target";
    const bool dated =
        kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
    if (settings.epoch != config::Epoch::kNone && !dated) {
      Note("column " + column.name + ": epoch is for dates and timestamps" + has);
    }
    if (!settings.type.empty() && ToLowerAscii(settings.type) != ToLowerAscii(found.type.name)) {
      Note("column " + column.name + ": type " + settings.type +
           " is for tables that liteferry creates" + has);
    }
    if (settings.target.empty() && CutName(column.name) != column.name) {
      Note("column " + column.name + ": its name was cut to 63 bytes on the target");
    }
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
  std::vector<std::string> missing_;          // names that the target lacks
  std::map<std::string, std::string> taken_;  // target column: source column
  std::set<std::string> computed_;
  int problems_ = 0;
};

}  // namespace

std::string CutName(const std::string& name) {
  if (name.size() <= kMostNameBytes) return name;
  std::size_t end = kMostNameBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0U) == 0x80) --end;
  return name.substr(0, end);
}

void PairTable(const source::SourceTable& source, const target::TargetTable& target,
               const config::TableSettings& settings, Mapping& mapping) {
  TablePairing(source, target, settings, mapping).Run();
}

}  // namespace liteferry
