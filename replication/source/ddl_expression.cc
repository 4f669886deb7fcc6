// The grammar and the precedence of operators: SQLite's parse.y and lang_expr.html.
#include <array>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/source/ddl_cursor.h"

namespace liteferry::source {
namespace {

// Deep nesting is refused long before the stack ends; SQLite's own limit is 1000.
constexpr int kMaxDepth = 1000;

// Precedence of binary operators; higher binds closer. NOT stands between AND and the equalities.
constexpr int kOr = 1;
constexpr int kAnd = 2;
constexpr int kNot = 3;
constexpr int kEquality = 4;  // = == <> != IS IN LIKE BETWEEN ISNULL NOTNULL …
constexpr int kOrdering = 5;
constexpr int kBits = 7;
constexpr int kSum = 8;
constexpr int kProduct = 9;
constexpr int kConcat = 10;
constexpr int kCollate = 11;
constexpr int kSign = 12;

struct BinaryOperator {
  std::string_view token;
  std::string_view name;
  int precedence;
};
constexpr std::array<BinaryOperator, 21> kOperators = {{
    {"OR", "OR", kOr},       {"AND", "AND", kAnd},    {"=", "=", kEquality},
    {"==", "=", kEquality},  {"<>", "<>", kEquality}, {"!=", "<>", kEquality},
    {"<", "<", kOrdering},   {"<=", "<=", kOrdering}, {">", ">", kOrdering},
    {">=", ">=", kOrdering}, {"&", "&", kBits},       {"|", "|", kBits},
    {"<<", "<<", kBits},     {">>", ">>", kBits},     {"+", "+", kSum},
    {"-", "-", kSum},        {"*", "*", kProduct},    {"/", "/", kProduct},
    {"%", "%", kProduct},    {"||", "||", kConcat},   {"->", "->", kConcat},
}};
constexpr BinaryOperator kArrowText = {"->>", "->>", kConcat};

// Words that cannot begin an operand, though the tokenizer takes them for names.
constexpr std::array<std::string_view, 16> kNoOperand = {
    "AND",  "OR",   "IS",   "IN",    "LIKE",   "GLOB",   "REGEXP",  "BETWEEN",
    "WHEN", "THEN", "ELSE", "WHERE", "ESCAPE", "ISNULL", "NOTNULL", "COLLATE"};

class ExpressionParser {
 public:
  explicit ExpressionParser(DdlCursor& cursor) : cursor_(cursor) {}

  Expr Parse(int least) {
    if (++depth_ > kMaxDepth) cursor_.Fail("an expression that is nested less deeply");
    const std::size_t from = cursor_.position();
    Expr left = Prefix();
    left.source = cursor_.TextFrom(from);
    while (Infix(left, least)) left.source = cursor_.TextFrom(from);
    --depth_;
    return left;
  }

 private:
  static Expr Make(ExprKind kind, std::string text, std::vector<Expr> parts = {}) {
    Expr expr;
    expr.kind = kind;
    expr.text = std::move(text);
    expr.parts = std::move(parts);
    return expr;
  }

  Expr Prefix() {
    if (cursor_.Take("NOT")) return Make(ExprKind::kUnary, "NOT", {Parse(kNot)});
    for (const std::string_view op : {"-", "+", "~"}) {
      if (cursor_.TakeOperator(op)) return Make(ExprKind::kUnary, std::string(op), {Parse(kSign)});
    }
    return Operand();
  }

  Expr Operand() {
    const Token& token = cursor_.Peek();
    switch (token.kind) {
      case TokenKind::kNumber:
        cursor_.Next();
        return Number(token);
      case TokenKind::kString:
        cursor_.Next();
        return Make(ExprKind::kString, token.Unquoted());
      case TokenKind::kBlob:
        cursor_.Next();
        return Blob(token);
      case TokenKind::kQuotedName:
        return Name();
      case TokenKind::kWord:
        return Word();
      case TokenKind::kOperator:
        break;
    }
    if (cursor_.TakeOperator("(")) return Parenthesized();
    if (cursor_.TakeOperator("?") || cursor_.TakeOperator(":") || cursor_.TakeOperator("@")) {
      if (!cursor_.AtEnd()) cursor_.Next();
      return Make(ExprKind::kOther, "");
    }
    cursor_.Fail("an expression");
  }

  static Expr Number(const Token& token) {
    std::string digits;
    for (const char c : token.text) {
      if (c != '_') digits.push_back(c);
    }
    const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
    const bool real = !hex && digits.find_first_of(".eE") != std::string::npos;
    return Make(real ? ExprKind::kReal : ExprKind::kInteger, digits);
  }

  Expr Blob(const Token& token) const {
    const std::string_view hex = token.text.substr(2, token.text.size() - 3);
    if (hex.size() % 2 != 0 || hex.find_first_not_of("0123456789abcdefABCDEF") != hex.npos) {
      cursor_.Fail("hexadecimal digits");
    }
    return Make(ExprKind::kBlob, FromHex(hex));
  }

  Expr Parenthesized() {
    if (cursor_.Sees("SELECT") || cursor_.Sees("WITH") || cursor_.Sees("VALUES")) {
      cursor_.SkipToClose();
      return Make(ExprKind::kOther, "");
    }
    Expr inner = Parse(0);
    if (cursor_.SeesOperator(",")) {  // a row value
      cursor_.SkipToClose();
      return Make(ExprKind::kOther, "");
    }
    cursor_.ExpectOperator(")");
    return inner;
  }

  Expr Word() {
    if (cursor_.Sees("CASE")) return Case();
    if (cursor_.Sees("CAST") && cursor_.SeesOperator("(", 1)) return Cast();
    if (cursor_.Sees("EXISTS") && cursor_.SeesOperator("(", 1)) return Skip();
    if (cursor_.Sees("RAISE") && cursor_.SeesOperator("(", 1)) return Skip();
    if (cursor_.SeesOperator("(", 1)) return Function();
    if (cursor_.Take("NULL")) return Make(ExprKind::kNull, "NULL");
    for (const std::string_view word : {"DATE", "TIME", "TIMESTAMP"}) {
      if (cursor_.Take("CURRENT_" + std::string(word)))
        return Make(ExprKind::kCurrent, std::string(word));
    }
    if ((cursor_.Sees("TRUE") || cursor_.Sees("FALSE")) && !cursor_.SeesOperator(".", 1)) {
      return Make(ExprKind::kBoolean, std::string(cursor_.Next().text));
    }
    for (const std::string_view word : kNoOperand) {
      if (cursor_.Sees(word)) cursor_.Fail("an expression");
    }
    return Name();
  }

  Expr Skip() {
    cursor_.Next();
    cursor_.ExpectOperator("(");
    cursor_.SkipToClose();
    return Make(ExprKind::kOther, "");
  }

  // A column, perhaps with schema and table in front.
  Expr Name() {
    Expr expr = Make(ExprKind::kName, "");
    expr.quoted = cursor_.Peek().text.starts_with('"');
    expr.text = cursor_.ExpectName();
    while (cursor_.TakeOperator(".")) {
      expr.quoted = false;
      expr.text = cursor_.ExpectName();
    }
    return expr;
  }

  Expr Case() {
    cursor_.Expect("CASE");
    Expr expr = Make(ExprKind::kCase, "");
    if (!cursor_.Sees("WHEN")) {
      expr.text = "base";
      expr.parts.push_back(Parse(0));
    }
    while (cursor_.Take("WHEN")) {
      expr.parts.push_back(Parse(0));
      cursor_.Expect("THEN");
      expr.parts.push_back(Parse(0));
    }
    if (cursor_.Take("ELSE")) expr.parts.push_back(Parse(0));
    cursor_.Expect("END");
    return expr;
  }

  Expr Cast() {
    cursor_.Expect("CAST");
    cursor_.ExpectOperator("(");
    Expr inner = Parse(0);
    cursor_.Expect("AS");
    std::string type = ReadTypeName(cursor_);
    cursor_.ExpectOperator(")");
    return Make(ExprKind::kCast, std::move(type), {std::move(inner)});
  }

  Expr Function() {
    Expr expr = Make(ExprKind::kFunction, ToLowerAscii(cursor_.ExpectName()));
    cursor_.ExpectOperator("(");
    bool other = cursor_.Take("DISTINCT");
    if (cursor_.TakeOperator("*")) {
      expr.star = true;
    } else if (!cursor_.SeesOperator(")")) {
      do {
        expr.parts.push_back(Parse(0));
      } while (cursor_.TakeOperator(","));
    }
    if (cursor_.Sees("ORDER")) {
      other = true;
      cursor_.SkipToClose();
    } else {
      cursor_.ExpectOperator(")");
    }
    if (cursor_.Sees("FILTER") || cursor_.Sees("OVER")) cursor_.Fail("no window");
    if (other) expr.kind = ExprKind::kOther;
    return expr;
  }

  // Joins `left` with the operator that comes next, if that binds at least as close as `least`.
  bool Infix(Expr& left, int least) {
    if (cursor_.AtEnd()) return false;
    if (least <= kCollate && cursor_.Sees("COLLATE")) {
      cursor_.Next();
      left = Make(ExprKind::kCollate, cursor_.ExpectName(), {std::move(left)});
      return true;
    }
    if (least <= kEquality && Equality(left)) return true;
    for (const BinaryOperator& op : kOperators) {
      if (op.precedence >= least && Binary(left, op)) return true;
    }
    return kConcat >= least && Binary(left, kArrowText);
  }

  bool Binary(Expr& left, const BinaryOperator& op) {
    const bool word = op.precedence <= kAnd;
    if (word ? !cursor_.Take(op.token) : !cursor_.TakeOperator(op.token)) return false;
    Expr right = Parse(op.precedence + 1);
    left = Make(ExprKind::kBinary, std::string(op.name), {std::move(left), std::move(right)});
    return true;
  }

  // The operators of words that bind as = does.
  bool Equality(Expr& left) {
    if (cursor_.Take("ISNULL")) return Finish(left, ExprKind::kIsNull, false);
    if (cursor_.Take("NOTNULL")) return Finish(left, ExprKind::kIsNull, true);
    if (cursor_.TakeWords({"NOT", "NULL"})) return Finish(left, ExprKind::kIsNull, true);
    if (cursor_.Take("IS")) return Is(left);
    const bool negated = cursor_.Sees("NOT");
    const std::size_t ahead = negated ? 1 : 0;
    if (cursor_.Sees("IN", ahead)) return In(left, negated);
    if (cursor_.Sees("BETWEEN", ahead)) return Between(left, negated);
    for (const char* op : {"LIKE", "GLOB", "REGEXP", "MATCH"}) {
      if (cursor_.Sees(op, ahead)) return Like(left, negated, op);
    }
    return false;
  }

  bool Finish(Expr& left, ExprKind kind, bool negated, std::vector<Expr> more = {},
              std::string text = "") {
    std::vector<Expr> parts;
    parts.push_back(std::move(left));
    for (Expr& part : more) parts.push_back(std::move(part));
    left = Make(kind, std::move(text), std::move(parts));
    left.negated = negated;
    return true;
  }

  bool Is(Expr& left) {
    bool negated = cursor_.Take("NOT");
    if (cursor_.TakeWords({"DISTINCT", "FROM"})) negated = !negated;
    Expr right = Parse(kEquality + 1);
    if (right.kind == ExprKind::kNull) return Finish(left, ExprKind::kIsNull, negated);
    left = Make(ExprKind::kBinary, negated ? "ISNOT" : "IS", {std::move(left), std::move(right)});
    return true;
  }

  void TakeNot(bool negated) {
    if (negated) cursor_.Expect("NOT");
    cursor_.Next();
  }

  bool In(Expr& left, bool negated) {
    TakeNot(negated);
    std::vector<Expr> list;
    if (!cursor_.TakeOperator("(")) {  // IN table, IN table(…)
      cursor_.ExpectName();
      while (cursor_.TakeOperator(".")) cursor_.ExpectName();
      if (cursor_.TakeOperator("(")) cursor_.SkipToClose();
      left = Make(ExprKind::kOther, "");
      return true;
    }
    if (cursor_.Sees("SELECT") || cursor_.Sees("WITH") || cursor_.Sees("VALUES")) {
      cursor_.SkipToClose();
      left = Make(ExprKind::kOther, "");
      return true;
    }
    if (!cursor_.SeesOperator(")")) {
      do {
        list.push_back(Parse(0));
      } while (cursor_.TakeOperator(","));
    }
    cursor_.ExpectOperator(")");
    return Finish(left, ExprKind::kIn, negated, std::move(list));
  }

  bool Between(Expr& left, bool negated) {
    TakeNot(negated);
    std::vector<Expr> bounds;
    bounds.push_back(Parse(kEquality + 1));
    cursor_.Expect("AND");
    bounds.push_back(Parse(kEquality + 1));
    return Finish(left, ExprKind::kBetween, negated, std::move(bounds));
  }

  bool Like(Expr& left, bool negated, std::string op) {
    TakeNot(negated);
    std::vector<Expr> pattern;
    pattern.push_back(Parse(kEquality + 1));
    if (cursor_.Take("ESCAPE")) pattern.push_back(Parse(kEquality + 1));
    return Finish(left, ExprKind::kLike, negated, std::move(pattern), std::move(op));
  }

  DdlCursor& cursor_;
  int depth_ = 0;
};

}  // namespace

Expr ReadExpression(DdlCursor& cursor) { return ExpressionParser(cursor).Parse(0); }

Expr ReadTerm(DdlCursor& cursor) { return ExpressionParser(cursor).Parse(kSign + 1); }

Expr ParseExpression(std::string_view sql) {
  DdlCursor cursor(sql);
  Expr expr = ReadExpression(cursor);
  if (!cursor.AtEnd()) cursor.Fail("the end of the expression");
  return expr;
}

}  // namespace liteferry::source
