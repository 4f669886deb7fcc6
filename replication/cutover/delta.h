#pragma once

#include <cstdint>

#include "replication/session.h"

namespace liteferry::cutover {

// Compares the rows whose keys were logged in (after, up_to], as a full comparison would. Returns
// the number of keys. Throws Error (75) naming the table when one differs.
std::int64_t CompareLogged(EngineContext& context, Session& session, std::int64_t after,
                           std::int64_t up_to);

// Sets sequences of serial and identity columns past the largest value and SQLite's own high-water
// mark; in the caller's transaction. Returns how many were moved.
int SetSequences(Session& session);

}  // namespace liteferry::cutover
