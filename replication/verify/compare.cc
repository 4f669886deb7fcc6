#include "replication/verify/compare.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "replication/base/error.h"
#include "replication/base/spill_buffer.h"
#include "replication/base/text.h"
#include "replication/source/row_reader.h"
#include "replication/verify/grid.h"
#include "replication/verify/judge.h"
#include "replication/verify/source_pieces.h"

namespace liteferry::verify {
namespace {

// More rows of the target than of the source in one range are read in steps of this size.
constexpr std::size_t kSurplus = 20'000;

std::string Literal(std::int64_t key) { return "'" + std::to_string(key) + "'::bigint"; }

// Both sides in the order of one integer, piece by piece.
class OrderedScan {
 public:
  OrderedScan(const Sides& sides, const TableMapping& table, const CompareOptions& options,
              Judge& judge, TableOutcome& outcome)
      : sides_(sides),
        table_(table),
        options_(options),
        judge_(judge),
        outcome_(outcome),
        pieces_(sides, table, options.range),
        pace_(options.share, sides.stop),
        expected_(table),
        observed_(table),
        key_(table.columns[table.key[0]]) {}

  void Run() {
    if (!options_.range.after) LookForNullKeys();
    low_ = options_.range.after;
    while (!judge_.over() && pieces_.Next(expected_, [&](const PackedKey& packed) {
      keys_.push_back(UnpackKey(packed)[0].integer);
    })) {
      outcome_.source_rows += static_cast<std::int64_t>(keys_.size());
      Match();
      if (options_.progress) options_.progress(static_cast<std::int64_t>(keys_.size()));
      keys_.clear();
      // The transaction on the target ends with the next message; a rest is too long to wait for
      // it.
      if (options_.share < 1) sides_.target.Exec("");
      pace_.Rest();
    }
  }

 private:
  // Where nobody forbids them, rows without a rowid.
  void LookForNullKeys() {
    if (key_.target.not_null) return;
    const target::PgResult found =
        sides_.target.Exec("SELECT FROM " + table_.QualifiedTarget() + " WHERE " +
                           QuoteIdentifier(key_.target.name) + " IS NULL LIMIT 1");
    if (found.rows() > 0) judge_.Add({"n", ""});
  }

  // Compares the piece with the rows of the target up to its last key; the last piece with all.
  void Match() {
    std::optional<std::int64_t> high = options_.range.up_to;
    if (!pieces_.done()) high = keys_.back();
    next_ = 0;
    while (!MatchUpTo(high)) {
    }
    for (; next_ < keys_.size(); ++next_) Suspect(keys_[next_]);
    if (high) low_ = high;
    JudgeSuspects();
  }

  // False when there is more on the target than was asked for.
  bool MatchUpTo(const std::optional<std::int64_t>& high) {
    const std::string name = "t." + QuoteIdentifier(key_.target.name);
    const std::size_t most = keys_.size() - next_ + kSurplus;
    std::size_t read = 0;
    std::int64_t last = 0;
    BeginReading(sides_.target);
    // The index has the order already; without statistics the server may think otherwise.
    sides_.target.ExecLater("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off");
    expected_.Resolve(sides_.target);
    sides_.target.CopyOut("COPY (SELECT " + ColumnList(table_) + " FROM " +
                              table_.QualifiedTarget() + " AS t WHERE " + name + " IS NOT NULL" +
                              (low_ ? " AND " + name + " > " + Literal(*low_) : "") +
                              (high ? " AND " + name + " <= " + Literal(*high) : "") +
                              " ORDER BY " + name + " LIMIT " + std::to_string(most) +
                              ") TO STDOUT",
                          [&](std::string_view line) {
                            if (++read % 1024 == 0) RequireRunning(sides_);
                            last = Compare(line);
                          });
    sides_.target.ExecLater("COMMIT");
    outcome_.target_rows += static_cast<std::int64_t>(read);
    if (read < most) return true;
    low_ = last;
    JudgeSuspects();
    return false;
  }

  std::int64_t Compare(std::string_view line) {
    observed_.Clear();
    observed_.AddObserved(line);
    const std::string_view text = observed_.text(0, table_.key[0]);
    std::int64_t key = 0;
    std::from_chars(text.data(), text.data() + text.size(), key);
    while (next_ < keys_.size() && keys_[next_] < key) Suspect(keys_[next_++]);
    if (next_ < keys_.size() && keys_[next_] == key) {
      if (!SameRow(expected_, next_, observed_, 0)) Suspect(key);
      ++next_;
    } else {
      Suspect(key);
    }
    return key;
  }

  void Suspect(std::int64_t key) { suspects_.push_back(key); }

  void JudgeSuspects() {
    if (suspects_.empty()) return;
    sides_.target.Exec("");  // ends the transaction
    for (const std::int64_t key : suspects_) {
      const Value value = Value::Integer(key);
      bool ask = false;
      const Row row(&value, 1);
      judge_.Add({KeyForm(table_, row, ask), PackKey(row)});
    }
    suspects_.clear();
  }

  const Sides& sides_;
  const TableMapping& table_;
  const CompareOptions& options_;
  Judge& judge_;
  TableOutcome& outcome_;
  SourcePieces pieces_;
  Pace pace_;
  Grid expected_;
  Grid observed_;
  const ColumnPair& key_;
  std::vector<std::int64_t> keys_;  // of the piece
  std::size_t next_ = 0;            // of these, not met on the target yet
  std::optional<std::int64_t> low_;
  std::vector<std::int64_t> suspects_;
};

// A row in a partition: its key's form, its digest and, of the source, its key.
void AppendRecord(std::string& out, std::string_view form, const Digest& digest,
                  std::string_view packed) {
  for (const std::string_view part :
       {form, std::string_view(reinterpret_cast<const char*>(digest.data()), sizeof digest),
        packed}) {
    const auto size = static_cast<std::uint32_t>(part.size());
    char word[sizeof size];
    std::memcpy(word, &size, sizeof size);
    out.append(word, sizeof word).append(part);
  }
}

struct Record {
  std::string_view form;
  Digest digest{};
  std::string_view packed;
};

// Takes one from the front of `bytes`.
Record TakeRecord(std::string_view& bytes) {
  const auto part = [&bytes] {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    const std::string_view found = bytes.substr(sizeof size, size);
    bytes.remove_prefix(sizeof size + size);
    return found;
  };
  Record record;
  record.form = part();
  const std::string_view digest = part();
  std::memcpy(record.digest.data(), digest.data(), sizeof record.digest);
  record.packed = part();
  return record;
}

// Both sides in the order in which each reads fastest: keys and digests are dealt into partitions
// by their key, beyond some memory in files, and matched partition by partition. No order of keys
// has to agree, and no collation.
class HashedScan {
 public:
  HashedScan(const Sides& sides, const TableMapping& table, const CompareOptions& options,
             Judge& judge, TableOutcome& outcome)
      : sides_(sides),
        table_(table),
        options_(options),
        judge_(judge),
        outcome_(outcome),
        pace_(options.share, sides.stop),
        grid_(table) {}

  void Run() {
    MakePartitions();
    ReadSource();
    ReadTarget();
    for (std::size_t i = 0; i < source_.size() && !judge_.over(); ++i) Match(i);
  }

 private:
  static constexpr std::uint64_t kPartitionRows = 250'000;
  static constexpr std::uint64_t kMostPartitions = 200;  // two files each
  static constexpr std::size_t kMemory = std::size_t{32} << 20;

  void MakePartitions() {
    source::RowReader reader(sides_.source, table_.source, table_.SourceColumns());
    const auto rows = static_cast<std::uint64_t>(std::max<std::int64_t>(reader.EstimateRows(), 0));
    const std::size_t count = std::clamp<std::uint64_t>(rows / kPartitionRows, 1, kMostPartitions);
    for (std::size_t i = 0; i < count; ++i) {
      source_.emplace_back(kMemory / count);
      target_.emplace_back(kMemory / count);
    }
  }

  std::size_t PartitionOf(std::string_view form) const {
    return DigestOf(form)[0] % source_.size();
  }

  void ReadSource() {
    SourcePieces pieces(sides_, table_, {});
    std::vector<PackedKey> keys;
    while (pieces.Next(grid_, [&](const PackedKey& key) { keys.push_back(key); })) {
      ResolveAlone(grid_, sides_.target);
      for (std::size_t row = 0; row < grid_.rows(); ++row) {
        const std::string form = grid_.Key(row);
        if (form.empty()) {
          // The target cannot hold the key: no row there could match.
          judge_.Add({"", keys[row]});
          continue;
        }
        record_.clear();
        AppendRecord(record_, form, grid_.RowDigest(row), keys[row]);
        source_[PartitionOf(form)].Append(record_);
      }
      Count(outcome_.source_rows, static_cast<std::int64_t>(keys.size()));
      keys.clear();
      pace_.Rest();
    }
  }

  // One statement, so one snapshot: it lasts as long as the table takes.
  void ReadTarget() {
    std::int64_t read = 0;
    BeginReading(sides_.target);
    sides_.target.CopyOut("COPY (SELECT " + ColumnList(table_) + " FROM " +
                              table_.QualifiedTarget() + " AS t) TO STDOUT",
                          [&](std::string_view line) {
                            grid_.Clear();
                            grid_.AddObserved(line);
                            const std::string form = grid_.Key(0);
                            record_.clear();
                            AppendRecord(record_, form, grid_.RowDigest(0), "");
                            target_[PartitionOf(form)].Append(record_);
                            if (++read % 4096 != 0) return;
                            RequireRunning(sides_);
                            outcome_.target_rows += 4096;
                            if (outcome_.target_rows > outcome_.source_rows && options_.progress) {
                              options_.progress(4096);
                            }
                            pace_.Rest();
                          });
    sides_.target.Commit();
    outcome_.target_rows += read % 4096;
  }

  void Count(std::int64_t& rows, std::int64_t more) {
    rows += more;
    if (options_.progress) options_.progress(more);
  }

  static std::string Load(SpillBuffer& from) {
    std::string bytes;
    bytes.reserve(from.size());
    from.Read(0, from.size(), [&](std::string_view piece) { bytes.append(piece); });
    from.Clear();
    return bytes;
  }

  void Match(std::size_t partition) {
    const std::string source = Load(source_[partition]);
    const std::string target = Load(target_[partition]);
    struct Seen {
      Digest digest{};
      std::string_view packed;
      bool met = false;
      bool suspect = false;
    };
    std::unordered_map<std::string_view, Seen> rows;
    for (std::string_view rest = source; !rest.empty();) {
      const Record record = TakeRecord(rest);
      const auto [at, fresh] =
          rows.emplace(record.form, Seen{record.digest, record.packed, false, false});
      if (fresh) continue;
      // Two rows of the source with one key there; at most one can be on the target.
      at->second.suspect = true;
      judge_.Add({std::string(record.form), PackedKey(record.packed)});
    }
    for (std::string_view rest = target; !rest.empty();) {
      const Record record = TakeRecord(rest);
      const auto at = rows.find(record.form);
      if (at == rows.end()) {
        judge_.Add({std::string(record.form), ""});
        continue;
      }
      Seen& seen = at->second;
      seen.suspect = seen.suspect || seen.met || seen.digest != record.digest;
      seen.met = true;
    }
    for (const auto& [form, seen] : rows) {
      if (seen.suspect || !seen.met) judge_.Add({std::string(form), PackedKey(seen.packed)});
    }
  }

  const Sides& sides_;
  const TableMapping& table_;
  const CompareOptions& options_;
  Judge& judge_;
  TableOutcome& outcome_;
  Pace pace_;
  Grid grid_;
  std::string record_;
  std::vector<SpillBuffer> source_;
  std::vector<SpillBuffer> target_;
};

}  // namespace

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
      OrderedScan(sides, table, options, judge, outcome).Run();
    } else {
      HashedScan(sides, table, options, judge, outcome).Run();
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
