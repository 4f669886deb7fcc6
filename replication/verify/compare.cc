#include "replication/verify/compare.h"

#include "replication/base/error.h"
#include "replication/source/row_reader.h"
#include "replication/verify/grid.h"
#include "replication/verify/judge.h"
#include "replication/verify/scan.h"

namespace liteferry::verify {
std::string_view ToString(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kMissing:
      return "missing";
    case DifferenceKind::kExtra:
      return "extra";
    case DifferenceKind::kDifferent:
      return "different";
    case DifferenceKind::kStaleRejection:
      return "stale_rejection";
  }
  return "different";
}

void TableOutcome::Add(const TableOutcome& part) {
  if (part.state != State::kCompared) state = part.state;
  source_rows += part.source_rows;
  target_rows += part.target_rows;
  missing += part.missing;
  extra += part.extra;
  different += part.different;
  stale_rejections += part.stale_rejections;
  rejected += part.rejected;
  waiting += part.waiting;
}

TableOutcome CompareTable(const Sides& given, const TableMapping& table, int table_no,
                          const CompareOptions& options, const DifferenceSink& sink) {
  Sides sides = given;
  if (sides.schema_version < 0) {
    sides.schema_version = sides.source.QueryInt("PRAGMA schema_version");
  }
  TableOutcome outcome;
  Judge judge(sides, table, table_no, options, sink, outcome);
  try {
    if (HasIntegerKey(table)) {
      ScanOrdered(sides, table, options, judge, outcome);
    } else {
      ScanHashed(sides, table, options, judge, outcome);
    }
    if (!options.range.after) judge.AddRejected();
    judge.Finish();
    sides.target.Exec("");  // what was left for the next message
  } catch (...) {
    sides.target.Rollback();
    throw;
  }
  return outcome;
}

std::vector<KeyRange> SplitTable(source::Database& source, const TableMapping& table, int parts) {
  if (!HasIntegerKey(table) || parts < 2) return {KeyRange{}};
  source::Transaction snapshot(source, source::Transaction::Kind::kRead);
  source::RowReader reader(source, table.source, table.SourceColumns());
  std::vector<KeyRange> ranges(1);
  for (const PackedKey& point : reader.SplitPoints(parts)) {
    const std::int64_t key = UnpackKey(point)[0].integer;
    ranges.back().up_to = key;
    ranges.push_back({key, std::nullopt});
  }
  return ranges;
}

}  // namespace liteferry::verify
