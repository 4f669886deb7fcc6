#include "replication/schema_expression.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "replication/base/text.h"
#include "replication/schema_expression_internal.h"
#include "replication/target/text_forms.h"

namespace liteferry {
namespace internal {

using source::Expr;
using source::ExprKind;
using target::TypeKind;

SqlKind KindOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBool:
      return SqlKind::kBool;
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
      return SqlKind::kInt;
    case TypeKind::kFloat4:
    case TypeKind::kFloat8:
      return SqlKind::kFloat;
    case TypeKind::kNumeric:
      return SqlKind::kNumeric;
    case TypeKind::kText:
    case TypeKind::kVarchar:
      return SqlKind::kText;
    case TypeKind::kBytea:
      return SqlKind::kBytes;
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return SqlKind::kTime;
    case TypeKind::kUuid:
      return SqlKind::kUuid;
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      return SqlKind::kJson;
    default:
      return SqlKind::kOther;
  }
}

void Untranslatable(std::string why) {
  throw Error(Disposition::kStop, Component::kConfig, std::move(why));
}

std::string Wrap(const SqlExpr& expr, int least) {
  return expr.precedence >= least ? expr.sql : "(" + expr.sql + ")";
}

SqlExpr MakeSql(std::string sql, int precedence, SqlKind kind) {
  SqlExpr expr;
  expr.sql = std::move(sql);
  expr.precedence = precedence;
  expr.kind = kind;
  return expr;
}

SqlExpr MakeInteger(std::int64_t number) {
  SqlExpr expr = MakeSql(std::to_string(number), number < 0 ? kPrecSign : kPrecAtom, SqlKind::kInt);
  expr.constant = Constant{StorageClass::kInteger, number, 0, ""};
  return expr;
}

SqlExpr MakeText(std::string text) {
  if (text.find('\0') != std::string::npos || !IsValidUtf8(text)) {
    Untranslatable("a string that is no text for PostgreSQL");
  }
  SqlExpr expr = MakeSql(QuoteLiteral(text), kPrecAtom, SqlKind::kText);
  expr.constant = Constant{StorageClass::kText, 0, 0, std::move(text)};
  return expr;
}

Constant ApplyAffinity(const Constant& value, Affinity affinity) {
  Constant out = value;
  if (affinity == Affinity::kText && value.storage == StorageClass::kInteger) {
    out = {StorageClass::kText, 0, 0, std::to_string(value.integer)};
  } else if (affinity == Affinity::kText && value.storage == StorageClass::kReal) {
    char text[32];
    std::snprintf(text, sizeof text, "%.15g", value.real);
    out = {StorageClass::kText, 0, 0, text};
    if (out.bytes.find_first_of(".en") == std::string::npos) out.bytes += ".0";
  } else if (value.storage == StorageClass::kText && affinity != Affinity::kText &&
             affinity != Affinity::kBlob) {
    const target::TextForms forms = target::FormsOf(value.bytes);
    if (forms.integer) {
      out = {StorageClass::kInteger, std::strtoll(value.bytes.c_str(), nullptr, 10), 0, ""};
    } else if (forms.decimal) {
      out = {StorageClass::kReal, 0, std::strtod(value.bytes.c_str(), nullptr), ""};
    }
  }
  if (affinity == Affinity::kReal && out.storage == StorageClass::kInteger) {
    out = {StorageClass::kReal, 0, static_cast<double>(out.integer), ""};
  }
  return out;
}

std::string ColumnLiteral(const Constant& value, const ExpressionColumn& column) {
  std::string text;
  bool is_null = false;
  const auto refused =
      target::ConvertText(value.view(), column.type, column.options, text, is_null);
  if (refused) Untranslatable(refused->reason);
  if (is_null) return "NULL";
  switch (KindOf(column.type.kind)) {
    case SqlKind::kBool:
      return text == "t" || text == "true" ? "true" : "false";
    case SqlKind::kInt:
    case SqlKind::kNumeric:
    case SqlKind::kFloat:
      if (text.find_first_not_of("+-.0123456789eE") == std::string::npos) return text;
      break;
    default:
      break;
  }
  if (text.find('\0') != std::string::npos) Untranslatable("a string with a NUL");
  return QuoteLiteral(text);
}

SqlExpr Translator::Any(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kName:
    case ExprKind::kBoolean:
      return Name(expr);
    case ExprKind::kUnary:
      return Unary(expr);
    case ExprKind::kBinary:
      return Binary(expr);
    case ExprKind::kIsNull:
      return IsNull(expr);
    case ExprKind::kBetween:
      return Between(expr);
    case ExprKind::kIn:
      return In(expr);
    case ExprKind::kLike:
      return Like(expr);
    case ExprKind::kCase:
      return Case(expr);
    case ExprKind::kCast:
      return Cast(expr);
    case ExprKind::kCurrent:
    case ExprKind::kFunction:
      return Function(expr);
    case ExprKind::kCollate: {
      SqlExpr inner = Any(expr.parts.front());
      inner.collation = source::UpperAscii(expr.text);
      inner.explicit_collation = true;
      return inner;
    }
    case ExprKind::kOther:
      Untranslatable("subqueries and the like have no counterpart");
    default:
      return Literal(expr);
  }
}

SqlExpr Translator::Name(const Expr& expr) const {
  const std::string wanted = ToLowerAscii(expr.text);
  for (const ExpressionColumn& column : columns_) {
    if (ToLowerAscii(column.source) != wanted) continue;
    if (use_ == ExpressionUse::kGenerated && column.generated) {
      Untranslatable("a generated column may not use another one");
    }
    SqlExpr name = MakeSql(column.sql, kPrecAtom, KindOf(column.type.kind));
    name.column = &column;
    if (name.kind == SqlKind::kText) name.collation = column.collation;
    return name;
  }
  if (expr.kind == ExprKind::kBoolean) return MakeInteger(wanted == "true" ? 1 : 0);
  // SQLite takes "x" for a string where no column has that name.
  if (expr.quoted || use_ == ExpressionUse::kDefault) return MakeText(expr.text);
  Untranslatable("there is no column " + expr.text);
}

SqlExpr Translator::Literal(const Expr& expr) const {
  switch (expr.kind) {
    case ExprKind::kNull: {
      SqlExpr null = MakeSql("NULL", kPrecAtom, SqlKind::kNull);
      null.constant = Constant{};
      return null;
    }
    case ExprKind::kString:
      return MakeText(expr.text);
    case ExprKind::kBlob: {
      SqlExpr blob = MakeSql("'\\x" + ToHex(expr.text) + "'::bytea", kPrecCast, SqlKind::kBytes);
      blob.constant = Constant{StorageClass::kBlob, 0, 0, expr.text};
      return blob;
    }
    case ExprKind::kInteger: {
      const bool hex = expr.text.starts_with("0x") || expr.text.starts_with("0X");
      const std::string digits = expr.text.substr(hex ? 2 : 0);
      std::uint64_t number = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
      if (error == std::errc() && (hex || number <= INT64_MAX)) {
        return MakeInteger(static_cast<std::int64_t>(number));
      }
      [[fallthrough]];
    }
    default: {
      SqlExpr real = MakeSql(expr.text, kPrecAtom, SqlKind::kNumeric);
      real.constant = Constant{StorageClass::kReal, 0, std::strtod(expr.text.c_str(), nullptr), ""};
      return real;
    }
  }
}

SqlExpr Translator::Verdict(const Expr& expr) {
  if (expr.kind == ExprKind::kBinary && (expr.text == "AND" || expr.text == "OR")) {
    SqlExpr left = Verdict(expr.parts[0]);
    SqlExpr right = Verdict(expr.parts[1]);
    if (expr.text == "OR" && (left.never_false || right.never_false)) {
      return left.never_false ? left : right;
    }
    if (expr.text == "AND" && left.never_false) return right;
    if (expr.text == "AND" && right.never_false) return left;
    const int precedence = expr.text == "AND" ? kPrecAnd : kPrecOr;
    return MakeSql(Wrap(left, precedence) + " " + expr.text + " " + Wrap(right, precedence),
                   precedence, SqlKind::kBool);
  }
  return AsBool(Any(expr));
}

SqlExpr Translator::AsBool(SqlExpr expr) const {
  if (expr.kind == SqlKind::kNull) return MakeSql("NULL::boolean", kPrecCast, SqlKind::kBool);
  if (expr.constant && expr.constant->storage == StorageClass::kInteger) {
    SqlExpr truth =
        MakeSql(expr.constant->integer != 0 ? "true" : "false", kPrecAtom, SqlKind::kBool);
    truth.never_false = expr.constant->integer != 0;
    return truth;
  }
  switch (expr.kind) {
    case SqlKind::kBool:
      return expr;
    case SqlKind::kInt:
    case SqlKind::kFloat:
    case SqlKind::kNumeric:
      return MakeSql(Wrap(expr, kPrecCompare + 1) + " <> 0", kPrecCompare, SqlKind::kBool);
    default:
      Untranslatable("a value that is no number is no condition");
  }
}

SqlExpr Translator::AsInt(SqlExpr expr) const {
  if (expr.kind == SqlKind::kBool) {
    return MakeSql(Wrap(expr, kPrecCast) + "::integer", kPrecCast, SqlKind::kInt);
  }
  if (expr.kind != SqlKind::kInt) Untranslatable("only integers have a counterpart here");
  return expr;
}

SqlExpr Translator::AsText(SqlExpr expr) const {
  if (expr.kind == SqlKind::kNull) return MakeSql("NULL::text", kPrecCast, SqlKind::kText);
  if (expr.kind == SqlKind::kText) return expr;
  if (expr.kind == SqlKind::kBool) expr = AsInt(std::move(expr));
  if (expr.kind == SqlKind::kNow && !expr.format.empty()) {
    const std::string now = expr.local ? "localtimestamp" : "now() AT TIME ZONE 'UTC'";
    return MakeSql("to_char(" + now + expr.interval + ", " + QuoteLiteral(expr.format) + ")",
                   kPrecAtom, SqlKind::kText);
  }
  if (expr.kind != SqlKind::kInt) {
    Untranslatable("SQLite and PostgreSQL write this value differently as text");
  }
  return MakeSql(Wrap(expr, kPrecCast) + "::text", kPrecCast, SqlKind::kText);
}

SqlExpr Translator::Coerce(SqlExpr expr, const ExpressionColumn& column) const {
  const SqlKind wanted = KindOf(column.type.kind);
  if (expr.kind == SqlKind::kNull) return expr;
  if (expr.kind == SqlKind::kNow) return CoerceNow(expr, column);
  // Seconds since 1970, in a column that `epoch` makes a time.
  if (wanted == SqlKind::kTime && column.options.epoch != config::Epoch::kNone &&
      use_ == ExpressionUse::kDefault && expr.sql.find("now()") != std::string::npos) {
    return MakeSql("now()", kPrecAtom, SqlKind::kTime);
  }
  if (expr.kind == SqlKind::kUuid && wanted == SqlKind::kText) {
    return MakeSql(Wrap(expr, kPrecCast) + "::text", kPrecCast, SqlKind::kText);
  }
  if (wanted == SqlKind::kUuid && expr.sql.find("gen_random_uuid()") != std::string::npos) {
    return MakeSql("gen_random_uuid()", kPrecAtom, SqlKind::kUuid);
  }
  if (expr.constant) {
    return MakeSql(ColumnLiteral(ApplyAffinity(*expr.constant, column.affinity), column), kPrecAtom,
                   wanted);
  }
  if (expr.kind == wanted && wanted != SqlKind::kTime && wanted != SqlKind::kOther) return expr;
  if (wanted == SqlKind::kText) return AsText(std::move(expr));
  if (wanted == SqlKind::kBool && expr.kind == SqlKind::kInt) return AsBool(std::move(expr));
  if (wanted == SqlKind::kInt && expr.kind == SqlKind::kBool) return AsInt(std::move(expr));
  const bool number = wanted == SqlKind::kFloat || wanted == SqlKind::kNumeric;
  if (number && (expr.kind == SqlKind::kInt || expr.kind == SqlKind::kFloat)) return expr;
  if (wanted == SqlKind::kFloat && expr.kind == SqlKind::kNumeric) return expr;
  if (expr.column != nullptr && expr.column->type.name == column.type.name) return expr;
  Untranslatable("its result is no " + column.type.name);
}

}  // namespace internal

namespace {

using internal::ExpressionUse;
using internal::SqlExpr;
using internal::Translator;

// Runs `translate`, and turns what is untranslatable into a reason.
template <typename F>
Translated Attempt(F translate) {
  Translated result;
  try {
    translate(result);
  } catch (const Error& error) {
    if (error.disposition() == Disposition::kBug) throw;
    result.sql.clear();
    result.problem = error.message();
  }
  return result;
}

}  // namespace

Translated TranslateCheck(const source::Expr& expr, const std::vector<ExpressionColumn>& columns) {
  return Attempt([&](Translated& result) {
    const SqlExpr check = Translator(columns, ExpressionUse::kCheck).Verdict(expr);
    result.said_by_type = check.never_false;
    if (!check.never_false) result.sql = check.sql;
  });
}

Translated TranslateCondition(const source::Expr& expr,
                              const std::vector<ExpressionColumn>& columns) {
  return Attempt([&](Translated& result) {
    Translator translator(columns, ExpressionUse::kCondition);
    result.sql = translator.AsBool(translator.Any(expr)).sql;
  });
}

Translated TranslateDefault(const source::Expr& expr, const ExpressionColumn& column) {
  return Attempt([&](Translated& result) {
    const std::vector<ExpressionColumn> no_columns;
    Translator translator(no_columns, ExpressionUse::kDefault);
    SqlExpr value = translator.DefaultValue(expr);
    if (value.kind == internal::SqlKind::kNull) return;
    if (value.local) result.note = "SQLite's 'localtime' is that of the application's machine";
    value = translator.Coerce(std::move(value), column);
    // DEFAULT takes any expression, but in parentheses it is read more easily.
    result.sql = internal::Wrap(value, internal::kPrecSign);
  });
}

Translated TranslateGenerated(const source::Expr& expr,
                              const std::vector<ExpressionColumn>& columns,
                              const ExpressionColumn& column) {
  return Attempt([&](Translated& result) {
    Translator translator(columns, ExpressionUse::kGenerated);
    result.sql = translator.Coerce(translator.Any(expr), column).sql;
  });
}

Translated TranslateIndexTerm(const source::Expr& expr, const std::string& collation, bool unique,
                              const std::vector<ExpressionColumn>& columns) {
  return Attempt([&](Translated& result) {
    Translator translator(columns, unique ? ExpressionUse::kUnique : ExpressionUse::kIndex);
    const SqlExpr term = translator.Any(expr);
    if (term.constant || term.kind == internal::SqlKind::kNow) {
      internal::Untranslatable("it is the same for every row");
    }
    if (term.kind == internal::SqlKind::kJson) internal::Untranslatable("json has no order");
    std::string sql = term.sql;
    const std::string folded = source::UpperAscii(collation);
    if (term.kind == internal::SqlKind::kText && folded == "NOCASE") {
      sql = "lower(" + internal::Wrap(term, internal::kPrecCollate) + " COLLATE \"C\")";
    } else if (term.kind == internal::SqlKind::kText && folded == "RTRIM") {
      sql = "rtrim(" + sql + ")";
    } else if (!folded.empty() && folded != "BINARY" && folded != "NOCASE" && folded != "RTRIM") {
      internal::Untranslatable("the application's own collation " + collation);
    } else if (term.column == nullptr && !sql.ends_with(")")) {
      sql = "(" + sql + ")";
    } else if (term.column == nullptr && term.precedence < internal::kPrecAtom) {
      sql = "(" + sql + ")";
    }
    result.sql = sql;
  });
}

Translated TranslateIndexColumn(const ExpressionColumn& column, const std::string& collation) {
  source::Expr name;
  name.kind = source::ExprKind::kName;
  name.text = column.source;
  return TranslateIndexTerm(name, collation, true, {column});
}

}  // namespace liteferry
