#include "daemon/control_socket.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/control_client.h"
#include "daemon/control_protocol.h"
#include "daemon/unix_socket.h"
#include "replication/base/error.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

using nlohmann::json;

class ControlSocketTest : public testing::Test {
 protected:
  ControlHandlers Handlers() {
    return {[] { return std::string(R"({"state":"following"})"); },
            [this](bool release) { release ? ++releases_ : ++pauses_; },
            [](bool) {
              throw Error(Disposition::kStop, Component::kControl, "not now")
                  .Hint("Wait.")
                  .Exit(ExitCode::kTryAgain);
            },
            [](bool) {}};
  }
  std::unique_ptr<ControlSocket> Open(std::uint32_t mode = 0600) {
    return loop_.On(
        [&] { return std::make_unique<ControlSocket>(loop_.io(), path_, mode, Handlers()); });
  }
  void Close(std::unique_ptr<ControlSocket>& socket) {
    loop_.On([&] { socket.reset(); });
  }
  UniqueFd Connect() const { return ConnectUnix(path_, Deadline::In(kTestPatience), never_); }
  std::string Ask(const std::string& line) const {
    const UniqueFd fd = Connect();
    SendAll(fd.get(), line + "\n");
    return ReceiveLine(fd.get());
  }
  std::optional<std::string> AskFor(std::string_view command) const {
    return AskDaemon(path_, command, Deadline::In(kTestPatience), never_);
  }

  TempDir folder_;
  std::string path_ = folder_ / "s.sock";
  SignalEvent never_;
  int pauses_ = 0;
  int releases_ = 0;
  LoopThread loop_;
};

TEST_F(ControlSocketTest, AnswersEveryCommand) {
  auto socket = Open();
  EXPECT_EQ(json::parse(*AskFor("ping"))["pid"], getpid());
  EXPECT_EQ(json::parse(*AskFor("status"))["state"], "following");
  EXPECT_EQ(json::parse(*AskFor("version"))["version"], LITEFERRY_VERSION);
  EXPECT_TRUE(AskFor("pause"));
  EXPECT_TRUE(AskFor("pause-release"));
  EXPECT_EQ(pauses_, 1);
  EXPECT_EQ(releases_, 1);
  Close(socket);
}

TEST_F(ControlSocketTest, AnErrorOfTheDaemonArrivesWhole) {
  auto socket = Open();
  try {
    AskFor("resume");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "not now");
    EXPECT_EQ(error.hint(), "Wait.");
    EXPECT_EQ(error.exit_code(), ExitCode::kTryAgain);
  }
  Close(socket);
}

TEST_F(ControlSocketTest, WhatIsNoRequestIsRefusedAndTheClientMayGoOn) {
  auto socket = Open();
  const UniqueFd fd = Connect();
  for (const char* line : {"", "hello", "{", "[]", "null", "{}", R"({"command":7})",
                           R"({"command":"no such"})", "{\"command\":\"\xff\"}", "\"status\""}) {
    SendAll(fd.get(), std::string(line) + "\n");
    const json answer = json::parse(ReceiveLine(fd.get()));
    EXPECT_EQ(answer["ok"], false) << line;
    EXPECT_EQ(answer["exit_code"], 64) << line;
    EXPECT_FALSE(answer["error"].get<std::string>().empty());
  }
  SendAll(fd.get(), "{\"command\":\"ping\",\"later\":true}\n");
  EXPECT_EQ(json::parse(ReceiveLine(fd.get()))["ok"], true);
  Close(socket);
}

TEST_F(ControlSocketTest, AHugeLineIsCutOff) {
  auto socket = Open();
  const UniqueFd fd = Connect();
  SendAll(fd.get(), std::string(200'000, 'x'));
  const std::string text = ReceiveAll(fd.get());
  EXPECT_EQ(json::parse(text)["ok"], false);
  EXPECT_TRUE(AskFor("ping"));  // others are served
  Close(socket);
}

TEST_F(ControlSocketTest, RequestsInPiecesAndInOnePacketAreBothAnswered) {
  auto socket = Open();
  const UniqueFd fd = Connect();
  for (const char c : std::string_view("{\"command\":\"ping\"}\n")) SendAll(fd.get(), {&c, 1});
  EXPECT_EQ(json::parse(ReceiveLine(fd.get()))["ok"], true);
  SendAll(fd.get(), "{\"command\":\"ping\"}\n{\"command\":\"version\"}\n");
  const std::string two = ReceiveUntil(fd.get(), [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n') == 2;
  });
  EXPECT_NE(two.find("version"), std::string::npos);
  Close(socket);
}

TEST_F(ControlSocketTest, TwoClientsAreServedSideBySide) {
  auto socket = Open();
  const UniqueFd silent = Connect();
  SendAll(silent.get(), "{\"comm");
  EXPECT_TRUE(AskFor("ping"));
  SendAll(silent.get(), "and\":\"ping\"}\n");
  EXPECT_EQ(json::parse(ReceiveLine(silent.get()))["ok"], true);
  Close(socket);
}

TEST_F(ControlSocketTest, TooManyClientsAreTurnedAwayAndTheOthersStay) {
  auto socket = Open();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(Connect());
    SendAll(clients.back().get(), "{\"command\":\"ping\"}\n");
    ASSERT_NE(ReceiveLine(clients.back().get()), "");
  }
  const UniqueFd one_more = Connect();
  EXPECT_EQ(ReceiveAll(one_more.get()), "");
  SendAll(clients[0].get(), "{\"command\":\"ping\"}\n");
  EXPECT_NE(ReceiveLine(clients[0].get()), "");
  Close(socket);
}

TEST_F(ControlSocketTest, HasItsModeWhateverTheUmaskAndIsRemovedAtTheEnd) {
  const mode_t old = umask(0);
  for (const std::uint32_t mode : {0600U, 0660U}) {
    auto socket = Open(mode);
    struct stat found {};
    ASSERT_EQ(stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, mode);
    Close(socket);
    EXPECT_NE(stat(path_.c_str(), &found), 0);
  }
  umask(old);
}

TEST_F(ControlSocketTest, ALiveDaemonIsNotReplaced) {
  auto socket = Open();
  try {
    Open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kTryAgain);
    EXPECT_NE(error.message().find("pid " + std::to_string(getpid())), std::string::npos);
  }
  EXPECT_TRUE(AskFor("ping"));
  Close(socket);
}

TEST_F(ControlSocketTest, TheFileOfADeadDaemonIsReplaced) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(dead.get(), 1), 0);
  }
  EXPECT_FALSE(AskFor("ping"));
  auto socket = Open();
  EXPECT_TRUE(AskFor("ping"));
  Close(socket);
}

TEST_F(ControlSocketTest, AnotherKindOfFileIsLeftAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_THROW(Open(), Error);
  std::string content;
  std::ifstream(path_) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(ControlSocketTest, TheFileOfASuccessorIsNotRemoved) {
  auto first = Open();
  std::filesystem::remove(path_);
  auto second = Open();
  Close(first);
  EXPECT_TRUE(AskFor("ping"));
  Close(second);
}

TEST_F(ControlSocketTest, OfManyThatStartTogetherOneWins) {
  std::atomic<int> won = 0;
  {
    std::vector<std::jthread> threads;
    std::vector<UniqueFd> listening(8);
    for (UniqueFd& fd : listening) {
      threads.emplace_back([&] {
        try {
          fd = ListenUnix(path_, 0600, Deadline::In(kTestPatience), never_);
          ++won;
        } catch (const Error& error) {
          EXPECT_EQ(error.exit_code(), ExitCode::kTryAgain);
        }
      });
    }
    threads.clear();
  }
  EXPECT_EQ(won, 1);
}

TEST_F(ControlSocketTest, ATooLongPathSaysWhatToSet) {
  path_ = folder_ / std::string(120, 'x');
  try {
    Open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kConfig);
    EXPECT_NE(error.hint().find("socket.path"), std::string::npos);
  }
  EXPECT_THROW(AskFor("ping"), Error);
}

TEST_F(ControlSocketTest, NoDaemonIsNotAnErrorUnlessOneIsNeeded) {
  EXPECT_FALSE(AskFor("status"));
  try {
    AskRunningDaemon(path_, "pause", Deadline::In(kTestPatience), never_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kTryAgain);
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST_F(ControlSocketTest, ADaemonThatDoesNotAnswerIsGivenUp) {
  const UniqueFd deaf = ListenUnix(path_, 0600, Deadline::In(kTestPatience), never_);
  try {
    AskDaemon(path_, "status", Deadline::In(std::chrono::milliseconds(30)), never_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kTryAgain);
  }
}

TEST(ControlProtocolTest, AnyLineGetsOneLineOfJson) {
  std::mt19937 random(TestSeed());
  const ControlHandlers handlers = {[] { return std::string("{}"); }, [](bool) {}, [](bool) {},
                                    [](bool) {}};
  for (int i = 0; i < 3000; ++i) {
    std::string line = HostileText(random, 40);
    if (random() % 2 == 0) line = "{\"command\":\"" + line + "\"}";
    const std::string answer = AnswerControlRequest(line, handlers);
    ASSERT_TRUE(json::accept(answer)) << answer;
    ASSERT_EQ(answer.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace liteferry::daemon
