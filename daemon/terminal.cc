#include "daemon/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace liteferry::daemon {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

// The first `columns` characters of UTF-8 text; every character counts as one column wide.
std::string_view Cut(std::string_view text, std::size_t columns) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (starts_character && ++count > columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace

void Terminal::WriteLine(std::string_view line) {
  const std::lock_guard lock(mutex_);
  std::string text;
  if (!status_.empty()) text += kClearLine;
  text += line;
  text += '\n';
  text += status_;
  Write(text);
}

void Terminal::SetStatus(std::string_view line) {
  if (!is_terminal_) return;
  const std::lock_guard lock(mutex_);
  line = Cut(line, SizeOfTerminal(fd_).columns - 1);
  if (line == status_) return;
  status_ = line;
  Write(std::string(kClearLine) + status_);
}

void Terminal::Write(const std::string& text) const {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(fd_, text.data() + done, text.size() - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {
      // Someone made the terminal non-blocking. Wait a little, then rather lose a line than the
      // loop.
      pollfd ready{fd_, POLLOUT, 0};
      if (::poll(&ready, 1, 1000) <= 0) return;
    } else if (errno != EINTR) {
      return;
    }
  }
}

std::string Printable(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  return result;
}

bool IsTerminal(int fd) {
  const char* term = std::getenv("TERM");
  return isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

TerminalSize SizeOfTerminal(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_row, size.ws_col};
}

bool WantsColor(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  return IsTerminal(fd) && (no_color == nullptr || *no_color == '\0');
}

}  // namespace liteferry::daemon
