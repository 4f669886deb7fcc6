#include "replication/suggest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liteferry {
namespace {

using config::Epoch;
using config::OnInvalid;
using target::TypeKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::string_view_literals;

using Kind = Suggestion::Kind;

// What a scan of a single column of this type finds in these values.
ColumnScan ScanOf(const target::TargetType& type, const std::vector<Value>& values,
                  const target::ConvertOptions& options = {}, bool not_null = false) {
  TableMapping mapping;
  mapping.source.columns.resize(2);
  mapping.source.columns[0].name = "id";
  mapping.source.columns[1].name = "a";
  mapping.columns.resize(2);
  mapping.columns[0].source = 0;
  mapping.columns[0].target.type.kind = TypeKind::kInt8;
  mapping.columns[1].source = 1;
  mapping.columns[1].target.name = "a";
  mapping.columns[1].target.type = type;
  mapping.columns[1].target.not_null = not_null;
  mapping.columns[1].options = options;
  mapping.key = {0};
  TableScanner scanner(mapping, false);
  std::int64_t id = 0;
  for (const Value& value : values) {
    const std::vector<Value> row = {Value::Integer(++id), value};
    scanner.Add(row);
  }
  return scanner.result().columns[1];
}

target::TargetType Type(TypeKind kind, const char* name, std::int32_t typmod = -1) {
  target::TargetType type;
  type.kind = kind;
  type.name = name;
  type.typmod = typmod;
  return type;
}

const target::TargetType kTimestamp = Type(TypeKind::kTimestamp, "timestamp without time zone");

TEST(SuggestTest, FindsTheUnitOfAnEpoch) {
  const struct {
    std::vector<Value> values;
    const char* value;
    const char* evidence;
  } cases[] = {
      {{Value::Integer(1'710'000'000'000), Value::Integer(1'690'000'000'999)},
       "ms",
       "all 2 numbers lie between 1.6e12 and 1.8e12: 2023 to 2024 in milliseconds"},
      {{Value::Real(1'710'000'000.25)}, "s", "the only number lies between 1.7e9 and 1.8e9: 2024"},
      {{Value::Integer(1'710'000'000'000'000)}, "us", "in microseconds"},
      {{Value::Real(2'460'000.5), Value::Real(2'450'000)},
       "julian",
       "between 2.4e6 and 2.5e6: 1995 to 2023 in Julian days"},
  };
  for (const auto& one : cases) {
    const auto suggestions = SuggestColumn(ScanOf(kTimestamp, one.values));
    ASSERT_THAT(suggestions, SizeIs(1)) << one.value;
    EXPECT_EQ(suggestions[0].kind, Kind::kSetting);
    EXPECT_EQ(suggestions[0].key, "epoch");
    EXPECT_EQ(suggestions[0].value, one.value);
    EXPECT_THAT(suggestions[0].evidence, HasSubstr(one.evidence));
  }
}

TEST(SuggestTest, MakesNoGuessWhereNumbersDisagree) {
  EXPECT_THAT(SuggestColumn(ScanOf(
                  kTimestamp, {Value::Integer(1'710'000'000'000), Value::Integer(1'710'000'000)})),
              IsEmpty());
  EXPECT_THAT(SuggestColumn(ScanOf(kTimestamp, {Value::Integer(5), Value::Integer(77)})),
              IsEmpty());
  EXPECT_THAT(
      SuggestColumn(ScanOf(Type(TypeKind::kInt8, "bigint"), {Value::Integer(1'710'000'000'000)})),
      IsEmpty());
}

TEST(SuggestTest, SaysHowManyNumbersDoNotFitTheUnit) {
  std::vector<Value> values(19, Value::Integer(1'710'000'000));
  values.push_back(Value::Integer(0));
  const auto suggestions = SuggestColumn(ScanOf(kTimestamp, values));
  ASSERT_THAT(suggestions, SizeIs(1));
  EXPECT_THAT(suggestions[0].evidence, HasSubstr("19 of 20 numbers lie"));
  EXPECT_THAT(suggestions[0].evidence, HasSubstr("1 other would be far from that"));
}

TEST(SuggestTest, ObjectsToAUnitThatTakesTheNumbersToAnotherMillennium) {
  const ColumnScan scan = ScanOf(kTimestamp, {Value::Integer(1'710'000'000'000)},
                                 {OnInvalid::kReject, Epoch::kSeconds});
  ASSERT_EQ(scan.rejected, 0);
  const auto suggestions = SuggestColumn(scan);
  ASSERT_THAT(suggestions, SizeIs(1));
  EXPECT_EQ(suggestions[0].value, "ms");
  EXPECT_THAT(suggestions[0].evidence, HasSubstr("configured as s"));
  EXPECT_THAT(SuggestColumn(ScanOf(kTimestamp, {Value::Integer(1'710'000'000'000)},
                                   {OnInvalid::kReject, Epoch::kMilliseconds})),
              IsEmpty());
}

TEST(SuggestTest, ADateTakesMidnightsOnly) {
  const target::TargetType date = Type(TypeKind::kDate, "date");
  EXPECT_EQ(SuggestColumn(ScanOf(date, {Value::Integer(1'709'251'200)})).at(0).value, "s");
  const auto other = SuggestColumn(ScanOf(date, {Value::Integer(1'709'251'201)}));
  ASSERT_THAT(other, SizeIs(1));
  EXPECT_EQ(other[0].kind, Kind::kType);
  EXPECT_EQ(other[0].value, "timestamp with time zone");
}

TEST(SuggestTest, OffersOnInvalidWithItsPrice) {
  const auto nul = SuggestColumn(ScanOf(Type(TypeKind::kText, "text"), {Value::Text("a\0"sv)}));
  ASSERT_THAT(nul, SizeIs(1));
  EXPECT_EQ(nul[0].kind, Kind::kOffer);
  EXPECT_EQ(nul[0].value, "strip_nul");
  EXPECT_THAT(nul[0].price, HasSubstr("not those of SQLite"));
  const std::vector<Value> values = {Value::Text(""), Value::Text("soon")};
  const auto empty = SuggestColumn(ScanOf(kTimestamp, values));
  ASSERT_THAT(empty, SizeIs(1));
  EXPECT_EQ(empty[0].value, "null");
  EXPECT_THAT(empty[0].price, HasSubstr("also 1 that is not empty"));
  const auto not_null = SuggestColumn(ScanOf(kTimestamp, values, {}, true));
  ASSERT_THAT(not_null, SizeIs(1));
  EXPECT_EQ(not_null[0].kind, Kind::kType);
  EXPECT_THAT(not_null[0].evidence, HasSubstr("correct the rows"));
}

TEST(SuggestTest, NamesTheTypeThatWouldTakeTheValues) {
  const auto type = [](const target::TargetType& has, const Value& value) {
    const auto suggestions = SuggestColumn(ScanOf(has, {value}));
    return suggestions.size() == 1 && suggestions[0].kind == Kind::kType ? suggestions[0].value
                                                                         : "?";
  };
  EXPECT_EQ(type(Type(TypeKind::kInt4, "integer"), Value::Integer(1LL << 40)), "bigint");
  EXPECT_EQ(type(Type(TypeKind::kVarchar, "character varying(2)", 6), Value::Text("abc")), "text");
  EXPECT_EQ(type(Type(TypeKind::kFloat4, "real"), Value::Real(0.1 + 0.2)), "double precision");
  EXPECT_EQ(type(Type(TypeKind::kNumeric, "numeric(4,1)", (4 << 16 | 1) + 4), Value::Text("0.12")),
            "numeric");
  EXPECT_EQ(type(kTimestamp, Value::Text("2024-01-05 10:11:12+02:00")), "timestamp with time zone");
  EXPECT_EQ(type(Type(TypeKind::kBool, "boolean"), Value::Integer(2)), "");
}

TEST(SuggestTest, IsSilentWhereAllIsWell) {
  EXPECT_THAT(SuggestColumn(ScanOf(kTimestamp, {Value::Text("2024-01-05"), Value::Null()})),
              IsEmpty());
  EXPECT_THAT(SuggestColumn(ScanOf(Type(TypeKind::kText, "text"), {Value::Text("")})), IsEmpty());
}

source::SourceTable Source(const std::string& name, const std::vector<std::string>& columns) {
  source::SourceTable table;
  table.name = name;
  for (const std::string& column : columns) table.columns.emplace_back().name = column;
  return table;
}

target::TargetTable Target(const std::string& name, const std::vector<std::string>& columns) {
  target::TargetTable table;
  table.schema = "public";
  table.name = name;
  for (const std::string& column : columns) table.columns.emplace_back().name = column;
  return table;
}

TEST(SuggestNamesTest, FindsNamesThatAreWrittenAlike) {
  source::SourceCatalog source;
  target::TargetCatalog target;
  source.tables = {Source("CustomerOrder", {"OrderId", "HTTPStatus", "note"}),
                   Source("line_item", {"id"}), Source("Gone", {"id"})};
  target.tables = {Target("customer_order", {"order_id", "http_status", "note"}),
                   Target("LineItem", {"id"})};
  const NameSuggestions names = SuggestNames(source, target, {});
  const auto& tables = names.settings.tables;
  ASSERT_THAT(tables, SizeIs(2));
  EXPECT_EQ(tables.at("CustomerOrder").target, "customer_order");
  EXPECT_EQ(tables.at("line_item").target, "LineItem");
  const auto& columns = tables.at("CustomerOrder").columns;
  ASSERT_THAT(columns, SizeIs(2));
  EXPECT_EQ(columns.at("OrderId").target, "order_id");
  EXPECT_EQ(columns.at("HTTPStatus").target, "http_status");
  EXPECT_THAT(names.unpaired, ElementsAre("Gone"));
}

TEST(SuggestNamesTest, LeavesAloneWhatPairsAlreadyOrIsConfigured) {
  source::SourceCatalog source;
  target::TargetCatalog target;
  source.tables = {Source("Notes", {"Id"}), Source("userid", {"a"}), Source("X", {"id"})};
  target.tables = {Target("notes", {"id"}), Target("user_id", {"a"}), Target("userid", {"a"}),
                   Target("x_", {"id"})};
  config::Settings settings;
  settings.tables["X"].target = "elsewhere";
  const NameSuggestions names = SuggestNames(source, target, settings);
  EXPECT_THAT(names.evidence, IsEmpty());
  EXPECT_THAT(names.settings.tables, SizeIs(1));
}

TEST(SuggestNamesTest, DoesNotChooseBetweenTwo) {
  source::SourceCatalog source;
  target::TargetCatalog target;
  source.tables = {Source("UserId", {"A_B"}), Source("T", {"AB", "Ab_"})};
  target.tables = {Target("user_id", {"ab"}), Target("_userid", {"ab"}),
                   Target("T", {"a_b", "id"})};
  const NameSuggestions names = SuggestNames(source, target, {});
  EXPECT_THAT(names.unpaired, ElementsAre("UserId"));
  // Of two columns that could be a_b only one gets it; the other stays a problem.
  EXPECT_THAT(names.settings.tables.at("T").columns, SizeIs(1));
}

}  // namespace
}  // namespace liteferry
