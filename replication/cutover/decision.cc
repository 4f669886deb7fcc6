#include "replication/cutover/decision.h"

namespace liteferry::cutover {

Decision Decide(const Sides& sides) {
  using source::FenceMark;
  if (sides.target_cut_over) {
    // A mark that says leaving: nothing has happened on the target yet, so it stays as it was.
    if (sides.fence != FenceMark::kNone) return Decision::kStay;
    return sides.source_unchanged ? Decision::kFence : Decision::kUndo;
  }
  switch (sides.fence) {
    case FenceMark::kNone:
      return Decision::kFollow;
    case FenceMark::kLeaving:
      return Decision::kUnfence;
    case FenceMark::kUp:
      break;
  }
  return Decision::kForgotten;
}

}  // namespace liteferry::cutover
