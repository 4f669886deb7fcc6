#include "replication/schema_expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replication/source/catalog.h"

namespace liteferry {
namespace {

using target::TypeKind;
using ::testing::HasSubstr;

ExpressionColumn Column(const std::string& name, const std::string& declared,
                        const std::string& type, const std::string& collation = "BINARY") {
  ExpressionColumn column;
  column.source = column.sql = name;
  column.type = NamedType(type);
  column.affinity = AffinityOf(declared);
  column.collation = collation;
  return column;
}

// One column of each kind.
const std::vector<ExpressionColumn>& Columns() {
  static const std::vector<ExpressionColumn> columns = {Column("i", "INTEGER", "bigint"),
                                                        Column("j", "INT", "bigint"),
                                                        Column("s", "SMALLINT", "smallint"),
                                                        Column("r", "REAL", "double precision"),
                                                        Column("n", "DECIMAL(8,2)", "numeric(8,2)"),
                                                        Column("t", "TEXT", "text"),
                                                        Column("u", "TEXT", "text"),
                                                        Column("c", "TEXT", "text", "NOCASE"),
                                                        Column("w", "TEXT", "text", "RTRIM"),
                                                        Column("own", "TEXT", "text", "UNICODE"),
                                                        Column("b", "BOOLEAN", "boolean"),
                                                        Column("d", "DATE", "date"),
                                                        Column("ts", "DATETIME", "timestamp"),
                                                        Column("x", "BLOB", "bytea"),
                                                        Column("id", "UUID", "uuid"),
                                                        Column("js", "JSON", "json"),
                                                        Column("any", "", "text")};
  return columns;
}

// The check, "type" where the type says it, or "-" and the reason.
std::string Check(std::string_view sql) {
  const Translated made = TranslateCheck(source::ParseExpression(sql), Columns());
  if (made.said_by_type) return "type";
  return made.ok() ? made.sql : "- " + made.problem;
}

struct Case {
  const char* sqlite;
  const char* postgres;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.sqlite; }

class CheckTest : public ::testing::TestWithParam<Case> {};

TEST_P(CheckTest, Becomes) { EXPECT_EQ(Check(GetParam().sqlite), GetParam().postgres); }

INSTANTIATE_TEST_SUITE_P(
    Comparisons, CheckTest,
    ::testing::Values(
        Case{"i > 0", "i > 0"}, Case{"i == 1", "i = 1"},
        Case{"i != 1 OR i <> 2", "i <> 1 OR i <> 2"}, Case{"i = '5'", "i = 5"},
        Case{"i > 0.5", "i > 0.5"}, Case{"i < 0x10", "i < 16"},
        Case{"i IS 1", "i IS NOT DISTINCT FROM 1"}, Case{"i IS NOT j", "i IS DISTINCT FROM j"},
        Case{"t = 5", "t = '5'"}, Case{"t = \"word\"", "t = 'word'"},
        Case{"t <> 'it''s'", "t <> 'it''s'"}, Case{"t < 'b'", "t COLLATE \"C\" < 'b'"},
        Case{"t <= u", "t COLLATE \"C\" <= u"}, Case{"t = u", "t = u"},
        Case{"c = 'Bob'", "lower(c COLLATE \"C\") = 'bob'"}, Case{"t = c", "t = c"},
        Case{"c = t", "lower(c COLLATE \"C\") = lower(t COLLATE \"C\")"},
        Case{"t COLLATE NOCASE <> 'B'", "lower(t COLLATE \"C\") <> 'b'"},
        Case{"t <> 'B' COLLATE NOCASE", "lower(t COLLATE \"C\") <> 'b'"},
        Case{"w = 'a '", "rtrim(w) = 'a'"}, Case{"r >= 1", "r >= 1"}, Case{"n > 0.5", "n > 0.5"},
        Case{"d >= '2000-01-01'", "d >= '2000-01-01'"},
        Case{"ts > '2024-01-01 00:00:00'", "ts > '2024-01-01 00:00:00'"},
        Case{"x <> x'00'", "x <> '\\x00'::bytea"}, Case{"i BETWEEN 1 AND 3", "i BETWEEN 1 AND 3"},
        Case{"i NOT BETWEEN 1 AND 3", "i NOT BETWEEN 1 AND 3"},
        Case{"t BETWEEN 'a' AND 'c'", "t COLLATE \"C\" >= 'a' AND t COLLATE \"C\" <= 'c'"},
        Case{"t IN ('a', 'b')", "t IN ('a', 'b')"},
        Case{"c NOT IN ('A', 'b')", "lower(c COLLATE \"C\") NOT IN ('a', 'b')"},
        Case{"i IN (1, '2', NULL)", "i IN (1, 2, NULL)"}, Case{"i IN ()", "false"}));

INSTANTIATE_TEST_SUITE_P(
    Booleans, CheckTest,
    ::testing::Values(Case{"b IN (0, 1)", "type"}, Case{"b IN (1, 0, NULL)", "type"},
                      Case{"b IN (1)", "b IN (true)"}, Case{"b = 1", "b"}, Case{"b = 0", "NOT b"},
                      Case{"b <> 0", "b"}, Case{"b IS 1", "b IS true"},
                      Case{"b IS NOT 0", "b IS NOT false"}, Case{"b = TRUE", "b"}, Case{"b", "b"},
                      Case{"NOT b", "NOT b"}, Case{"b + 1 > 1", "b::integer + 1 > 1"},
                      Case{"b < 2", "b::integer < 2"}, Case{"i", "i <> 0"},
                      Case{"NOT i", "NOT i <> 0"}, Case{"1", "type"}, Case{"i > 0 OR 1", "type"},
                      Case{"i > 0 AND b IN (0, 1)", "i > 0"},
                      Case{"(i IS NULL) + (j IS NULL) = 1",
                           "(i IS NULL)::integer + (j IS NULL)::integer = 1"},
                      Case{"i ISNULL OR j NOTNULL", "i IS NULL OR j IS NOT NULL"}));

INSTANTIATE_TEST_SUITE_P(
    Arithmetic, CheckTest,
    ::testing::Values(
        Case{"i + 1 < j * 2", "i + 1 < j * 2"}, Case{"i - (j - 1) > 0", "i - (j - 1) > 0"},
        Case{"i % 2 = 0", "i % 2 = 0"}, Case{"10 / i > 1", "10 / NULLIF(i, 0) > 1"},
        Case{"i / 2 > 0", "i / 2 > 0"}, Case{"s * s < 100", "s::bigint * s::bigint < 100"},
        Case{"i > 60 * 60 * 24 * 365 * 100", "i > 3153600000"}, Case{"-i < +j", "-i < j"},
        Case{"i & 1", "i & 1 <> 0"}, Case{"i << 1 < 8", "i << 1 < 8"}, Case{"~i < 0", "~i < 0"},
        Case{"r * 2 < 10", "r * 2::double precision < 10"}, Case{"r > -1.5", "r > -1.5"}));

INSTANTIATE_TEST_SUITE_P(
    Text, CheckTest,
    ::testing::Values(
        Case{"t LIKE '%@%'", "t LIKE '%@%'"}, Case{"t LIKE 'a%'", "t COLLATE \"C\" ILIKE 'a%'"},
        Case{"t NOT LIKE '5_'", "t NOT LIKE '5_'"}, Case{"t LIKE '\\'", "t LIKE '\\' ESCAPE ''"},
        Case{"t LIKE '1!%' ESCAPE '!'", "t LIKE '1!%' ESCAPE '!'"},
        Case{"i LIKE '1%'", "i::text LIKE '1%'"}, Case{"t GLOB 'a*?_'", "t LIKE 'a%_\\_'"},
        Case{"t GLOB '[a-z]*.x'", "t COLLATE \"C\" ~ '^[a-z].*\\.x$'"},
        Case{"t NOT GLOB '*[^0-9]*'", "t COLLATE \"C\" !~ '^.*[^0-9].*$'"},
        Case{"length(t) > 2", "length(t) > 2"}, Case{"length(i) < 3", "length(i::text) < 3"},
        Case{"length(x) = 16", "length(x) = 16"},
        Case{"t = lower(t)", "t = lower(t COLLATE \"C\")"}, Case{"trim(t) <> ''", "btrim(t) <> ''"},
        Case{"instr(t, '@') > 0", "strpos(t, '@') > 0"},
        Case{"substr(t, 1, 2) = 'ab'", "substr(t, 1, 2) = 'ab'"},
        Case{"replace(t, 'a', '') = ''", "replace(t, 'a', '') = ''"},
        Case{"t || i <> 'a1'", "t || i::text <> 'a1'"},
        Case{"hex(x) = '00'", "upper(encode(x, 'hex')) = '00'"},
        Case{"CAST(i AS TEXT) = '1'", "i::text = '1'"}));

INSTANTIATE_TEST_SUITE_P(
    Functions, CheckTest,
    ::testing::Values(Case{"ifnull(i, 0) >= 0", "coalesce(i, 0) >= 0"},
                      Case{"coalesce(t, u) <> ''", "coalesce(t, u) <> ''"},
                      Case{"coalesce(b, 0)", "coalesce(b, false)"},
                      Case{"nullif(i, 5) IS NOT NULL", "nullif(i, 5) IS NOT NULL"},
                      Case{"abs(i) < 9", "abs(i) < 9"},
                      Case{"iif(i > 1, 1, 0)", "CASE WHEN i > 1 THEN 1 ELSE 0 END <> 0"},
                      Case{"CASE i WHEN 1 THEN t = 'a' ELSE 1 END",
                           "CASE WHEN i = 1 THEN (t = 'a')::integer ELSE 1 END <> 0"},
                      Case{"json_valid(js)", "type"}, Case{"js IS NULL OR json_valid(js)", "type"},
                      Case{"typeof(i) = 'integer'", "i IS NOT NULL"},
                      Case{"typeof(i) IN ('integer', 'null')", "type"},
                      Case{"typeof(t) <> 'null'", "t IS NOT NULL"},
                      Case{"typeof(n) IN ('real', 'integer')", "n IS NOT NULL"}));

class NoCounterpartTest : public ::testing::TestWithParam<const char*> {};

TEST_P(NoCounterpartTest, IsSaid) { EXPECT_THAT(Check(GetParam()), HasSubstr("- ")); }

INSTANTIATE_TEST_SUITE_P(
    All, NoCounterpartTest,
    ::testing::Values("own = 'a'", "i = 'abc'", "any = 5", "t", "i = t", "i = r", "n * 2 > 1",
                      "n / 2 > 1", "d = ts", "ts LIKE '2024%'", "length(d) = 10", "d IS date(d)",
                      "json_valid(t)", "json_extract(js, '$.a') > 1", "js -> 'a' = 1",
                      "t REGEXP 'a'", "t MATCH 'a'", "t GLOB '[]a]'", "t LIKE u", "i IN (SELECT 1)",
                      "max(i, j) > 1", "round(r) = 1", "r % 2 = 0", "i << j > 0", "random() > 0",
                      "id < 'a'", "js = 'a'", "length(r) > 1", "CAST(t AS INTEGER) > 0",
                      "substr(t, -1) = 'a'", "nocolumn > 1", "t > CURRENT_TIMESTAMP",
                      "9223372036854775807 + 1 > i", "(i, j) = (1, 2)", "t = 'a' || x'00'",
                      "myown(i)"));

std::string Default(std::string_view sql, const std::string& declared, const std::string& type,
                    config::Epoch epoch = config::Epoch::kNone) {
  ExpressionColumn column = Column("v", declared, type);
  column.options.epoch = epoch;
  const Translated made = TranslateDefault(source::ParseExpression(sql), column);
  return made.problem.empty() ? made.sql : "- " + made.problem;
}

TEST(DefaultTest, LiteralsBecomeLiteralsOfTheType) {
  EXPECT_EQ(Default("0", "BOOLEAN", "boolean"), "false");
  EXPECT_EQ(Default("'1'", "BOOLEAN", "boolean"), "true");
  EXPECT_EQ(Default("TRUE", "BOOLEAN", "boolean"), "true");
  EXPECT_EQ(Default("(1)", "INT", "bigint"), "1");
  EXPECT_EQ(Default("'7'", "INT", "bigint"), "7");
  EXPECT_EQ(Default("-5", "INT", "bigint"), "-5");
  EXPECT_EQ(Default("0x10", "INT", "bigint"), "16");
  EXPECT_EQ(Default("'it''s'", "TEXT", "text"), "'it''s'");
  EXPECT_EQ(Default("\"word\"", "TEXT", "text"), "'word'");
  EXPECT_EQ(Default("'null'", "TEXT", "text"), "'null'");
  EXPECT_EQ(Default("5", "TEXT", "text"), "'5'");
  EXPECT_EQ(Default("1.0", "TEXT", "text"), "'1.0'");
  EXPECT_EQ(Default("1.50", "DECIMAL(5,2)", "numeric(5,2)"), "1.5");
  EXPECT_EQ(Default("2", "REAL", "double precision"), "2");
  EXPECT_EQ(Default("x'00ff'", "BLOB", "bytea"), "'\\x00ff'");
  EXPECT_EQ(Default("'2024-01-01'", "DATE", "date"), "'2024-01-01'");
  EXPECT_EQ(Default("'{}'", "JSON", "json"), "'{}'");
  EXPECT_EQ(Default("NULL", "INT", "bigint"), "");
  EXPECT_EQ(Default("1700000000", "INT", "timestamptz", config::Epoch::kSeconds),
            "'2023-11-14 22:13:20+00'");
}

TEST(DefaultTest, WhatTheTypeRefusesHasNoCounterpart) {
  EXPECT_THAT(Default("'\"0\"'", "INT", "bigint"), HasSubstr("- "));
  EXPECT_THAT(Default("0", "DATETIME", "timestamp"), HasSubstr("- "));
  EXPECT_THAT(Default("2", "BOOLEAN", "boolean"), HasSubstr("- "));
  EXPECT_THAT(Default("'toolong'", "VARCHAR(3)", "varchar(3)"), HasSubstr("- "));
  EXPECT_THAT(Default("CURRENT_TIMESTAMP", "INT", "bigint"), HasSubstr("- "));
  EXPECT_THAT(Default("datetime('now')", "VARCHAR(9)", "varchar(9)"), HasSubstr("longer"));
  EXPECT_THAT(Default("strftime('%w', 'now')", "TEXT", "text"), HasSubstr("- "));
  EXPECT_THAT(Default("datetime('now', 'weekday 0')", "DATETIME", "timestamp"),
              HasSubstr("weekday"));
  EXPECT_THAT(Default("random()", "INT", "bigint"), HasSubstr("random"));
}

TEST(DefaultTest, TheCurrentTimeFitsTheColumn) {
  const std::string utc = "(now() AT TIME ZONE 'UTC')";
  for (const char* now :
       {"CURRENT_TIMESTAMP", "datetime('now')", "strftime('%Y-%m-%d %H:%M:%f', 'now')",
        "datetime()", "datetime('now', 'utc')"}) {
    EXPECT_EQ(Default(now, "DATETIME", "timestamp"), utc) << now;
    EXPECT_EQ(Default(now, "DATETIME", "timestamptz"), "now()") << now;
  }
  EXPECT_EQ(Default("CURRENT_DATE", "DATE", "date"), utc + "::date");
  EXPECT_EQ(Default("date('now')", "DATETIME", "timestamp"),
            "date_trunc('day', now() AT TIME ZONE 'UTC')");
  EXPECT_EQ(Default("CURRENT_TIME", "TIME", "time"), utc + "::time");
  EXPECT_EQ(Default("CURRENT_TIMESTAMP", "TEXT", "text"),
            "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')");
  EXPECT_EQ(Default("strftime('%Y-%m-%dT%H:%M:%fZ', 'now')", "TEXT", "text"),
            "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')");
  EXPECT_EQ(Default("datetime('now', '+7 days')", "DATETIME", "timestamp"),
            "(" + utc + " + interval '7 days')");
  EXPECT_EQ(Default("datetime('now', 'localtime')", "DATETIME", "timestamp"), "localtimestamp");
  const std::string seconds = "floor(extract(epoch FROM now()))::bigint";
  EXPECT_EQ(Default("strftime('%s', 'now')", "INT", "bigint"), seconds);
  EXPECT_EQ(Default("unixepoch()", "INT", "bigint"), seconds);
  EXPECT_EQ(Default("CAST(strftime('%s', 'now') AS INTEGER)", "INT", "bigint"), seconds);
  EXPECT_EQ(Default("strftime('%s', 'now') * 1000", "INT", "bigint"), "(" + seconds + " * 1000)");
  EXPECT_EQ(Default("strftime('%s', 'now')", "INT", "timestamptz", config::Epoch::kSeconds),
            "now()");
}

TEST(DefaultTest, RandomValuesStayRandom) {
  EXPECT_EQ(Default("lower(hex(randomblob(16)))", "TEXT", "text"),
            "replace(gen_random_uuid()::text, '-', '')");
  EXPECT_EQ(Default("hex(randomblob(4))", "TEXT", "text"),
            "upper(left(replace(gen_random_uuid()::text, '-', ''), 8))");
  EXPECT_EQ(Default("randomblob(16)", "BLOB", "bytea"), "uuid_send(gen_random_uuid())");
  const char* recipe =
      "lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || "
      "substr(lower(hex(randomblob(2))),2) || '-' || substr('89ab',abs(random()) % 4 + 1, 1) || "
      "substr(lower(hex(randomblob(2))),2) || '-' || lower(hex(randomblob(6)))";
  EXPECT_EQ(Default(recipe, "TEXT", "text"), "gen_random_uuid()::text");
  EXPECT_EQ(Default(recipe, "UUID", "uuid"), "gen_random_uuid()");
}

TEST(IndexTermTest, UniqueOnesKeepApartWhatSqliteDoes) {
  const auto term = [](const char* sql, const char* collation, bool unique) {
    const Translated made =
        TranslateIndexTerm(source::ParseExpression(sql), collation, unique, Columns());
    return made.ok() ? made.sql : "- " + made.problem;
  };
  EXPECT_EQ(term("lower(t)", "", true), "lower(t COLLATE \"C\")");
  EXPECT_EQ(term("lower(t)", "", false), "lower(t)");
  EXPECT_EQ(term("t", "NOCASE", true), "lower(t COLLATE \"C\")");
  EXPECT_EQ(term("w", "RTRIM", true), "rtrim(w)");
  EXPECT_EQ(term("i", "NOCASE", true), "i");
  EXPECT_EQ(term("i + j", "", false), "(i + j)");
  EXPECT_EQ(term("CASE WHEN i > 0 THEN t END", "", true), "(CASE WHEN i > 0 THEN t END)");
  EXPECT_THAT(term("t", "UNICODE", true), HasSubstr("own collation"));
  EXPECT_THAT(term("js", "", false), HasSubstr("json"));
  EXPECT_THAT(term("1", "", false), HasSubstr("every row"));
}

TEST(GeneratedTest, ResultIsThatOfTheColumn) {
  const auto generated = [](const char* sql, const char* declared, const char* type) {
    const Translated made =
        TranslateGenerated(source::ParseExpression(sql), Columns(), Column("g", declared, type));
    return made.ok() ? made.sql : "- " + made.problem;
  };
  EXPECT_EQ(generated("t || '!'", "TEXT", "text"), "t || '!'");
  EXPECT_EQ(generated("i + 1", "TEXT", "text"), "(i + 1)::text");
  EXPECT_EQ(generated("i * 2", "INT", "bigint"), "i * 2");
  EXPECT_EQ(generated("i > 0", "BOOLEAN", "boolean"), "i > 0");
  EXPECT_THAT(generated("r", "INT", "bigint"), HasSubstr("no bigint"));
}

}  // namespace
}  // namespace liteferry
