#pragma once

#include <string>
#include <string_view>

#include "replication/base/signal_event.h"
#include "replication/cutover/hook.h"

namespace liteferry::cutover {

// Whether an on-ready setting is a URL to post to, not a command.
bool IsWebhook(std::string_view on_ready);

// Posts the facts as a JSON object to an http or https URL, and again after a growing rest while
// the receiver is away or answers 408, 425, 429 or 5xx, until a minute is over: a receiver may
// hear of one cutover twice. Redirects are not followed. Why it failed, or "". The URL may hold a
// token: no message has more of it than its host.
std::string PostWebhook(const std::string& url, const HookFacts& facts, const SignalEvent& stop);

}  // namespace liteferry::cutover
