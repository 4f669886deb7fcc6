#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/base/signal_event.h"
#include "replication/mapping.h"
#include "replication/source/sqlite_handle.h"
#include "replication/target/pg_connection.h"

namespace liteferry::verify {

// Exact comparison of one table on both sides while the application writes and a daemon applies.
// Used by `verify`, `resync`, the schedule, and by the engine where a table is in doubt.
//
//   CompareTable finds keys that look different by reading both sides in pieces, each in a short
//   snapshot, and then judges each of these keys: the row on the target in one snapshot together
//   with the position, the row on the source in a later snapshot together with the log. Only what
//   is judged to differ reaches the sink. docs/VERIFY.md says why a judgement is final.
//
// It writes nothing. What differs is brought right by logging the keys: source/log_keys.h.

enum class DifferenceKind : std::uint8_t {
  kMissing,         // the source has the row, the target lacks it and no rejection says why
  kExtra,           // the target has a row (or several) that the source lacks or that is rejected
  kDifferent,       // both have it, with other values
  kStaleRejection,  // the target records a rejection of a row that the source no longer has
};
std::string_view ToString(DifferenceKind kind);

struct Difference {
  DifferenceKind kind = DifferenceKind::kDifferent;
  // As the changelog holds it: logging it has the row applied, or deleted, by the ordinary path.
  // Empty when no entry can name the row: its key on the target holds a NULL (`shown` tells).
  PackedKey key;
  std::string shown;                 // the key as JSON (KeyToJson)
  std::vector<std::string> columns;  // kDifferent: the target's names of the columns that differ
};

enum class Judging : std::uint8_t {
  // For `verify`: a table being copied or in doubt is not compared; the stream must follow this
  // source; a key that is logged after the position is looked at again once it is applied.
  kProof,
  // For bringing tables right: whatever differs now is reported, except keys that the log, where it
  // can still tell, has after the position, since those are applied anyway. Asks nothing of the
  // stream: also for another incarnation, lost triggers, a trimmed log, a rewound side.
  kReconcile,
};

// What a comparison works with. The connections belong to the calling thread, outside transactions.
struct Sides {
  source::Database& source;  // read-only will do
  target::PgConnection& target;
  std::string state_schema;
  const SignalEvent& stop;        // ends it with Error (retry)
  bool rollback_journal = false;  // snapshots of 3 ms instead of 100 ms (P3)
  // Of the source when the mapping was made; negative: as it is when the comparison begins.
  std::int64_t schema_version = -1;
};

// A part of a table by its integer scan key: > after, <= up_to. Empty: the whole.
struct KeyRange {
  std::optional<std::int64_t> after;
  std::optional<std::int64_t> up_to;
};

struct CompareOptions {
  Judging judging = Judging::kProof;
  KeyRange range;  // only of a table that SplitTable splits
  // Part of the time that is spent working, the rest is waited: 1 for no waiting.
  double share = 1;
  // kProof: how long to wait for the daemon to apply what is logged, while its position stands
  // still.
  std::chrono::milliseconds settle{10'000};
  // Rows read since the last call, of whichever side has more; quick. May be empty.
  std::function<void(std::int64_t rows)> progress;
};

struct TableOutcome {
  enum class State : std::uint8_t { kCompared, kCopying, kInDoubt };
  State state = State::kCompared;  // else nothing is known, and no difference counts
  std::int64_t source_rows = 0;
  std::int64_t target_rows = 0;
  std::int64_t missing = 0;
  std::int64_t extra = 0;
  std::int64_t different = 0;
  std::int64_t stale_rejections = 0;
  std::int64_t rejected = 0;  // recorded as rejected: absent on the target for a reason
  // Rows that differ and are logged, but that nobody applied meanwhile (kProof); or, in kReconcile,
  // that will be applied.
  std::int64_t waiting = 0;

  std::int64_t differences() const { return missing + extra + different + stale_rejections; }
  void Add(const TableOutcome& part);
};

// Gets each difference once, during the call, on the calling thread.
using DifferenceSink = std::function<void(const Difference&)>;

// Compares `table`, whose number in the changelog is `table_no`. Memory is bounded whatever the
// table's size (some 100 MB at most; digests go to an unlinked temporary file beyond that).
//
// Throws Error: kRetry for a lost connection, a busy source, `stop`, a schema that changed
// meanwhile; kStop (kProof only) when the stream does not follow this source. Differences handed to
// the sink before that are real.
TableOutcome CompareTable(const Sides& sides, const TableMapping& table, int table_no,
                          const CompareOptions& options, const DifferenceSink& sink);

// Ranges of about equal size that together are the whole table, at most `parts`; one empty range
// where the table is small or its key is no integer.
std::vector<KeyRange> SplitTable(source::Database& source, const TableMapping& table, int parts);

}  // namespace liteferry::verify
