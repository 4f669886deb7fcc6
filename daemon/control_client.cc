#include "daemon/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "daemon/unix_socket.h"
#include "replication/base/error.h"

namespace liteferry::daemon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestAnswer = std::size_t{64} << 20;

Error NoAnswer(const std::string& why) {
  return Error(Disposition::kRetry, Component::kControl, "the daemon did not answer: " + why)
      .Hint("Look at the daemon's log; try again.")
      .Exit(ExitCode::kTryAgain);
}

// Waits until `fd` is ready for `events`; throws when the deadline passes first.
void Await(int fd, short events, Deadline deadline, const SignalEvent& stop) {
  if (WaitFor(fd, events, stop, nullptr, deadline) != 0) return;
  if (stop.IsSet() || deadline.Passed()) throw NoAnswer("time is up");
}

void Send(int fd, std::string_view text, Deadline deadline, const SignalEvent& stop) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      Await(fd, POLLOUT, deadline, stop);
    } else if (errno != EINTR) {
      throw NoAnswer("the connection broke");
    }
  }
}

std::string ReceiveLine(int fd, Deadline deadline, const SignalEvent& stop) {
  std::string text;
  char buffer[16 * 1024];
  while (text.size() < kLongestAnswer) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
      if (text.back() == '\n') return text;
    } else if (got == 0) {
      throw NoAnswer("it closed the connection");
    } else if (errno == EAGAIN) {
      Await(fd, POLLIN, deadline, stop);
    } else if (errno != EINTR) {
      throw NoAnswer("the connection broke");
    }
  }
  throw NoAnswer("the answer has no end");
}

template <typename T>
T Field(const Json& answer, const char* name, T fallback) {
  try {
    return answer.value(name, fallback);
  } catch (const Json::exception&) {
    return fallback;
  }
}

}  // namespace

std::optional<std::string> AskDaemon(const std::string& socket_path, std::string_view command,
                                     Deadline deadline, const SignalEvent& stop) {
  const UniqueFd fd = ConnectUnix(socket_path, deadline, stop);
  if (!fd.valid()) return std::nullopt;
  Send(fd.get(), Json{{"command", command}}.dump() + "\n", deadline, stop);
  const Json answer = Json::parse(ReceiveLine(fd.get(), deadline, stop), nullptr, false);
  if (!answer.is_object()) throw NoAnswer("what it said is not JSON");
  if (Field(answer, "ok", false)) return answer.value("result", Json::object()).dump();
  throw Error(Disposition::kStop, Component::kControl,
              Field(answer, "error", std::string("the daemon refused")))
      .Hint(Field(answer, "hint", std::string()))
      .Exit(static_cast<ExitCode>(Field(answer, "exit_code", static_cast<int>(ExitCode::kBug))));
}

std::string AskRunningDaemon(const std::string& socket_path, std::string_view command,
                             Deadline deadline, const SignalEvent& stop) {
  if (auto result = AskDaemon(socket_path, command, deadline, stop)) return *result;
  throw Error(Disposition::kRetry, Component::kControl, "no daemon is running at " + socket_path)
      .Hint("Start it with 'liteferry run', or give its socket with --socket.")
      .Exit(ExitCode::kTryAgain);
}

}  // namespace liteferry::daemon
