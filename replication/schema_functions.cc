// SQLite's functions that have a counterpart with the same result.
#include <algorithm>
#include <array>
#include <utility>

#include "replication/base/text.h"
#include "replication/schema_expression_internal.h"

namespace liteferry::internal {

using source::Expr;
using source::ExprKind;

namespace {

SqlExpr Call(const std::string& function, const std::vector<SqlExpr>& arguments, SqlKind kind) {
  std::vector<std::string> texts;
  for (const SqlExpr& argument : arguments) texts.push_back(argument.sql);
  return MakeSql(function + "(" + Join(texts, ", ") + ")", kPrecAtom, kind);
}

// N of randomblob(N) with a constant N; 0 for any other expression.
std::int64_t RandomBytes(const Expr& expr) {
  if (expr.kind != ExprKind::kFunction || expr.text != "randomblob" || expr.parts.size() != 1) {
    return 0;
  }
  if (expr.parts[0].kind != ExprKind::kInteger || expr.parts[0].text.size() > 2) return 0;
  return std::stoll(expr.parts[0].text);
}

// 2 * bytes random hexadecimal digits. An UUID has 122 random bits; the fixed ones are no secret.
std::string RandomHex(std::int64_t bytes) {
  if (bytes == 16) return "replace(gen_random_uuid()::text, '-', '')";
  std::string digits = "gen_random_uuid()::text";
  for (std::int64_t have = 16; have < bytes; have += 16) digits += " || gen_random_uuid()::text";
  return "left(replace(" + digits + ", '-', ''), " + std::to_string(2 * bytes) + ")";
}

void Flatten(const Expr& expr, std::vector<const Expr*>& parts) {
  if (expr.kind == ExprKind::kBinary && expr.text == "||") {
    Flatten(expr.parts[0], parts);
    Flatten(expr.parts[1], parts);
  } else {
    parts.push_back(&expr);
  }
}

bool Contains(const Expr& expr, std::string_view function) {
  if (expr.kind == ExprKind::kFunction && expr.text == function) return true;
  return std::any_of(expr.parts.begin(), expr.parts.end(),
                     [&](const Expr& part) { return Contains(part, function); });
}

// The expression that people write in SQLite for a random UUID: hexadecimal digits of randomblob()
// in five groups joined by dashes, the fixed 4 at the head of the third.
bool IsUuidRecipe(const Expr& expr) {
  const Expr* inner = &expr;
  while (inner->kind == ExprKind::kFunction && inner->text == "lower" && inner->parts.size() == 1) {
    inner = &inner->parts.front();
  }
  std::vector<const Expr*> parts;
  Flatten(*inner, parts);
  int dashes = 0;
  bool version = false;
  for (const Expr* part : parts) {
    if (part->kind == ExprKind::kString) {
      dashes += static_cast<int>(std::count(part->text.begin(), part->text.end(), '-'));
      version = version || part->text == "-4" || part->text == "4";
      if (part->text.find_first_not_of("-4") != std::string::npos) return false;
    } else if (!Contains(*part, "randomblob") && !Contains(*part, "random")) {
      return false;
    }
  }
  return dashes == 4 && version && Contains(expr, "randomblob");
}

}  // namespace

SqlExpr Translator::DefaultValue(const Expr& expr) {
  if (IsUuidRecipe(expr)) return MakeSql("gen_random_uuid()", kPrecAtom, SqlKind::kUuid);
  return Any(expr);
}

SqlExpr Translator::Function(const Expr& expr) {
  const std::string& name = expr.text;
  if (auto now = Now(expr)) return *now;
  const std::size_t count = expr.parts.size();
  if (name == "lower" || name == "upper") return Fold(name, expr);
  if (name == "coalesce" || name == "ifnull") return Coalesce(expr);
  if (name == "substr" || name == "substring") return Substring(expr);
  if (name == "length" && count == 1) return Length(Any(expr.parts[0]));
  if (name == "hex" && count == 1) return Hex(expr);
  if (name == "json_valid" && count == 1) return JsonValid(expr);
  if (name == "randomblob" && RandomBytes(expr) == 16) {
    return MakeSql("uuid_send(gen_random_uuid())", kPrecAtom, SqlKind::kBytes);
  }
  if (const std::int64_t bytes = RandomBytes(expr); bytes > 0) {
    return MakeSql("decode(" + RandomHex(bytes) + ", 'hex')", kPrecAtom, SqlKind::kBytes);
  }
  if (name == "nullif" && count == 2) {
    SqlExpr left = Any(expr.parts[0]);
    SqlExpr right = Any(expr.parts[1]);
    const SqlExpr before = left;
    Match(left, right, false);
    if (left.sql != before.sql) Untranslatable("nullif() under a collation");
    return Call("nullif", {left, right}, left.kind);
  }
  if ((name == "iif" || name == "if") && count == 3) {
    std::vector<SqlExpr> results = {Any(expr.parts[1]), Any(expr.parts[2])};
    const SqlKind kind = Unify(results);
    return MakeSql("CASE WHEN " + AsBool(Any(expr.parts[0])).sql + " THEN " + results[0].sql +
                       " ELSE " + results[1].sql + " END",
                   kPrecAtom, kind);
  }
  if (name == "abs" && count == 1) {
    const SqlExpr argument = Any(expr.parts[0]);
    if (argument.kind != SqlKind::kInt && argument.kind != SqlKind::kFloat) {
      Untranslatable("abs() of something else than integers and reals");
    }
    return Call("abs", {argument}, argument.kind);
  }
  if ((name == "trim" || name == "ltrim" || name == "rtrim") && (count == 1 || count == 2)) {
    std::vector<SqlExpr> arguments;
    for (const Expr& part : expr.parts) arguments.push_back(AsText(Any(part)));
    return Call(name == "trim" ? "btrim" : name, arguments, SqlKind::kText);
  }
  if (name == "replace" && count == 3) {
    std::vector<SqlExpr> arguments;
    for (const Expr& part : expr.parts) arguments.push_back(AsText(Any(part)));
    return Call("replace", arguments, SqlKind::kText);
  }
  if (name == "instr" && count == 2) {
    return Call("strpos", {AsText(Any(expr.parts[0])), AsText(Any(expr.parts[1]))}, SqlKind::kInt);
  }
  Untranslatable("the function " + expr.text + "() has no counterpart here");
}

SqlExpr Translator::Fold(const std::string& function, const Expr& expr) {
  if (expr.parts.size() != 1) Untranslatable("a wrong number of arguments");
  const Expr& inner = expr.parts.front();
  if (inner.kind == ExprKind::kFunction && inner.text == "hex" && inner.parts.size() == 1) {
    if (const std::int64_t bytes = RandomBytes(inner.parts.front()); bytes > 0) {
      const std::string hex = RandomHex(bytes);
      return MakeSql(function == "lower" ? hex : "upper(" + hex + ")", kPrecAtom, SqlKind::kText);
    }
    const SqlExpr bytes = Any(inner.parts.front());
    if (function == "lower" && bytes.kind == SqlKind::kBytes) {
      return MakeSql("encode(" + bytes.sql + ", 'hex')", kPrecAtom, SqlKind::kText);
    }
  }
  SqlExpr argument = AsText(Any(inner));
  // SQLite changes ASCII letters only; a plain index may as well serve queries as they are written.
  const std::string collate = use_ == ExpressionUse::kIndex ? "" : " COLLATE \"C\"";
  const std::string text = collate.empty() ? argument.sql : Wrap(argument, kPrecCollate);
  return MakeSql(function + "(" + text + collate + ")", kPrecAtom, SqlKind::kText);
}

SqlExpr Translator::Coalesce(const Expr& expr) {
  std::vector<SqlExpr> parts;
  for (const Expr& part : expr.parts) parts.push_back(Any(part));
  if (parts.size() < 2) Untranslatable("a wrong number of arguments");
  // A constant beside a column takes its type; SQLite would keep them apart.
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const SqlKind first = parts[0].kind;
    if (!parts[i].constant || parts[i].kind == first || parts[i].kind == SqlKind::kNull) continue;
    if (first == SqlKind::kBool && parts[i].constant->storage == StorageClass::kInteger &&
        (parts[i].sql == "0" || parts[i].sql == "1")) {
      parts[i] = MakeSql(parts[i].sql == "1" ? "true" : "false", kPrecAtom, SqlKind::kBool);
    } else if ((first == SqlKind::kFloat || first == SqlKind::kNumeric) &&
               (parts[i].kind == SqlKind::kInt || parts[i].kind == SqlKind::kNumeric)) {
      parts[i].kind = first;
    }
  }
  const bool times = std::all_of(parts.begin(), parts.end(), [&](const SqlExpr& part) {
    return part.column != nullptr && part.column->type.name == parts[0].column->type.name;
  });
  const SqlKind kind = times ? parts[0].kind : Unify(parts);
  return Call("coalesce", parts, kind);
}

SqlExpr Translator::Substring(const Expr& expr) {
  if (expr.parts.size() < 2) Untranslatable("a wrong number of arguments");
  std::vector<SqlExpr> arguments = {AsText(Any(expr.parts[0]))};
  for (std::size_t i = 1; i < expr.parts.size(); ++i) {
    const SqlExpr number = Any(expr.parts[i]);
    const bool plain = number.constant && number.constant->storage == StorageClass::kInteger &&
                       number.constant->integer >= (i == 1 ? 1 : 0) &&
                       number.constant->integer <= INT32_MAX;
    if (!plain) Untranslatable("substr() with other than constant positions from 1 on");
    arguments.push_back(number);
  }
  return Call("substr", arguments, SqlKind::kText);
}

SqlExpr Translator::Length(const SqlExpr& argument) const {
  if (argument.kind == SqlKind::kBytes) return Call("length", {argument}, SqlKind::kInt);
  return Call("length", {AsText(argument)}, SqlKind::kInt);
}

SqlExpr Translator::Hex(const Expr& expr) {
  if (const std::int64_t bytes = RandomBytes(expr.parts.front()); bytes > 0) {
    return MakeSql("upper(" + RandomHex(bytes) + ")", kPrecAtom, SqlKind::kText);
  }
  const SqlExpr argument = Any(expr.parts.front());
  if (argument.kind != SqlKind::kBytes) Untranslatable("hex() of something else than a BLOB");
  return MakeSql("upper(encode(" + argument.sql + ", 'hex'))", kPrecAtom, SqlKind::kText);
}

SqlExpr Translator::JsonValid(const Expr& expr) {
  const SqlExpr argument = Any(expr.parts.front());
  if (argument.kind != SqlKind::kJson || argument.column == nullptr) {
    Untranslatable("json_valid() of text has no counterpart before PostgreSQL 16");
  }
  SqlExpr valid = MakeSql("CASE WHEN " + argument.sql + " IS NOT NULL THEN true END", kPrecAtom,
                          SqlKind::kBool);
  valid.never_false = true;
  return valid;
}

// typeof(column) = 'integer', typeof(column) IN ('integer', 'null') and the like: the column's type
// says most of it.
std::optional<SqlExpr> Translator::ComparedTypeOf(const Expr& expr) {
  const Expr& call = expr.parts.front();
  if (call.kind != ExprKind::kFunction || call.text != "typeof" || call.parts.size() != 1) {
    return std::nullopt;
  }
  const bool in = expr.kind == ExprKind::kIn;
  if (!in && expr.text != "=" && expr.text != "<>" && expr.text != "IS" && expr.text != "ISNOT") {
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (std::size_t i = 1; i < expr.parts.size(); ++i) {
    if (expr.parts[i].kind != ExprKind::kString &&
        !(expr.parts[i].kind == ExprKind::kName && expr.parts[i].quoted)) {
      return std::nullopt;
    }
    names.push_back(expr.parts[i].text);
  }
  const bool negated = in ? expr.negated : expr.text == "<>" || expr.text == "ISNOT";
  return TypeOf(call.parts.front(), negated ? "<>" : "=", names);
}

std::optional<SqlExpr> Translator::TypeOf(const Expr& expr, const std::string& op,
                                          const std::vector<std::string>& names) {
  const SqlExpr argument = Any(expr);
  if (argument.column == nullptr) return std::nullopt;
  const auto named = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  bool type = false;
  switch (argument.kind) {
    case SqlKind::kBool:
    case SqlKind::kInt:
      type = named("integer");
      break;
    case SqlKind::kFloat:
      type = named("real");
      break;
    case SqlKind::kNumeric:
      if (named("integer") != named("real")) Untranslatable("numeric holds integers and reals");
      type = named("integer");
      break;
    case SqlKind::kText:
      type = named("text");
      break;
    case SqlKind::kBytes:
      type = named("blob");
      break;
    default:
      Untranslatable("typeof() of this type");
  }
  const bool null = named("null");
  const bool negated = op == "<>";
  SqlExpr result;
  if (type == null) {
    result = MakeSql(type != negated ? "true" : "false", kPrecAtom, SqlKind::kBool);
    result.never_false = type != negated;
  } else {
    result = MakeSql(argument.sql + (type != negated ? " IS NOT NULL" : " IS NULL"), kPrecIs,
                     SqlKind::kBool);
  }
  return result;
}

}  // namespace liteferry::internal
