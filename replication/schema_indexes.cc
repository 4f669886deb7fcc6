// CREATE INDEX, and the unique constraints that only an index can keep.
#include <algorithm>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/schema_build.h"

namespace liteferry::internal {

using source::IndexTerm;
using source::SourceIndex;
using target::TypeKind;

namespace {

// A B-tree holds entries of about 2700 bytes; longer values would refuse the row.
constexpr std::int64_t kLongValue = 2000;
constexpr std::size_t kMaxTerms = 32;

bool IsText(const ExpressionColumn& column) {
  return column.type.kind == TypeKind::kText || column.type.kind == TypeKind::kVarchar ||
         column.type.kind == TypeKind::kChar;
}

bool IsLong(const TableDraft& table, int column) {
  if (table.evidence == nullptr || column < 0) return false;
  const auto at = static_cast<std::size_t>(column);
  const ColumnProfile& profile = table.evidence->columns[at].profile;
  const TypeKind kind = table.columns[at].type.kind;
  if (kind != TypeKind::kBytea && !IsText(table.columns[at])) return false;
  return profile.longest_text > kLongValue || profile.longest_blob > kLongValue;
}

class IndexBuilder {
 public:
  IndexBuilder(SchemaDraft& draft, TableDraft& table, const SourceIndex& index)
      : draft_(draft), table_(table), index_(index) {
    automatic_ = index.name.starts_with("sqlite_autoindex_");
    for (const source::SchemaObject& object : draft.input.objects) {
      if (object.type == "index" && object.name == index.name) text_ = object.sql;
    }
  }

  void Run() {
    std::string problem = ReadText();
    if (problem.empty() && index_.terms.size() > kMaxTerms) problem = "it has more than 32 terms";
    std::vector<std::string> terms;
    for (std::size_t i = 0; i < index_.terms.size() && problem.empty(); ++i) {
      terms.push_back(Term(i, problem));
    }
    const std::string where = problem.empty() ? Where(problem) : "";
    if (!problem.empty()) return Refuse(problem);
    Emit(terms, where);
  }

 private:
  std::string ReadText() {
    if (text_.empty()) return automatic_ ? "" : "its definition is missing";
    try {
      definition_ = source::ParseIndexDefinition(text_);
    } catch (const Error& error) {
      return error.message();
    }
    return definition_.terms.size() == index_.terms.size() ? "" : "its definition is unreadable";
  }

  std::string Term(std::size_t i, std::string& problem) {
    const IndexTerm& term = index_.terms[i];
    if (term.column < 0 && automatic_) {
      problem = "it is over the rowid";
      return "";
    }
    const Translated made =
        term.column >= 0
            ? TranslateIndexColumn(table_.columns[static_cast<std::size_t>(term.column)],
                                   term.collation)
            : TranslateIndexTerm(definition_.terms[i].expression, definition_.terms[i].collation,
                                 index_.unique, table_.columns);
    problem = made.problem;
    std::string sql = made.sql;
    plain_ = plain_ && term.column >= 0 &&
             sql == table_.columns[static_cast<std::size_t>(term.column)].sql;
    if (term.column >= 0 && IsLong(table_, term.column)) sql = LongTerm(sql, problem);
    return sql + (term.descending && !hash_ ? " DESC" : "");
  }

  // What stands for a value that is too long for a B-tree.
  std::string LongTerm(const std::string& sql, std::string& problem) {
    plain_ = false;
    if (index_.unique) {
      comments_.push_back("Values are too long for a B-tree; their digests keep them unique.");
      return "md5(" + sql + ")";
    }
    if (index_.terms.size() > 1) {
      problem = "its values are too long for a B-tree";
      return sql;
    }
    hash_ = true;
    comments_.push_back("Values are too long for a B-tree; a hash index finds equal ones.");
    return sql;
  }

  std::string Where(std::string& problem) {
    if (!index_.partial) return "";
    if (!definition_.where) {
      problem = "its condition is unreadable";
      return "";
    }
    const Translated made = TranslateCondition(*definition_.where, table_.columns);
    problem = made.problem;
    return made.sql;
  }

  std::string Title() const {
    if (!automatic_) return "index " + index_.name;
    std::vector<std::string> names;
    for (const IndexTerm& term : index_.terms) {
      if (term.column < 0) continue;
      names.push_back(table_.source->columns[static_cast<std::size_t>(term.column)].name);
    }
    return "UNIQUE (" + Join(names, ", ") + ") of " + table_.source->name;
  }

  void Refuse(const std::string& problem) {
    const std::string what = Title();
    const std::string lost = index_.unique ? "; PostgreSQL will not keep its values unique" : "";
    draft_.Note(what, "has no counterpart: " + problem + lost, text_);
    draft_.plan.remarks.push_back("Not made: " + what + ": " + problem + lost + "." +
                                  (text_.empty() ? "" : "\n" + text_));
  }

  std::string Name() {
    std::string wanted = NameOnTarget(index_.name, draft_.input.names);
    if (automatic_) {
      wanted = table_.target;
      for (const IndexTerm& term : index_.terms) {
        wanted += "_" + table_.names[static_cast<std::size_t>(term.column)];
      }
      wanted += "_key";
    }
    const std::string name = draft_.relations.Take(wanted);
    if (!automatic_ && name != wanted) {
      draft_.Note("index " + index_.name, "becomes " + name);
    }
    return QuoteIfNeeded(name);
  }

  void Emit(const std::vector<std::string>& terms, const std::string& where) {
    if (plain_ && index_.unique && where.empty()) {
      PlainKey key;
      for (const IndexTerm& term : index_.terms) {
        key.columns.insert(
            ToLowerAscii(table_.source->columns[static_cast<std::size_t>(term.column)].name));
      }
      table_.keys.push_back(std::move(key));
    }
    std::string sql;
    for (const std::string& comment : comments_) sql += Comment(comment);
    sql += std::string("CREATE ") + (index_.unique ? "UNIQUE " : "") + "INDEX " + Name() + " ON " +
           table_.sql + (hash_ ? " USING hash (" : " (") + Join(terms, ", ") + ")";
    if (!where.empty()) sql += " WHERE " + where;
    draft_.plan.statements.push_back(
        {StatementKind::kIndex, Title(), table_.source->name, std::move(sql)});
  }

  SchemaDraft& draft_;
  TableDraft& table_;
  const SourceIndex& index_;
  bool automatic_ = false;  // made by a constraint
  std::string text_;
  source::IndexDefinition definition_;
  bool plain_ = true;
  bool hash_ = false;
  std::vector<std::string> comments_;
};

}  // namespace

bool NeedsIndex(const TableDraft& table, const SourceIndex& index) {
  return std::any_of(index.terms.begin(), index.terms.end(), [&](const IndexTerm& term) {
    if (term.column < 0) return true;
    const ExpressionColumn& column = table.columns[static_cast<std::size_t>(term.column)];
    return (IsText(column) && source::UpperAscii(term.collation) != "BINARY") ||
           IsLong(table, term.column);
  });
}

void BuildIndexes(SchemaDraft& draft, TableDraft& table) {
  for (const SourceIndex& index : table.source->indexes) {
    const bool automatic = index.name.starts_with("sqlite_autoindex_");
    if (automatic && !NeedsIndex(table, index)) continue;  // a constraint of the table
    IndexBuilder(draft, table, index).Run();
  }
}

}  // namespace liteferry::internal
