#include "replication/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace liteferry {
namespace {

using config::Epoch;
using config::OnInvalid;
using target::TypeKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::string_view_literals;

struct Column {
  const char* name;
  TypeKind kind;
  bool not_null = false;
  target::ConvertOptions options = {};
};

// A table whose first column is its key.
TableMapping Mapped(const std::vector<Column>& columns) {
  TableMapping mapping;
  mapping.source.name = "t";
  mapping.target.schema = "public";
  mapping.target.name = "t";
  for (const Column& one : columns) {
    source::SourceColumn column;
    column.name = one.name;
    mapping.source.columns.push_back(column);
    ColumnPair pair;
    pair.source = static_cast<int>(mapping.columns.size());
    pair.target.name = one.name;
    pair.target.type.kind = one.kind;
    pair.target.type.name = "its type";
    pair.target.not_null = one.not_null;
    pair.options = one.options;
    mapping.columns.push_back(pair);
  }
  mapping.key = {0};
  return mapping;
}

TableScan ScanOf(const TableMapping& mapping, const std::vector<std::vector<Value>>& rows,
                 bool show_values = false) {
  TableScanner scanner(mapping, show_values);
  for (const auto& row : rows) scanner.Add(row);
  return scanner.result();
}

TEST(ScanTest, CountsWhatTheEncoderRefusesByColumnAndReason) {
  const TableMapping mapping = Mapped({{"id", TypeKind::kInt8}, {"n", TypeKind::kInt2}});
  const TableScan scan = ScanOf(mapping, {{Value::Integer(1), Value::Integer(1)},
                                          {Value::Integer(2), Value::Integer(40'000)},
                                          {Value::Integer(3), Value::Text("x")},
                                          {Value::Integer(4), Value::Text("y")}});
  EXPECT_EQ(scan.rows, 4);
  EXPECT_EQ(scan.rejected_rows, 3);
  EXPECT_EQ(scan.columns[0].rejected, 0);
  EXPECT_EQ(scan.columns[1].rejected, 3);
  ASSERT_THAT(scan.columns[1].reasons, SizeIs(2));
  EXPECT_THAT(scan.columns[1].reasons[0].reason, HasSubstr("out of range"));
  EXPECT_EQ(scan.columns[1].reasons[1].count, 2);
  EXPECT_EQ(scan.columns[1].reasons[1].samples[1].key, "[4]");
  EXPECT_EQ(scan.columns[1].profile.texts, 2);
}

TEST(ScanTest, NamesEveryColumnOfARowThatIsRefused) {
  const TableMapping mapping =
      Mapped({{"id", TypeKind::kInt8}, {"a", TypeKind::kBool}, {"b", TypeKind::kUuid}});
  const TableScan scan =
      ScanOf(mapping, {{Value::Integer(1), Value::Integer(2), Value::Text("no uuid")}});
  EXPECT_EQ(scan.rejected_rows, 1);
  EXPECT_EQ(scan.columns[1].rejected, 1);
  EXPECT_EQ(scan.columns[2].rejected, 1);
}

TEST(ScanTest, CountsNullsThatTheTargetForbids) {
  const TableMapping mapping =
      Mapped({{"id", TypeKind::kInt8, true}, {"a", TypeKind::kText, true}});
  const TableScan scan =
      ScanOf(mapping, {{Value::Integer(1), Value::Null()}, {Value::Null(), Value::Text("")}});
  EXPECT_EQ(scan.rejected_rows, 2);
  EXPECT_EQ(scan.columns[1].rejected, 1);
  EXPECT_EQ(scan.null_keys, 1);
  EXPECT_THAT(scan.null_key_samples, SizeIs(1));
}

TEST(ScanTest, ShowsValuesOnlyWhenAsked) {
  const TableMapping mapping = Mapped({{"id", TypeKind::kInt8}, {"a", TypeKind::kInt8}});
  const std::vector<std::vector<Value>> rows = {{Value::Integer(1), Value::Text("it's \0"sv)},
                                                {Value::Integer(2), Value::Blob("\x01\xff")},
                                                {Value::Integer(3), Value::Text("\xff")}};
  const TableScan hidden = ScanOf(mapping, rows);
  for (const ScanReason& reason : hidden.columns[1].reasons) {
    for (const ScanSample& sample : reason.samples) EXPECT_EQ(sample.value, "");
  }
  const TableScan scan = ScanOf(mapping, rows, true);
  std::vector<std::string> values;
  for (const ScanReason& reason : scan.columns[1].reasons) {
    for (const ScanSample& sample : reason.samples) values.push_back(sample.value);
  }
  EXPECT_THAT(values,
              ::testing::UnorderedElementsAre("'it''s \\0'", "x'01ff'", "CAST(x'ff' AS TEXT)"));
}

TEST(ScanTest, CutsLongValuesBetweenCharacters) {
  const TableMapping mapping = Mapped({{"id", TypeKind::kInt8}, {"a", TypeKind::kInt8}});
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'a');
    while (text.size() < 100) text += "€";
    const TableScan scan = ScanOf(mapping, {{Value::Integer(1), Value::Text(text)}}, true);
    const std::string& value = scan.columns[1].reasons[0].samples[0].value;
    EXPECT_TRUE(IsValidUtf8(value)) << value;
    EXPECT_LE(value.size(), 66U);
    EXPECT_THAT(value, ::testing::EndsWith("'…"));
  }
}

TEST(ScanTest, CountsWhatIsRoundedOrAltered) {
  const target::ConvertOptions null{OnInvalid::kNull, Epoch::kNone};
  const target::ConvertOptions strip{OnInvalid::kStripNul, Epoch::kNone};
  const TableMapping mapping = Mapped({{"id", TypeKind::kInt8},
                                       {"at", TypeKind::kTimestamp},
                                       {"free", TypeKind::kText, false, strip},
                                       {"n", TypeKind::kInt8, false, null}});
  const Value fine = Value::Text("2024-01-05 10:11:12.1234567");
  const TableScan scan =
      ScanOf(mapping,
             {{Value::Integer(1), fine, fine, Value::Text("x")},
              {Value::Integer(2), Value::Text("2024-01-05"), Value::Text("a\0"sv), Value::Null()}});
  EXPECT_EQ(scan.rejected_rows, 0);
  EXPECT_EQ(scan.columns[1].rounded, 1);
  EXPECT_EQ(scan.columns[2].rounded, 0);
  EXPECT_EQ(scan.columns[2].altered, 1);
  EXPECT_EQ(scan.columns[3].altered, 1);
}

TEST(ScanTest, JudgesJsonAsTheServerWill) {
  const TableMapping mapping = Mapped({{"id", TypeKind::kInt8}, {"j", TypeKind::kJsonb}});
  const TableScan scan = ScanOf(mapping, {{Value::Integer(1), Value::Text("{\"a\": 1}")},
                                          {Value::Integer(2), Value::Text("{a: 1}")},
                                          {Value::Integer(3), Value::Integer(7)},
                                          {Value::Integer(4), Value::Blob("[")}});
  EXPECT_EQ(scan.rejected_rows, 2);
  EXPECT_EQ(scan.columns[1].reasons[0].reason, "text is not valid JSON");
  EXPECT_EQ(scan.columns[1].reasons[1].reason, "blob is not valid JSON");
}

TEST(ScanTest, FindsTheUnitOfNumbersThatAreTimes) {
  const TableMapping mapping = Mapped({{"id", TypeKind::kInt8}, {"at", TypeKind::kTimestampTz}});
  const TableScan scan = ScanOf(mapping, {{Value::Integer(1), Value::Integer(1'700'000'000'123)},
                                          {Value::Integer(2), Value::Real(1.6e12)},
                                          {Value::Integer(3), Value::Integer(0)}});
  for (const EpochBand& band : scan.columns[1].epochs) {
    EXPECT_EQ(band.count, band.epoch == Epoch::kMilliseconds ? 2 : 0);
    if (band.epoch != Epoch::kMilliseconds) continue;
    EXPECT_EQ(band.accepted, 3);
    EXPECT_EQ(band.smallest, 1.6e12);
    EXPECT_EQ(band.largest, 1'700'000'000'123.0);
  }
  EXPECT_THAT(scan.columns[0].epochs, IsEmpty());
}

TEST(ScanTest, OnlyProfilesATableWithoutCounterpart) {
  source::SourceTable table;
  table.name = "lonely";
  table.columns.resize(1);
  table.columns[0].name = "a";
  TableScanner scanner(table, {});
  const std::vector<Value> row = {Value::Text("true")};
  scanner.Add(row);
  EXPECT_EQ(scanner.result().target, "");
  EXPECT_EQ(scanner.result().columns[0].profile.boolean_texts, 1);
  EXPECT_EQ(scanner.result().rejected_rows, 0);
}

TEST(ScanTest, KeepsFewReasonsHoweverManyThereAre) {
  TableScan scan;
  scan.columns.resize(1);
  for (int i = 0; i < 100; ++i) {
    TableScan part = scan;
    part.columns[0] = ColumnScan();
    part.columns[0].reasons = {{"value of " + std::to_string(i) + " bytes", 1, {}}};
    scan.Merge(part);
  }
  ASSERT_THAT(scan.columns[0].reasons, SizeIs(16));
  EXPECT_EQ(scan.columns[0].reasons.back().reason, "other reasons");
  EXPECT_EQ(scan.columns[0].reasons.back().count, 85);
}

TEST(ScanTest, MergesPartsToTheScanOfTheWhole) {
  const TableMapping mapping = Mapped(
      {{"id", TypeKind::kInt8, true}, {"a", TypeKind::kInt2, true}, {"b", TypeKind::kTimestamp}});
  const std::vector<Value> kValues = {
      Value::Null(),    Value::Integer(1), Value::Integer(1 << 20),      Value::Real(0.5),
      Value::Text("x"), Value::Text("7"),  Value::Integer(1'700'000'000)};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<std::vector<Value>> rows(random() % 20);
    for (auto& row : rows) {
      for (int i = 0; i < 3; ++i) row.push_back(kValues[random() % kValues.size()]);
    }
    const auto cut = static_cast<std::ptrdiff_t>(random() % (rows.size() + 1));
    TableScan merged = ScanOf(mapping, {rows.begin(), rows.begin() + cut});
    merged.Merge(ScanOf(mapping, {rows.begin() + cut, rows.end()}));
    const TableScan whole = ScanOf(mapping, rows);
    EXPECT_EQ(merged.rows, whole.rows) << "seed " << seed;
    EXPECT_EQ(merged.rejected_rows, whole.rejected_rows) << "seed " << seed;
    EXPECT_EQ(merged.null_keys, whole.null_keys) << "seed " << seed;
    for (std::size_t i = 0; i < 3; ++i) {
      const ColumnScan& a = merged.columns[i];
      const ColumnScan& b = whole.columns[i];
      EXPECT_EQ(a.rejected, b.rejected) << "seed " << seed;
      ASSERT_EQ(a.reasons.size(), b.reasons.size()) << "seed " << seed;
      for (std::size_t r = 0; r < a.reasons.size(); ++r) {
        EXPECT_EQ(a.reasons[r].reason, b.reasons[r].reason) << "seed " << seed;
        EXPECT_EQ(a.reasons[r].count, b.reasons[r].count) << "seed " << seed;
        ASSERT_EQ(a.reasons[r].samples.size(), b.reasons[r].samples.size()) << "seed " << seed;
        for (std::size_t s = 0; s < a.reasons[r].samples.size(); ++s) {
          EXPECT_EQ(a.reasons[r].samples[s].key, b.reasons[r].samples[s].key) << "seed " << seed;
        }
      }
      for (std::size_t e = 0; e < a.epochs.size(); ++e) {
        EXPECT_EQ(a.epochs[e].count, b.epochs[e].count) << "seed " << seed;
        EXPECT_EQ(a.epochs[e].accepted, b.epochs[e].accepted) << "seed " << seed;
        EXPECT_EQ(a.epochs[e].largest, b.epochs[e].largest) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace liteferry
