#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <thread>
#include <unordered_map>

#include "replication/base/error.h"
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

// Takes one from the front of `bytes`; false when it is not whole.
bool TakeRecord(std::string_view& bytes, Record& record) {
  std::string_view rest = bytes;
  const auto part = [&rest](std::string_view& found) {
    std::uint32_t size = 0;
    if (rest.size() < sizeof size) return false;
    std::memcpy(&size, rest.data(), sizeof size);
    if (rest.size() - sizeof size < size) return false;
    found = rest.substr(sizeof size, size);
    rest.remove_prefix(sizeof size + size);
    return true;
  };
  std::string_view digest;
  if (!part(record.form) || !part(digest) || !part(record.packed)) return false;
  std::memcpy(record.digest.data(), digest.data(), sizeof record.digest);
  bytes = rest;
  return true;
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
        grid_(table) {}

  void Run() {
    MakePartitions();
    if (AsksServer()) {
      ReadSource();
      ReadTarget();
    } else {
      ReadBoth();
    }
    outcome_.target_rows += target_rows_;
    for (std::size_t i = 0; i < source_.size() && !judge_.over(); ++i) Match(i);
  }

 private:
  // As many as fit the processor's cache; two files each.
  static constexpr std::uint64_t kPartitionRows = 30'000;
  static constexpr std::uint64_t kMostPartitions = 200;
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

  // Whether the connection to the target is needed to read the source.
  bool AsksServer() const {
    using target::TypeKind;
    return std::any_of(table_.columns.begin(), table_.columns.end(), [](const ColumnPair& pair) {
      const TypeKind kind = pair.target.type.kind;
      return kind == TypeKind::kJsonb || kind == TypeKind::kArray || kind == TypeKind::kOther;
    });
  }

  // The target on a thread of its own; each side has its own connection and its own partitions.
  void ReadBoth() {
    std::exception_ptr failure;
    {
      std::jthread other([&] {
        try {
          ReadTarget();
        } catch (...) {
          failure = std::current_exception();
          failed_ = true;
        }
      });
      try {
        ReadSource();
      } catch (...) {
        failed_ = true;
        throw;
      }
    }
    if (failure) std::rethrow_exception(failure);
  }

  std::size_t PartitionOf(std::string_view form) const {
    return DigestOf(form)[0] % source_.size();
  }

  void ReadSource() {
    SourcePieces pieces(sides_, table_, {});
    std::vector<PackedKey> keys;
    Pace pace(options_.share, sides_.stop);
    std::string record;
    while (!failed_ && pieces.Next(grid_, [&](const PackedKey& key) { keys.push_back(key); })) {
      ResolveAlone(grid_, sides_.target);
      for (std::size_t row = 0; row < grid_.rows(); ++row) {
        const std::string form = grid_.Key(row);
        record.clear();
        AppendRecord(record, form, grid_.RowDigest(row), keys[row]);
        source_[PartitionOf(form.empty() ? keys[row] : form)].Append(record);
      }
      outcome_.source_rows += static_cast<std::int64_t>(keys.size());
      if (options_.progress) options_.progress(static_cast<std::int64_t>(keys.size()));
      keys.clear();
      pace.Rest();
    }
  }

  // One statement, so one snapshot: it lasts as long as the table takes.
  void ReadTarget() {
    Grid grid(table_);
    Pace pace(options_.share, sides_.stop);
    std::string record;
    BeginReading(sides_.target);
    sides_.target.CopyOut("COPY (SELECT " + ColumnList(table_) + " FROM " +
                              table_.QualifiedTarget() + " AS t) TO STDOUT",
                          [&](std::string_view line) {
                            grid.Clear();
                            grid.AddObserved(line);
                            const std::string form = grid.Key(0);
                            record.clear();
                            AppendRecord(record, form, grid.RowDigest(0), "");
                            target_[PartitionOf(form)].Append(record);
                            if (++target_rows_ % 4096 != 0) return;
                            RequireRunning(sides_);
                            if (failed_) {
                              throw Error(Disposition::kRetry, Component::kVerify,
                                          "the source cannot be read");
                            }
                            pace.Rest();
                          });
    sides_.target.Commit();
  }

  static std::string Load(SpillBuffer& from) {
    std::string bytes;
    bytes.reserve(from.size());
    from.Read(0, from.size(), [&](std::string_view piece) { bytes.append(piece); });
    from.Clear();
    return bytes;
  }

  struct Seen {
    Digest digest{};
    std::string_view packed;
    bool met = false;
    bool suspect = false;
  };
  using Rows = std::unordered_map<std::string_view, Seen>;

  // The source's rows of a partition are held in memory; the target's, of which there may be any
  // number, go by.
  void Match(std::size_t partition) {
    const std::string source = Load(source_[partition]);
    Rows rows;
    rows.reserve(source.size() / 48);
    Record record;
    for (std::string_view rest = source; TakeRecord(rest, record);) {
      const bool fresh =
          !record.form.empty() &&
          rows.emplace(record.form, Seen{record.digest, record.packed, false, false}).second;
      if (fresh) continue;
      // A key that the target cannot hold, or two rows with one key there.
      judge_.Add({std::string(record.form), PackedKey(record.packed)});
      if (const auto first = rows.find(record.form); first != rows.end()) {
        first->second.suspect = true;
      }
    }
    std::string carried;
    target_[partition].Read(0, target_[partition].size(), [&](std::string_view piece) {
      carried.append(piece);
      std::string_view rest = carried;
      while (TakeRecord(rest, record)) Meet(rows, record);
      carried.erase(0, carried.size() - rest.size());
    });
    target_[partition].Clear();
    for (const auto& [form, seen] : rows) {
      if (seen.suspect || !seen.met) judge_.Add({std::string(form), PackedKey(seen.packed)});
    }
  }

  void Meet(Rows& rows, const Record& record) {
    const auto at = rows.find(record.form);
    if (at == rows.end()) {
      judge_.Add({std::string(record.form), ""});
      return;
    }
    Seen& seen = at->second;
    seen.suspect = seen.suspect || seen.met || seen.digest != record.digest;
    seen.met = true;
  }

  const Sides& sides_;
  const TableMapping& table_;
  const CompareOptions& options_;
  Judge& judge_;
  TableOutcome& outcome_;
  Grid grid_;
  std::vector<SpillBuffer> source_;
  std::vector<SpillBuffer> target_;
  std::int64_t target_rows_ = 0;
  std::atomic<bool> failed_{false};  // either thread: the other is to end
};

}  // namespace

void ScanHashed(const Sides& sides, const TableMapping& table, const CompareOptions& options,
                Judge& judge, TableOutcome& outcome) {
  HashedScan(sides, table, options, judge, outcome).Run();
}

}  // namespace liteferry::verify
