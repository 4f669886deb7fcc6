#pragma once

#include <cstdint>
#include <string>

#include "replication/base/signal_event.h"

namespace liteferry::cutover {

// What an on-ready command is told, as LITEFERRY_* in its environment (docs/CUTOVER.md).
struct HookFacts {
  std::string source_path;
  std::string target;  // no secret
  std::int64_t position = 0;
  double write_pause_seconds = 0;
};

// Runs `on_ready` with /bin/sh and waits for it, a minute at most, then kills it; its output goes
// to our standard error. A URL is posted to (webhook.h). Why it failed, or "".
std::string RunHook(const std::string& on_ready, const HookFacts& facts, const SignalEvent& stop);

}  // namespace liteferry::cutover
