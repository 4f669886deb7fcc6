#pragma once

#include <string>
#include <vector>

#include "replication/session.h"

namespace liteferry::cutover {

// Remembers the transaction that cut over, and those that were writing anything at that time, in
// the state schema: what these or younger ones write, others wrote. In the caller's transaction.
void NoteCutover(target::PgConnection& target, const std::string& state_schema);
void ForgetCutover(target::PgConnection& target, const std::string& state_schema);

// Tables of the target that are not as the cutover left them: rows of such a transaction, or
// another number of rows than the source, which stands still behind its fence. Never misses a
// committed change; a change that was taken back in kind, and a rewrite of a table, count as
// changes.
std::vector<std::string> FindForeignWrites(Session& session, const std::string& state_schema);

}  // namespace liteferry::cutover
