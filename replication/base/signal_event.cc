#include "replication/base/signal_event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>

#include "replication/base/error.h"

namespace liteferry {

SignalEvent::SignalEvent() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  Require(fd_.valid(), "cannot create an eventfd: no file descriptor left");
}

void SignalEvent::Set() noexcept {
  set_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  // A full counter already is readable, so a failed write loses nothing.
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof(one));
}

void SignalEvent::Clear() noexcept {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto read = ::read(fd_.get(), &ignored, sizeof(ignored));
  set_.store(false, std::memory_order_release);
}

short WaitFor(int fd, short events, const SignalEvent& stop, const SignalEvent* wake,
              Deadline deadline) {
  std::array<pollfd, 3> fds{};
  fds[0] = {fd, events, 0};
  fds[1] = {stop.fd(), POLLIN, 0};
  fds[2] = {wake != nullptr ? wake->fd() : -1, POLLIN, 0};
  for (;;) {
    const std::chrono::nanoseconds left = deadline.RemainingExactly();
    timespec time{};
    time.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
    time.tv_nsec = (left % std::chrono::seconds(1)).count();
    const int ready = ::ppoll(fds.data(), fds.size(), &time, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) {
      throw Error(Disposition::kBug, Component::kControl, "poll failed on descriptor");
    }
    return fds[0].revents;
  }
}

}  // namespace liteferry
