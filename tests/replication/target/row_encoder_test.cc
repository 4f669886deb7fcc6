#include "replication/target/row_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "replication/base/text.h"

namespace liteferry::target {
namespace {

using namespace std::string_literals;

EncodedColumn Column(const char* name, TypeKind kind, std::uint32_t oid, const char* type_name,
                     bool not_null = false) {
  EncodedColumn column;
  column.name = name;
  column.type.kind = kind;
  column.type.oid = oid;
  column.type.name = column.type.base_name = type_name;
  column.not_null = not_null;
  return column;
}

EncodedColumn Int4(const char* name, bool not_null = false) {
  return Column(name, TypeKind::kInt4, 23, "integer", not_null);
}
EncodedColumn Text(const char* name) { return Column(name, TypeKind::kText, 25, "text"); }
EncodedColumn Inet(const char* name) { return Column(name, TypeKind::kOther, 869, "inet"); }

template <typename... Values>
std::string RowOf(const RowEncoder& encoder, const Values&... values) {
  const std::array<Value, sizeof...(Values)> row = {values...};
  std::string out;
  const auto rejection = encoder.AppendRow(row, out);
  return rejection ? "rejected: " + rejection->reason : out;
}

TEST(RowEncoderTest, WritesBinaryRowsByTheFormat) {
  const RowEncoder encoder({Int4("a"), Text("b")});
  EXPECT_EQ(encoder.format(), CopyFormat::kBinary);
  EXPECT_EQ(encoder.header(), "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(encoder.trailer(), "\xff\xff");
  EXPECT_EQ(RowOf(encoder, Value::Integer(5), Value::Text("xy")),
            "\0\2\0\0\0\4\0\0\0\5\0\0\0\2xy"s);
  EXPECT_EQ(RowOf(encoder, Value::Null(), Value::Text("")), "\0\2\xff\xff\xff\xff\0\0\0\0"s);
}

TEST(RowEncoderTest, WritesTextWhereATypeHasNoBinaryForm) {
  const RowEncoder encoder({Int4("a"), Text("b"), Inet("c")});
  EXPECT_EQ(encoder.format(), CopyFormat::kText);
  EXPECT_EQ(encoder.header(), "");
  EXPECT_EQ(encoder.trailer(), "");
  EXPECT_EQ(RowOf(encoder, Value::Integer(5), Value::Null(), Value::Text("::1")), "5\t\\N\t::1\n");
}

TEST(RowEncoderTest, EscapesWhatWouldEndAFieldOrARow) {
  const RowEncoder encoder({Text("b"), Inet("c")});
  EXPECT_EQ(RowOf(encoder, Value::Text("\b\f\n\r\t\v\\"), Value::Null()),
            "\\b\\f\\n\\r\\t\\v\\\\\t\\N\n");
  EXPECT_EQ(RowOf(encoder, Value::Text("\\."), Value::Null()), "\\\\.\t\\N\n");
  EXPECT_EQ(RowOf(encoder, Value::Text("\\N"), Value::Text("")), "\\\\N\t\n");
  EXPECT_EQ(RowOf(encoder, Value::Text("plain 'text'"), Value::Text("a\tb\n")),
            "plain 'text'\ta\\tb\\n\n");
  EXPECT_EQ(RowOf(RowEncoder({Column("b", TypeKind::kBytea, 17, "bytea"), Inet("c")}),
                  Value::Blob("\n"), Value::Null()),
            "\\\\x0a\t\\N\n");
}

TEST(RowEncoderTest, QuotesNamesInTheStatement) {
  const RowEncoder binary({Int4("a"), Text("select \"x\"")});
  EXPECT_EQ(binary.CopyStatement("public", "my \"table\""),
            "COPY \"public\".\"my \"\"table\"\"\" (\"a\", \"select \"\"x\"\"\") FROM STDIN (FORMAT "
            "binary)");
  EXPECT_EQ(RowEncoder({Inet("c")}).CopyStatement("s", "t"),
            "COPY \"s\".\"t\" (\"c\") FROM STDIN (FORMAT text)");
  EXPECT_EQ(binary.InsertStatement("public", "my \"table\""),
            "INSERT INTO \"public\".\"my \"\"table\"\"\" (\"a\", \"select \"\"x\"\"\") OVERRIDING "
            "SYSTEM VALUE VALUES ($1, $2)");
}

TEST(RowEncoderTest, GivesTheFieldsOfARow) {
  const RowEncoder encoder({Int4("a"), Text("b"), Text("c"), Text("d")});
  std::string row;
  const std::vector<Value> values = {Value::Integer(258), Value::Text("text"), Value::Null(),
                                     Value::Text("")};
  ASSERT_FALSE(encoder.AppendRow(values, row).has_value());
  EXPECT_THAT(encoder.Fields(row),
              ::testing::ElementsAre(std::string("\0\0\1\2", 4), "text", std::nullopt, ""));
}

TEST(RowEncoderTest, LeavesTheBufferAsItWasOnRejection) {
  for (const RowEncoder& encoder :
       {RowEncoder({Text("b"), Int4("a")}), RowEncoder({Text("b"), Int4("a"), Inet("c")})}) {
    std::vector<Value> row = {Value::Text("long enough to matter\n"), Value::Text("secret")};
    row.resize(encoder.columns().size(), Value::Null());
    std::string out = "rows before";
    const auto rejection = encoder.AppendRow(row, out);
    ASSERT_TRUE(rejection.has_value());
    EXPECT_EQ(rejection->column, 1U);
    EXPECT_EQ(rejection->storage, StorageClass::kText);
    EXPECT_EQ(rejection->reason, "text is not a whole number");
    EXPECT_EQ(out, "rows before");
  }
}

TEST(RowEncoderTest, RejectsNullWhereTheColumnTakesNone) {
  EncodedColumn replaced = Int4("a", true);
  replaced.options.on_invalid = OnInvalid::kNull;
  const RowEncoder encoder({replaced});
  EXPECT_EQ(RowOf(encoder, Value::Null()), "rejected: NULL in a column that is NOT NULL");
  EXPECT_EQ(RowOf(encoder, Value::Text("x")),
            "rejected: value is invalid and its column takes no NULL instead");
  EXPECT_EQ(RowOf(encoder, Value::Integer(1)), "\0\1\0\0\0\4\0\0\0\1"s);
}

TEST(RowEncoderTest, ReplacesInvalidValuesWhereAsked) {
  EncodedColumn replaced = Int4("a");
  replaced.options.on_invalid = OnInvalid::kNull;
  EXPECT_EQ(RowOf(RowEncoder({replaced}), Value::Text("x")), "\0\1\xff\xff\xff\xff"s);
  EXPECT_EQ(RowOf(RowEncoder({replaced, Inet("c")}), Value::Text("x"), Value::Null()),
            "\\N\t\\N\n");
}

TEST(RowEncoderTest, NeedsNoMemoryOfItsOwnPerRow) {
  const RowEncoder encoder(
      {Int4("a"), Text("b"), Column("c", TypeKind::kTimestamp, 1114, "timestamp")});
  const std::array<Value, 3> row = {Value::Integer(5), Value::Text("some text that is not short"),
                                    Value::Text("2024-02-29 10:00:00.123456")};
  std::string out;
  out.reserve(4096);
  const char* const place = out.data();
  for (int i = 0; i < 30; ++i) EXPECT_FALSE(encoder.AppendRow(row, out).has_value());
  EXPECT_EQ(out.data(), place);
  EXPECT_EQ(out.size(), 30 * (2 + 8 + 4 + 27 + 12U));
}

TEST(KeyArraysTest, WritesArraysInBinary) {
  KeyArrays keys({Int4("a"), Text("b")});
  const std::array<Value, 2> one = {Value::Integer(7), Value::Text("x")};
  const std::array<Value, 2> two = {Value::Integer(8), Value::Text("")};
  EXPECT_TRUE(keys.Add(one));
  EXPECT_TRUE(keys.Add(two));
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(ToHex(keys.BinaryArray(0)),
            "00000001"
            "00000000"
            "00000017"
            "00000002"
            "00000001"
            "00000004"
            "00000007"
            "00000004"
            "00000008");
  EXPECT_EQ(ToHex(keys.BinaryArray(1)),
            "00000001"
            "00000000"
            "00000019"
            "00000002"
            "00000001"
            "00000001"
            "78"
            "00000000");
  EXPECT_EQ(keys.array_oid(0), 1007U);
  EXPECT_EQ(keys.array_oid(1), 1009U);
  keys.Clear();
  EXPECT_EQ(keys.size(), 0U);
  EXPECT_EQ(ToHex(keys.BinaryArray(0)),
            "00000000"
            "00000000"
            "00000017");
}

TEST(KeyArraysTest, TakesNoKeyThatTheTargetCannotHave) {
  KeyArrays keys({Text("b"), Int4("a")});
  const std::array<Value, 2> good = {Value::Text("x"), Value::Integer(7)};
  const std::array<Value, 2> bad = {Value::Text("kept out"), Value::Text("seven")};
  const std::array<Value, 2> null = {Value::Null(), Value::Integer(7)};
  EXPECT_TRUE(keys.Add(good));
  const std::string before = keys.BinaryArray(0);
  EXPECT_FALSE(keys.Add(bad));
  EXPECT_FALSE(keys.Add(null));
  EXPECT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys.BinaryArray(0), before);
}

TEST(KeyArraysTest, ComparesInTheColumnsOwnType) {
  const KeyArrays keys({Column("Id", TypeKind::kInt8, 20, "bigint"),
                        Column("c", TypeKind::kChar, 1042, "character(5)"),
                        Column("m", TypeKind::kEnum, 16400, "public.mood"),
                        Column("ci", TypeKind::kText, 16401, "citext"), Inet("ip")});
  EXPECT_EQ(
      keys.DeleteStatement("public", "t t"),
      "DELETE FROM \"public\".\"t t\" AS t USING unnest($1::int8[], $2::bpchar[], $3::text[], "
      "$4::text[], $5::text[]) AS d(k1, k2, k3, k4, k5) WHERE t.\"Id\" = d.k1 AND t.\"c\" = d.k2 "
      "AND t.\"m\" = d.k3::public.mood AND t.\"ci\" = d.k4::citext AND t.\"ip\" = d.k5::inet");
  EXPECT_EQ(keys.array_oid(1), 1014U);
  EXPECT_EQ(keys.array_oid(2), 1009U);
}

TEST(KeyArraysTest, LooksNoIntegerUpThatLiesAboveAll) {
  EXPECT_EQ(KeyArrays({Int4("a\"b")}).UpToLargest("public", "t t"),
            " AND d.k1 <= (SELECT max(\"a\"\"b\") FROM \"public\".\"t t\")");
  EXPECT_EQ(KeyArrays({Text("b")}).UpToLargest("public", "t"), "");
  EXPECT_EQ(KeyArrays({Int4("a"), Int4("b")}).UpToLargest("public", "t"), "");
  // A domain over an integer is compared as text is cast to it.
  EXPECT_EQ(KeyArrays({Column("d", TypeKind::kInt4, 16400, "public.small")}).UpToLargest("s", "t"),
            "");
}

}  // namespace
}  // namespace liteferry::target
