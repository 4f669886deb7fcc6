#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "replication/base/value.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry::source {

// A position in the changelog: the seq of its entry. Zero is before the first.
using Seq = std::int64_t;

// One change: the key of the row that may differ now. No image of the row (P1).
struct LogEntry {
  Seq seq = 0;
  int table_no = 0;
  std::int64_t mark = 0;  // random per entry: tells this entry from another one that reused its seq
  PackedKey key;
};

struct LogBounds {
  Seq oldest = 0;  // smallest seq in the log, 0 when empty
  Seq newest = 0;  // largest, 0 when empty
};

// Reads and trims _liteferry_log over one connection. Not the installer (Capture).
// Thread-safety: as its Database. Prepared statements are kept, so it must die before the Database.
class Changelog {
 public:
  // The log must exist. How many key columns it has (k1…kn) is found out here, and again when Read
  // is asked for more.
  explicit Changelog(Database& database);

  LogBounds Bounds();
  // The mark of the entry at `seq`; nothing when there is no such entry.
  std::optional<std::int64_t> MarkAt(Seq seq);
  // At most `limit` entries with seq in (after, up_to], in order. `widths[t]` is the number of key
  // columns of table number t: so many values are packed (the log is as wide as the widest key, the
  // rest is NULL). Entries of other numbers are given with an empty key, and so are those with t =
  // 0, which means nothing, and t < 0: table -t was not watched (CHANGELOG_FORMAT.md).
  std::vector<LogEntry> Read(Seq after, Seq up_to, std::int64_t limit,
                             const std::vector<int>& widths);
  // Logs `keys` of table `table_no` as if they had changed (repair, resync, drift: P1). Must run
  // inside a write transaction of the caller.
  void Touch(int table_no, const std::vector<PackedKey>& keys);
  // Deletes at most `limit` entries with seq < before, oldest first, never the newest one; returns
  // how many. One autocommit transaction; throws Error (retry) at once when the application holds
  // the lock.
  std::int64_t Trim(Seq before, std::int64_t limit);
  // Bytes the log takes, estimated: numbers between the oldest and the newest, times the average of
  // a sample of entries from both ends. Reads at most 128 entries.
  std::int64_t SizeBytes();

 private:
  void SetKeyWidth(int width);

  Database& database_;
  int key_width_;
  Statement bounds_;
  Statement mark_;
  Statement read_;
  Statement trim_;
};

}  // namespace liteferry::source
