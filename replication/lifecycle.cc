#include "replication/lifecycle.h"

namespace liteferry {

Action Lifecycle::Enter(State state, Action action) noexcept {
  state_ = state;
  return action;
}

Action Lifecycle::Fault(Disposition disposition) noexcept {
  switch (disposition) {
    case Disposition::kRetry:
      return Enter(State::kRetrying, Action::kBackOff);
    case Disposition::kInDoubt:
      // Nothing may be assumed about the last commit: connect and read the position at once.
      return Enter(State::kRetrying, Action::kPrepare);
    case Disposition::kBug:
      broken_ = true;
      break;
    case Disposition::kRejectRow:
    case Disposition::kStop:
      break;
  }
  return Enter(State::kHalted, Action::kAwaitPerson);
}

Action Lifecycle::Resume(const Event& event) noexcept {
  switch (event.kind) {
    case Event::Kind::kStop:
      return Action::kEnd;
    case Event::Kind::kStart:
      return Enter(State::kStarting, Action::kPrepare);
    case Event::Kind::kOwnedByOther:
      return Enter(State::kRetrying, Action::kAwaitOwner);
    case Event::Kind::kFault:
      return Fault(event.disposition);
    case Event::Kind::kPrepared:
      paused_ = event.paused;
      released_ = event.phase == target::Phase::kFollowing;
      if (event.phase == target::Phase::kCutOver) {
        return Enter(State::kCuttingOver, Action::kFinishCutover);
      }
      if (paused_) return Enter(State::kPaused, Action::kAwaitResume);
      if (event.phase == target::Phase::kCopying) return Enter(State::kCopying, Action::kCopy);
      return Enter(State::kCatchingUp, Action::kApply);
    case Event::Kind::kCopied:
      return Enter(State::kCatchingUp, Action::kApply);
    case Event::Kind::kWindowApplied:
      // A window more does not end `following`: only a fault or a long backlog would, and that
      // shows as lag.
      return Action::kApply;
    case Event::Kind::kCaughtUp:
      // Until every table is known to be equal there are stale rows, which unique indexes may
      // forbid, and it would be wrong to speak of following.
      if (event.unsettled) return Enter(State::kCatchingUp, Action::kAwaitChange);
      if (!released_ || event.indexes_held) return Enter(State::kCatchingUp, Action::kRelease);
      return Enter(State::kFollowing, Action::kAwaitChange);
    case Event::Kind::kReleased:
      released_ = true;
      return Enter(State::kCatchingUp, Action::kApply);
    case Event::Kind::kPause:
      paused_ = true;
      return Enter(State::kPaused, Action::kAwaitResume);
    case Event::Kind::kCutOver:
      return Enter(State::kCuttingOver, Action::kCutOver);
    case Event::Kind::kFenced:
      return Enter(State::kCuttingOver, Action::kFinishCutover);
    case Event::Kind::kFinished:
      return Enter(State::kCutOver, Action::kAwaitPerson);
    case Event::Kind::kAbort:
      return Action::kAbortCutover;
    case Event::Kind::kReturned:
      return Enter(State::kStarting, Action::kPrepare);
    case Event::Kind::kResume:
    case Event::Kind::kWakeUp:
      break;
  }
  if (event.kind == Event::Kind::kResume) {
    paused_ = broken_ = false;
    return Enter(State::kStarting, Action::kPrepare);
  }
  if (state_ == State::kFollowing || state_ == State::kCatchingUp) return Action::kApply;
  if (state_ == State::kPaused) return Action::kAwaitResume;
  if (state_ == State::kCutOver || broken_) return Action::kAwaitPerson;
  return Action::kPrepare;
}

}  // namespace liteferry
