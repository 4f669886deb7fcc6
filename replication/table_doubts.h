#pragma once

#include "replication/session.h"

namespace liteferry {

// Brings the status up to date with which tables are in doubt or not followed, and since when.
// Costs nothing while there are none and none were shown. Engine thread.
void ShowDoubts(EngineContext& context, const Session& session);

}  // namespace liteferry
