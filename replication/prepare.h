#pragma once

#include <memory>

#include "replication/session.h"

namespace liteferry {

struct PrepareResult {
  std::unique_ptr<Session> session;  // null when another daemon owns the stream
};

// Opens both sides and brings them to where copying or applying can go on: compares the catalogs,
// installs or repairs the capture, makes the stream and holds constraints the first time, takes the
// stream over, and checks that both ends are those of the stream and have not gone back in time
// (P7). Tables that changed while nobody watched are marked to be copied again. Idempotent; after a
// crash in the middle it goes on. Throws Error: kRetry for what time heals, kStop with the next
// command for what needs a person.
PrepareResult Prepare(EngineContext& context);

// Marks `table` to be copied again from the start: empties it on the target, in the same
// transaction in which its copy ranges are reset and the stream goes back to copying.
void RestartTableCopy(EngineContext& context, Session& session, const TableMapping& table,
                      const std::string& why);

}  // namespace liteferry
