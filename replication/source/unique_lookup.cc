#include "replication/source/unique_lookup.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "replication/base/text.h"
#include "replication/source/sql_tokenizer.h"

namespace liteferry::source {
namespace {

enum class Affinity : std::uint8_t { kInteger, kText, kBlob, kReal, kNumeric };

// The rules of SQLite's documentation (datatype3), in their order.
Affinity AffinityOf(std::string_view declared_type) {
  const std::string type = ToLowerAscii(declared_type);
  const auto has = [&](const char* part) { return type.find(part) != std::string::npos; };
  if (has("int")) return Affinity::kInteger;
  if (has("char") || has("clob") || has("text")) return Affinity::kText;
  if (has("blob") || type.empty()) return Affinity::kBlob;
  if (has("real") || has("floa") || has("doub")) return Affinity::kReal;
  return Affinity::kNumeric;
}

Affinity AffinityOf(const SourceTable& table, const SourceColumn& column) {
  if (table.strict && ToLowerAscii(column.declared_type) == "any") return Affinity::kBlob;
  return AffinityOf(column.declared_type);
}

// `expression` as a column of this affinity would store it. A CAST is not that: it makes 0 of
// 'abc', where the column keeps 'abc'.
std::string WithAffinity(const std::string& expression, Affinity affinity) {
  std::string stored;
  switch (affinity) {
    case Affinity::kBlob:
      return expression;
    case Affinity::kText:
      stored = "CASE WHEN typeof(v) IN ('integer','real') THEN CAST(v AS TEXT) ELSE v END";
      break;
    case Affinity::kReal:
      stored =
          "CASE WHEN typeof(v)='integer' OR (typeof(v)='text' AND CAST(v AS NUMERIC)=v) "
          "THEN CAST(v AS REAL) ELSE v END";
      break;
    case Affinity::kInteger:
    case Affinity::kNumeric:
      stored =
          "CASE WHEN typeof(v)='text' AND CAST(v AS NUMERIC)=v THEN CAST(v AS NUMERIC) "
          "WHEN typeof(v)='real' AND CAST(v AS INTEGER)=v AND abs(v)<2251799813685248.0 "
          "THEN CAST(v AS INTEGER) ELSE v END";
      break;
  }
  return "(SELECT " + stored + " FROM (SELECT " + expression + " AS v))";
}

// A DEFAULT as an expression of its own. There a name is a string (DEFAULT abc means 'abc'), which
// in a trigger would be a column.
std::string DefaultExpression(const std::string& sql) {
  const Tokens tokens = Tokenize(sql);
  if (tokens.empty()) return "NULL";
  std::string out = "(";
  std::size_t copied = tokens.front().at;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const bool call = i + 1 < tokens.size() && tokens[i + 1].IsOperator("(");
    bool is_string = token.kind == TokenKind::kQuotedName && !call;
    if (token.kind == TokenKind::kWord && tokens.size() == 1) {
      is_string = !token.Is("NULL") && !token.Is("TRUE") && !token.Is("FALSE") &&
                  !token.Is("CURRENT_TIME") && !token.Is("CURRENT_DATE") &&
                  !token.Is("CURRENT_TIMESTAMP");
    }
    if (!is_string) continue;
    out.append(sql, copied, token.at - copied).append(QuoteLiteral(token.Unquoted()));
    copied = token.at + token.text.size();
  }
  const Token& last = tokens.back();
  out.append(sql, copied, last.at + last.text.size() - copied);
  return out + ")";
}

// Whether REPLACE turns a NULL in this column into its default, which a BEFORE trigger does not
// see.
bool DefaultReplacesNull(const SourceColumn& column) {
  return column.not_null && column.default_sql.has_value();
}

// What column `c` of the new row will hold, with its affinity still to be applied by a comparison.
std::string NewValue(const SourceColumn& c) {
  const std::string value = "NEW." + QuoteIdentifier(c.name);
  if (!DefaultReplacesNull(c)) return value;
  return "coalesce(" + value + "," + DefaultExpression(*c.default_sql) + ")";
}

// The same with the affinity applied: for use inside an expression.
std::string StoredNewValue(const SourceTable& table, const SourceColumn& c) {
  const std::string value = "NEW." + QuoteIdentifier(c.name);
  if (!DefaultReplacesNull(c)) return value;
  const std::string dflt = WithAffinity(DefaultExpression(*c.default_sql), AffinityOf(table, c));
  return "coalesce(" + value + "," + dflt + ") COLLATE " + QuoteIdentifier(c.collation);
}

// The columns that `expression` names.
std::set<int> ColumnsIn(const SourceTable& table, std::string_view expression) {
  std::set<int> columns;
  const Tokens tokens = Tokenize(expression);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].IsName()) continue;
    if (i + 1 < tokens.size() && tokens[i + 1].IsOperator("(")) continue;
    if (i > 0 && tokens[i - 1].Is("COLLATE")) continue;
    const std::string name = ToLowerAscii(tokens[i].Unquoted());
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (ToLowerAscii(table.columns[c].name) == name) columns.insert(static_cast<int>(c));
    }
  }
  return columns;
}

const SourceColumn& ColumnAt(const SourceTable& table, int column) {
  return table.columns[static_cast<std::size_t>(column)];
}

// Appends `columns` and what they are generated from, each after what it needs.
void Collect(const SourceTable& table, const std::set<int>& columns, std::vector<int>& order) {
  for (const int column : columns) {
    if (std::find(order.begin(), order.end(), column) != order.end()) continue;
    const SourceColumn& c = ColumnAt(table, column);
    if (c.generated) Collect(table, ColumnsIn(table, c.generated_sql), order);
    order.push_back(column);
  }
}

// `expression` evaluated over the new row: a one-row subselect gives its columns their names.
// Generated columns are computed from the others here, because NEW shows them computed before
// defaults.
std::string OverNewRow(const SourceTable& table, const std::string& expression) {
  std::vector<int> order;
  Collect(table, ColumnsIn(table, expression), order);
  std::vector<std::string> plain;
  for (const int column : order) {
    const SourceColumn& c = ColumnAt(table, column);
    if (!c.generated) {
      plain.push_back(StoredNewValue(table, c) + " AS " + QuoteIdentifier(c.name));
    }
  }
  std::string row = "SELECT " + (plain.empty() ? "1" : Join(plain, ","));
  for (const int column : order) {
    const SourceColumn& c = ColumnAt(table, column);
    if (!c.generated) continue;
    // The unary plus keeps the expression's own affinity away from what is compared with it.
    row = "SELECT *," + WithAffinity("+(" + c.generated_sql + ")", AffinityOf(table, c)) +
          " COLLATE " + QuoteIdentifier(c.collation) + " AS " + QuoteIdentifier(c.name) +
          " FROM (" + row + ")";
  }
  return "(SELECT " + expression + " FROM (" + row + "))";
}

bool IsPlain(const SourceTable& table, const IndexTerm& term) {
  return term.column >= 0 && !ColumnAt(table, term.column).generated;
}

std::string TermCondition(const SourceTable& table, const IndexTerm& term) {
  const std::string equal = " COLLATE " + QuoteIdentifier(term.collation) + "=";
  if (term.column < 0) {
    return "(" + term.expression + ")" + equal + OverNewRow(table, term.expression);
  }
  const SourceColumn& c = ColumnAt(table, term.column);
  const std::string name = QuoteIdentifier(c.name);
  // The sign again: the column's affinity must be what decides, not that of the subselect.
  return name + equal + (c.generated ? "+" + OverNewRow(table, name) : NewValue(c));
}

UniqueLookup BuildLookup(const SourceTable& table, const SourceIndex& index) {
  UniqueLookup lookup;
  std::vector<std::string> conditions;
  std::vector<std::string> changes;
  bool gated = !index.partial;
  for (const IndexTerm& term : index.terms) {
    conditions.push_back(TermCondition(table, term));
    if (!IsPlain(table, term)) {
      gated = false;
      continue;
    }
    const std::string name = QuoteIdentifier(ColumnAt(table, term.column).name);
    changes.push_back("NEW." + name + " COLLATE " + QuoteIdentifier(term.collation) +
                      " IS NOT OLD." + name);
  }
  if (index.partial) conditions.push_back("(" + index.where + ")");
  lookup.condition = Join(conditions, " AND ");
  if (gated) lookup.changed = Join(changes, " OR ");
  return lookup;
}

// Functions that every SQLite has, so that a trigger with them works on every connection. json_*
// only where the connection trusts its schema, but without that the index itself could not be
// written.
bool IsBuiltInFunction(std::string_view name) {
  static const std::set<std::string, std::less<>> kNames = {"abs",
                                                            "acos",
                                                            "acosh",
                                                            "asin",
                                                            "asinh",
                                                            "atan",
                                                            "atan2",
                                                            "atanh",
                                                            "ceil",
                                                            "ceiling",
                                                            "char",
                                                            "coalesce",
                                                            "concat",
                                                            "concat_ws",
                                                            "cos",
                                                            "cosh",
                                                            "date",
                                                            "datetime",
                                                            "degrees",
                                                            "exp",
                                                            "floor",
                                                            "format",
                                                            "glob",
                                                            "hex",
                                                            "if",
                                                            "ifnull",
                                                            "iif",
                                                            "instr",
                                                            "json",
                                                            "json_array",
                                                            "json_array_length",
                                                            "json_extract",
                                                            "json_object",
                                                            "json_quote",
                                                            "json_type",
                                                            "json_valid",
                                                            "julianday",
                                                            "length",
                                                            "like",
                                                            "likelihood",
                                                            "likely",
                                                            "ln",
                                                            "log",
                                                            "log10",
                                                            "log2",
                                                            "lower",
                                                            "ltrim",
                                                            "max",
                                                            "min",
                                                            "mod",
                                                            "nullif",
                                                            "octet_length",
                                                            "pi",
                                                            "pow",
                                                            "power",
                                                            "printf",
                                                            "quote",
                                                            "radians",
                                                            "random",
                                                            "randomblob",
                                                            "replace",
                                                            "round",
                                                            "rtrim",
                                                            "sign",
                                                            "sin",
                                                            "sinh",
                                                            "sqrt",
                                                            "strftime",
                                                            "substr",
                                                            "substring",
                                                            "tan",
                                                            "tanh",
                                                            "time",
                                                            "timediff",
                                                            "trim",
                                                            "trunc",
                                                            "typeof",
                                                            "unhex",
                                                            "unicode",
                                                            "unixepoch",
                                                            "unlikely",
                                                            "upper",
                                                            "zeroblob"};
  return kNames.contains(ToLowerAscii(name));
}

// Words that may stand before a parenthesis and are no functions.
bool IsOperatorWord(const Token& token) {
  for (const char* word :
       {"AND", "OR", "NOT", "IN", "IS", "CASE", "WHEN", "THEN", "ELSE", "BETWEEN", "LIKE", "GLOB",
        "ESCAPE", "CAST", "DISTINCT", "FROM", "ISNULL", "NOTNULL"}) {
    if (token.Is(word)) return true;
  }
  return false;
}

// What in `expression` only the application can compute, or "".
std::string ForeignPart(const std::string& expression) {
  const Tokens tokens = Tokenize(expression);
  bool type = false;  // within the type of a CAST, where DECIMAL(10,2) is no call
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.Is("AS")) type = true;
    if (token.IsOperator(")")) type = false;
    if (token.Is("REGEXP") || token.Is("MATCH")) {
      return "the operator " + std::string(token.text);
    }
    if (i > 0 && tokens[i - 1].Is("COLLATE") && !IsBuiltInCollation(token.Unquoted())) {
      return "the collation " + token.Unquoted();
    }
    const bool call = token.IsName() && i + 1 < tokens.size() && tokens[i + 1].IsOperator("(");
    if (call && !type && !IsOperatorWord(token) && !IsBuiltInFunction(token.Unquoted())) {
      return "the function " + token.Unquoted();
    }
  }
  return "";
}

std::string IndexObstacle(const SourceTable& table, const SourceIndex& index) {
  const std::string prefix = "unique index " + QuoteIdentifier(index.name) + " uses ";
  const std::string suffix = ", which only the application has";
  std::vector<std::string> expressions = {index.where};
  for (const IndexTerm& term : index.terms) {
    if (!IsBuiltInCollation(term.collation)) {
      return prefix + "the collation " + term.collation + suffix;
    }
    const bool plain = IsPlain(table, term);
    const std::string text =
        term.column < 0 ? term.expression : QuoteIdentifier(ColumnAt(table, term.column).name);
    std::vector<int> columns;
    Collect(table, ColumnsIn(table, text), columns);
    expressions.push_back(term.expression);
    for (const int column : columns) {
      const SourceColumn& c = ColumnAt(table, column);
      if (!plain && column == table.integer_primary_key) {
        return "unique index " + QuoteIdentifier(index.name) +
               " is computed from the INTEGER PRIMARY KEY, which is not known before the insert";
      }
      if (!plain && !IsBuiltInCollation(c.collation)) {
        return prefix + "the collation " + c.collation + suffix;
      }
      expressions.push_back(c.generated_sql);
      if (DefaultReplacesNull(c)) expressions.push_back(*c.default_sql);
    }
  }
  for (const std::string& expression : expressions) {
    const std::string part = ForeignPart(expression);
    if (!part.empty()) return prefix + part + suffix;
  }
  return "";
}

}  // namespace

std::vector<UniqueLookup> BuildUniqueLookups(const SourceTable& table) {
  std::vector<UniqueLookup> lookups;
  for (const SourceIndex& index : table.indexes) {
    if (index.unique) lookups.push_back(BuildLookup(table, index));
  }
  return lookups;
}

std::string LookupObstacle(const SourceTable& table) {
  for (const SourceIndex& index : table.indexes) {
    if (!index.unique) continue;
    std::string obstacle = IndexObstacle(table, index);
    if (!obstacle.empty()) return obstacle;
  }
  return "";
}

}  // namespace liteferry::source
