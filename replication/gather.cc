#include "replication/gather.h"

#include <algorithm>
#include <utility>

#include "replication/base/error.h"
#include "replication/rejections.h"
#include "replication/sibling_finder.h"
#include "replication/source/changelog.h"
#include "replication/source/row_reader.h"

namespace liteferry {
namespace {

// The encoded rows of a batch stay in memory up to this size, beyond it in temporary files. Two
// batches exist at a time.
constexpr std::size_t kBatchMemory = std::size_t{4} << 20;
// Of one table; less would only be files of few pages.
constexpr std::size_t kLeastMemory = std::size_t{64} << 10;
// The rows of one batch, unless they are those of a single log entry: so much goes into temporary
// files and one transaction of the target at most.
constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
// In rollback-journal mode the snapshot makes a writer's commit wait: about this many rows are read
// in a few milliseconds.
constexpr std::int64_t kRollbackJournalBatch = 1000;

class Gatherer {
 public:
  Gatherer(const config::Settings& settings, const Session& session, source::Database& source,
           const GatherFrom& from)
      : settings_(settings), session_(session), source_(source), from_(from) {}

  Gathered Read() {
    const std::int64_t most = settings_.apply.max_batch_changes;
    std::int64_t limit = session_.rollback_journal ? std::min(most, kRollbackJournalBatch) : most;
    source::Transaction snapshot(source_, source::Transaction::Kind::kRead);
    source::Changelog log(source_);
    RequireSameSource(log);
    const source::Seq newest = log.Bounds().newest;
    while (!ReadBatch(log, newest, limit)) limit = FewerEntries();
    snapshot.Commit();
    return std::move(result_);
  }

 private:
  // False when the rows of so many entries are too large for one batch.
  bool ReadBatch(source::Changelog& log, source::Seq newest, std::int64_t limit) {
    result_ = {};
    result_.from = result_.to = from_.position;
    const auto entries = log.Read(result_.from, newest, limit, session_.key_widths);
    result_.caught_up = entries.empty();
    if (entries.empty()) return true;
    result_.to = entries.back().seq;
    result_.entries = static_cast<std::int64_t>(entries.size());
    result_.caught_up = result_.to >= newest;
    result_.mark = entries.back().mark;
    std::map<int, std::unordered_set<PackedKey>> keys;
    for (const source::LogEntry& entry : entries) {
      if (entry.table_no < 0) result_.unwatched.insert(-entry.table_no);
      if (session_.Find(entry.table_no) != nullptr) keys[entry.table_no].insert(entry.key);
    }
    keys_ = keys_read_ = 0;
    bytes_ = 0;
    for (const auto& [number, changed] : keys) keys_ += static_cast<std::int64_t>(changed.size());
    for (auto& [number, changed] : keys) {
      auto changes = std::make_unique<TableChanges>(
          *session_.Find(number), std::max(kBatchMemory / keys.size(), kLeastMemory));
      changes->keys = std::move(changed);
      if (!ReadRows(number, *changes)) return false;
      result_.tables.emplace(number, std::move(changes));
    }
    return true;
  }

  // After ReadBatch() that found too much: how many entries would fit if their rows are as large as
  // those that were read, with some room. Always fewer than before.
  std::int64_t FewerEntries() const {
    const std::int64_t fit = result_.entries * std::min(keys_read_, keys_) / keys_;
    return std::max<std::int64_t>(1, fit * 3 / 4);
  }

  // Within the snapshot: that it is the database, the schema and the log that this session knows.
  void RequireSameSource(source::Changelog& log) {
    source::Database& source = source_;
    const char* changed = nullptr;
    if (source.FileMoved()) {
      changed = "the file of the source was replaced";
    } else if (source.QueryInt("PRAGMA schema_version") != session_.schema_version) {
      changed = "the schema of the source changed";
    } else if (source.QueryText("SELECT value FROM _liteferry_meta WHERE key = 'incarnation'") !=
               session_.stream.incarnation) {
      changed = "the source was replaced";
    } else if (from_.position > 0) {
      const auto mark = log.MarkAt(from_.position);
      if (!mark || *mark != from_.mark) changed = "the source went back in time";
    }
    if (changed != nullptr) throw Error(Disposition::kInDoubt, Component::kSource, changed);
    const auto broken =
        source::Capture(source).FindBroken(session_.captured_tables, session_.capture);
    if (!broken.empty()) {
      throw Error(Disposition::kInDoubt, Component::kCapture,
                  "triggers are missing or altered on table " + broken.front());
    }
  }

  // False when the batch becomes too large. Rows that are only retried do not count: no smaller
  // batch would be without them.
  bool ReadRows(int number, TableChanges& changes) {
    std::unordered_set<PackedKey> refused;
    if (const auto retried = from_.retried.find(number); retried != from_.retried.end()) {
      for (const std::string& json : retried->second) refused.insert(KeyFromJson(json));
    }
    changes.keys.insert(refused.begin(), refused.end());
    AddSiblings(changes);
    source::RowReader reader(source_, changes.table.source, changes.table.SourceColumns());
    std::vector<Value> row;
    changes.ordered.assign(changes.keys.begin(), changes.keys.end());
    std::sort(changes.ordered.begin(), changes.ordered.end());
    std::vector<std::string_view> reading = changes.ordered;
    // Of rows that are one on the target the one that is there keeps its place.
    const auto retried = std::stable_partition(
        reading.begin(), reading.end(),
        [&](std::string_view key) { return !refused.contains(PackedKey(key)); });
    for (auto at = reading.begin(); at != reading.end(); ++at) {
      const std::uint64_t bytes = ReadRow(reader, PackedKey(*at), changes, row);
      if (at >= retried) continue;
      ++keys_read_;
      bytes_ += bytes;
      if (bytes_ > kMostBytes && result_.entries > 1) return false;
    }
    return true;
  }

  // Adds the row, if there is one, or what is wrong with it; gives the bytes that it takes.
  std::uint64_t ReadRow(source::RowReader& reader, const PackedKey& key, TableChanges& changes,
                        std::vector<Value>& row) const {
    if (!reader.ReadByKey(key, row)) return 0;
    const std::uint64_t before = changes.rows.bytes();
    if (const auto rejection = changes.rows.Add(row, key)) {
      changes.rejected.push_back(DescribeRejection(session_, changes.table, key, *rejection));
    }
    return changes.rows.bytes() - before;
  }

  // The key of a row of the target may be several of the source. Its rows are deleted and written
  // together, so that the server sees all who want the place: one gets it, the others are rejected.
  void AddSiblings(TableChanges& changes) {
    SiblingFinder siblings(source_, changes.table);
    std::vector<PackedKey> found;
    for (const PackedKey& key : changes.keys) {
      siblings.Find(key, [&](const PackedKey& sibling) { found.push_back(sibling); });
    }
    changes.keys.insert(found.begin(), found.end());
  }

  const config::Settings& settings_;
  const Session& session_;
  source::Database& source_;
  const GatherFrom& from_;
  Gathered result_;
  std::int64_t keys_ = 0;       // logged, of the batch
  std::int64_t keys_read_ = 0;  // of these and their siblings
  std::uint64_t bytes_ = 0;     // of the rows of the keys read
};

}  // namespace

TableChanges::TableChanges(const TableMapping& mapped, std::size_t memory)
    : table(mapped), encoder(mapped.Encoder()), rows(encoder, memory) {}

Gathered Gather(const config::Settings& settings, const Session& session, source::Database& source,
                const GatherFrom& from) {
  return Gatherer(settings, session, source, from).Read();
}

ReadAhead::ReadAhead(const config::Settings& settings, const Session& session)
    : settings_(settings), session_(session) {}

void ReadAhead::Begin(GatherFrom from) {
  position_ = from.position;
  under_way_ = std::async(std::launch::async, [this, from = std::move(from)] {
    if (!source_) {
      source_ = std::make_unique<source::Database>(
          settings_.source.path, source::OpenMode::kReadOnly, settings_.source.busy_timeout);
    }
    return Gather(settings_, session_, *source_, from);
  });
}

std::optional<Gathered> ReadAhead::Take(std::int64_t position) {
  if (!under_way_.valid()) return std::nullopt;
  Gathered gathered = under_way_.get();
  if (position_ != position) return std::nullopt;
  return gathered;
}

}  // namespace liteferry
