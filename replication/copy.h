#pragma once

#include "replication/session.h"

namespace liteferry {

// Copies every range that the state on the target does not call done, with copy.jobs workers, each
// with its own connections. A chunk is read in short snapshots (P3: never a long transaction on the
// source) and committed together with the progress of its range, so that after kill -9 at any
// moment the copy goes on where the target says it is. What changes meanwhile is in the changelog
// and applied afterwards.
//
// Blocks the engine thread until all is copied, a stop or a command is pending (then it returns
// false, after the chunks under way) or a worker fails (its Error is thrown once all have ended).
bool RunCopy(EngineContext& context, Session& session);

}  // namespace liteferry
