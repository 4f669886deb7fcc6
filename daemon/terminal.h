#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace liteferry::daemon {

// Lines on a terminal or a file, with one status line that stays at the bottom of a terminal. What
// is not a terminal never sees the status line nor an escape sequence. Thread-safety: every method
// from any thread. Does not own `fd`.
class Terminal {
 public:
  Terminal(int fd, bool is_terminal) : fd_(fd), is_terminal_(is_terminal) {}
  ~Terminal() { SetStatus(""); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool is_terminal() const { return is_terminal_; }
  // Writes `line`, without its line feed, above the status line.
  void WriteLine(std::string_view line);
  // Replaces the status line, "" for none; cut to the width of the terminal.
  void SetStatus(std::string_view line);

 private:
  void Write(const std::string& text) const;

  const int fd_;
  const bool is_terminal_;
  std::mutex mutex_;
  std::string status_;  // guarded by mutex_
};

// Replaces control characters by '?', so that a table's name cannot steer a terminal.
std::string Printable(std::string_view text);

// Standard error or output is a terminal where escape sequences are welcome.
bool IsTerminal(int fd);
struct TerminalSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};
// Its size; 80 times 24 when it does not say.
TerminalSize SizeOfTerminal(int fd);
// And colours too: NO_COLOR is not set.
bool WantsColor(int fd);

}  // namespace liteferry::daemon
