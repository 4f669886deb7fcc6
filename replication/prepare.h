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
// (P7). Tables that changed while nobody watched are put in doubt; those that cannot be followed
// are problems of the mapping, the others go on (but for the first run, which starts with all or
// none). Idempotent; after a crash in the middle it goes on. Throws Error: kRetry for what time
// heals, kStop with the next command for what needs a person.
PrepareResult Prepare(EngineContext& context);

}  // namespace liteferry
