#pragma once

#include <cstdint>

#include "replication/session.h"

namespace liteferry {

// What one call of ApplyBatch did.
struct ApplyResult {
  std::int64_t from = 0;     // position before
  std::int64_t to = 0;       // position now; equal to `from` when nothing was waiting
  std::int64_t entries = 0;  // log entries covered
  // The batch reached the newest entry of a snapshot that this call took: never said of one that
  // was read ahead, behind which more may wait by now.
  bool caught_up = false;
  bool held_again = false;  // a unique index had to stand aside once more
};

// Reads one batch from the source in one snapshot, closes the snapshot, and applies its net effect
// together with the position in one transaction on the target (P2): all keys of the batch are
// deleted, then their current rows are inserted, by COPY or, where they are few, by QuickApply. So
// a unique value may change hands within a batch, and order does not matter. When more than
// apply.max_batch_changes wait, the batch is a window: the target is then not consistent until the
// last one, and a unique index that a window breaks is held again until then. The same holds while
// tables are in doubt; an entry that says that a table was not watched puts it there.
//
// Throws Error; kInDoubt when the outcome of COMMIT is unknown: prepare anew, the position tells.
// A changed schema, lost triggers and a source that went back are found in the snapshot, before
// anything is applied, and thrown as kRetry: Prepare deals with them.
ApplyResult ApplyBatch(EngineContext& context, Session& session);

}  // namespace liteferry
