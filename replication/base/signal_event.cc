#include "replication/base/signal_event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

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
    const int ready =
        ::poll(fds.data(), fds.size(), static_cast<int>(deadline.Remaining().count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) {
      throw Error(Disposition::kBug, Component::kControl, "poll failed on descriptor");
    }
    return fds[0].revents;
  }
}

}  // namespace liteferry
