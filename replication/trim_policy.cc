#include "replication/trim_policy.h"

#include <algorithm>

namespace liteferry {

TrimDecision DecideTrim(const TrimFacts& facts) {
  using std::chrono::milliseconds;
  if (facts.trimmable <= 0) return {};
  const bool quiet = facts.since_last_change >= milliseconds(500);
  milliseconds apart(facts.rollback_journal ? 30'000 : 2'000);
  if (facts.times_limit > 0) apart = milliseconds(facts.rollback_journal ? 500 : 50);
  if (quiet) apart = milliseconds(facts.rollback_journal ? 500 : 20);
  if (facts.since_last_trim < apart) return {0, apart - facts.since_last_trim};
  // A slice worth its commit: a handful of entries can wait for company.
  const std::int64_t most =
      (facts.rollback_journal ? 500 : 1000) * std::clamp<std::int64_t>(facts.times_limit, 1, 5);
  if (facts.trimmable < most / 10 && facts.since_last_trim < milliseconds(60'000)) {
    return {0, milliseconds(60'000) - facts.since_last_trim};
  }
  return {std::min(facts.trimmable, most), apart};
}

}  // namespace liteferry
