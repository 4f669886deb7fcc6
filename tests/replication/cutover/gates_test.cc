#include "replication/cutover/gates.h"

#include <gtest/gtest.h>

#include <functional>

namespace liteferry::cutover {
namespace {

constexpr std::chrono::hours kDay{24};

Facts Good() {
  Facts facts;
  facts.started = facts.following = facts.consistent = true;
  facts.captured = facts.applied = 7;
  facts.verified_ago = std::chrono::minutes(5);
  facts.verify_complete = facts.verify_in_log = true;
  return facts;
}

std::string OnlyShut(const std::function<void(Facts&)>& change) {
  Facts facts = Good();
  change(facts);
  std::string name;
  for (const CutoverGate& gate : JudgeGates(facts, kDay)) {
    EXPECT_EQ(gate.ok, gate.next_action.empty()) << gate.name;
    EXPECT_FALSE(gate.detail.empty()) << gate.name;
    if (gate.ok) continue;
    EXPECT_TRUE(name.empty()) << name << " and " << gate.name;
    name = gate.name;
  }
  return name;
}

TEST(CutoverGatesTest, AllOpenWhenAllIsWell) {
  EXPECT_TRUE(AllOpen(JudgeGates(Good(), kDay)));
  EXPECT_EQ(Blockers(JudgeGates(Good(), kDay)), "");
}

TEST(CutoverGatesTest, EachFaultShutsItsOwnGate) {
  EXPECT_EQ(OnlyShut([](Facts& f) { f.paused = true; }), "following");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.consistent = false; }), "following");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.cut_over = true; }), "following");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.captured = f.applied + kMostWaiting + 1; }), "lag");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.in_doubt = {"notes"}; }), "tables");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.not_followed = {"table x is gone"}; }), "tables");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.not_captured = {"notes"}; }), "tables");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.rejected = 1; }), "rejected rows");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.verified_ago.reset(); }), "verified");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.verified_ago = kDay * 2; }), "verified");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.differences = 1; }), "verified");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.verify_complete = false; }), "verified");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.verify_in_log = false; }), "verified");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.orphans = {{"fk", 2}}; }), "foreign keys");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.held_problems = {"ix"}; }), "held constraints");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.indexes_held = 1; }), "held constraints");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.durability_problem = "no"; }), "durability");
  EXPECT_EQ(OnlyShut([](Facts& f) { f.missing_privileges = {"no"}; }), "privileges");
}

}  // namespace
}  // namespace liteferry::cutover
