#include "replication/target/types.h"

#include <gtest/gtest.h>

namespace liteferry::target {
namespace {

TargetType Type(TypeKind kind, std::int32_t typmod) {
  TargetType type;
  type.kind = kind;
  type.typmod = typmod;
  return type;
}

// PostgreSQL's make_numeric_typmod(), written independently.
std::int32_t NumericTypmod(int precision, int scale) {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}

TEST(TypesTest, KnowsBuiltInTypesByOid) {
  EXPECT_EQ(KindOfType(16, 'b', "bool"), TypeKind::kBool);
  EXPECT_EQ(KindOfType(17, 'b', "bytea"), TypeKind::kBytea);
  EXPECT_EQ(KindOfType(19, 'b', "name"), TypeKind::kText);
  EXPECT_EQ(KindOfType(20, 'b', "int8"), TypeKind::kInt8);
  EXPECT_EQ(KindOfType(21, 'b', "int2"), TypeKind::kInt2);
  EXPECT_EQ(KindOfType(23, 'b', "int4"), TypeKind::kInt4);
  EXPECT_EQ(KindOfType(25, 'b', "text"), TypeKind::kText);
  EXPECT_EQ(KindOfType(114, 'b', "json"), TypeKind::kJson);
  EXPECT_EQ(KindOfType(700, 'b', "float4"), TypeKind::kFloat4);
  EXPECT_EQ(KindOfType(701, 'b', "float8"), TypeKind::kFloat8);
  EXPECT_EQ(KindOfType(1042, 'b', "bpchar"), TypeKind::kChar);
  EXPECT_EQ(KindOfType(1043, 'b', "varchar"), TypeKind::kVarchar);
  EXPECT_EQ(KindOfType(1082, 'b', "date"), TypeKind::kDate);
  EXPECT_EQ(KindOfType(1083, 'b', "time"), TypeKind::kTime);
  EXPECT_EQ(KindOfType(1114, 'b', "timestamp"), TypeKind::kTimestamp);
  EXPECT_EQ(KindOfType(1184, 'b', "timestamptz"), TypeKind::kTimestampTz);
  EXPECT_EQ(KindOfType(1700, 'b', "numeric"), TypeKind::kNumeric);
  EXPECT_EQ(KindOfType(2950, 'b', "uuid"), TypeKind::kUuid);
  EXPECT_EQ(KindOfType(3802, 'b', "jsonb"), TypeKind::kJsonb);
}

TEST(TypesTest, KnowsEnumsAndCitextWhateverTheirOid) {
  EXPECT_EQ(KindOfType(16400, 'e', "mood"), TypeKind::kEnum);
  EXPECT_EQ(KindOfType(16401, 'b', "citext"), TypeKind::kText);
  EXPECT_EQ(KindOfType(16402, 'c', "citext"), TypeKind::kOther);
}

TEST(TypesTest, SendsEverythingElseThroughItsText) {
  EXPECT_EQ(KindOfType(1186, 'b', "interval"), TypeKind::kOther);
  EXPECT_EQ(KindOfType(869, 'b', "inet"), TypeKind::kOther);
  EXPECT_EQ(KindOfType(1007, 'b', "_int4"), TypeKind::kOther);
  EXPECT_EQ(KindOfType(1266, 'b', "timetz"), TypeKind::kOther);
  EXPECT_EQ(KindOfType(18, 'b', "char"), TypeKind::kOther);
  EXPECT_EQ(KindOfType(16403, 'r', "floatrange"), TypeKind::kOther);
}

TEST(TypesTest, GivesElementsOfAnArrayItsNameAndModifier) {
  TargetType type = Type(TypeKind::kOther, 9);
  type.oid = 1015;
  type.name = "codes";  // a domain
  type.base_name = "character varying(5)[]";
  TargetType element;
  element.oid = 1043;
  element.kind = TypeKind::kVarchar;
  MakeArray(type, element, ';');
  EXPECT_EQ(type.kind, TypeKind::kArray);
  EXPECT_EQ(type.name, "codes");
  EXPECT_EQ(type.delimiter, ';');
  EXPECT_EQ(type.element->kind, TypeKind::kVarchar);
  EXPECT_EQ(type.element->oid, 1043U);
  EXPECT_EQ(type.element->name, "character varying(5)");
  EXPECT_EQ(LengthLimit(*type.element), 5);
}

TEST(TypesTest, SendsArraysInBinaryWhereTheirElementsAre) {
  const auto has_binary_form = [](TypeKind kind) {
    TargetType array = Type(TypeKind::kArray, -1);
    MakeArray(array, Type(kind, -1), ',');
    EXPECT_EQ(HasBinaryForm(array), HasBinaryForm(Type(kind, -1)));
    return HasBinaryForm(array);
  };
  for (const TypeKind kind : {TypeKind::kBool, TypeKind::kNumeric, TypeKind::kJsonb,
                              TypeKind::kEnum, TypeKind::kTimestampTz}) {
    EXPECT_TRUE(has_binary_form(kind));
  }
  EXPECT_FALSE(has_binary_form(TypeKind::kOther));
}

TEST(TypesTest, ReadsLengthOfCharacterTypes) {
  EXPECT_EQ(LengthLimit(Type(TypeKind::kVarchar, 24)), 20);
  EXPECT_EQ(LengthLimit(Type(TypeKind::kChar, 5)), 1);
  EXPECT_EQ(LengthLimit(Type(TypeKind::kVarchar, -1)), 0);
  EXPECT_EQ(LengthLimit(Type(TypeKind::kText, -1)), 0);
}

TEST(TypesTest, ReadsPrecisionAndScaleOfNumeric) {
  for (const auto& [precision, scale] :
       {std::pair{10, 2}, {1, 0}, {1000, 1000}, {2, -3}, {3, 5}, {5, -1000}}) {
    const NumericLimit limit =
        NumericLimits(Type(TypeKind::kNumeric, NumericTypmod(precision, scale)));
    EXPECT_EQ(limit.precision, precision);
    EXPECT_EQ(limit.scale, scale);
  }
  EXPECT_EQ(NumericLimits(Type(TypeKind::kNumeric, -1)).precision, 0);
}

TEST(TypesTest, ReadsFractionDigitsOfTimes) {
  EXPECT_EQ(FractionDigits(Type(TypeKind::kTimestamp, 0)), 0);
  EXPECT_EQ(FractionDigits(Type(TypeKind::kTimestampTz, 3)), 3);
  EXPECT_EQ(FractionDigits(Type(TypeKind::kTime, 6)), 6);
  EXPECT_EQ(FractionDigits(Type(TypeKind::kTimestamp, -1)), 6);
  EXPECT_EQ(FractionDigits(Type(TypeKind::kDate, -1)), 6);
}

}  // namespace
}  // namespace liteferry::target
