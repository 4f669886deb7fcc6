#include "replication/source/ddl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "tests/harness/sqlite_fixture.h"

namespace liteferry::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The tree as text with every pair of parentheses, so that precedence shows.
std::string Show(const Expr& expr) {
  std::vector<std::string> parts;
  for (const Expr& part : expr.parts) parts.push_back(Show(part));
  const std::string joined = Join(parts, " ");
  const std::string no = expr.negated ? "not " : "";
  switch (expr.kind) {
    case ExprKind::kNull:
      return "null";
    case ExprKind::kString:
      return "'" + expr.text + "'";
    case ExprKind::kBlob:
      return "x" + ToHex(expr.text);
    case ExprKind::kName:
      return expr.quoted ? "\"" + expr.text + "\"" : expr.text;
    case ExprKind::kCurrent:
      return "now:" + expr.text;
    case ExprKind::kIsNull:
      return "(" + no + "null? " + joined + ")";
    case ExprKind::kBetween:
      return "(" + no + "between " + joined + ")";
    case ExprKind::kIn:
      return "(" + no + "in " + joined + ")";
    case ExprKind::kCase:
      return "(case" + (expr.text.empty() ? "" : " " + expr.text) + " " + joined + ")";
    case ExprKind::kCast:
      return "(cast " + expr.text + " " + joined + ")";
    case ExprKind::kCollate:
      return "(collate " + expr.text + " " + joined + ")";
    case ExprKind::kFunction:
      return expr.text + "(" + (expr.star ? "*" : joined) + ")";
    case ExprKind::kOther:
      return "?";
    case ExprKind::kUnary:
    case ExprKind::kBinary:
    case ExprKind::kLike:
      return "(" + no + expr.text + " " + joined + ")";
    default:
      return expr.text;
  }
}

std::string Tree(std::string_view sql) { return Show(ParseExpression(sql)); }

TEST(DdlExpressionTest, BindsAsSqliteDoes) {
  EXPECT_EQ(Tree("a OR b AND c"), "(OR a (AND b c))");
  EXPECT_EQ(Tree("NOT a = b AND c"), "(AND (NOT (= a b)) c)");
  EXPECT_EQ(Tree("a = b < c"), "(= a (< b c))");
  EXPECT_EQ(Tree("a & b < c"), "(< (& a b) c)");
  EXPECT_EQ(Tree("1 + 2 * 3 || 'x'"), "(+ 1 (* 2 (|| 3 'x')))");
  EXPECT_EQ(Tree("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(Tree("-a * b"), "(* (- a) b)");
  EXPECT_EQ(Tree("- a COLLATE nocase"), "(collate nocase (- a))");
  EXPECT_EQ(Tree("a || b COLLATE rtrim = c"), "(= (|| a (collate rtrim b)) c)");
  EXPECT_EQ(Tree("a BETWEEN b + 1 AND c AND d"), "(AND (between a (+ b 1) c) d)");
  EXPECT_EQ(Tree("(a OR b) AND c"), "(AND (OR a b) c)");
  EXPECT_EQ(Tree("a = 1 = b"), "(= (= a 1) b)");
  EXPECT_EQ(Tree("a -> '$.x' ->> 1"), "(->> (-> a '$.x') 1)");
}

TEST(DdlExpressionTest, ReadsEveryOperatorOfWords) {
  EXPECT_EQ(Tree("a IS NULL"), "(null? a)");
  EXPECT_EQ(Tree("a ISNULL OR a NOTNULL"), "(OR (null? a) (not null? a))");
  EXPECT_EQ(Tree("a NOT NULL AND a IS NOT NULL"), "(AND (not null? a) (not null? a))");
  EXPECT_EQ(Tree("a IS b"), "(IS a b)");
  EXPECT_EQ(Tree("a IS NOT b"), "(ISNOT a b)");
  EXPECT_EQ(Tree("a IS NOT DISTINCT FROM b"), "(IS a b)");
  EXPECT_EQ(Tree("a NOT IN (1, 'b', c)"), "(not in a 1 'b' c)");
  EXPECT_EQ(Tree("a IN ()"), "(in a)");
  EXPECT_EQ(Tree("a IN (SELECT 1) OR b IN t"), "(OR ? ?)");
  EXPECT_EQ(Tree("a NOT LIKE 'x!%' ESCAPE '!'"), "(not LIKE a 'x!%' '!')");
  EXPECT_EQ(Tree("a GLOB '[a-z]*'"), "(GLOB a '[a-z]*')");
  EXPECT_EQ(Tree("CASE a WHEN 1 THEN 'x' ELSE b END"), "(case base a 1 'x' b)");
  EXPECT_EQ(Tree("CASE WHEN a THEN 1 END"), "(case a 1)");
  EXPECT_EQ(Tree("CAST(a AS VARCHAR (10))"), "(cast VARCHAR (10) a)");
  EXPECT_EQ(Tree("f() + count(*) + t.g"), "(+ (+ f() count(*)) g)");
  EXPECT_EQ(Tree("NOT EXISTS (SELECT 1) AND (SELECT 2)"), "(AND (NOT ?) ?)");
}

TEST(DdlExpressionTest, ReadsEveryLiteral) {
  EXPECT_EQ(Tree("x'00fF'"), "x00ff");
  EXPECT_EQ(Tree("'it''s'"), "'it's'");
  EXPECT_EQ(Tree("\"a\"\"b\" = [c d] AND `e`"), "(AND (= \"a\"b\" c d) e)");
  EXPECT_EQ(Tree("current_timestamp"), "now:TIMESTAMP");
  EXPECT_EQ(ParseExpression("1_000").text, "1000");
  EXPECT_EQ(ParseExpression("0x1F").kind, ExprKind::kInteger);
  EXPECT_EQ(ParseExpression("1e3").kind, ExprKind::kReal);
  EXPECT_EQ(ParseExpression(".5").kind, ExprKind::kReal);
  EXPECT_EQ(ParseExpression("TRUE").kind, ExprKind::kBoolean);
  EXPECT_EQ(ParseExpression("NULL").kind, ExprKind::kNull);
  EXPECT_EQ(ParseExpression(" (a  +b) ").source, "(a  +b)");
}

TEST(DdlExpressionTest, RefusesWhatIsNoExpression) {
  for (const char* sql : {"", "a +", "(a", "a b", "CASE END x", "AND", "x'0'", "a IN (1"}) {
    EXPECT_THROW(ParseExpression(sql), Error) << sql;
  }
  std::string deep(3000, '(');
  EXPECT_THROW(ParseExpression(deep + "1"), Error);
}

TEST(DdlTableTest, ReadsColumnsWithTheirConstraints) {
  const TableDefinition table = ParseTableDefinition(R"(
      CREATE TEMP TABLE IF NOT EXISTS main."t x" ( -- comment
        id INTEGER CONSTRAINT pk PRIMARY KEY DESC ON CONFLICT REPLACE AUTOINCREMENT,
        "double prec" "double precision" DEFAULT -1.5 NOT NULL ON CONFLICT IGNORE,
        [v c] NATIVE CHARACTER (70) COLLATE NOCASE DEFAULT 'it''s' UNIQUE,
        d DECIMAL(10, 2) DEFAULT (1 + 2) CHECK (d > 0) CONSTRAINT named CHECK (d < 9),
        e DEFAULT word, f DEFAULT "quoted", g DEFAULT CURRENT_DATE, h NULL,
        i INT GENERATED ALWAYS AS (d * 2) STORED, j AS (d || 'x'), k TEXT AS (1) VIRTUAL,
        l REFERENCES p (a) ON DELETE SET NULL ON UPDATE CASCADE MATCH FULL DEFERRABLE INITIALLY DEFERRED,
        m REFERENCES p NOT DEFERRABLE INITIALLY IMMEDIATE
      ) STRICT, WITHOUT ROWID;)");
  EXPECT_EQ(table.name, "t x");
  EXPECT_TRUE(table.autoincrement && table.strict && table.without_rowid);
  ASSERT_THAT(table.columns, SizeIs(13));
  EXPECT_EQ(table.columns[1].name, "double prec");
  EXPECT_EQ(table.columns[1].type, "\"double precision\"");
  EXPECT_EQ(Show(*table.columns[1].default_value), "(- 1.5)");
  EXPECT_TRUE(table.columns[1].not_null);
  EXPECT_EQ(table.columns[1].not_null_conflict, "IGNORE");
  EXPECT_EQ(table.columns[2].type, "NATIVE CHARACTER (70)");
  EXPECT_EQ(table.columns[2].collation, "NOCASE");
  EXPECT_EQ(Show(*table.columns[3].default_value), "(+ 1 2)");
  EXPECT_EQ(Show(*table.columns[4].default_value), "'word'");
  EXPECT_EQ(Show(*table.columns[5].default_value), "'quoted'");
  EXPECT_EQ(Show(*table.columns[6].default_value), "now:DATE");
  EXPECT_FALSE(table.columns[7].default_value.has_value());
  EXPECT_TRUE(table.columns[8].stored);
  EXPECT_FALSE(table.columns[9].stored);
  EXPECT_EQ(Show(*table.columns[9].generated), "(|| d 'x')");
  EXPECT_EQ(table.columns[10].type, "TEXT");
  ASSERT_THAT(table.keys, SizeIs(2));
  EXPECT_TRUE(table.keys[0].primary);
  EXPECT_EQ(table.keys[0].name, "pk");
  EXPECT_EQ(table.keys[0].conflict, "REPLACE");
  ASSERT_THAT(table.checks, SizeIs(2));
  EXPECT_EQ(table.checks[1].name, "named");
  ASSERT_THAT(table.foreign_keys, SizeIs(2));
  EXPECT_EQ(table.foreign_keys[0].on_delete, "SET NULL");
  EXPECT_EQ(table.foreign_keys[0].on_update, "CASCADE");
  EXPECT_TRUE(table.foreign_keys[0].deferrable && table.foreign_keys[0].initially_deferred);
  EXPECT_THAT(table.foreign_keys[0].parent_columns, ElementsAre("a"));
  EXPECT_FALSE(table.foreign_keys[1].deferrable);
  EXPECT_THAT(table.foreign_keys[1].parent_columns, IsEmpty());
}

TEST(DdlTableTest, ReadsTableConstraintsWithAndWithoutCommas) {
  const TableDefinition table = ParseTableDefinition(
      "CREATE TABLE t(a, b, c CONSTRAINT x PRIMARY KEY (a "
      "COLLATE NOCASE DESC, b) ON CONFLICT FAIL "
      "CONSTRAINT y UNIQUE (c, 'b') CHECK (a), CONSTRAINT "
      "z FOREIGN KEY (a, b) REFERENCES q (d, e) "
      "ON DELETE NO ACTION ON UPDATE RESTRICT)");
  ASSERT_THAT(table.columns, SizeIs(3));
  ASSERT_THAT(table.keys, SizeIs(2));
  EXPECT_EQ(table.keys[0].name, "x");
  EXPECT_THAT(table.keys[0].columns, ElementsAre("a", "b"));
  EXPECT_EQ(table.keys[0].conflict, "FAIL");
  EXPECT_THAT(table.keys[1].columns, ElementsAre("c", "b"));
  EXPECT_THAT(table.checks, SizeIs(1));
  ASSERT_THAT(table.foreign_keys, SizeIs(1));
  EXPECT_EQ(table.foreign_keys[0].name, "z");
  EXPECT_EQ(table.foreign_keys[0].on_delete, "");
  EXPECT_EQ(table.foreign_keys[0].on_update, "RESTRICT");
}

TEST(DdlTableTest, RefusesWithTheNameOfWhatItFound) {
  try {
    ParseTableDefinition("CREATE TABLE t(a, FOREIGN KEY (a) x)");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("found \"x\" at byte 34 instead of REFERENCES"));
    EXPECT_EQ(error.exit_code(), ExitCode::kDataError);
  }
  EXPECT_THROW(ParseTableDefinition("CREATE TABLE t(a"), Error);
  EXPECT_THROW(ParseTableDefinition("CREATE TABLE t(a) SOMEHOW"), Error);
  EXPECT_THROW(ParseTableDefinition("CREATE VIRTUAL TABLE t USING fts5(a)"), Error);
}

TEST(DdlIndexTest, ReadsTermsAndCondition) {
  const IndexDefinition index = ParseIndexDefinition(
      "CREATE UNIQUE INDEX IF NOT EXISTS main.i ON t (a "
      "COLLATE nocase DESC, lower(b) ASC NULLS LAST,"
      " c || 'x' COLLATE rtrim) WHERE d IS NOT NULL");
  EXPECT_EQ(index.name, "i");
  EXPECT_EQ(index.table, "t");
  EXPECT_TRUE(index.unique);
  ASSERT_THAT(index.terms, SizeIs(3));
  EXPECT_EQ(index.terms[0].collation, "nocase");
  EXPECT_TRUE(index.terms[0].descending);
  EXPECT_EQ(Show(index.terms[1].expression), "lower(b)");
  EXPECT_EQ(Show(*index.where), "(not null? d)");
}

TEST(DdlViewTest, ReadsNameColumnsAndQuery) {
  const ViewDefinition view =
      ParseViewDefinition("CREATE TEMP VIEW IF NOT EXISTS v (a, [b c]) AS SELECT 1, ';' FROM t;");
  EXPECT_EQ(view.name, "v");
  EXPECT_THAT(view.columns, ElementsAre("a", "b c"));
  EXPECT_EQ(view.select, "SELECT 1, ';' FROM t");
}

TEST(DdlTriggerTest, ReadsItsParts) {
  const TriggerDefinition trigger = ParseTriggerDefinition(
      "CREATE TRIGGER x AFTER UPDATE OF a, b ON t FOR EACH ROW WHEN NEW.a > 1 "
      "BEGIN UPDATE u SET c = 1; SELECT 2; END");
  EXPECT_EQ(trigger.name, "x");
  EXPECT_EQ(trigger.timing, "AFTER");
  EXPECT_EQ(trigger.event, "UPDATE");
  EXPECT_THAT(trigger.columns, ElementsAre("a", "b"));
  EXPECT_EQ(trigger.table, "t");
  EXPECT_EQ(trigger.when, "NEW.a > 1");
  EXPECT_EQ(trigger.body, "UPDATE u SET c = 1; SELECT 2;");
  EXPECT_EQ(ParseTriggerDefinition("CREATE TRIGGER x INSERT ON t BEGIN SELECT 1; END").timing,
            "BEFORE");
}

// What SQLite itself makes of an expression with every pair of parentheses
// written out must be what it makes of the expression: our tree is then that of
// SQLite.
std::string Parenthesized(const Expr& expr) {
  std::vector<std::string> parts;
  for (const Expr& part : expr.parts) parts.push_back(Parenthesized(part));
  const std::string no = expr.negated ? " NOT" : "";
  switch (expr.kind) {
    case ExprKind::kUnary:
      return "(" + expr.text + " " + parts[0] + ")";
    case ExprKind::kBinary: {
      const std::string op = expr.text == "ISNOT" ? "IS NOT" : expr.text;
      return "(" + parts[0] + " " + op + " " + parts[1] + ")";
    }
    case ExprKind::kIsNull:
      return "(" + parts[0] + " IS" + no + " NULL)";
    case ExprKind::kBetween:
      return "(" + parts[0] + no + " BETWEEN " + parts[1] + " AND " + parts[2] + ")";
    case ExprKind::kIn:
      return "(" + parts[0] + no + " IN (" + parts[1] + "))";
    case ExprKind::kLike:
      return "(" + parts[0] + no + " LIKE " + parts[1] + ")";
    default:
      return expr.source;
  }
}

TEST(DdlExpressionTest, AgreesWithSqliteOnRandomExpressions) {
  testing::AppDatabase app(":memory:", "");
  std::uint32_t state = 12345;
  const auto below = [&](std::uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % bound;
  };
  const std::vector<std::string> operators = {
      "OR", "AND", "=", "==", "<>", "!=", "<", "<=", ">",  ">=",     "&",    "|",
      "<<", ">>",  "+", "-",  "*",  "/",  "%", "||", "IS", "IS NOT", "LIKE", "NOT LIKE"};
  int seen = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string sql;
    const std::uint32_t count = 2 + below(6);
    for (std::uint32_t k = 0; k < count; ++k) {
      if (k > 0) sql += " " + operators[below(static_cast<std::uint32_t>(operators.size()))] + " ";
      const std::uint32_t prefix = below(8);
      sql += prefix == 0 ? "-" : prefix == 1 ? "~" : prefix == 2 && k == 0 ? "NOT " : "";
      sql += std::to_string(below(5));
      if (below(10) == 0) sql += " IS NULL";
      if (below(10) == 0) sql += " BETWEEN 1 AND 3";
      if (below(10) == 0) sql += " NOT IN (2)";
    }
    const Expr tree = ParseExpression(sql);
    ASSERT_EQ(app.Text("SELECT quote(" + Parenthesized(tree) + ")"),
              app.Text("SELECT quote(" + sql + ")"))
        << sql << "\nread as " << Parenthesized(tree);
    ++seen;
  }
  EXPECT_EQ(seen, 5000);
}

}  // namespace
}  // namespace liteferry::source
