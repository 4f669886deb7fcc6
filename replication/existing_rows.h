#pragma once

#include "replication/session.h"

namespace liteferry {

// Deals with rows that the target table already has before the first copy (alembic_version, rows
// that migrations insert): they are deleted, to be copied like all others, when
// target.existing_rows is `replace` or when the source has an equal row for each of them. Otherwise
// throws Error (stop): it may be the wrong database. In the caller's transaction.
void ReplaceExistingRows(EngineContext& context, Session& session, const TableMapping& table);

}  // namespace liteferry
