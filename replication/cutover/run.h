#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "replication/base/error.h"
#include "replication/session.h"

namespace liteferry::cutover {

// The steps of a cutover, and of going back. Functions of the engine thread over the session's
// connections; those that write to the source open one of their own for the time. docs/CUTOVER.md
// says what a crash after each step leads to.

// What was asked for was not begun: a condition of it does not hold.
class Refused : public Error {
 public:
  explicit Refused(Error&& error) : Error(std::move(error)) {}
};

using Step = std::function<void(const std::string& what)>;

// Gates, then what needs no lock, then under the source's write lock: drain, compare what was
// written since the last comparison, put back constraints and sequences and commit the target with
// the phase cut_over, commit the fence. Returns how long writers waited. Throws Refused where a
// gate is shut, Error otherwise: then the source is as it was; whether the target was committed
// Prepare finds out.
std::chrono::milliseconds CutOver(EngineContext& context, Session& session, const Step& step);

// After the fence: validates the foreign keys; without a lock that the application would notice.
// Returns what could not be put back. Throws Error for faults that time heals.
std::vector<std::string> Finish(EngineContext& context, Session& session);

// Brings a pair of sides that a crash has left where it belongs (decision.h). True when the stream
// is cut over and fenced; false when it is followed. The stream must be this daemon's.
bool StaysCutOver(EngineContext& context, Session& session);

// Puts back what a rebuild of a table took of the fence.
void GuardFence(EngineContext& context, Session& session);

// From cut_over to following. Throws Refused (65) when somebody else wrote to the target since.
void GoBack(EngineContext& context, Session& session, const Step& step);

}  // namespace liteferry::cutover
