#include "replication/scan.h"

#include <algorithm>
#include <utility>

#include "replication/base/text.h"
#include "replication/rejections.h"
#include "replication/scan_values.h"

namespace liteferry {
namespace {

using config::Epoch;
using config::OnInvalid;
using target::TypeKind;

// Reasons name the type and the storage class, so there are few; all but one, which has a size.
constexpr std::size_t kMostReasons = 16;
constexpr std::size_t kScratchKept = std::size_t{1} << 20;

struct BandLimits {
  Epoch epoch;
  double low;
  double high;
};

constexpr double kLow = 473'385'600;     // 1985-01-01 in seconds since 1970
constexpr double kHigh = 4'102'444'800;  // 2100-01-01

constexpr std::array<BandLimits, 4> kBands = {{
    {Epoch::kSeconds, kLow, kHigh},
    {Epoch::kMilliseconds, kLow * 1e3, kHigh * 1e3},
    {Epoch::kMicroseconds, kLow * 1e6, kHigh * 1e6},
    {Epoch::kJulian, 2'446'066.5, 2'488'069.5},
}};

bool TakesEpoch(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
}

std::vector<EpochBand> BandsFor(TypeKind kind) {
  std::vector<EpochBand> bands;
  if (!TakesEpoch(kind)) return bands;
  for (const BandLimits& limits : kBands) {
    EpochBand band;
    band.epoch = limits.epoch;
    bands.push_back(band);
  }
  return bands;
}

bool IsNumber(const Value& value) {
  return value.storage == StorageClass::kInteger || value.storage == StorageClass::kReal;
}

void AddSample(std::vector<ScanSample>& samples, const ScanSample& sample) {
  if (samples.size() < kScanSamples) samples.push_back(sample);
}

ScanReason& ReasonNamed(std::vector<ScanReason>& reasons, const std::string& reason) {
  for (ScanReason& one : reasons) {
    if (one.reason == reason) return one;
  }
  if (reasons.size() >= kMostReasons) return reasons.back();
  ScanReason added;
  added.reason = reasons.size() + 1 == kMostReasons ? "other reasons" : reason;
  return reasons.emplace_back(std::move(added));
}

void Observe(EpochBand& band, double number) {
  band.smallest = band.count == 0 ? number : std::min(band.smallest, number);
  band.largest = band.count == 0 ? number : std::max(band.largest, number);
  ++band.count;
}

void MergeBand(EpochBand& band, const EpochBand& part) {
  band.accepted += part.accepted;
  if (part.count == 0) return;
  band.smallest = band.count == 0 ? part.smallest : std::min(band.smallest, part.smallest);
  band.largest = band.count == 0 ? part.largest : std::max(band.largest, part.largest);
  band.count += part.count;
}

void MergeColumn(ColumnScan& column, const ColumnScan& part) {
  column.profile.Merge(part.profile);
  column.rejected += part.rejected;
  column.altered += part.altered;
  column.rounded += part.rounded;
  for (const ScanReason& reason : part.reasons) {
    ScanReason& own = ReasonNamed(column.reasons, reason.reason);
    own.count += reason.count;
    for (const ScanSample& sample : reason.samples) AddSample(own.samples, sample);
  }
  for (std::size_t i = 0; i < column.misfits.size(); ++i) column.misfits[i] += part.misfits[i];
  for (std::size_t i = 0; i < column.epochs.size(); ++i) {
    MergeBand(column.epochs[i], part.epochs[i]);
  }
}

config::ColumnSettings SettingsOf(const config::TableSettings& table, const std::string& column) {
  const auto found = table.columns.find(column);
  return found == table.columns.end() ? config::ColumnSettings{} : found->second;
}

target::RowEncoder EncoderOf(const target::EncodedColumn& judged, bool strict) {
  target::EncodedColumn column = judged;
  if (strict) column.options.on_invalid = OnInvalid::kReject;
  return target::RowEncoder({std::move(column)});
}

}  // namespace

void TableScan::Merge(const TableScan& part) {
  rows += part.rows;
  rejected_rows += part.rejected_rows;
  null_keys += part.null_keys;
  for (const ScanSample& sample : part.null_key_samples) AddSample(null_key_samples, sample);
  for (std::size_t i = 0; i < columns.size(); ++i) MergeColumn(columns[i], part.columns[i]);
}

TableScanner::TableScanner(const TableMapping& mapping, bool show_values)
    : mapping_(&mapping), show_values_(show_values), encoder_(mapping.Encoder()) {
  scan_.source = mapping.source.name;
  scan_.target = mapping.target.schema + "." + mapping.target.name;
  for (const ColumnPair& pair : mapping.columns) {
    if (pair.source < 0) continue;  // the rowid, which is an integer and nothing else
    const auto& source = mapping.source.columns[static_cast<std::size_t>(pair.source)];
    ColumnScan column;
    column.source = source.name;
    column.declared_type = source.declared_type;
    column.target = pair.target.name;
    column.type = pair.target.type;
    column.options = pair.options;
    column.not_null = encoder_->columns()[scan_.columns.size()].not_null;
    column.epochs = BandsFor(pair.target.type.kind);
    scan_.columns.push_back(std::move(column));
    const target::EncodedColumn& judged = encoder_->columns()[judges_.size()];
    judges_.push_back({EncoderOf(judged, false), EncoderOf(judged, true)});
  }
}

TableScanner::TableScanner(const source::SourceTable& table, const config::TableSettings& settings)
    : mapping_(nullptr), show_values_(false) {
  scan_.source = table.name;
  for (const source::SourceColumn& source : table.columns) {
    ColumnScan column;
    column.source = source.name;
    column.declared_type = source.declared_type;
    const config::ColumnSettings column_settings = SettingsOf(settings, source.name);
    column.options.epoch = column_settings.epoch;
    column.options.on_invalid = column_settings.on_invalid;
    column.candidates = SuggestedTypes(source, table.strict, column_settings);
    column.misfits.assign(column.candidates.size(), 0);
    scan_.columns.push_back(std::move(column));
  }
}

void TableScanner::Add(Row row) {
  ++scan_.rows;
  Profile(row);
  if (mapping_ == nullptr) return;
  if (HasNullKey(row)) {
    NullKey(row);
  } else {
    JudgeRow(row);
  }
}

void TableScanner::AddNullKey(Row row) {
  ++scan_.rows;
  Profile(row);
  if (mapping_ != nullptr) NullKey(row);
}

void TableScanner::Profile(Row row) {
  for (std::size_t i = 0; i < scan_.columns.size(); ++i) {
    ColumnScan& column = scan_.columns[i];
    column.profile.Observe(row[i]);
    JudgeCandidates(row[i], column);
    if (mapping_ == nullptr) continue;
    if (!column.epochs.empty() && IsNumber(row[i])) JudgeNumber(row[i], column);
    if (MayRound(row[i], column.type.kind)) JudgeDigits(row[i], column);
  }
}

void TableScanner::JudgeCandidates(const Value& value, ColumnScan& column) {
  if (value.is_null()) return;
  for (std::size_t i = 0; i < column.candidates.size(); ++i) {
    bool is_null = false;
    scratch_.clear();
    const auto& type = column.candidates[i].type;
    if (target::ConvertBinary(value, type, column.options, scratch_, is_null) ||
        (!is_null && IsBrokenJson(value, type))) {
      ++column.misfits[i];
    }
  }
}

void TableScanner::JudgeDigits(const Value& value, ColumnScan& column) {
  bool is_null = false;
  bool rounded = false;
  scratch_.clear();
  if (target::ConvertText(value, column.type, column.options, scratch_, is_null, &rounded)) return;
  if (rounded && !is_null) ++column.rounded;
}

void TableScanner::JudgeNumber(const Value& value, ColumnScan& column) {
  const double number =
      value.storage == StorageClass::kReal ? value.real : static_cast<double>(value.integer);
  for (std::size_t i = 0; i < column.epochs.size(); ++i) {
    EpochBand& band = column.epochs[i];
    if (number >= kBands[i].low && number < kBands[i].high) Observe(band, number);
    target::ConvertOptions options = column.options;
    options.epoch = band.epoch;
    options.on_invalid = OnInvalid::kReject;
    bool is_null = false;
    scratch_.clear();
    if (!target::ConvertBinary(value, column.type, options, scratch_, is_null)) ++band.accepted;
  }
}

bool TableScanner::HasNullKey(Row row) const {
  return std::any_of(mapping_->key.begin(), mapping_->key.end(),
                     [&](std::size_t position) { return row[position].is_null(); });
}

void TableScanner::NullKey(Row row) {
  ++scan_.rejected_rows;
  ++scan_.null_keys;
  if (scan_.null_key_samples.size() < kScanSamples) {
    scan_.null_key_samples.push_back(SampleOf(row, nullptr));
  }
}

void TableScanner::JudgeRow(Row row) {
  scratch_.clear();
  if (scratch_.capacity() > kScratchKept) scratch_.shrink_to_fit();
  const auto rejection = encoder_->AppendRow(row, scratch_);
  bool found = false;
  for (std::size_t i = 0; i < judges_.size(); ++i) {
    ColumnScan& column = scan_.columns[i];
    std::optional<std::string> reason;
    if (rejection) reason = Refusal(judges_[i].configured, row[i]);
    if (!reason && IsBrokenJson(row[i], column.type)) {
      reason = std::string(ToString(row[i].storage)) + " is not valid JSON";
    }
    if (reason) {
      Reject(row, i, *reason);
      found = true;
      continue;
    }
    const bool lenient = column.options.on_invalid != OnInvalid::kReject;
    if (lenient && Refusal(judges_[i].strict, row[i])) ++column.altered;
  }
  // Where no value is refused alone, the row is too long.
  if (rejection && !found) {
    Reject(row, std::min(rejection->column, judges_.size() - 1), rejection->reason);
  }
  if (rejection || found) ++scan_.rejected_rows;
}

std::optional<std::string> TableScanner::Refusal(const target::RowEncoder& encoder,
                                                 const Value& value) {
  scratch_.clear();
  auto rejection = encoder.AppendRow(Row(&value, 1), scratch_);
  if (!rejection) return std::nullopt;
  return std::move(rejection->reason);
}

void TableScanner::Reject(Row row, std::size_t column, const std::string& reason) {
  ColumnScan& scan = scan_.columns[column];
  ++scan.rejected;
  ScanReason& own = ReasonNamed(scan.reasons, reason);
  ++own.count;
  if (own.samples.size() < kScanSamples) own.samples.push_back(SampleOf(row, &row[column]));
}

ScanSample TableScanner::SampleOf(Row row, const Value* value) const {
  ScanSample sample;
  sample.key = KeyToJson(UnpackKey(mapping_->KeyOf(row)));
  if (show_values_ && value != nullptr) sample.value = ShownValue(*value);
  return sample;
}

void PlanTypes(const source::SourceTable& table, const config::TableSettings& settings,
               TableScan& scan) {
  for (std::size_t i = 0; i < scan.columns.size(); ++i) {
    const ColumnEvidence evidence{scan.columns[i].profile, scan.columns[i].misfits};
    const source::SourceColumn& column = table.columns[i];
    scan.columns[i].planned_type =
        ChooseType(column, table.strict, SettingsOf(settings, column.name), &evidence).type.name;
  }
}

}  // namespace liteferry
