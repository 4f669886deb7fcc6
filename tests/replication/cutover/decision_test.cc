#include "replication/cutover/decision.h"

#include <gtest/gtest.h>

namespace liteferry::cutover {
namespace {

using source::FenceMark;

TEST(CutoverDecisionTest, TellsEveryPairThatACrashCanLeave) {
  EXPECT_EQ(Decide({false, FenceMark::kNone, true}), Decision::kFollow);
  EXPECT_EQ(Decide({false, FenceMark::kNone, false}), Decision::kFollow);
  EXPECT_EQ(Decide({true, FenceMark::kNone, true}), Decision::kFence);
  EXPECT_EQ(Decide({true, FenceMark::kNone, false}), Decision::kUndo);
  EXPECT_EQ(Decide({true, FenceMark::kUp, true}), Decision::kStay);
  EXPECT_EQ(Decide({true, FenceMark::kLeaving, true}), Decision::kStay);
  EXPECT_EQ(Decide({false, FenceMark::kLeaving, true}), Decision::kUnfence);
  EXPECT_EQ(Decide({false, FenceMark::kUp, true}), Decision::kForgotten);
}

}  // namespace
}  // namespace liteferry::cutover
