#pragma once

#include <string>
#include <vector>

#include "replication/session.h"

namespace liteferry::cutover {

// Remembers the transaction that cut over, in the state schema: what is younger, others wrote. In
// the caller's transaction.
void NoteCutover(target::PgConnection& target, const std::string& state_schema);
void ForgetCutover(target::PgConnection& target, const std::string& state_schema);

// Tables of the target that are not as the cutover left them: rows of a younger transaction, or
// another number of rows than the source, which stands still behind its fence. Exact but for rows
// that a transaction changed which had begun before the cutover.
std::vector<std::string> FindForeignWrites(Session& session, const std::string& state_schema);

}  // namespace liteferry::cutover
