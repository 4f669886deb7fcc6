#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include "daemon/status_report.h"
#include "replication/base/deadline.h"
#include "replication/base/unique_fd.h"

namespace liteferry::daemon {

// A folder with a short path, for unix sockets; removed at the end.
class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/lf-test-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// An io_context on a thread of its own. What lives on it is made and destroyed with On().
class LoopThread {
 public:
  ~LoopThread() {
    work_.reset();
    io_.stop();
  }
  boost::asio::io_context& io() { return io_; }
  // Runs `task` on the loop and waits for it; exceptions come through.
  template <typename Task>
  auto On(Task task) {
    std::packaged_task<decltype(task())()> packaged(std::move(task));
    auto result = packaged.get_future();
    boost::asio::post(io_, [&packaged] { packaged(); });
    return result.get();
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::jthread thread_{[this] { io_.run(); }};
};

inline constexpr std::chrono::seconds kTestPatience(20);

inline void SendAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      if (errno != EAGAIN) return;
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, 1000);
      continue;
    }
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Reads until `enough` says so or the other side closes; "" and more when it takes too long.
template <typename Enough>
std::string ReceiveUntil(int fd, Enough enough) {
  std::string text;
  const Deadline deadline = Deadline::In(kTestPatience);
  while (!enough(text)) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(deadline.Remaining().count())) <= 0) {
      ADD_FAILURE() << "no answer in time; so far: " << text;
      break;
    }
    char buffer[4096];
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

inline std::string ReceiveLine(int fd) {
  return ReceiveUntil(fd, [](const std::string& text) { return text.ends_with('\n'); });
}
inline std::string ReceiveAll(int fd) {
  return ReceiveUntil(fd, [](const std::string&) { return false; });
}

inline std::chrono::system_clock::time_point At(std::int64_t milliseconds) {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(milliseconds));
}

// A daemon that follows with three changes to apply, the oldest 400 ms old.
inline StatusReport FollowingReport() {
  StatusReport report;
  report.now = At(1'800'000'000'000);
  report.version = "0.1.0";
  report.pid = 4711;
  report.started_at = At(1'799'999'000'000);
  report.log_limit_bytes = 512 << 20;
  EngineStatus& status = report.status;
  status.state = State::kFollowing;
  status.since = At(1'799'999'500'000);
  status.consistent = true;
  status.position_known = true;
  status.captured = 1003;
  status.applied = 1000;
  status.confirmed = 1000;
  status.oldest_kept = 1;
  status.backlog_changes = 3;
  status.oldest_unapplied_at = report.now - std::chrono::milliseconds(400);
  status.tables = {{"notes", 100, 100, 37, 0, true, true, ""},
                   {"tags", 5, 5, 2, 0, true, true, ""}};
  status.source = {true, "/data/app.db", "wal", 1 << 20, 4096, 8192};
  status.target = {true, "17.2", "app", "app", false, "orders-rw:5432/app"};
  status.cutover.planned_at = report.now - std::chrono::seconds(20);
  status.cutover.planned = {{"foreign keys", true, "2 held, no row refers to none", ""},
                            {"sequences", true, "3 to be set", ""},
                            {"durability", true, "commits are kept", ""},
                            {"privileges", true, "sufficient", ""}};
  status.cutover.estimated_pause_seconds = 0.05;
  return report;
}

// Bytes that break what is careless: quotes, escapes, control characters, broken UTF-8.
inline std::string HostileText(std::mt19937& random, std::size_t longest) {
  static constexpr char kBytes[] =
      "ab =\"\\\n\r\t\0\x01\x1b\x7f{}[],:#'event=x \xc3\xa9\xff\xc3\xed\xa0\x80";
  std::string text;
  const std::size_t length = random() % (longest + 1);
  while (text.size() < length) text += kBytes[random() % (sizeof kBytes - 1)];
  return text;
}

// The seed of a random test, printed so that a failure can be repeated (LITEFERRY_TEST_SEED).
inline std::uint32_t TestSeed() {
  const char* given = std::getenv("LITEFERRY_TEST_SEED");
  const std::uint32_t seed = given != nullptr
                                 ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10))
                                 : std::random_device()();
  std::cout << "seed " << seed << "\n";
  return seed;
}

}  // namespace liteferry::daemon
