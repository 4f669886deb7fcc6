// RowReader's estimates: how many rows there are, and where to cut a table into even ranges.
#include <algorithm>
#include <limits>
#include <utility>

#include "replication/base/text.h"
#include "replication/source/row_reader.h"

namespace liteferry::source {
namespace {

constexpr std::int64_t kExactSplitRows = 20'000;
constexpr std::int64_t kExactCountRows = 50'000;
constexpr std::int64_t kExactCountPages = 100'000;
constexpr int kCells = 64;
constexpr int kCellSample = 32;

// The number of integers in [first, last]; as a double, since they can be 2^64.
double Span(std::int64_t first, std::int64_t last) {
  return static_cast<double>(static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first)) +
         1;
}

// first + fraction * span, never beyond last.
std::int64_t Along(std::int64_t first, std::int64_t last, double fraction) {
  const double steps = Span(first, last) * fraction;
  const auto most = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
  if (steps >= static_cast<double>(most)) return last;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(first) +
                                   static_cast<std::uint64_t>(steps));
}

PackedKey PackOne(const Value& value) { return PackKey(Row(&value, 1)); }

// Packed values that divide what lies between two values of the first key column, ascending; none
// when these are not of one kind.
std::vector<PackedKey> Between(const Value& low, const Value& high) {
  std::vector<PackedKey> between;
  if (low.storage != high.storage) return between;
  if (low.storage == StorageClass::kInteger) {
    for (int i = 1; i < kCells; ++i) {
      const double fraction = static_cast<double>(i) / kCells;
      between.push_back(PackOne(Value::Integer(Along(low.integer, high.integer, fraction))));
    }
  }
  const bool text = low.storage == StorageClass::kText;
  if (!text && low.storage != StorageClass::kBlob) return between;
  const auto differ =
      std::mismatch(low.bytes.begin(), low.bytes.end(), high.bytes.begin(), high.bytes.end());
  const auto prefix = static_cast<std::size_t>(differ.first - low.bytes.begin());
  const auto byte_at = [&](std::string_view s) {
    return prefix < s.size() ? static_cast<int>(static_cast<unsigned char>(s[prefix])) : 0;
  };
  // Half a UTF-8 sequence is no text.
  const int end = text ? std::min(byte_at(high.bytes), 0x7f) : byte_at(high.bytes);
  for (int byte = byte_at(low.bytes) + 1; byte <= end; ++byte) {
    const std::string bytes = std::string(low.bytes.substr(0, prefix)) + static_cast<char>(byte);
    between.push_back(PackOne(text ? Value::Text(bytes) : Value::Blob(bytes)));
  }
  return between;
}

}  // namespace

std::string RowReader::KeyList() const {
  std::vector<std::string> names;
  for (const ScanTerm& term : terms_) names.push_back(term.name);
  return Join(names, ", ");
}

std::optional<PackedKey> RowReader::OneKey(const std::string& order) {
  Statement read =
      database_.Prepare("SELECT " + KeyList() + from_ + " WHERE " + NotNull() + order + " LIMIT 1");
  if (!read.Step()) return std::nullopt;
  std::vector<Value> key;
  read.ReadRow(key);
  return PackKey(key);
}

std::vector<PackedKey> RowReader::FirstKeys(std::int64_t limit) {
  Statement read = database_.Prepare("SELECT " + KeyList() + from_ + " WHERE " + NotNull() +
                                     OrderBy(false) + " LIMIT " + std::to_string(limit));
  std::vector<PackedKey> keys;
  std::vector<Value> key;
  while (read.Step()) {
    read.ReadRow(key);
    keys.push_back(PackKey(key));
  }
  return keys;
}

std::vector<PackedKey> RowReader::SplitPoints(int parts) {
  if (parts <= 1) return {};
  const std::vector<PackedKey> keys = FirstKeys(kExactSplitRows + 1);
  const auto count = static_cast<std::int64_t>(keys.size());
  if (count > kExactSplitRows) return integer_order() ? SplitIntegers(parts) : SplitByProbes(parts);
  std::vector<PackedKey> points;
  std::int64_t last = 0;
  for (int part = 1; part < parts; ++part) {
    const std::int64_t upto = count * part / parts;
    if (upto <= last || upto >= count) continue;
    points.push_back(keys[static_cast<std::size_t>(upto - 1)]);
    last = upto;
  }
  return points;
}

// Between its first and last id each of 64 equal stretches is taken as evenly filled, as densely as
// its first rows are: gaps and a lone huge id do no harm, wherever they are.
std::vector<RowReader::Cell> RowReader::SampleCells() {
  const std::string& id = terms_.front().name;
  Statement ends = database_.Prepare("SELECT (SELECT min(" + id + ")" + from_ + "), (SELECT max(" +
                                     id + ")" + from_ + ")");
  if (!ends.Step() || ends.IsNull(0)) return {};
  const std::int64_t low = ends.Int(0);
  const std::int64_t high = ends.Int(1);
  ends.Reset();
  Statement first =
      database_.Prepare("SELECT " + id + from_ + " WHERE " + id + " BETWEEN ?1 AND ?2 ORDER BY " +
                        id + " LIMIT " + std::to_string(kCellSample));
  Statement last = database_.Prepare("SELECT max(" + id + ")" + from_ + " WHERE " + id + " <= ?1");
  std::vector<Cell> cells;
  std::int64_t from = low;
  for (int i = 1; i <= kCells; ++i) {
    const std::int64_t to = Along(low, high, static_cast<double>(i) / kCells);
    if (to < from) continue;
    first.Bind(1, from);
    first.Bind(2, to);
    Cell cell;
    std::int64_t read = 0;
    std::int64_t sampled_to = 0;
    while (first.Step()) {
      sampled_to = first.Int(0);
      if (read++ == 0) cell.first = sampled_to;
    }
    if (read > 0) {
      last.Bind(1, to);
      cell.last = last.Step() ? last.Int(0) : sampled_to;
      last.Reset();
      const double density = static_cast<double>(read) / Span(cell.first, sampled_to);
      cell.rows = density * Span(cell.first, cell.last);
      cells.push_back(cell);
    }
    if (to == std::numeric_limits<std::int64_t>::max()) break;
    from = to + 1;
  }
  return cells;
}

std::vector<PackedKey> RowReader::SplitIntegers(int parts) {
  const std::vector<Cell> cells = SampleCells();
  double total = 0;
  for (const Cell& cell : cells) total += cell.rows;
  std::vector<PackedKey> points;
  double before = 0;
  int part = 1;
  std::int64_t previous = 0;
  for (const Cell& cell : cells) {
    for (; part < parts && total * part / parts <= before + cell.rows; ++part) {
      const double fraction = (total * part / parts - before) / cell.rows;
      const std::int64_t point = Along(cell.first, cell.last, fraction);
      const bool distinct = points.empty() || point > previous;
      if (!distinct || point >= cells.back().last) continue;
      points.push_back(PackOne(Value::Integer(point)));
      previous = point;
    }
    before += cell.rows;
  }
  return points;
}

std::vector<PackedKey> RowReader::SplitByProbes(int parts) {
  const std::optional<PackedKey> first = OneKey(OrderBy(false));
  const std::optional<PackedKey> last = OneKey(OrderBy(true));
  if (!first || !last) return {};
  const ScanTerm& lead = terms_.front();
  const Value low = UnpackKey(lead.descending ? *last : *first).front();
  const Value high = UnpackKey(lead.descending ? *first : *last).front();
  std::vector<PackedKey> candidates = Between(low, high);
  if (lead.descending) std::reverse(candidates.begin(), candidates.end());
  // The first key from each candidate on. It may be one found before, or, where the collation
  // orders otherwise than bytes do, lie before that: each point must be behind the one before.
  Statement probe =
      database_.Prepare("SELECT " + KeyList() + ", " + Bound(true, 2) + from_ + " WHERE " +
                        NotNull() + " AND " + lead.name + lead.collation +
                        (lead.descending ? " <= ?1" : " >= ?1") + OrderBy(false) + " LIMIT 1");
  std::vector<PackedKey> found;
  PackedKey previous = *first;
  std::vector<Value> row;
  for (const PackedKey& candidate : candidates) {
    const PackedKey bounds = candidate + previous;
    probe.BindAll(UnpackKey(bounds));
    if (!probe.Step()) continue;
    probe.ReadRow(row);
    const PackedKey key = PackKey(Row(row).first(terms_.size()));
    if (row.back().integer == 0 || key == *last) continue;
    previous = key;
    found.push_back(key);
  }
  std::vector<PackedKey> points;
  const auto count = static_cast<std::int64_t>(found.size());
  std::int64_t taken = -1;
  for (int part = 1; part < parts; ++part) {
    const std::int64_t at = count * part / parts;
    if (at == taken || at >= count) continue;
    points.push_back(found[static_cast<std::size_t>(at)]);
    taken = at;
  }
  return points;
}

std::int64_t RowReader::EstimateRows() {
  const std::int64_t some =
      database_.QueryInt("SELECT count(*) FROM (SELECT 1" + from_ + " LIMIT " +
                         std::to_string(kExactCountRows + 1) + ")");
  if (some <= kExactCountRows) return some;
  if (integer_order()) {
    double total = 0;
    for (const Cell& cell : SampleCells()) total += cell.rows;
    return static_cast<std::int64_t>(total);
  }
  const std::int64_t pages = database_.QueryInt("PRAGMA main.page_count");
  if (pages < kExactCountPages) return database_.QueryInt("SELECT count(*)" + from_);
  if (database_.QueryInt("SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_stat1'") >
      0) {
    Statement stat = database_.Prepare(
        "SELECT max(CAST(stat AS INTEGER)) FROM main.sqlite_stat1 WHERE tbl = ?1 COLLATE NOCASE");
    stat.Bind(1, std::string_view(table_.name));
    if (stat.Step() && stat.Int(0) > 0) return stat.Int(0);
  }
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  Scan(std::nullopt, std::nullopt, [&](Row row) {
    bytes += static_cast<std::int64_t>(ScanKey().size());
    for (const Value& value : row) bytes += 2 + static_cast<std::int64_t>(value.bytes.size());
    return ++rows < 100;
  });
  const std::int64_t size = pages * database_.QueryInt("PRAGMA main.page_size");
  return std::max(some, size / std::max<std::int64_t>(1, bytes / std::max<std::int64_t>(1, rows)));
}

}  // namespace liteferry::source
