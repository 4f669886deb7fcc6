#include "replication/cutover/gates.h"

#include <algorithm>

#include "replication/base/text.h"

namespace liteferry::cutover {
namespace {

CutoverGate Gate(const std::string& name, bool ok, const std::string& good, const std::string& bad,
                 const std::string& next_action) {
  return {name, ok, ok ? good : bad, ok ? "" : next_action};
}

CutoverGate Empty(const std::string& name, const std::vector<std::string>& list,
                  const std::string& good, const std::string& next_action) {
  return Gate(name, list.empty(), good, Join(list, "; "), next_action);
}

CutoverGate Verified(const Facts& facts, std::chrono::milliseconds max_age) {
  const std::string run = "Run `liteferry verify`.";
  if (!facts.verified_ago) {
    return {"verified", false, "no full comparison has ended without a difference", run};
  }
  if (facts.differences > 0 || !facts.verify_complete) {
    return {"verified", false,
            facts.differences > 0
                ? "the latest comparison found differences: " + GroupDigits(facts.differences)
                : "the latest comparison could not compare every table",
            facts.differences > 0 ? "Run `liteferry resync --all`, then `liteferry verify`." : run};
  }
  const std::string ago = FormatDuration(*facts.verified_ago) + " ago";
  if (*facts.verified_ago > max_age) {
    return {"verified", false, "the latest comparison is too old: " + ago, run};
  }
  if (!facts.verify_in_log) {
    return {"verified", false,
            "what was written since the latest comparison, " + ago + ", is not in the log any more",
            run + " Then cut over before changelog.retention is over."};
  }
  return {"verified", true,
          ago + ", " + GroupDigits(facts.changes_since_verify) +
              (facts.changes_since_verify == 1 ? " change" : " changes") + " to compare since",
          ""};
}

std::string DescribeOrphans(const Facts& facts) {
  std::vector<std::string> lines;
  for (const auto& [name, rows] : facts.orphans) {
    lines.push_back(name + ": " + GroupDigits(rows) + (rows == 1 ? " row refers" : " rows refer") +
                    " to none");
  }
  return Join(lines, "; ");
}

}  // namespace

std::vector<CutoverGate> JudgeGates(const Facts& facts, std::chrono::milliseconds verify_max_age) {
  std::vector<CutoverGate> gates;
  const std::string bad_state = !facts.started   ? "no replication has been started"
                                : facts.cut_over ? "it is cut over already"
                                : facts.paused   ? "it is paused"
                                                 : "it is not following yet";
  gates.push_back(
      Gate("following",
           facts.started && facts.following && !facts.paused && facts.consistent && !facts.cut_over,
           "following, and consistent", bad_state,
           facts.paused     ? "Run `liteferry resume`."
           : facts.cut_over ? "Nothing to do."
           : facts.started  ? "Wait with `liteferry wait`."
                            : "Start it with `liteferry run`."));
  const std::int64_t waiting = std::max<std::int64_t>(facts.captured - facts.applied, 0);
  const std::string backlog =
      GroupDigits(waiting) + (waiting == 1 ? " change waits" : " changes wait");
  gates.push_back(
      Gate("lag", waiting <= kMostWaiting, backlog, backlog, "Wait with `liteferry wait`."));
  std::vector<std::string> drift = facts.not_followed;
  for (const std::string& table : facts.in_doubt)
    drift.push_back("table " + table + " is in doubt");
  for (const std::string& table : facts.not_captured) {
    drift.push_back("table " + table + " is not captured");
  }
  gates.push_back(Empty("tables", drift, "every table is followed",
                        "Run `liteferry status`: it says why and what to do."));
  gates.push_back(Gate("rejected rows", facts.rejected == 0, "none",
                       GroupDigits(facts.rejected) +
                           (facts.rejected == 1 ? " row was" : " rows were") +
                           " refused by the target",
                       "Run `liteferry status`: it lists them."));
  gates.push_back(Verified(facts, verify_max_age));
  gates.push_back(Gate("foreign keys", facts.orphans.empty(),
                       std::to_string(facts.foreign_keys) + " held, no row refers to none",
                       DescribeOrphans(facts), "Correct the rows in the application."));
  std::vector<std::string> held = facts.held_problems;
  if (held.empty() && facts.indexes_held > 0) {
    held.push_back(std::to_string(facts.indexes_held) + " indexes still stand aside");
  }
  gates.push_back(Empty("held constraints", held, "all can be put back",
                        "Run `liteferry status`: it says what is in their way."));
  gates.push_back({"sequences", true, std::to_string(facts.sequences) + " to be set", ""});
  gates.push_back(Gate("durability", facts.durability_problem.empty(),
                       "commits are kept as target.durability asks", facts.durability_problem,
                       "See docs/FAULTS.md, or set target.durability to what this target can do."));
  gates.push_back(Empty("privileges", facts.missing_privileges, "sufficient",
                        "Grant what is missing, or connect as the owner of the tables."));
  return gates;
}

bool AllOpen(const std::vector<CutoverGate>& gates) {
  return std::all_of(gates.begin(), gates.end(), [](const CutoverGate& gate) { return gate.ok; });
}

std::vector<std::string> BlockerLines(const std::vector<CutoverGate>& gates) {
  std::vector<std::string> lines;
  for (const CutoverGate& gate : gates) {
    if (!gate.ok) lines.push_back(gate.name + ": " + gate.detail);
  }
  return lines;
}

std::string Blockers(const std::vector<CutoverGate>& gates) {
  return Join(BlockerLines(gates), "; ");
}

std::chrono::milliseconds EstimatePause(const Facts& facts, std::chrono::milliseconds round_trip) {
  // Some fixed statements, some for each constraint and sequence; what waits is small by then.
  const int statements = 25 + 3 * facts.foreign_keys + 2 * facts.sequences;
  return round_trip * statements + std::chrono::milliseconds(20);
}

}  // namespace liteferry::cutover
