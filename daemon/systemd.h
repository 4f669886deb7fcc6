#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace liteferry::daemon {

// Tells systemd (or who else reads NOTIFY_SOCKET) how the daemon is. Without that variable it does
// nothing. Never blocks and never fails: a message that cannot be sent is lost. Not thread-safe.
class SystemdNotifier {
 public:
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  static SystemdNotifier FromEnvironment();
  // `socket_path` as in NOTIFY_SOCKET: a path, or an abstract name after '@'; "" for none.
  explicit SystemdNotifier(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // `state` is lines like READY=1.
  void Notify(std::string_view state) const;
  // STATUS=, with what would end the line replaced.
  void Status(std::string_view text) const;
  // How often WATCHDOG=1 must come; nothing when nobody watches this process.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  std::string socket_path_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace liteferry::daemon
