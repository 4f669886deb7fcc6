#pragma once

#include <cstdint>

#include "replication/base/error.h"
#include "replication/status.h"
#include "replication/target/state_store.h"

namespace liteferry {

// What happened; fed to Lifecycle by the engine thread.
struct Event {
  enum class Kind : std::uint8_t {
    kStart,
    kPrepared,  // connected, checked, owner of the stream; `phase` and `paused` say where it stands
    kOwnedByOther,   // another daemon applies
    kCopied,         // every range of the initial copy is on the target
    kWindowApplied,  // a batch went over, more are waiting
    kCaughtUp,       // nothing was waiting; `unsettled` while tables must still be compared, and
                     // `indexes_held` when indexes stand aside
    kReleased,       // held indexes are back (those that can be)
    kCutOver,        // cut over now: only while following
    kAbort,          // undo the cutover
    kFenced,         // the source is fenced, what remains is on the target alone
    kFinished,       // nothing remains: or the cutover is not to be undone
    kReturned,       // the cutover was rolled back or undone
    kFault,          // an Error with `disposition`
    kWakeUp,         // a delay is over, or a change was seen
    kPause,
    kResume,
    kStop,
  };

  Kind kind = Kind::kWakeUp;
  target::Phase phase = target::Phase::kCopying;
  bool paused = false;
  Disposition disposition = Disposition::kRetry;
  bool unsettled = false;
  bool indexes_held = false;

  // An event that carries nothing else.
  static Event Of(Kind kind) {
    Event event;
    event.kind = kind;
    return event;
  }
};

// What the engine thread does next.
enum class Action : std::uint8_t {
  kPrepare,        // (re)connect, compare catalogs, install capture, take the stream over
  kCopy,           // run the initial copy until done
  kApply,          // apply one batch
  kRelease,        // put held indexes and unique constraints back
  kAwaitChange,    // wait for a change, or for a comparison to end, doing housekeeping
  kBackOff,        // wait a growing delay, then wake up
  kAwaitOwner,     // wait for the other daemon to go, then wake up
  kAwaitPerson,    // halted: wait for resume; check again now and then
  kAwaitResume,    // paused
  kCutOver,        // gates, lock, drain, fence
  kFinishCutover,  // validate the foreign keys
  kAbortCutover,   // take the fence away if nobody wrote to the target
  kEnd,            // leave the engine thread
};

// The life of one replication as a pure state machine: no I/O, no clock, no threads. The engine
// carries out the action that Resume() returns and feeds back what came of it.
class Lifecycle {
 public:
  Action Resume(const Event& event) noexcept;
  State state() const { return state_; }

 private:
  Action Fault(Disposition disposition) noexcept;
  Action Enter(State state, Action action) noexcept;

  State state_ = State::kStarting;
  bool paused_ = false;
  bool broken_ = false;  // halted by a bug: nothing but a person's resume goes on
  // Whether the stream has been `following`: the first time, indexes are put back even if none is
  // known to stand aside.
  bool released_ = false;
};

}  // namespace liteferry
