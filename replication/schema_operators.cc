// The operators of SQLite in PostgreSQL's words. See docs/SCHEMA.md for what differs.
#include <algorithm>
#include <utility>

#include "replication/base/text.h"
#include "replication/schema_expression_internal.h"

namespace liteferry::internal {

using source::Expr;
using source::ExprKind;

namespace {

bool IsNumber(SqlKind kind) {
  return kind == SqlKind::kInt || kind == SqlKind::kFloat || kind == SqlKind::kNumeric;
}

bool IsNumber(const Constant& constant) {
  return constant.storage == StorageClass::kInteger || constant.storage == StorageClass::kReal;
}

std::string Not(const SqlExpr& expr) { return "NOT " + Wrap(expr, kPrecNot); }

// The collation that SQLite compares with: an explicit one, else that of the left column, else of
// the right one.
std::string CollationOf(const SqlExpr& left, const SqlExpr& right) {
  if (left.explicit_collation) return left.collation;
  if (right.explicit_collation) return right.collation;
  return left.collation.empty() ? right.collation : left.collation;
}

std::string TrimRight(std::string text) {
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

// `text` changed so that comparing bytes compares as `collation` does.
SqlExpr Collate(SqlExpr text, const std::string& collation) {
  if (collation.empty() || collation == "BINARY" || text.kind == SqlKind::kNull) return text;
  if (collation == "NOCASE") {
    if (text.constant) return MakeText(ToLowerAscii(text.constant->bytes));
    return MakeSql("lower(" + Wrap(text, kPrecCollate) + " COLLATE \"C\")", kPrecAtom,
                   SqlKind::kText);
  }
  if (collation == "RTRIM") {
    if (text.constant) return MakeText(TrimRight(text.constant->bytes));
    return MakeSql("rtrim(" + text.sql + ")", kPrecAtom, SqlKind::kText);
  }
  Untranslatable("the application's own collation " + collation);
}

// A narrow column would overflow where SQLite's 64 bits do not.
std::string Wide(const SqlExpr& expr, int least) {
  const bool narrow =
      expr.column != nullptr && (expr.column->type.kind == target::TypeKind::kInt2 ||
                                 expr.column->type.kind == target::TypeKind::kInt4);
  return narrow ? expr.sql + "::bigint" : Wrap(expr, least);
}

std::optional<SqlExpr> FoldIntegers(const std::string& op, const SqlExpr& left,
                                    const SqlExpr& right) {
  if (!left.constant || !right.constant) return std::nullopt;
  if (left.constant->storage != StorageClass::kInteger ||
      right.constant->storage != StorageClass::kInteger) {
    return std::nullopt;
  }
  const std::int64_t a = left.constant->integer;
  const std::int64_t b = right.constant->integer;
  std::int64_t result = 0;
  bool overflow = false;
  if (op == "+") {
    overflow = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflow = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflow = __builtin_mul_overflow(a, b, &result);
  } else {
    overflow = b == 0 || (a == INT64_MIN && b == -1);
    if (!overflow) result = op == "/" ? a / b : a % b;
  }
  if (overflow) Untranslatable("a constant beyond 64 bits or a division by zero");
  return MakeInteger(result);
}

}  // namespace

SqlExpr Translator::Unary(const Expr& expr) {
  if (expr.text == "NOT") {
    const SqlExpr inner = AsBool(Any(expr.parts.front()));
    return MakeSql(Not(inner), kPrecNot, SqlKind::kBool);
  }
  SqlExpr inner = Any(expr.parts.front());
  if (expr.text == "+") {
    inner.column = nullptr;  // it has no affinity any more
    return inner;
  }
  if (inner.constant && expr.text == "-" && IsNumber(*inner.constant)) {
    if (inner.constant->storage == StorageClass::kInteger && inner.constant->integer != INT64_MIN) {
      return MakeInteger(-inner.constant->integer);
    }
    inner.constant->real = -inner.constant->real;
    inner.sql = "-" + Wrap(inner, kPrecAtom);
    inner.precedence = kPrecSign;
    return inner;
  }
  if (inner.kind == SqlKind::kBool) inner = AsInt(std::move(inner));
  const bool fits = expr.text == "~" ? inner.kind == SqlKind::kInt : IsNumber(inner.kind);
  if (!fits) Untranslatable("only numbers have a counterpart here");
  if (expr.text == "~") return MakeSql("~" + Wide(inner, kPrecAtom), kPrecOther, inner.kind);
  return MakeSql("-" + Wide(inner, kPrecAtom), kPrecSign, inner.kind);
}

SqlExpr Translator::Binary(const Expr& expr) {
  const std::string& op = expr.text;
  if (op == "AND" || op == "OR") return Logic(op, expr);
  if (auto compared = ComparedTypeOf(expr)) return *compared;
  SqlExpr left = Any(expr.parts[0]);
  SqlExpr right = Any(expr.parts[1]);
  if (op == "||") return Concat(left, right);
  if (op == "->" || op == "->>") Untranslatable("paths into JSON differ");
  if (op == "&" || op == "|" || op == "<<" || op == ">>") return Bits(op, left, right);
  if (op == "+" || op == "-" || op == "*" || op == "/" || op == "%") {
    return Arithmetic(op, left, right);
  }
  return Compare(op, std::move(left), std::move(right));
}

SqlExpr Translator::Logic(const std::string& op, const Expr& expr) {
  const SqlExpr left = AsBool(Any(expr.parts[0]));
  const SqlExpr right = AsBool(Any(expr.parts[1]));
  const int precedence = op == "AND" ? kPrecAnd : kPrecOr;
  return MakeSql(Wrap(left, precedence) + " " + op + " " + Wrap(right, precedence), precedence,
                 SqlKind::kBool);
}

void Translator::Adapt(SqlExpr& constant, SqlExpr& other) const {
  if (constant.kind == SqlKind::kNull) return;
  const Affinity affinity = other.column != nullptr ? other.column->affinity : Affinity::kBlob;
  const Constant value = ApplyAffinity(*constant.constant, affinity);
  const auto literal = [&](SqlKind kind) {
    const Constant kept = value;
    constant = MakeSql(ColumnLiteral(value, *other.column), kPrecAtom, kind);
    constant.constant = kept;
  };
  switch (other.kind) {
    case SqlKind::kInt:
    case SqlKind::kFloat:
    case SqlKind::kNumeric:
      if (value.storage == StorageClass::kInteger) {
        constant = MakeInteger(value.integer);
      } else if (value.storage == StorageClass::kReal &&
                 constant.constant->storage == StorageClass::kText) {
        constant.sql = constant.constant->bytes;
        constant.kind = SqlKind::kNumeric;
      }
      if (!IsNumber(value)) Untranslatable("a number is compared with something else");
      return;
    case SqlKind::kText:
      if (value.storage != StorageClass::kText) {
        Untranslatable("text is compared with something else");
      }
      {
        SqlExpr text = MakeText(value.bytes);
        text.collation = constant.collation;
        text.explicit_collation = constant.explicit_collation;
        constant = std::move(text);
      }
      return;
    case SqlKind::kBytes:
      if (value.storage == StorageClass::kBlob) return;
      Untranslatable("a BLOB is compared with something else");
    case SqlKind::kBool:
      if (other.column != nullptr &&
          !(value.storage == StorageClass::kInteger && value.integer != 0 && value.integer != 1)) {
        return literal(SqlKind::kBool);
      }
      other = AsInt(std::move(other));
      return Adapt(constant, other);
    case SqlKind::kTime:
    case SqlKind::kUuid:
      if (other.column == nullptr) break;
      return literal(other.kind);
    default:
      break;
  }
  Untranslatable("a comparison of values of this type");
}

void Translator::Match(SqlExpr& left, SqlExpr& right, bool ordered) const {
  if (left.kind == SqlKind::kNow || right.kind == SqlKind::kNow) {
    Untranslatable("the current time is compared as text");
  }
  if (right.constant && !left.constant) Adapt(right, left);
  if (left.constant && !right.constant) Adapt(left, right);
  if (left.kind == SqlKind::kNull || right.kind == SqlKind::kNull) return;
  if (left.kind == SqlKind::kBool && right.kind == SqlKind::kInt) left = AsInt(std::move(left));
  if (right.kind == SqlKind::kBool && left.kind == SqlKind::kInt) right = AsInt(std::move(right));
  const bool constant = left.constant || right.constant;
  if (IsNumber(left.kind) && IsNumber(right.kind)) {
    const bool mixed = (left.kind == SqlKind::kFloat) != (right.kind == SqlKind::kFloat);
    if (mixed && !constant) {
      Untranslatable("SQLite compares integers and reals exactly, PostgreSQL does not");
    }
    return;
  }
  if (left.kind != right.kind) Untranslatable("values of different types are compared");
  if (left.kind == SqlKind::kTime && left.column != nullptr && right.column != nullptr &&
      left.column->type.kind != right.column->type.kind) {
    Untranslatable("dates and times of different types are compared");
  }
  if (left.kind == SqlKind::kUuid && ordered) Untranslatable("uuids are compared as text");
  if (left.kind == SqlKind::kJson || left.kind == SqlKind::kOther) {
    Untranslatable("a comparison of values of this type");
  }
  if (left.kind == SqlKind::kText) {
    const std::string collation = CollationOf(left, right);
    left = Collate(std::move(left), collation);
    right = Collate(std::move(right), collation);
    if (!ordered) return;
    SqlExpr& collated = left.constant ? right : left;
    collated =
        MakeSql(Wrap(collated, kPrecCollate) + " COLLATE \"C\"", kPrecCollate, SqlKind::kText);
  }
}

SqlExpr Translator::CompareBool(const std::string& op, const SqlExpr& left, bool right) const {
  if (op == "IS" || op == "ISNOT") {
    const std::string word = right ? "true" : "false";
    return MakeSql(Wrap(left, kPrecIs) + (op == "IS" ? " IS " : " IS NOT ") + word, kPrecIs,
                   SqlKind::kBool);
  }
  if ((op == "=") == right) return left;
  return MakeSql(Not(left), kPrecNot, SqlKind::kBool);
}

SqlExpr Translator::Compare(std::string op, SqlExpr left, SqlExpr right) const {
  const bool equality = op == "=" || op == "<>" || op == "IS" || op == "ISNOT";
  Match(left, right, !equality);
  if (equality && left.kind == SqlKind::kBool && right.kind == SqlKind::kBool) {
    if (right.constant) return CompareBool(op, left, right.sql == "true");
    if (left.constant) return CompareBool(op, right, left.sql == "true");
  }
  if (op == "IS") op = "IS NOT DISTINCT FROM";
  if (op == "ISNOT") op = "IS DISTINCT FROM";
  const int precedence = op.starts_with("IS") ? kPrecIs : kPrecCompare;
  return MakeSql(Wrap(left, precedence + 1) + " " + op + " " + Wrap(right, precedence + 1),
                 precedence, SqlKind::kBool);
}

SqlExpr Translator::Arithmetic(const std::string& op, const SqlExpr& a, const SqlExpr& b) const {
  const SqlExpr left = a.kind == SqlKind::kBool ? AsInt(a) : a;
  const SqlExpr right = b.kind == SqlKind::kBool ? AsInt(b) : b;
  if (auto folded = FoldIntegers(op, left, right)) return *folded;
  const auto takes = [](const SqlExpr& expr) {
    return expr.kind == SqlKind::kInt || expr.kind == SqlKind::kFloat ||
           (expr.constant && IsNumber(*expr.constant));
  };
  if (!takes(left) || !takes(right)) {
    Untranslatable("SQLite calculates here in binary fractions or with text");
  }
  const bool integers = left.kind == SqlKind::kInt && right.kind == SqlKind::kInt;
  const auto mixes = [](const SqlExpr& expr) {
    return expr.kind == SqlKind::kFloat && expr.column != nullptr &&
           expr.column->affinity != Affinity::kReal;
  };
  if (op == "/" && (mixes(left) || mixes(right))) {
    Untranslatable("SQLite divides integers and reals of one column differently");
  }
  if (op == "%" && !integers) Untranslatable("a remainder of fractions");
  const int precedence = op == "+" || op == "-" ? kPrecSum : kPrecProduct;
  std::string first = Wide(left, precedence);
  // Two decimal literals would be calculated exactly, a literal with an integer column too.
  if (!integers && left.kind != SqlKind::kFloat) {
    first = Wrap(left, kPrecCast) + "::double precision";
  }
  std::string second = Wide(right, precedence + 1);
  if (!integers && right.kind != SqlKind::kFloat) {
    second = Wrap(right, kPrecCast) + "::double precision";
  }
  const bool zero = right.constant && right.constant->integer == 0 && right.constant->real == 0;
  if ((op == "/" || op == "%") && (!right.constant || zero)) {
    second = "NULLIF(" + second + ", 0)";  // SQLite gives NULL
  }
  return MakeSql(first + " " + op + " " + second, precedence,
                 integers ? SqlKind::kInt : SqlKind::kFloat);
}

SqlExpr Translator::Bits(const std::string& op, const SqlExpr& a, const SqlExpr& b) const {
  const SqlExpr left = AsInt(a);
  const SqlExpr right = AsInt(b);
  const bool shift = op == "<<" || op == ">>";
  if (shift && !(right.constant && right.constant->integer >= 0 && right.constant->integer < 64)) {
    Untranslatable("shifts by other than 0 to 63 bits differ");
  }
  std::string first = Wide(left, kPrecOther);
  if (shift && left.column == nullptr) first = Wrap(left, kPrecCast) + "::bigint";
  return MakeSql(first + " " + op + " " + (shift ? right.sql : Wide(right, kPrecOther + 1)),
                 kPrecOther, SqlKind::kInt);
}

SqlExpr Translator::Concat(const SqlExpr& left, const SqlExpr& right) const {
  const SqlExpr a = AsText(left);
  const SqlExpr b = AsText(right);
  return MakeSql(Wrap(a, kPrecOther) + " || " + Wrap(b, kPrecOther + 1), kPrecOther,
                 SqlKind::kText);
}

SqlExpr Translator::IsNull(const Expr& expr) {
  const SqlExpr inner = Any(expr.parts.front());
  if (inner.kind == SqlKind::kNow) Untranslatable("the current time is no column");
  return MakeSql(Wrap(inner, kPrecIs) + (expr.negated ? " IS NOT NULL" : " IS NULL"), kPrecIs,
                 SqlKind::kBool);
}

SqlExpr Translator::Between(const Expr& expr) {
  const SqlExpr low = Compare(">=", Any(expr.parts[0]), Any(expr.parts[1]));
  const SqlExpr high = Compare("<=", Any(expr.parts[0]), Any(expr.parts[2]));
  SqlExpr subject = Any(expr.parts[0]);
  // Shorter where both comparisons are of the subject as it is.
  const std::string from = subject.sql + " >= ";
  const std::string to = subject.sql + " <= ";
  if (subject.precedence == kPrecAtom && low.sql.starts_with(from) && high.sql.starts_with(to)) {
    return MakeSql(subject.sql + (expr.negated ? " NOT BETWEEN " : " BETWEEN ") +
                       low.sql.substr(from.size()) + " AND " + high.sql.substr(to.size()),
                   kPrecIn, SqlKind::kBool);
  }
  SqlExpr both = MakeSql(low.sql + " AND " + high.sql, kPrecAnd, SqlKind::kBool);
  return expr.negated ? MakeSql(Not(both), kPrecNot, SqlKind::kBool) : both;
}

SqlExpr Translator::In(const Expr& expr) {
  if (auto compared = ComparedTypeOf(expr)) return *compared;
  if (expr.parts.size() < 2)
    return MakeSql(expr.negated ? "true" : "false", kPrecAtom, SqlKind::kBool);
  const SqlExpr subject = Any(expr.parts.front());
  std::vector<std::string> list;
  std::string left;
  bool has_true = false;
  bool has_false = false;
  for (std::size_t i = 1; i < expr.parts.size(); ++i) {
    SqlExpr one = subject;
    SqlExpr item = Any(expr.parts[i]);
    if (item.explicit_collation) Untranslatable("a collation in a list");
    if (!item.constant) item.collation.clear();  // that of the subject counts
    Match(one, item, false);
    const std::string name = Wrap(one, kPrecIn + 1);
    if (!left.empty() && left != name) Untranslatable("a list of values of several types");
    left = name;
    list.push_back(item.sql);
    has_true = has_true || (one.kind == SqlKind::kBool && item.sql == "true");
    has_false = has_false || (one.kind == SqlKind::kBool && item.sql == "false");
  }
  SqlExpr in = MakeSql(left + (expr.negated ? " NOT IN (" : " IN (") + Join(list, ", ") + ")",
                       kPrecIn, SqlKind::kBool);
  in.never_false = !expr.negated && has_true && has_false;
  return in;
}

SqlExpr Translator::Like(const Expr& expr) {
  if (expr.text != "LIKE" && expr.text != "GLOB") {
    Untranslatable(expr.text + " is the application's own function");
  }
  SqlExpr subject = Any(expr.parts[0]);
  const SqlExpr pattern = Any(expr.parts[1]);
  if (subject.kind != SqlKind::kText && subject.kind != SqlKind::kInt) {
    Untranslatable("SQLite matches the text of this value, which PostgreSQL writes differently");
  }
  subject = AsText(std::move(subject));
  if (!pattern.constant || pattern.kind != SqlKind::kText) {
    Untranslatable("the pattern is no constant string");
  }
  const std::string& text = pattern.constant->bytes;
  if (expr.text == "GLOB") return Glob(subject, text, expr.negated);
  std::string escape;
  if (expr.parts.size() > 2) {
    const SqlExpr given = Any(expr.parts[2]);
    if (!given.constant || given.constant->bytes.size() != 1) {
      Untranslatable("the escape is no single character");
    }
    const char c = given.constant->bytes.front();
    if (c == '%' || c == '_' || text.ends_with(c)) Untranslatable("an escape without a character");
    escape = " ESCAPE " + given.sql;
  } else if (text.find('\\') != std::string::npos) {
    escape = " ESCAPE ''";  // SQLite has no escape unless it is named
  }
  // SQLite's LIKE ignores the case of ASCII letters, and so does ILIKE under "C".
  const bool letters = ToLowerAscii(text) != source::UpperAscii(text);
  const std::string word = letters ? "ILIKE " : "LIKE ";
  const std::string left =
      letters ? Wrap(subject, kPrecCollate) + " COLLATE \"C\"" : Wrap(subject, kPrecIn + 1);
  return MakeSql(left + (expr.negated ? " NOT " : " ") + word + pattern.sql + escape, kPrecIn,
                 SqlKind::kBool);
}

SqlExpr Translator::Glob(const SqlExpr& subject, const std::string& pattern, bool negated) const {
  if (pattern.find('[') == std::string::npos) {
    std::string like;
    for (const char c : pattern) {
      if (c == '%' || c == '_' || c == '\\') like += '\\';
      like += c == '*' ? '%' : c == '?' ? '_' : c;
    }
    return MakeSql(
        Wrap(subject, kPrecIn + 1) + (negated ? " NOT LIKE " : " LIKE ") + QuoteLiteral(like),
        kPrecIn, SqlKind::kBool);
  }
  std::string regex = "^";
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == ' ' || (static_cast<unsigned char>(c) & 0x80) != 0;
    if (c == '[') {
      const std::size_t close = pattern.find(']', i + 2);
      const std::string inside =
          close == std::string::npos ? "" : pattern.substr(i + 1, close - i - 1);
      // Within brackets both mean the same as long as it is this simple.
      const auto simple = [](char d) {
        return (d >= 'a' && d <= 'z') || (d >= 'A' && d <= 'Z') || (d >= '0' && d <= '9') ||
               d == '_' || d == ' ' || d == '.' || d == '@' || d == '+' || d == '/' || d == ':';
      };
      const std::string_view set = std::string_view(inside).substr(inside.starts_with('^') ? 1 : 0);
      const bool plain =
          !set.empty() && !set.starts_with('-') &&
          std::all_of(set.begin(), set.end(), [&](char d) { return simple(d) || d == '-'; });
      if (!plain) Untranslatable("a GLOB pattern with such brackets");
      regex += "[" + inside + "]";
      i = close;
    } else if (c == '*') {
      regex += ".*";
    } else if (c == '?') {
      regex += ".";
    } else {
      if (!word) regex += '\\';
      regex += c;
    }
  }
  regex += "$";
  // Ranges go by code points, as in SQLite.
  return MakeSql(Wrap(subject, kPrecCollate) + " COLLATE \"C\"" + (negated ? " !~ " : " ~ ") +
                     QuoteLiteral(regex),
                 kPrecOther, SqlKind::kBool);
}

SqlKind Translator::Unify(std::vector<SqlExpr>& parts) const {
  SqlKind kind = SqlKind::kNull;
  for (const SqlExpr& part : parts) {
    if (part.kind == SqlKind::kNull) continue;
    if (part.kind == SqlKind::kNow) Untranslatable("the current time within an expression");
    const bool numbers = IsNumber(part.kind) && IsNumber(kind);
    if (kind == SqlKind::kNull) {
      kind = part.kind;
    } else if (kind == SqlKind::kBool && part.kind == SqlKind::kInt) {
      kind = SqlKind::kInt;
    } else if (kind != part.kind && !numbers &&
               !(kind == SqlKind::kInt && part.kind == SqlKind::kBool)) {
      Untranslatable("its results are of different types");
    } else if (numbers && part.kind != kind) {
      Untranslatable("its results are numbers of different types");
    }
  }
  for (SqlExpr& part : parts) {
    if (kind == SqlKind::kInt && part.kind == SqlKind::kBool) part = AsInt(std::move(part));
  }
  if (kind == SqlKind::kTime || kind == SqlKind::kOther) {
    Untranslatable("an expression of values of this type");
  }
  return kind;
}

SqlExpr Translator::Case(const Expr& expr) {
  const bool has_base = expr.text == "base";
  std::size_t at = has_base ? 1 : 0;
  std::vector<std::string> conditions;
  std::vector<SqlExpr> results;
  for (; at + 1 < expr.parts.size(); at += 2) {
    const SqlExpr condition = has_base ? Compare("=", Any(expr.parts[0]), Any(expr.parts[at]))
                                       : AsBool(Any(expr.parts[at]));
    conditions.push_back(condition.sql);
    results.push_back(Any(expr.parts[at + 1]));
  }
  const bool has_else = at < expr.parts.size();
  if (has_else) results.push_back(Any(expr.parts[at]));
  const SqlKind kind = Unify(results);
  std::string sql = "CASE";
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    sql += " WHEN " + conditions[i] + " THEN " + results[i].sql;
  }
  if (has_else) sql += " ELSE " + results.back().sql;
  return MakeSql(sql + " END", kPrecAtom, kind);
}

SqlExpr Translator::Cast(const Expr& expr) {
  SqlExpr inner = Any(expr.parts.front());
  const Affinity affinity = AffinityOf(expr.text);
  if (inner.kind == SqlKind::kNull) return inner;
  switch (affinity) {
    case Affinity::kText:
      return AsText(std::move(inner));
    case Affinity::kInteger:
      if (inner.constant && inner.kind == SqlKind::kText) {
        const Constant number = ApplyAffinity(*inner.constant, Affinity::kInteger);
        if (number.storage == StorageClass::kInteger) return MakeInteger(number.integer);
      }
      if (use_ == ExpressionUse::kDefault && inner.kind == SqlKind::kFloat) {
        return MakeSql("trunc(" + inner.sql + ")::bigint", kPrecCast, SqlKind::kInt);
      }
      return AsInt(std::move(inner));
    case Affinity::kReal:
      if (!IsNumber(inner.kind)) inner = AsInt(std::move(inner));
      return MakeSql(Wrap(inner, kPrecCast) + "::double precision", kPrecCast, SqlKind::kFloat);
    case Affinity::kNumeric:
      if (inner.kind != SqlKind::kInt) break;
      return inner;
    case Affinity::kBlob:
      break;
  }
  Untranslatable("a CAST of this type to " + expr.text);
}

}  // namespace liteferry::internal
