#include "replication/schema_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "replication/target/convert.h"

namespace liteferry {
namespace {

using target::TypeKind;
using ::testing::HasSubstr;

// The type by the declaration alone.
std::string Declared(const std::string& declared) {
  source::SourceColumn column;
  column.declared_type = declared;
  return ChooseType(column, false, {}, nullptr).type.name;
}

ColumnEvidence Evidence(const std::string& declared, const std::vector<Value>& values,
                        const config::ColumnSettings& settings = {}) {
  source::SourceColumn column;
  column.declared_type = declared;
  ColumnEvidence evidence;
  const auto candidates = SuggestedTypes(column, false, settings);
  evidence.misfits.assign(candidates.size(), 0);
  target::ConvertOptions options;
  options.epoch = settings.epoch;
  for (const Value& value : values) {
    evidence.profile.Observe(value);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      std::string out;
      bool is_null = false;
      const bool fits =
          !target::ConvertText(value, candidates[i].type, options, out, is_null).has_value();
      evidence.misfits[i] += fits ? 0 : 1;
    }
  }
  return evidence;
}

TypeChoice Choose(const std::string& declared, const std::vector<Value>& values,
                  const config::ColumnSettings& settings = {}) {
  source::SourceColumn column;
  column.declared_type = declared;
  const ColumnEvidence evidence = Evidence(declared, values, settings);
  return ChooseType(column, false, settings, &evidence);
}

Value I(std::int64_t v) { return Value::Integer(v); }
Value R(double v) { return Value::Real(v); }
Value T(std::string_view v) { return Value::Text(v); }
Value B(std::string_view v) { return Value::Blob(v); }

TEST(SchemaTypesTest, DeclarationsMeanWhatFrameworksMeanByThem) {
  EXPECT_EQ(Declared("INTEGER"), "bigint");
  EXPECT_EQ(Declared("int"), "bigint");
  EXPECT_EQ(Declared("UNSIGNED BIG INT"), "bigint");
  EXPECT_EQ(Declared("SMALLINT"), "smallint");
  EXPECT_EQ(Declared("smallint unsigned"), "integer");
  EXPECT_EQ(Declared("TINYINT(1)"), "smallint");
  EXPECT_EQ(Declared("MEDIUMINT"), "integer");
  EXPECT_EQ(Declared("BOOLEAN"), "boolean");
  EXPECT_EQ(Declared("VARCHAR(255)"), "varchar(255)");
  EXPECT_EQ(Declared("NVARCHAR (160)"), "varchar(160)");
  EXPECT_EQ(Declared("NATIVE CHARACTER(70)"), "varchar(70)");
  EXPECT_EQ(Declared("CHAR(32)"), "varchar(32)");
  EXPECT_EQ(Declared("VARCHAR"), "text");
  EXPECT_EQ(Declared("longtext"), "text");
  EXPECT_EQ(Declared("CLOB"), "text");
  EXPECT_EQ(Declared("REAL"), "double precision");
  EXPECT_EQ(Declared("DOUBLE PRECISION"), "double precision");
  EXPECT_EQ(Declared("FLOAT"), "double precision");
  EXPECT_EQ(Declared("DECIMAL(10,2)"), "numeric(10,2)");
  EXPECT_EQ(Declared("NUMERIC( 10 , 5 )"), "numeric(10,5)");
  EXPECT_EQ(Declared("numeric(8)"), "numeric(8,0)");
  EXPECT_EQ(Declared("DECIMAL(2,5)"), "numeric");
  EXPECT_EQ(Declared("BLOB"), "bytea");
  EXPECT_EQ(Declared("VARBINARY(16)"), "bytea");
  EXPECT_EQ(Declared("DATETIME"), "timestamp");
  EXPECT_EQ(Declared("timestamp with time zone"), "timestamptz");
  EXPECT_EQ(Declared("DATE"), "date");
  EXPECT_EQ(Declared("TIME"), "time");
  EXPECT_EQ(Declared("JSON"), "json");
  EXPECT_EQ(Declared("jsonb"), "jsonb");
  EXPECT_EQ(Declared("UUID"), "uuid");
  EXPECT_EQ(Declared("POINT"), "text");
  EXPECT_EQ(Declared(""), "text");
  EXPECT_EQ(Declared("whatever"), "text");
}

TEST(SchemaTypesTest, ValuesThatDoNotFitWidenTheType) {
  EXPECT_EQ(Choose("SMALLINT", {I(1), I(70000)}).type.name, "bigint");
  EXPECT_EQ(Choose("INTEGER", {I(1), R(2.5)}).type.name, "double precision");
  EXPECT_EQ(Choose("INTEGER", {I(INT64_MAX), R(2.5)}).type.name, "numeric");
  EXPECT_EQ(Choose("INTEGER", {I(1), T("toto")}).type.name, "text");
  EXPECT_EQ(Choose("INTEGER", {I(1), T("17")}).type.name, "bigint");
  EXPECT_EQ(Choose("BOOLEAN", {I(0), T("true"), T("n")}).type.name, "boolean");
  EXPECT_EQ(Choose("BOOLEAN", {I(0), I(2)}).type.name, "bigint");
  EXPECT_EQ(Choose("VARCHAR(3)", {T("abcd")}).type.name, "text");
  EXPECT_EQ(Choose("DECIMAL(4,2)", {R(100.125)}).type.name, "numeric");
  EXPECT_EQ(Choose("NUMERIC", {R(HUGE_VAL)}).type.name, "double precision");
  EXPECT_EQ(Choose("DATE", {T("2024-01-01"), T("2024-01-01 10:00:00")}).type.name, "timestamp");
  EXPECT_EQ(Choose("DATETIME", {T("2024-01-01 10:00:00+02:00")}).type.name, "timestamptz");
  EXPECT_EQ(Choose("DATETIME", {T("yesterday")}).type.name, "text");
  EXPECT_EQ(Choose("TEXT", {T("a"), B("ok")}).type.name, "text");
  EXPECT_EQ(Choose("TEXT", {T("a"), B("\xff")}).type.name, "bytea");
  EXPECT_EQ(Choose("TEXT", {T(std::string_view("a\0b", 3))}).type.name, "bytea");
  EXPECT_EQ(Choose("BLOB", {B("\xff"), T("text")}).type.name, "bytea");
  EXPECT_EQ(Choose("BLOB", {I(1), T("text")}).type.name, "text");
}

TEST(SchemaTypesTest, ReasonNamesWhatWasFound) {
  const TypeChoice choice = Choose("SMALLINT", {I(1), I(70000), T("x")});
  EXPECT_EQ(choice.reason, "2 of 3 values (2 integers, 1 text) do not fit smallint");
  EXPECT_EQ(choice.rejected, 0);
  EXPECT_EQ(Choose("SMALLINT", {I(1)}).reason, "");
}

TEST(SchemaTypesTest, NothingTakesEverything) {
  const TypeChoice choice = Choose("TEXT", {I(1), I(2), B("\xff")});
  EXPECT_EQ(choice.type.name, "text");
  EXPECT_EQ(choice.rejected, 1);
}

TEST(SchemaTypesTest, NumbersThatLookLikeTimesAreTold) {
  const TypeChoice choice = Choose("DATETIME", {I(1'700'000'000'123)});
  EXPECT_EQ(choice.type.name, "bigint");
  EXPECT_THAT(choice.reason, HasSubstr("`epoch: ms`"));
  config::ColumnSettings settings;
  settings.epoch = config::Epoch::kMilliseconds;
  EXPECT_EQ(Choose("DATETIME", {I(1'700'000'000'123)}, settings).type.name, "timestamptz");
}

TEST(SchemaTypesTest, SomeDeclarationsNeedEvidence) {
  const std::string_view uuid = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(Choose("CHAR(32)", {T(uuid)}).type.name, "uuid");
  EXPECT_EQ(Choose("CHAR(32)", {T(uuid), T("x")}).type.name, "varchar(32)");
  EXPECT_EQ(Choose("CHAR(32)", {}).type.name, "varchar(32)");
  EXPECT_EQ(Choose("TINYINT(1)", {I(0), I(1)}).type.name, "boolean");
  EXPECT_EQ(Choose("TINYINT(1)", {I(2)}).type.name, "smallint");
}

TEST(SchemaTypesTest, ColumnsWithoutATypeGoByTheirValues) {
  EXPECT_EQ(Choose("", {I(1), I(2)}).type.name, "bigint");
  EXPECT_EQ(Choose("", {I(1), R(2.5)}).type.name, "double precision");
  EXPECT_EQ(Choose("", {T("1")}).type.name, "text");
  EXPECT_EQ(Choose("", {T("1"), I(1)}).type.name, "text");
  EXPECT_EQ(Choose("", {B("\xff")}).type.name, "bytea");
  EXPECT_EQ(Choose("", {}).type.name, "text");
  EXPECT_THAT(Choose("", {I(1)}).reason, HasSubstr("without a type; all values: 1 integer"));
}

TEST(SchemaTypesTest, ConfiguredTypesStand) {
  config::ColumnSettings settings;
  settings.type = "varchar(2)";
  const TypeChoice choice = Choose("TEXT", {T("abc"), T("a")}, settings);
  EXPECT_EQ(choice.type.name, "varchar(2)");
  EXPECT_EQ(choice.rejected, 1);
  settings.type = "public.mood";
  EXPECT_EQ(Choose("TEXT", {T("sad")}, settings).type.name, "public.mood");
}

TEST(SchemaTypesTest, NamedTypesAreKnown) {
  EXPECT_EQ(NamedType("numeric(10, 2)").kind, TypeKind::kNumeric);
  EXPECT_EQ(target::NumericLimits(NamedType("numeric(10, 2)")).scale, 2);
  EXPECT_EQ(target::LengthLimit(NamedType("Character Varying(7)")), 7);
  EXPECT_EQ(target::LengthLimit(NamedType("char")), 1);
  EXPECT_EQ(NamedType("TIMESTAMPTZ").kind, TypeKind::kTimestampTz);
  EXPECT_EQ(target::FractionDigits(NamedType("timestamp(3)")), 3);
  EXPECT_EQ(NamedType("text[]").kind, TypeKind::kOther);
  EXPECT_EQ(NamedType("inet").kind, TypeKind::kOther);
}

TEST(SchemaTypesTest, AffinityIsSqlites) {
  EXPECT_EQ(AffinityOf("CHARINT"), Affinity::kInteger);
  EXPECT_EQ(AffinityOf("VARCHAR(3)"), Affinity::kText);
  EXPECT_EQ(AffinityOf(""), Affinity::kBlob);
  EXPECT_EQ(AffinityOf("DOUBLE"), Affinity::kReal);
  EXPECT_EQ(AffinityOf("STRING"), Affinity::kNumeric);
}

}  // namespace
}  // namespace liteferry
