#include "daemon/stop_signal.h"

#include <atomic>
#include <csignal>

namespace liteferry::daemon {
namespace {

std::atomic<SignalEvent*> active_event{nullptr};
std::atomic<int> received_signal{0};

extern "C" void OnStopSignal(int signal) {
  received_signal.store(signal);
  if (SignalEvent* event = active_event.load()) event->Set();
}

void Handle(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() {
  received_signal.store(0);
  active_event.store(&event_);
  Handle(OnStopSignal);
}

StopSignal::~StopSignal() {
  Handle(SIG_DFL);
  active_event.store(nullptr);
  const int signal = received_signal.load();
  if (signal != 0 && !accepted_) std::raise(signal);
}

}  // namespace liteferry::daemon
