#include "replication/lifecycle.h"

#include <gtest/gtest.h>

#include <random>

#include "replication/backoff.h"

namespace liteferry {
namespace {

using Kind = Event::Kind;
using target::Phase;

Event Of(Kind kind) { return Event::Of(kind); }
Event Prepared(Phase phase, bool paused = false) {
  Event event = Of(Kind::kPrepared);
  event.phase = phase;
  event.paused = paused;
  return event;
}
Event CaughtUp(bool unsettled, bool indexes_held = false) {
  Event event = Of(Kind::kCaughtUp);
  event.unsettled = unsettled;
  event.indexes_held = indexes_held;
  return event;
}
Event Fault(Disposition disposition) {
  Event event = Of(Kind::kFault);
  event.disposition = disposition;
  return event;
}

TEST(LifecycleTest, GoesFromStartToFollowing) {
  Lifecycle life;
  EXPECT_EQ(life.Resume(Of(Kind::kStart)), Action::kPrepare);
  EXPECT_EQ(life.state(), State::kStarting);
  EXPECT_EQ(life.Resume(Prepared(Phase::kCopying)), Action::kCopy);
  EXPECT_EQ(life.state(), State::kCopying);
  EXPECT_EQ(life.Resume(Of(Kind::kCopied)), Action::kApply);
  EXPECT_EQ(life.state(), State::kCatchingUp);
  EXPECT_EQ(life.Resume(Of(Kind::kWindowApplied)), Action::kApply);
  EXPECT_EQ(life.Resume(Of(Kind::kCaughtUp)), Action::kRelease) << "the first consistent point";
  EXPECT_EQ(life.state(), State::kCatchingUp);
  EXPECT_EQ(life.Resume(Of(Kind::kReleased)), Action::kApply);
  EXPECT_EQ(life.Resume(Of(Kind::kCaughtUp)), Action::kAwaitChange);
  EXPECT_EQ(life.state(), State::kFollowing);
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kApply);
  EXPECT_EQ(life.state(), State::kFollowing);
}

TEST(LifecycleTest, ReleasesAgainAfterARestartWhileCatchingUp) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  EXPECT_EQ(life.Resume(Prepared(Phase::kCatchingUp)), Action::kApply);
  EXPECT_EQ(life.Resume(Of(Kind::kCaughtUp)), Action::kRelease);
}

TEST(LifecycleTest, CutsOverAndComesBack) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  EXPECT_EQ(life.Resume(Prepared(Phase::kFollowing)), Action::kApply);
  life.Resume(CaughtUp(false));
  EXPECT_EQ(life.Resume(Of(Kind::kCutOver)), Action::kCutOver);
  EXPECT_EQ(life.state(), State::kCuttingOver);
  EXPECT_EQ(life.Resume(Of(Kind::kReturned)), Action::kPrepare) << "rolled back";
  EXPECT_EQ(life.Resume(Prepared(Phase::kFollowing)), Action::kApply);
  life.Resume(CaughtUp(false));
  life.Resume(Of(Kind::kCutOver));
  EXPECT_EQ(life.Resume(Of(Kind::kFenced)), Action::kFinishCutover);
  EXPECT_EQ(life.Resume(Of(Kind::kFinished)), Action::kAwaitPerson);
  EXPECT_EQ(life.state(), State::kCutOver);
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kAwaitPerson);
  EXPECT_EQ(life.Resume(Of(Kind::kAbort)), Action::kAbortCutover);
  EXPECT_EQ(life.Resume(Of(Kind::kReturned)), Action::kPrepare);
}

TEST(LifecycleTest, FinishesACutoverThatItFinds) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  EXPECT_EQ(life.Resume(Prepared(Phase::kCutOver)), Action::kFinishCutover);
  EXPECT_EQ(life.Resume(Fault(Disposition::kRetry)), Action::kBackOff);
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kPrepare);
}

TEST(LifecycleTest, DoesNotReleaseTwiceWhenFollowing) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  EXPECT_EQ(life.Resume(Prepared(Phase::kFollowing)), Action::kApply);
  EXPECT_EQ(life.Resume(Of(Kind::kCaughtUp)), Action::kAwaitChange);
}

TEST(LifecycleTest, CatchesUpWhileTablesAreInDoubt) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  life.Resume(Prepared(Phase::kFollowing));
  EXPECT_EQ(life.Resume(CaughtUp(true, true)), Action::kAwaitChange) << "no index on stale rows";
  EXPECT_EQ(life.state(), State::kCatchingUp);
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kApply);
  EXPECT_EQ(life.Resume(CaughtUp(false)), Action::kAwaitChange);
  EXPECT_EQ(life.state(), State::kFollowing);
}

TEST(LifecycleTest, PutsBackAnIndexThatAWindowOfABacklogBroke) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  life.Resume(Prepared(Phase::kFollowing));
  life.Resume(CaughtUp(false));
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kApply);
  EXPECT_EQ(life.Resume(Of(Kind::kWindowApplied)), Action::kApply);
  EXPECT_EQ(life.Resume(CaughtUp(false, true)), Action::kRelease);
  EXPECT_EQ(life.Resume(Of(Kind::kReleased)), Action::kApply);
  EXPECT_EQ(life.Resume(CaughtUp(false)), Action::kAwaitChange);
  EXPECT_EQ(life.state(), State::kFollowing);
}

TEST(LifecycleTest, BacksOffFromTransientFaultsAndPreparesAnew) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  EXPECT_EQ(life.Resume(Fault(Disposition::kRetry)), Action::kBackOff);
  EXPECT_EQ(life.state(), State::kRetrying);
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kPrepare);
}

TEST(LifecycleTest, ReadsThePositionAtOnceAfterALostCommit) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  life.Resume(Prepared(Phase::kFollowing));
  EXPECT_EQ(life.Resume(Fault(Disposition::kInDoubt)), Action::kPrepare);
}

TEST(LifecycleTest, StaysHaltedUntilTheCauseIsGone) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  EXPECT_EQ(life.Resume(Fault(Disposition::kStop)), Action::kAwaitPerson);
  EXPECT_EQ(life.state(), State::kHalted);
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kPrepare) << "it looks again by itself";
  EXPECT_EQ(life.state(), State::kHalted);
  EXPECT_EQ(life.Resume(Fault(Disposition::kStop)), Action::kAwaitPerson);
  life.Resume(Of(Kind::kWakeUp));
  EXPECT_EQ(life.Resume(Prepared(Phase::kFollowing)), Action::kApply);
}

TEST(LifecycleTest, NeverRetriesABugByItself) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  life.Resume(Fault(Disposition::kBug));
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kAwaitPerson);
  EXPECT_EQ(life.state(), State::kHalted);
  EXPECT_EQ(life.Resume(Of(Kind::kResume)), Action::kPrepare);
}

TEST(LifecycleTest, StaysPausedThroughRestartsAndWakeUps) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  EXPECT_EQ(life.Resume(Prepared(Phase::kFollowing, true)), Action::kAwaitResume);
  EXPECT_EQ(life.state(), State::kPaused);
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kAwaitResume);
  EXPECT_EQ(life.Resume(Of(Kind::kResume)), Action::kPrepare);
  EXPECT_EQ(life.Resume(Prepared(Phase::kFollowing)), Action::kApply);
}

TEST(LifecycleTest, WaitsWhileAnotherDaemonOwnsTheStream) {
  Lifecycle life;
  life.Resume(Of(Kind::kStart));
  EXPECT_EQ(life.Resume(Of(Kind::kOwnedByOther)), Action::kAwaitOwner);
  EXPECT_EQ(life.state(), State::kRetrying);
  EXPECT_EQ(life.Resume(Of(Kind::kWakeUp)), Action::kPrepare);
}

// Whatever happens in whatever order: stop ends it, a stream that is cut over is never applied to,
// and nothing is applied before it was prepared.
TEST(LifecycleTest, NeverAppliesUnpreparedWhateverHappens) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    Lifecycle life;
    Action action = life.Resume(Of(Kind::kStart));
    bool prepared = false;
    for (int step = 0; step < 30; ++step) {
      Event event = Of(Kind::kWakeUp);
      switch (action) {
        case Action::kPrepare: {
          const auto pick = random() % 4;
          if (pick == 0) event = Fault(static_cast<Disposition>(random() % 5));
          if (pick == 1) event = Of(Kind::kOwnedByOther);
          if (pick >= 2) event = Prepared(static_cast<Phase>(random() % 4), random() % 4 == 0);
          break;
        }
        case Action::kCopy:
          event = random() % 3 == 0 ? Fault(Disposition::kRetry) : Of(Kind::kCopied);
          break;
        case Action::kApply:
          event = random() % 3 == 0   ? Fault(Disposition::kInDoubt)
                  : random() % 2 == 0 ? Of(Kind::kCaughtUp)
                                      : Of(Kind::kWindowApplied);
          break;
        case Action::kRelease:
          event = Of(Kind::kReleased);
          break;
        default:
          event = random() % 3 == 0   ? Of(Kind::kResume)
                  : random() % 3 == 0 ? Of(Kind::kPause)
                                      : event;
      }
      if (event.kind == Kind::kPrepared) prepared = event.phase != Phase::kCutOver;
      if (event.kind == Kind::kFault || event.kind == Kind::kOwnedByOther) prepared = false;
      action = life.Resume(event);
      if (action == Action::kApply || action == Action::kCopy || action == Action::kRelease) {
        ASSERT_TRUE(prepared) << "round " << round << " step " << step;
      }
    }
    EXPECT_EQ(life.Resume(Of(Kind::kStop)), Action::kEnd);
  }
}

TEST(BackoffTest, GrowsToHalfAMinuteAndStartsOverAfterSuccess) {
  Backoff backoff(1);
  std::chrono::milliseconds last{0};
  for (int i = 0; i < 20; ++i) {
    const auto delay = backoff.Next();
    EXPECT_GE(delay.count(), 125);
    EXPECT_LE(delay.count(), 30'000);
    last = delay;
  }
  EXPECT_GE(last.count(), 15'000);
  backoff.Reset();
  EXPECT_LE(backoff.Next().count(), 250);
}

}  // namespace
}  // namespace liteferry
