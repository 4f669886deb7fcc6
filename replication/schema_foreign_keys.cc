// Foreign keys, made after all tables.
#include <algorithm>
#include <optional>
#include <utility>

#include "replication/base/text.h"
#include "replication/schema_build.h"

namespace liteferry::internal {

using source::ForeignKeyDefinition;
using target::TargetType;
using target::TypeKind;

namespace {

struct Resolved {
  TableDraft* parent = nullptr;
  std::vector<int> columns;
  std::vector<int> parent_columns;
};

// The columns of both ends; a sentence part when there is none.
std::optional<Resolved> Resolve(SchemaDraft& draft, const TableDraft& table,
                                const ForeignKeyDefinition& key, std::string& problem) {
  Resolved resolved;
  resolved.parent = draft.FindTable(key.parent);
  if (resolved.parent == nullptr) {
    problem = "there is no table " + key.parent;
    return std::nullopt;
  }
  for (const std::string& name : key.columns) resolved.columns.push_back(table.FindColumn(name));
  for (const std::string& name : key.parent_columns) {
    resolved.parent_columns.push_back(resolved.parent->FindColumn(name));
  }
  if (key.parent_columns.empty() &&
      resolved.parent->source->key_kind == source::KeyKind::kPrimaryKey) {
    resolved.parent_columns = resolved.parent->source->key_columns;
  }
  const auto missing = [](const std::vector<int>& columns) {
    return columns.empty() || std::find(columns.begin(), columns.end(), -1) != columns.end();
  };
  if (missing(resolved.columns) || missing(resolved.parent_columns) ||
      resolved.columns.size() != resolved.parent_columns.size()) {
    problem = "its columns do not exist";
    return std::nullopt;
  }
  return resolved;
}

int IntegerWidth(TypeKind kind) {
  return kind == TypeKind::kInt2   ? 2
         : kind == TypeKind::kInt4 ? 4
         : kind == TypeKind::kInt8 ? 8
                                   : 0;
}

bool IsText(TypeKind kind) { return kind == TypeKind::kText || kind == TypeKind::kVarchar; }

// Whether a foreign key may have columns of these types at its ends.
bool Agree(const TargetType& a, const TargetType& b) {
  if (IntegerWidth(a.kind) > 0 && IntegerWidth(b.kind) > 0) return true;
  if (IsText(a.kind) && IsText(b.kind)) return true;
  if (a.kind == TypeKind::kNumeric && b.kind == TypeKind::kNumeric) return true;
  return a.name == b.name;
}

bool IsConfigured(const TableDraft& table, int column) {
  const auto found =
      table.settings.columns.find(table.source->columns[static_cast<std::size_t>(column)].name);
  return found != table.settings.columns.end() &&
         (!found->second.type.empty() || found->second.epoch != config::Epoch::kNone);
}

bool CanBe(const TableDraft& table, int column, const TargetType& type) {
  if (IsConfigured(table, column) || column == table.source->integer_primary_key) return false;
  const auto at = static_cast<std::size_t>(column);
  if (table.evidence == nullptr) return false;
  const ColumnProfile& profile = table.evidence->columns[at].profile;
  if (profile.values() == 0) return true;
  if (type.kind == TypeKind::kUuid) {
    return profile.uuid_texts + profile.uuid_blobs == profile.values();
  }
  if (type.kind == TypeKind::kNumeric && type.typmod >= 0) return false;
  if (IntegerWidth(type.kind) > 0) {
    return IntegerWidth(type.kind) == 8 && ProfileFits(profile, TypeKind::kInt8);
  }
  return ProfileFits(profile, type.kind);
}

// True when a type was changed.
bool MatchPair(TableDraft& child, int child_column, TableDraft& parent, int parent_column) {
  TypeChoice& a = child.types[static_cast<std::size_t>(child_column)];
  TypeChoice& b = parent.types[static_cast<std::size_t>(parent_column)];
  const std::string parent_name =
      parent.source->name + "." +
      parent.source->columns[static_cast<std::size_t>(parent_column)].name;
  if (IntegerWidth(a.type.kind) > 0 && IntegerWidth(b.type.kind) > IntegerWidth(a.type.kind) &&
      !IsConfigured(child, child_column)) {
    a = {b.type,
         "declared as " +
             child.source->columns[static_cast<std::size_t>(child_column)].declared_type +
             ", but refers to " + parent_name,
         0};
    return true;
  }
  if (Agree(a.type, b.type)) return false;
  if (CanBe(child, child_column, b.type)) {
    a = {b.type, "as " + parent_name + ", which it refers to", 0};
    return true;
  }
  const TargetType text = MakeType(TypeKind::kText);
  if (CanBe(child, child_column, text) && CanBe(parent, parent_column, text)) {
    a = {text, "refers to " + parent_name + ", and only text takes the values of both", 0};
    b = {text, "only text takes also the values that refer to it", 0};
    return true;
  }
  return false;
}

class ForeignKeyBuilder {
 public:
  ForeignKeyBuilder(SchemaDraft& draft, TableDraft& table, NameSpace& names)
      : draft_(draft), table_(table), names_(names) {}

  void Run(const ForeignKeyDefinition& key) {
    std::string problem;
    const auto resolved = Resolve(draft_, table_, key, problem);
    if (resolved) problem = Obstacle(key, *resolved);
    if (!problem.empty()) return Refuse(key, problem);
    std::string sql = "ALTER TABLE " + table_.sql + " ADD ";
    if (!key.name.empty()) {
      sql += "CONSTRAINT " +
             QuoteIfNeeded(names_.Take(NameOnTarget(key.name, draft_.input.names))) + " ";
    }
    sql += "FOREIGN KEY " + ColumnList(table_, resolved->columns) + " REFERENCES " +
           resolved->parent->sql + " " + ColumnList(*resolved->parent, resolved->parent_columns);
    if (!key.on_delete.empty()) sql += " ON DELETE " + key.on_delete;
    if (!key.on_update.empty()) sql += " ON UPDATE " + key.on_update;
    if (key.deferrable) sql += " DEFERRABLE";
    if (key.initially_deferred) sql += " INITIALLY DEFERRED";
    draft_.plan.statements.push_back(
        {StatementKind::kForeignKey, Title(key), table_.source->name, std::move(sql)});
  }

 private:
  std::string Title(const ForeignKeyDefinition& key) const {
    return "foreign key " + table_.source->name + " (" + Join(key.columns, ", ") + ") to " +
           key.parent;
  }

  std::string Obstacle(const ForeignKeyDefinition& key, const Resolved& resolved) const {
    const TableDraft& parent = *resolved.parent;
    std::set<std::string> names;
    for (const int column : resolved.parent_columns) {
      names.insert(ToLowerAscii(parent.source->columns[static_cast<std::size_t>(column)].name));
    }
    if (names.size() != resolved.parent_columns.size()) return "it names a column twice";
    const bool unique = std::any_of(parent.keys.begin(), parent.keys.end(),
                                    [&](const PlainKey& k) { return k.columns == names; });
    if (!unique) return "the columns it refers to are no unique key that compares every byte";
    const bool writes = !key.on_update.empty() || key.on_delete.starts_with("SET");
    for (std::size_t i = 0; i < resolved.columns.size(); ++i) {
      const auto at = static_cast<std::size_t>(resolved.columns[i]);
      const auto parent_at = static_cast<std::size_t>(resolved.parent_columns[i]);
      if (!Agree(table_.columns[at].type, parent.columns[parent_at].type)) {
        return table_.columns[at].type.name + " cannot refer to " +
               parent.columns[parent_at].type.name;
      }
      if (table_.source->columns[at].generated && writes) {
        return "its actions would write a generated column";
      }
    }
    return "";
  }

  void Refuse(const ForeignKeyDefinition& key, const std::string& problem) {
    draft_.Note(Title(key), "is not made: " + problem);
    draft_.plan.remarks.push_back("Not made: " + Title(key) + ": " + problem + ".");
  }

  SchemaDraft& draft_;
  TableDraft& table_;
  NameSpace& names_;
};

}  // namespace

void MatchForeignKeyTypes(SchemaDraft& draft) {
  // Each change widens a type or moves it towards its parent's; a bound ends what runs in circles.
  bool changed = true;
  for (int round = 0; changed && round < 10; ++round) {
    changed = false;
    for (TableDraft& table : draft.tables) {
      if (!table.parsed) continue;
      for (const ForeignKeyDefinition& key : table.definition.foreign_keys) {
        std::string ignored;
        const auto resolved = Resolve(draft, table, key, ignored);
        if (!resolved) continue;
        for (std::size_t i = 0; i < resolved->columns.size(); ++i) {
          changed = MatchPair(table, resolved->columns[i], *resolved->parent,
                              resolved->parent_columns[i]) ||
                    changed;
        }
      }
    }
  }
}

void BuildForeignKeys(SchemaDraft& draft, TableDraft& table) {
  if (!table.parsed) return;
  NameSpace names;
  for (const source::CheckDefinition& check : table.definition.checks) {
    if (!check.name.empty()) names.Reserve(CutToFit(NameOnTarget(check.name, draft.input.names)));
  }
  for (const source::KeyDefinition& key : table.definition.keys) {
    if (!key.name.empty()) names.Reserve(CutToFit(NameOnTarget(key.name, draft.input.names)));
  }
  for (const ForeignKeyDefinition& key : table.definition.foreign_keys) {
    ForeignKeyBuilder(draft, table, names).Run(key);
  }
}

}  // namespace liteferry::internal
