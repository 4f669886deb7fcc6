#pragma once

#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "replication/session.h"
#include "replication/target/row_encoder.h"
#include "replication/target/row_loader.h"

namespace liteferry {

// What a batch does to one table.
struct TableChanges {
  // Encoded rows beyond `memory` bytes are in a temporary file.
  TableChanges(const TableMapping& mapped, std::size_t memory);

  const TableMapping& table;
  target::RowEncoder encoder;
  std::unordered_set<PackedKey> keys;  // what was logged, what is retried, and their siblings
  // All of `keys` in the order in which both databases store them (of integers: almost).
  std::vector<std::string_view> ordered;
  target::RowBatch rows;  // what is there now
  std::vector<target::RejectedRow> rejected;
};

// Where a batch begins.
struct GatherFrom {
  std::int64_t position = 0;
  std::int64_t mark = 0;  // of the log entry at `position`
  // Keys, as JSON, of rows that were refused and are tried again, by table number.
  std::map<int, std::vector<std::string>> retried;
};

// A piece of the log and the rows that it speaks of, as one snapshot of the source has them.
struct Gathered {
  std::int64_t from = 0;
  std::int64_t to = 0;       // equal to `from` when nothing was waiting
  std::int64_t mark = 0;     // of the log entry at `to`
  std::int64_t entries = 0;  // log entries covered
  bool caught_up = false;    // `to` was the newest entry
  std::set<int> unwatched;   // tables that the log says were not captured for a while
  std::map<int, std::unique_ptr<TableChanges>> tables;
};

// Reads at most apply.max_batch_changes entries of the log behind `from`, fewer where their rows
// exceed 64 MiB, and these rows, over `source`, which is open on the session's source. Of `session`
// it uses only what stays as it is while the session lives. Never waits for the target. Throws
// Error (in doubt) when the source, its schema, its triggers or the log at `from` are not those
// that the session knows.
Gathered Gather(const config::Settings& settings, const Session& session, source::Database& source,
                const GatherFrom& from);

// Gathers the batch that comes next while one is applied, by a thread and a connection of its own,
// one batch at a time. Begin() and Take() belong to one thread.
//
// Lifetime: the destructor waits for the reading under way; both arguments must outlive it.
class ReadAhead {
 public:
  ReadAhead(const config::Settings& settings, const Session& session);

  // Only while nothing is under way.
  void Begin(GatherFrom from);
  // What was begun, once it is read; nothing when nothing was, or from another position. Throws
  // what the reading threw.
  std::optional<Gathered> Take(std::int64_t position);

 private:
  const config::Settings& settings_;
  const Session& session_;
  std::unique_ptr<source::Database> source_;  // of the thread under way; opened by the first
  std::int64_t position_ = 0;
  std::future<Gathered> under_way_;
};

}  // namespace liteferry
