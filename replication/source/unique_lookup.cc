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
          "WHEN typeof(v)='real' AND CAST(v AS INTEGER)=v AND abs(v)<9223372036854775807.0 "
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
  return "coalesce(" + value + "," + dflt + ")";
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

// Which new row an expression is evaluated over.
struct NewRow {
  bool typed = false;     // with the affinities of its columns
  bool defaults = false;  // with the defaults that REPLACE puts in the place of NULL
};

// Whether the value of `expression` may depend on the affinity of the columns in it: only
// comparisons do.
bool DependsOnAffinity(std::string_view expression) {
  for (const Token& token : Tokenize(expression)) {
    for (const char* word : {"CASE", "IN", "IS", "BETWEEN"}) {
      if (token.Is(word)) return true;
    }
    for (const char* op : {"=", "==", "<>", "!=", "<", "<=", ">", ">="}) {
      if (token.IsOperator(op)) return true;
    }
  }
  return false;
}

// A value of column `c` as an expression that stands for the column: with its collation, and, when
// `typed`, with its affinity, which NEW."x" does not have in a trigger. (A CAST has one; it leaves
// a value as it is that is of the storage class its column prefers.)
std::string AsColumn(const SourceTable& table, const SourceColumn& c, std::string value,
                     bool typed) {
  const Affinity affinity = AffinityOf(table, c);
  if (typed && affinity != Affinity::kBlob) {
    value = "CAST(" + value + " AS " + (affinity == Affinity::kText ? "TEXT" : "NUMERIC") + ")";
  }
  if (ToLowerAscii(c.collation) != "binary") value += " COLLATE " + QuoteIdentifier(c.collation);
  return value + " AS " + QuoteIdentifier(c.name);
}

// `expression` evaluated over NEW: a one-row subselect gives its columns their names.
std::string OverGivenRow(const SourceTable& table, const std::string& expression, bool typed) {
  std::vector<std::string> row;
  for (const int column : ColumnsIn(table, expression)) {
    const SourceColumn& c = ColumnAt(table, column);
    row.push_back(AsColumn(table, c, "NEW." + QuoteIdentifier(c.name), typed));
  }
  return "(SELECT " + expression + " FROM (SELECT " + (row.empty() ? "1" : Join(row, ",")) + "))";
}

// The same over NEW with its defaults. Generated columns are computed from the others here, because
// NEW shows them computed before defaults.
std::string OverRowWithDefaults(const SourceTable& table, const std::string& expression,
                                bool typed) {
  std::vector<int> order;
  Collect(table, ColumnsIn(table, expression), order);
  std::vector<std::string> plain;
  for (const int column : order) {
    const SourceColumn& c = ColumnAt(table, column);
    if (!c.generated) plain.push_back(AsColumn(table, c, StoredNewValue(table, c), typed));
  }
  std::string row = "SELECT " + (plain.empty() ? "1" : Join(plain, ","));
  for (const int column : order) {
    const SourceColumn& c = ColumnAt(table, column);
    if (!c.generated) continue;
    // The unary plus keeps the expression's own affinity away from what is compared with it.
    const std::string value = WithAffinity("+(" + c.generated_sql + ")", AffinityOf(table, c));
    row = "SELECT *," + AsColumn(table, c, value, typed) + " FROM (" + row + ")";
  }
  return "(SELECT " + expression + " FROM (" + row + "))";
}

bool IsPlain(const SourceTable& table, const IndexTerm& term) {
  return term.column >= 0 && !ColumnAt(table, term.column).generated;
}

// The clause that makes a comparison with the column on its left use `collation`.
std::string Collate(const SourceColumn& column, const std::string& collation) {
  if (ToLowerAscii(column.collation) == ToLowerAscii(collation)) return "";
  return " COLLATE " + QuoteIdentifier(collation);
}

std::string OverNewRow(const SourceTable& table, const std::string& expression, NewRow row) {
  return row.defaults ? OverRowWithDefaults(table, expression, row.typed)
                      : OverGivenRow(table, expression, row.typed);
}

std::string TermCondition(const SourceTable& table, const IndexTerm& term, NewRow row) {
  // Stated always, not only where it differs from that of the column: what stands on the right may
  // bring a collation of its own.
  const std::string equal = " COLLATE " + QuoteIdentifier(term.collation) + "=";
  if (term.column < 0) {
    return "(" + term.expression + ")" + equal + OverNewRow(table, term.expression, row);
  }
  const SourceColumn& c = ColumnAt(table, term.column);
  const std::string name = QuoteIdentifier(c.name);
  if (DefaultReplacesNull(c)) return name + equal + NewValue(c);
  if (!c.generated || !row.defaults) {
    return name + Collate(c, term.collation) + "=NEW." + name;
  }
  // The sign again: the column's affinity must be what decides, not that of the subselect.
  return name + equal + "+" + OverRowWithDefaults(table, name, row.typed);
}

// What an entry of the index depends on beyond its plain columns, generated columns resolved.
std::set<int> HiddenInputs(const SourceTable& table, const SourceIndex& index) {
  std::set<int> named = ColumnsIn(table, index.where);
  for (const IndexTerm& term : index.terms) {
    if (term.column < 0) named.merge(ColumnsIn(table, term.expression));
    if (term.column >= 0 && !IsPlain(table, term)) named.insert(term.column);
  }
  std::vector<int> inputs;
  Collect(table, named, inputs);
  std::erase_if(inputs, [&](int column) { return ColumnAt(table, column).generated; });
  return {inputs.begin(), inputs.end()};
}

std::string Condition(const SourceTable& table, const SourceIndex& index, NewRow row) {
  std::vector<std::string> conditions;
  for (const IndexTerm& term : index.terms) conditions.push_back(TermCondition(table, term, row));
  if (index.partial) conditions.push_back("(" + index.where + ")");
  return JoinConditions(conditions, " AND ");
}

// What must be true of NEW and OLD for the entry of the row to change; "" when nothing can.
std::string Changed(const SourceTable& table, const SourceIndex& index,
                    const std::set<int>& inputs) {
  std::vector<std::string> changes;
  for (const IndexTerm& term : index.terms) {
    if (!IsPlain(table, term) || inputs.contains(term.column)) continue;
    const SourceColumn& c = ColumnAt(table, term.column);
    const std::string name = QuoteIdentifier(c.name);
    changes.push_back("NEW." + name + Collate(c, term.collation) + " IS NOT OLD." + name);
  }
  for (const int column : inputs) {
    const std::string name = QuoteIdentifier(ColumnAt(table, column).name);
    changes.push_back(ExactlyDiffers(table, column, "OLD." + name, "NEW." + name));
  }
  return JoinConditions(changes, " OR ");
}

bool DependsOnAffinity(const SourceTable& table, const SourceIndex& index) {
  for (const IndexTerm& term : index.terms) {
    if (DependsOnAffinity(term.expression)) return true;
    const std::string text =
        term.column < 0 ? term.expression : QuoteIdentifier(ColumnAt(table, term.column).name);
    std::vector<int> columns;
    Collect(table, ColumnsIn(table, text), columns);
    for (const int column : columns) {
      if (DependsOnAffinity(ColumnAt(table, column).generated_sql)) return true;
    }
  }
  return false;
}

// Where a value is not of the class that its column prefers, giving it the type would change it;
// so then the rows are looked for both ways. One too many does no harm.
void AddLookups(const SourceTable& table, const SourceIndex& index,
                std::vector<UniqueLookup>& lookups) {
  const std::set<int> inputs = HiddenInputs(table, index);
  const std::string changed = Changed(table, index, inputs);
  std::optional<std::set<int>> columns = inputs;
  for (const IndexTerm& term : index.terms) {
    if (IsPlain(table, term)) columns->insert(term.column);
  }
  if (columns->contains(table.integer_primary_key)) columns.reset();
  const auto add = [&](const std::string& when, NewRow row) {
    lookups.push_back({when + Condition(table, index, row), changed, columns});
  };
  const bool typed = DependsOnAffinity(table, index);
  add("", {});
  if (typed) add("", {.typed = true});
  std::vector<std::string> nulls;
  for (const int column : inputs) {
    const SourceColumn& c = ColumnAt(table, column);
    if (DefaultReplacesNull(c)) nulls.push_back("NEW." + QuoteIdentifier(c.name) + " IS NULL");
  }
  if (nulls.empty()) return;
  const std::string any = "(" + JoinConditions(nulls, " OR ") + ") AND ";
  add(any, {.defaults = true});
  if (typed) add(any, {.typed = true, .defaults = true});
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
    if (index.unique) AddLookups(table, index, lookups);
  }
  // Behind another key stands the rowid, which a statement can set, and by which REPLACE removes
  // too. (One that is not set is -1 here; then the row with that rowid is logged in vain.)
  const bool behind = table.key_kind != KeyKind::kRowid && table.integer_primary_key < 0;
  if (behind && !table.rowid_alias.empty()) {
    const std::string& rowid = table.rowid_alias;
    lookups.push_back({rowid + "=NEW." + rowid, "NEW." + rowid + " IS NOT OLD." + rowid, {}});
  }
  return lookups;
}

std::string ExactlyDiffers(const SourceTable& table, int column, const std::string& before,
                           const std::string& after) {
  const SourceColumn& c = ColumnAt(table, column);
  const std::string differs = before + Collate(c, "BINARY") + " IS NOT " + after;
  // A column of these two affinities never holds an integer and a real that are equal.
  const Affinity affinity = AffinityOf(table, c);
  if (affinity == Affinity::kText || affinity == Affinity::kReal) return differs;
  return differs + " OR typeof(" + before + ")<>typeof(" + after + ")";
}

std::string JoinConditions(const std::vector<std::string>& parts, std::string_view separator) {
  constexpr std::size_t kFlat = 3;
  if (parts.size() <= kFlat) return Join(parts, separator);
  const auto middle = parts.begin() + static_cast<std::ptrdiff_t>(parts.size() / 2);
  return "(" + JoinConditions({parts.begin(), middle}, separator) + ")" + std::string(separator) +
         "(" + JoinConditions({middle, parts.end()}, separator) + ")";
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
