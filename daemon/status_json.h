#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/status_report.h"

namespace liteferry::daemon {

// One line of JSON with every field of the contract of `status --json`, and some more. Fields of
// what does not exist yet are there, null or empty. Never fails; bytes that are not UTF-8 are
// replaced.
std::string StatusJson(const StatusReport& report);

// An array of {name, ok, detail, next_action}.
nlohmann::ordered_json GatesJson(const std::vector<CutoverGate>& gates);

// Reads what StatusJson() of this or another version wrote: unknown fields are ignored, missing
// ones keep their defaults. Throws Error (bug) when it is not a JSON object.
StatusReport ParseStatusJson(std::string_view text);

}  // namespace liteferry::daemon
