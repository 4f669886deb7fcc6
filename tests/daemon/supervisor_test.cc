#include "daemon/supervisor.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/un.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <sstream>

#include "daemon/control_client.h"
#include "replication/base/log.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

// An engine that does nothing but remember; it stops when asked, if `obedient`.
class FakeEngine final : public ReplicationPort {
 public:
  void Start() override { started = true; }
  void RequestStop() noexcept override {
    stop_requested = true;
    if (obedient) stopped = true;
  }
  void Abandon() noexcept override { stopped = true; }
  bool Stopped() const noexcept override { return stopped; }
  EngineStatus Status() const override { return board.Read(); }
  void Pause(bool) override { ++pauses; }
  void Resume(bool) override { ++resumes; }
  void CutOver() override {}
  void AbortCutover() override {}

  StatusBoard board;
  std::atomic<bool> obedient = true;
  std::atomic<bool> started = false;
  std::atomic<bool> stop_requested = false;
  std::atomic<bool> stopped = false;
  std::atomic<int> pauses = 0;
  std::atomic<int> resumes = 0;
};

// Receives what the notifier sends.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  // All datagrams that are there, joined by line feeds.
  std::string Received() const {
    std::string text;
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got < 0) return text;
      text.append(buffer, static_cast<std::size_t>(got));
      text += '\n';
    }
  }

 private:
  UniqueFd fd_;
};

TEST(SystemdNotifierTest, SendsToAPathAndToAnAbstractName) {
  TempDir folder;
  for (const std::string& path :
       {folder / "notify", "@liteferry-test-" + std::to_string(getpid())}) {
    const NotifySocket socket(path);
    const SystemdNotifier notifier(path);
    notifier.Notify("READY=1");
    notifier.Status("two\nlines");
    EXPECT_EQ(socket.Received(), "READY=1\nSTATUS=two?lines\n");
  }
}

TEST(SystemdNotifierTest, IsSilentWhereNobodyListens) {
  TempDir folder;
  SystemdNotifier("").Notify("READY=1");
  SystemdNotifier(folder / "none").Notify("READY=1");
  SystemdNotifier("/" + std::string(300, 'x')).Notify("READY=1");
}

TEST(SystemdNotifierTest, WatchesOnlyTheProcessThatIsMeant) {
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(SystemdNotifier::FromEnvironment().watchdog(), std::chrono::seconds(30));
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_TRUE(SystemdNotifier::FromEnvironment().watchdog());
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(SystemdNotifier::FromEnvironment().watchdog());
  unsetenv("WATCHDOG_PID");
  unsetenv("WATCHDOG_USEC");
}

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    settings_.source.path = folder_ / "app.db";
    settings_.http.listen = "127.0.0.1:0";
  }

  std::unique_ptr<Supervisor> Make(const std::string& notify_path = "") {
    log_ = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_text_));
    return std::make_unique<Supervisor>(settings_, engine_, probe_, log_, terminal_,
                                        SystemdNotifier(notify_path));
  }

  // Runs it beside `act`, which must make it end.
  template <typename Act>
  ExitCode RunWhile(Supervisor& supervisor, Act act) {
    std::jthread other([&] {
      const Deadline deadline = Deadline::In(kTestPatience);
      while (!engine_.started && !deadline.Passed()) std::this_thread::yield();
      act();
    });
    return supervisor.Run();
  }

  std::optional<std::string> Ask(std::string_view command) {
    return AskDaemon(config::SocketPath(settings_), command, Deadline::In(kTestPatience), never_);
  }

  TempDir folder_;
  config::Settings settings_;
  FakeEngine engine_;
  metrics::EngineProbe probe_;
  Terminal terminal_{-1, false};
  std::ostringstream log_text_;
  std::shared_ptr<spdlog::logger> log_;
  SignalEvent never_;
};

TEST_F(SupervisorTest, ASignalEndsItWithZero) {
  for (const int signal : {SIGTERM, SIGINT}) {
    engine_.stopped = false;
    engine_.started = false;
    auto supervisor = Make();
    EXPECT_EQ(RunWhile(*supervisor, [&] { kill(getpid(), signal); }), ExitCode::kOk);
    EXPECT_TRUE(engine_.stop_requested);
    EXPECT_NE(log_text_.str().find("event=stopping"), std::string::npos);
    supervisor.reset();
    EXPECT_FALSE(std::filesystem::exists(config::SocketPath(settings_)));
  }
}

TEST_F(SupervisorTest, WaitsForTheBatchToBeFinished) {
  engine_.obedient = false;
  auto supervisor = Make();
  EXPECT_EQ(RunWhile(*supervisor,
                     [&] {
                       kill(getpid(), SIGTERM);
                       const Deadline deadline = Deadline::In(kTestPatience);
                       while (!engine_.stop_requested && !deadline.Passed()) {
                         std::this_thread::yield();
                       }
                       EXPECT_TRUE(Ask("ping"));  // still there while the engine works
                       engine_.stopped = true;
                     }),
            ExitCode::kOk);
}

TEST_F(SupervisorTest, TheSecondSignalEndsItAtOnce) {
  EXPECT_EXIT(
      {
        engine_.obedient = false;
        auto supervisor = Make();
        RunWhile(*supervisor, [&] {
          kill(getpid(), SIGTERM);
          while (!engine_.stop_requested) std::this_thread::yield();
          kill(getpid(), SIGTERM);
        });
      },
      testing::ExitedWithCode(128 + SIGTERM), "");
}

TEST_F(SupervisorTest, AnEngineThatEndsByItselfIsABug) {
  auto supervisor = Make();
  EXPECT_EQ(RunWhile(*supervisor, [&] { engine_.stopped = true; }), ExitCode::kBug);
  EXPECT_NE(log_text_.str().find("event=engine_ended"), std::string::npos);
}

TEST_F(SupervisorTest, CommandsReachTheEngine) {
  auto supervisor = Make();
  engine_.board.Update([](EngineStatus& status) { status = FollowingReport().status; });
  RunWhile(*supervisor, [&] {
    Ask("pause");
    Ask("resume");
    EXPECT_NE(Ask("status")->find("\"state\":\"following\""), std::string::npos);
    kill(getpid(), SIGTERM);
  });
  EXPECT_EQ(engine_.pauses, 1);
  EXPECT_EQ(engine_.resumes, 1);
}

TEST_F(SupervisorTest, TellsSystemdAndLogsTheState) {
  const NotifySocket socket(folder_ / "notify");
  auto supervisor = Make(folder_ / "notify");
  engine_.board.Update([](EngineStatus& status) {
    status = FollowingReport().status;
    status.reason = "two words";
  });
  RunWhile(*supervisor, [&] {
    Ask("ping");  // the loop runs, so that the first look is over
    kill(getpid(), SIGTERM);
  });
  const std::string told = socket.Received();
  EXPECT_EQ(told.find("READY=1\n"), 0U);
  EXPECT_NE(told.find("STATUS=following"), std::string::npos) << told;
  EXPECT_NE(told.find("STOPPING=1"), std::string::npos);
  EXPECT_NE(log_text_.str().find("reason=\"two words\""), std::string::npos) << log_text_.str();
  EXPECT_NE(log_text_.str().find("event=progress state=following"), std::string::npos);
}

TEST_F(SupervisorTest, ASecondDaemonIsRefused) {
  auto first = Make();
  std::jthread serving([&] { first->Run(); });
  try {
    Make();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kTryAgain);
  }
  engine_.stopped = true;
}

TEST_F(SupervisorTest, ATakenHttpPortIsRefusedAndLeavesNoSocket) {
  auto first = Make();
  settings_.http.listen = "127.0.0.1:" + std::to_string(first->http_port());
  settings_.source.path = folder_ / "other.db";
  try {
    Make();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kIo);
  }
  EXPECT_FALSE(std::filesystem::exists(config::SocketPath(settings_)));
}

}  // namespace
}  // namespace liteferry::daemon
