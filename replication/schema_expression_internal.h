#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/base/error.h"
#include "replication/base/value.h"
#include "replication/schema_expression.h"

// What the translation of operators, functions and defaults share. Not for anybody else.
namespace liteferry::internal {

enum class SqlKind : std::uint8_t {
  kNull,
  kBool,
  kInt,
  kFloat,
  kNumeric,
  kText,
  kBytes,
  kTime,
  kUuid,
  kJson,
  kOther,
  kNow,  // the time of the statement, in a form that only its use decides
};
SqlKind KindOf(target::TypeKind kind);

// How close PostgreSQL's operators bind.
enum SqlPrecedence : int {
  kPrecOr = 1,
  kPrecAnd,
  kPrecNot,
  kPrecIs,
  kPrecCompare,
  kPrecIn,  // also BETWEEN and LIKE
  kPrecOther,
  kPrecSum,
  kPrecProduct,
  kPrecAtTimeZone,
  kPrecCollate,
  kPrecSign,
  kPrecCast,
  kPrecAtom,
};

// A constant that owns its bytes.
struct Constant {
  StorageClass storage = StorageClass::kNull;
  std::int64_t integer = 0;
  double real = 0;
  std::string bytes;

  Value view() const { return {storage, integer, real, bytes}; }
};

// An expression of PostgreSQL, and what is known of it.
struct SqlExpr {
  std::string sql;
  int precedence = kPrecAtom;
  SqlKind kind = SqlKind::kNull;
  const ExpressionColumn* column = nullptr;  // it is this column, nothing else
  std::optional<Constant> constant;
  std::string collation;  // in upper case; "" for none of its own
  bool explicit_collation = false;
  bool never_false = false;  // true or NULL, whatever the row
  // Of kNow.
  std::string format;    // of to_char()
  std::string interval;  // to add: " + interval '7 days'"
  bool local = false;
};

[[noreturn]] void Untranslatable(std::string why);

// `expr` in parentheses unless it binds at least as close as `least`.
std::string Wrap(const SqlExpr& expr, int least);
SqlExpr MakeSql(std::string sql, int precedence, SqlKind kind);
SqlExpr MakeInteger(std::int64_t number);
SqlExpr MakeText(std::string text);

// `value` as SQLite stores it in a column of `affinity`.
Constant ApplyAffinity(const Constant& value, Affinity affinity);
// `value` as a literal of the column's type. Throws where VALUES.md refuses it.
std::string ColumnLiteral(const Constant& value, const ExpressionColumn& column);

enum class ExpressionUse : std::uint8_t {
  kCheck,
  kCondition,
  kDefault,
  kGenerated,
  kIndex,
  kUnique
};

// Translates one expression. Throws Error (Untranslatable) where there is no counterpart.
class Translator {
 public:
  Translator(const std::vector<ExpressionColumn>& columns, ExpressionUse use)
      : columns_(columns), use_(use) {}

  SqlExpr Any(const source::Expr& expr);
  // The same, but that the usual recipe for a random UUID is known as what it is.
  SqlExpr DefaultValue(const source::Expr& expr);
  // A condition of which only falsity matters.
  SqlExpr Verdict(const source::Expr& expr);
  SqlExpr AsBool(SqlExpr expr) const;
  // Fitted to be stored in `column`.
  SqlExpr Coerce(SqlExpr expr, const ExpressionColumn& column) const;

 private:
  SqlExpr Name(const source::Expr& expr) const;
  SqlExpr Literal(const source::Expr& expr) const;
  SqlExpr Unary(const source::Expr& expr);
  SqlExpr Binary(const source::Expr& expr);
  SqlExpr Logic(const std::string& op, const source::Expr& expr);
  SqlExpr Compare(std::string op, SqlExpr left, SqlExpr right) const;
  SqlExpr CompareBool(const std::string& op, const SqlExpr& left, bool right) const;
  SqlExpr Arithmetic(const std::string& op, const SqlExpr& left, const SqlExpr& right) const;
  SqlExpr Bits(const std::string& op, const SqlExpr& left, const SqlExpr& right) const;
  SqlExpr Concat(const SqlExpr& left, const SqlExpr& right) const;
  SqlExpr IsNull(const source::Expr& expr);
  SqlExpr Between(const source::Expr& expr);
  SqlExpr In(const source::Expr& expr);
  SqlExpr Like(const source::Expr& expr);
  SqlExpr Glob(const SqlExpr& subject, const std::string& pattern, bool negated) const;
  SqlExpr Case(const source::Expr& expr);
  SqlExpr Cast(const source::Expr& expr);
  // schema_functions.cc
  SqlExpr Function(const source::Expr& expr);
  SqlExpr Fold(const std::string& function, const source::Expr& expr);
  SqlExpr Substring(const source::Expr& expr);
  SqlExpr Coalesce(const source::Expr& expr);
  SqlExpr Length(const SqlExpr& argument) const;
  SqlExpr Hex(const source::Expr& expr);
  SqlExpr JsonValid(const source::Expr& expr);
  std::optional<SqlExpr> TypeOf(const source::Expr& expr, const std::string& op,
                                const std::vector<std::string>& names);
  std::optional<SqlExpr> ComparedTypeOf(const source::Expr& expr);
  // schema_now.cc
  std::optional<SqlExpr> Now(const source::Expr& expr);
  SqlExpr CoerceNow(const SqlExpr& now, const ExpressionColumn& column) const;

  // The same kind for all, so that they can stand in one CASE or coalesce().
  SqlKind Unify(std::vector<SqlExpr>& parts) const;
  // Two operands brought to where PostgreSQL compares them as SQLite does.
  void Match(SqlExpr& left, SqlExpr& right, bool ordered) const;
  void Adapt(SqlExpr& constant, SqlExpr& other) const;
  SqlExpr AsInt(SqlExpr expr) const;
  SqlExpr AsText(SqlExpr expr) const;

  const std::vector<ExpressionColumn>& columns_;
  const ExpressionUse use_;
};

}  // namespace liteferry::internal
