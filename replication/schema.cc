#include "replication/schema.h"

#include <algorithm>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/mapping.h"
#include "replication/schema_build.h"

namespace liteferry {
namespace internal {

int TableDraft::FindColumn(const std::string& name) const {
  const std::string wanted = ToLowerAscii(name);
  for (std::size_t i = 0; i < source->columns.size(); ++i) {
    if (ToLowerAscii(source->columns[i].name) == wanted) return static_cast<int>(i);
  }
  return -1;
}

void SchemaDraft::Note(std::string object, std::string message, std::string source) {
  plan.notes.push_back({std::move(object), std::move(message), std::move(source)});
}

TableDraft* SchemaDraft::FindTable(const std::string& name) {
  const std::string wanted = ToLowerAscii(name);
  for (TableDraft& table : tables) {
    if (ToLowerAscii(table.source->name) == wanted) return &table;
  }
  return nullptr;
}

std::string Comment(const std::string& text, const std::string& indent) {
  constexpr std::size_t kWidth = 108;
  std::string out;
  std::string line;
  const auto flush = [&] {
    while (line.ends_with(' ')) line.pop_back();
    out += indent + (line.empty() ? "--" : "-- " + line) + "\n";
    line.clear();
  };
  std::string word;
  const auto add_word = [&] {
    if (!line.empty() && indent.size() + line.size() + word.size() > kWidth) flush();
    line += std::exchange(word, "");
  };
  for (const char raw : text) {
    if (raw == '\n') {
      add_word();
      flush();
      continue;
    }
    // Nothing of the source may steer a terminal or end the comment.
    word += static_cast<unsigned char>(raw) < ' ' ? ' ' : raw;
    if (raw == ' ') add_word();
  }
  add_word();
  if (!line.empty()) flush();
  return out;
}

std::string ColumnList(const TableDraft& table, const std::vector<int>& columns) {
  std::vector<std::string> names;
  for (const int column : columns) {
    names.push_back(table.columns[static_cast<std::size_t>(column)].sql);
  }
  return "(" + Join(names, ", ") + ")";
}

}  // namespace internal

namespace {

using internal::SchemaDraft;
using internal::TableDraft;
using target::TypeKind;

config::ColumnSettings SettingsOf(const TableDraft& table, const std::string& column) {
  const auto found = table.settings.columns.find(column);
  return found == table.settings.columns.end() ? config::ColumnSettings{} : found->second;
}

TableDraft MakeDraft(SchemaDraft& draft, const source::SourceTable& source) {
  TableDraft table;
  table.source = &source;
  const auto configured = draft.input.settings.tables.find(source.name);
  if (configured != draft.input.settings.tables.end()) table.settings = configured->second;
  const auto evidence = draft.input.evidence.find(source.name);
  if (evidence != draft.input.evidence.end()) table.evidence = &evidence->second;
  try {
    table.definition = source::ParseTableDefinition(source.sql);
    table.parsed = table.definition.columns.size() == source.columns.size();
    if (!table.parsed) draft.Note("table " + source.name, "its definition could not be read");
  } catch (const Error& error) {
    draft.Note("table " + source.name,
               error.message() + "; checks, defaults and foreign keys are missing", source.sql);
  }
  return table;
}

// Names as configured, else as they are in the style asked for.
void NameTable(SchemaDraft& draft, TableDraft& table) {
  const std::string& source = table.source->name;
  std::string wanted = table.settings.target.empty() ? NameOnTarget(source, draft.input.names)
                                                     : table.settings.target;
  const std::size_t dot = table.settings.target.find('.');
  std::string schema;
  if (dot != std::string::npos) {
    schema = QuoteIfNeeded(wanted.substr(0, dot)) + ".";
    wanted = wanted.substr(dot + 1);
  }
  table.target = draft.relations.Take(wanted);
  table.sql = schema + QuoteIfNeeded(table.target);
  const auto tell = [&](const std::string& object, const std::string& name, const std::string& full,
                        const std::string& key) {
    if (name == full) return;
    draft.Note(object, "becomes " + name + ": " +
                           (name == CutToFit(full) ? "PostgreSQL's names have at most 63 bytes"
                                                   : CutToFit(full) + " is taken; name it as " +
                                                         key + ".target to have it copied"));
  };
  tell("table " + source, table.target, wanted, "tables." + source);
  NameSpace columns;
  for (const source::SourceColumn& column : table.source->columns) {
    const std::string& configured = SettingsOf(table, column.name).target;
    const std::string name =
        configured.empty() ? ColumnNameOnTarget(column.name, draft.input.names) : configured;
    const std::string key = "tables." + source + ".columns." + column.name;
    table.names.push_back(columns.Take(name));
    tell(source + "." + column.name, table.names.back(), name, key);
    if (configured.empty() && name == column.name + "_") {
      draft.Note(source + "." + column.name, "becomes " + name +
                                                 ": the name is PostgreSQL's own; name it as " +
                                                 key + ".target to have it copied");
    }
  }
}

// Columns that stand in an index or a key, where their type needs an order.
std::vector<bool> Indexed(const source::SourceTable& table) {
  std::vector<bool> indexed(table.columns.size(), false);
  for (const int column : table.key_columns) indexed[static_cast<std::size_t>(column)] = true;
  for (const source::SourceIndex& index : table.indexes) {
    for (const source::IndexTerm& term : index.terms) {
      if (term.column >= 0) indexed[static_cast<std::size_t>(term.column)] = true;
    }
  }
  return indexed;
}

bool IsJsonValid(const source::Expr& expr, const std::string& column) {
  if (expr.kind == source::ExprKind::kFunction && expr.text == "json_valid" &&
      expr.parts.size() == 1) {
    return expr.parts[0].kind == source::ExprKind::kName &&
           ToLowerAscii(expr.parts[0].text) == ToLowerAscii(column);
  }
  return expr.kind == source::ExprKind::kBinary && (expr.text == "AND" || expr.text == "OR") &&
         (IsJsonValid(expr.parts[0], column) || IsJsonValid(expr.parts[1], column));
}

// Text that a CHECK says is JSON, as Django declares it.
bool IsCheckedJson(const TableDraft& table, const std::string& column,
                   const ColumnEvidence* evidence) {
  if (!table.parsed) return false;
  const bool fits =
      evidence == nullptr || (evidence->profile.texts == evidence->profile.values() &&
                              evidence->profile.texts == evidence->profile.json_texts);
  return fits && std::any_of(table.definition.checks.begin(), table.definition.checks.end(),
                             [&](const source::CheckDefinition& check) {
                               return IsJsonValid(check.expression, column);
                             });
}

void TypeTable(TableDraft& table) {
  const std::vector<bool> indexed = Indexed(*table.source);
  for (std::size_t i = 0; i < table.source->columns.size(); ++i) {
    const source::SourceColumn& column = table.source->columns[i];
    const config::ColumnSettings settings = SettingsOf(table, column.name);
    const ColumnEvidence* evidence =
        table.evidence == nullptr ? nullptr : &table.evidence->columns[i];
    TypeChoice choice = ChooseType(column, table.source->strict, settings, evidence);
    const bool rowid = static_cast<int>(i) == table.source->integer_primary_key;
    if (settings.type.empty() && choice.type.kind == TypeKind::kText && !indexed[i] &&
        choice.reason.empty() && IsCheckedJson(table, column.name, evidence)) {
      choice.type = MakeType(TypeKind::kJson);
    }
    if (rowid && settings.type.empty() && settings.epoch == config::Epoch::kNone) {
      choice = {MakeType(TypeKind::kInt8), "", 0};
    } else if (choice.type.kind == TypeKind::kJson && indexed[i] && settings.type.empty()) {
      choice.type = MakeType(TypeKind::kText);
      choice.reason = "declared as " + column.declared_type +
                      ", but in an index: json has no order and jsonb would write it anew";
    }
    table.types.push_back(std::move(choice));
  }
}

void FinishColumns(TableDraft& table) {
  for (std::size_t i = 0; i < table.source->columns.size(); ++i) {
    const source::SourceColumn& column = table.source->columns[i];
    const config::ColumnSettings settings = SettingsOf(table, column.name);
    ExpressionColumn one;
    one.source = column.name;
    one.sql = QuoteIfNeeded(table.names[i]);
    one.type = table.types[i].type;
    one.affinity = AffinityOf(column.declared_type);
    one.options.on_invalid = settings.on_invalid;
    one.options.epoch = settings.epoch;
    one.collation = source::UpperAscii(column.collation.empty() ? "BINARY" : column.collation);
    one.generated = column.generated;
    table.columns.push_back(std::move(one));
  }
}

void Describe(SchemaDraft& draft, const TableDraft& table) {
  SchemaTable described;
  described.source = table.source->name;
  described.target = table.target;
  if (table.evidence != nullptr) described.rows = table.evidence->rows;
  for (std::size_t i = 0; i < table.source->columns.size(); ++i) {
    described.columns.push_back({table.source->columns[i].name,
                                 table.source->columns[i].declared_type, table.names[i],
                                 table.types[i].type.name, table.types[i].reason});
  }
  draft.plan.tables.push_back(std::move(described));
}

// What is carried over as a comment only.
void Remark(SchemaDraft& draft) {
  for (const source::SkippedTable& skipped : draft.input.catalog.skipped) {
    if (!IsSelected(skipped.name, draft.input.settings)) continue;
    if (skipped.reason.starts_with("shadow")) continue;
    draft.plan.remarks.push_back(skipped.name + ": " + skipped.reason + ", not carried.");
    draft.Note(skipped.name, skipped.reason + ", not carried");
  }
  for (const source::SchemaObject& object : draft.input.objects) {
    if (object.type != "view" && object.type != "trigger") continue;
    if (object.type == "trigger" && draft.FindTable(object.table) == nullptr) continue;
    std::string what = object.type + " " + object.name;
    try {
      if (object.type == "trigger") {
        const source::TriggerDefinition trigger = source::ParseTriggerDefinition(object.sql);
        what += " (" + trigger.timing + " " + trigger.event + " on " + trigger.table + ")";
      } else {
        source::ParseViewDefinition(object.sql);
      }
    } catch (const Error&) {
      what += " (unreadable)";
    }
    draft.plan.remarks.push_back("Not translated: " + what + "\n" + object.sql);
    draft.Note(object.type + " " + object.name, "is not translated", object.sql);
  }
}

}  // namespace

SchemaPlan TranslateSchema(const SchemaInput& input) {
  SchemaDraft draft{input, {}, {}, {}};
  for (const std::string& name : input.taken) draft.relations.Reserve(name);
  for (const source::SourceTable& table : input.catalog.tables) {
    if (!IsSelected(table.name, input.settings)) continue;
    draft.tables.push_back(MakeDraft(draft, table));
    NameTable(draft, draft.tables.back());
    TypeTable(draft.tables.back());
  }
  internal::MatchForeignKeyTypes(draft);
  for (TableDraft& table : draft.tables) FinishColumns(table);
  for (TableDraft& table : draft.tables) {
    Describe(draft, table);
    internal::BuildTable(draft, table);
  }
  for (TableDraft& table : draft.tables) internal::BuildIndexes(draft, table);
  for (TableDraft& table : draft.tables) internal::BuildForeignKeys(draft, table);
  Remark(draft);
  return std::move(draft.plan);
}

std::string SchemaScript(const SchemaPlan& plan, const std::vector<std::string>& title,
                         const std::string& schema, bool transaction) {
  std::string script;
  for (const std::string& line : title) script += internal::Comment(line);
  script += "\n";
  if (transaction) script += "BEGIN;\n";
  script += std::string(transaction ? "SET LOCAL" : "SET") +
            " search_path = " + QuoteIfNeeded(schema) + ";\n";
  StatementKind last = StatementKind::kTable;
  for (const SchemaStatement& statement : plan.statements) {
    const bool commented = statement.sql.starts_with("--");
    // Tables stand apart, the rest in blocks.
    if (statement.kind == StatementKind::kTable || statement.kind != last || commented) {
      script += "\n";
    }
    script += statement.sql + ";\n";
    last = statement.kind;
  }
  for (const std::string& remark : plan.remarks) script += "\n" + internal::Comment(remark);
  if (transaction) script += "\nCOMMIT;\n";
  return script;
}

}  // namespace liteferry
