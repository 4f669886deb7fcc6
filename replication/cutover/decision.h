#pragma once

#include <cstdint>

#include "replication/source/fence.h"

namespace liteferry::cutover {

// What both sides say when a daemon starts. The target commits first, the source last; going back
// marks the source first and takes the fence away last. So each crash leaves a pair that tells
// where it was.
struct Sides {
  bool target_cut_over = false;
  source::FenceMark fence = source::FenceMark::kNone;
  // Nothing was written to the source after the position at which the target was cut over.
  bool source_unchanged = false;
};

enum class Decision : std::uint8_t {
  kFollow,    // no cutover is under way
  kStay,      // cut over
  kFence,     // the target is cut over: put the fence up, if still nothing was written
  kUndo,      // the application went on with the source: take the target back
  kUnfence,   // going back, and the target is back already
  kForgotten  // the target has lost the cutover (it went back in time): a person has to say
};

// Pure.
Decision Decide(const Sides& sides);

}  // namespace liteferry::cutover
