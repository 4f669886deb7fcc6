#include "replication/cutover/gate_watch.h"

#include <algorithm>

#include "replication/base/error.h"
#include "replication/base/log.h"
#include "replication/cutover/gates.h"

namespace liteferry::cutover {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kRest = std::chrono::minutes(1);
constexpr int kShare = 50;
constexpr std::chrono::seconds kUntilFollowing{1};

}  // namespace

GateWatch::GateWatch(EngineContext& context) : context_(context), thread_([this] { Run(); }) {}

GateWatch::~GateWatch() {
  stop_.Set();
  thread_.join();
}

void GateWatch::Run() {
  while (!stop_.IsSet()) {
    const bool following = context_.board.Read().state == State::kFollowing;
    const milliseconds rest = following ? Look() : kUntilFollowing;
    WaitFor(-1, 0, stop_, nullptr, Deadline::In(rest));
  }
}

milliseconds GateWatch::Look() {
  const Clock::time_point start = Clock::now();
  try {
    const Plan plan = MakePlan(context_.settings, stop_);
    context_.board.Update([&](EngineStatus& status) {
      status.cutover.planned_at = std::chrono::system_clock::now();
      status.cutover.planned = plan.gates;
      status.cutover.estimated_pause_seconds =
          std::chrono::duration<double>(plan.estimated_pause).count();
    });
  } catch (const std::exception& error) {
    const auto* ours = dynamic_cast<const Error*>(&error);
    if (!stop_.IsSet()) {
      context_.log->warn("event=gates_not_read reason=\"{}\"",
                         ours != nullptr ? ours->message() : error.what());
    }
  }
  return std::max(kRest, std::chrono::ceil<milliseconds>(kShare * (Clock::now() - start)));
}

}  // namespace liteferry::cutover
