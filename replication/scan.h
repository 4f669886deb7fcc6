#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "replication/base/value.h"
#include "replication/column_profile.h"
#include "replication/mapping.h"
#include "replication/schema_types.h"

namespace liteferry {

// A value that would be rejected, so that it can be found in SQLite.
struct ScanSample {
  std::string key;    // as KeyToJson prints it
  std::string value;  // as an SQL literal, cut; only where values may be shown
};

// One reason for which values of a column would be rejected.
struct ScanReason {
  std::string reason;
  std::int64_t count = 0;
  std::vector<ScanSample> samples;  // the first ones, at most kScanSamples
};
inline constexpr std::size_t kScanSamples = 3;

// The numbers of a column of dates or times that would be an instant between 1985 and 2100 if they
// were counted in this unit. These ranges do not overlap, and so tell one unit from another.
struct EpochBand {
  config::Epoch epoch = config::Epoch::kNone;
  std::int64_t count = 0;
  std::int64_t accepted = 0;  // of all numbers of the column: would be taken with this unit
  double smallest = 0;        // of those counted
  double largest = 0;
};

// What a scan found in one column.
struct ColumnScan {
  std::string source;
  std::string declared_type;
  std::string target;       // "" when it has no counterpart; then only the profile is known
  target::TargetType type;  // of the target, in the next lines too
  target::ConvertOptions options;
  bool not_null = false;

  ColumnProfile profile;
  // Of a column without counterpart: what `liteferry schema` asks, and would answer.
  std::vector<TypeCandidate> candidates;
  std::vector<std::int64_t> misfits;  // by candidate
  std::string planned_type;

  std::int64_t rejected = 0;
  std::vector<ScanReason> reasons;
  std::int64_t altered = 0;       // on_invalid takes NULs out of it, or makes it NULL
  std::int64_t rounded = 0;       // digits are dropped, as VALUES.md says
  std::vector<EpochBand> epochs;  // of a date or timestamp

  std::int64_t numbers() const { return profile.integers + profile.reals; }
};

struct TableScan {
  std::string source;
  std::string target;  // schema.name; "" when only the profile is known
  std::int64_t rows = 0;
  std::int64_t rejected_rows = 0;
  std::int64_t null_keys = 0;  // rejected because the key holds NULL
  std::vector<ScanSample> null_key_samples;
  std::vector<ColumnScan> columns;

  // Adds what another part of the same table held; its samples come after ours.
  void Merge(const TableScan& part);
};

// Judges the rows of one table as the copy would: with the encoder of its mapping, so that the two
// cannot disagree. What only the server finds (CHECK, foreign keys, unique values, the input
// functions of unusual types) is not found here. Single-threaded; does no I/O.
class TableScanner {
 public:
  // Rows come as RowReader gives them for mapping.SourceColumns().
  TableScanner(const TableMapping& mapping, bool show_values);
  // A table without counterpart: profiles, and the types that `liteferry schema` would choose; rows
  // have all columns of table.columns.
  TableScanner(const source::SourceTable& table, const config::TableSettings& settings);

  void Add(Row row);
  // A row of RowReader::ScanNullKeys, which Scan did not give.
  void AddNullKey(Row row);

  const TableScan& result() const { return scan_; }

 private:
  // Encoders of one column alone: as configured, and with `reject`.
  struct Judge {
    target::RowEncoder configured;
    target::RowEncoder strict;
  };

  void Profile(Row row);
  void JudgeCandidates(const Value& value, ColumnScan& column);
  bool HasNullKey(Row row) const;
  void JudgeRow(Row row);
  std::optional<std::string> Refusal(const target::RowEncoder& encoder, const Value& value);
  void JudgeNumber(const Value& value, ColumnScan& column);
  void JudgeDigits(const Value& value, ColumnScan& column);
  void NullKey(Row row);
  ScanSample SampleOf(Row row, const Value* value) const;
  void Reject(Row row, std::size_t column, const std::string& reason);

  const TableMapping* const mapping_;  // null: only profiles
  const bool show_values_;
  std::optional<target::RowEncoder> encoder_;
  std::vector<Judge> judges_;  // by column
  std::string scratch_;
  TableScan scan_;
};

// Fills in planned_type in the whole scan of a table without counterpart.
void PlanTypes(const source::SourceTable& table, const config::TableSettings& settings,
               TableScan& scan);

}  // namespace liteferry
