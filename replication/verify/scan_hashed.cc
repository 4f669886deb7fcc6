#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "replication/base/spill_buffer.h"
#include "replication/source/row_reader.h"
#include "replication/verify/grid.h"
#include "replication/verify/scan.h"
#include "replication/verify/source_pieces.h"

namespace liteferry::verify {
namespace {

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

void ScanHashed(const Sides& sides, const TableMapping& table, const CompareOptions& options,
                Judge& judge, TableOutcome& outcome) {
  HashedScan(sides, table, options, judge, outcome).Run();
}

}  // namespace liteferry::verify
