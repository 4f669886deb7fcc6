#pragma once

#include <cstdint>
#include <optional>

#include "replication/gather.h"
#include "replication/session.h"

namespace liteferry {

// Applies a small batch in one round trip: a transaction from BEGIN to COMMIT as one pipeline of
// prepared statements, with an INSERT for each row where ApplyBatch has COPY, which takes a round
// trip to begin, one to end, and three for what stands around it. Does the same to the target, or
// nothing: where the server refuses anything at all, the batch is left to ApplyBatch's own way,
// which finds out what it is and what follows from it.
//
// Engine thread only. As long-lived as its session: it remembers that the server has refused of
// late.
class QuickApply {
 public:
  // Whether the batch is small, plain and worth trying. Asked once per batch: it counts.
  bool Fits(const Session& session, const Gathered& batch);
  // The rows that were deleted on the target; nothing when the server refused, and nothing was
  // applied. Throws Error: kInDoubt when the outcome is unknown, kRetry when time may heal it.
  std::optional<std::int64_t> Apply(Session& session, const Gathered& batch, bool consistent);

 private:
  std::int64_t pass_ = 0;      // batches to leave alone
  std::int64_t refusals_ = 0;  // in a row
};

}  // namespace liteferry
