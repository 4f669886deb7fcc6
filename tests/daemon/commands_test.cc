// The commands that talk to a daemon, against a control socket that plays one.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/cli.h"
#include "daemon/commands/commands.h"
#include "daemon/control_socket.h"
#include "daemon/status_json.h"
#include "replication/source/capture.h"
#include "replication/source/catalog.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

class CommandsTest : public testing::Test {
 protected:
  // Plays a daemon. Each look at its status is the next of `reports`; the last stays.
  void StartDaemon(std::vector<StatusReport> reports) {
    reports_ = std::move(reports);
    socket_ = loop_.On([&] {
      return std::make_unique<ControlSocket>(
          loop_.io(), path_, 0600,
          ControlHandlers{[this] {
                            const std::string json = StatusJson(reports_.front());
                            if (reports_.size() > 1) reports_.erase(reports_.begin());
                            return json;
                          },
                          [this](bool) {
                            reports_ = {With(State::kFollowing), With(State::kPaused)};
                          },
                          [this](bool) {
                            reports_ = {With(State::kPaused), With(State::kFollowing)};
                          },
                          [](bool) {}});
    });
  }
  ~CommandsTest() override {
    loop_.On([&] { socket_.reset(); });
  }

  static StatusReport With(State state, bool lag = false) {
    StatusReport report = FollowingReport();
    report.status.state = state;
    if (!lag) {
      report.status.oldest_unapplied_at.reset();
      report.status.backlog_changes = 0;
    }
    return report;
  }

  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--socket", path_});
    std::ostringstream out;
    std::ostringstream err;
    Console console{out, err};
    const int code = RunCommandLine(arguments, Commands(), console);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  TempDir folder_;
  const std::string path_ = folder_ / "s.sock";
  std::vector<StatusReport> reports_;  // used on the loop only, once the daemon plays
  LoopThread loop_;
  std::unique_ptr<ControlSocket> socket_;
  std::string out_;
  std::string err_;
};

TEST_F(CommandsTest, StatusShowsWhatTheDaemonSays) {
  StartDaemon({FollowingReport()});
  EXPECT_EQ(Run({"status"}), 0);
  EXPECT_NE(out_.find("FOLLOWING"), std::string::npos);
  EXPECT_EQ(err_, "");
  EXPECT_EQ(Run({"status", "--json"}), 0);
  EXPECT_EQ(out_, StatusJson(FollowingReport()) + "\n");
}

TEST_F(CommandsTest, StatusCheckIsZeroOnlyWithinTheLimit) {
  StartDaemon({FollowingReport()});
  EXPECT_EQ(Run({"status", "--check"}), 0);
  EXPECT_EQ(Run({"status", "--check=400ms"}), 0);
  EXPECT_EQ(out_.find("OK: following"), 0U);
  EXPECT_EQ(Run({"status", "--check=399ms"}), 1);
  EXPECT_EQ(out_.find("CRITICAL: "), 0U);
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 1);
}

TEST_F(CommandsTest, StatusCheckFailsInOtherStates) {
  StatusReport inconsistent = With(State::kFollowing);
  inconsistent.status.consistent = false;
  StatusReport unknown = With(State::kFollowing);
  unknown.status.backlog_changes = 1;
  StartDaemon(
      {With(State::kHalted), With(State::kCopying), inconsistent, unknown, With(State::kCutOver)});
  for (const int expected : {1, 1, 1, 1, 0}) EXPECT_EQ(Run({"status", "--check"}), expected);
}

TEST_F(CommandsTest, StatusCheckFailsWithoutADaemon) {
  EXPECT_EQ(Run({"status", "--check"}), 1);
  EXPECT_EQ(out_, "CRITICAL: no daemon is running\n");
}

TEST_F(CommandsTest, WaitReturnsOnceTheLagIsGone) {
  StartDaemon({With(State::kCopying), With(State::kFollowing, true), With(State::kFollowing)});
  EXPECT_EQ(Run({"wait", "--timeout", "20s"}), 0) << err_;
  EXPECT_EQ(reports_.size(), 1U);
}

// The daemon says zero, but has not seen yet what the source holds.
TEST_F(CommandsTest, WaitForZeroCountsWhatTheSourceHolds) {
  const std::string source = folder_ / "app.db";
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(source.c_str(), &database), SQLITE_OK);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> close(database, sqlite3_close);
  ASSERT_EQ(
      sqlite3_exec(database, "CREATE TABLE t(id INTEGER PRIMARY KEY)", nullptr, nullptr, nullptr),
      SQLITE_OK);
  source::Database own(source, source::OpenMode::kReadWrite, std::chrono::seconds(5));
  source::Capture(own).Install(source::ReadCatalog(own).tables);
  ASSERT_EQ(sqlite3_exec(database,
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                         "2000) INSERT INTO t SELECT i FROM n",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  StartDaemon({With(State::kFollowing)});  // has applied up to 1000
  EXPECT_EQ(Run({"wait", "--source", source, "--timeout", "150ms"}), 75);
  EXPECT_EQ(Run({"wait", "--source", source, "--timeout", "150ms", "--lag", "1s"}), 0);
  StatusReport later = With(State::kFollowing);
  later.status.applied = 1'000'000;
  loop_.On([&] { reports_ = {With(State::kFollowing), later}; });
  EXPECT_EQ(Run({"wait", "--source", source, "--timeout", "20s"}), 0);
  EXPECT_EQ(reports_.size(), 1U);
}

TEST_F(CommandsTest, WaitAcceptsTheLagItIsGiven) {
  StartDaemon({FollowingReport()});
  EXPECT_EQ(Run({"wait", "--lag", "400ms"}), 0);
  EXPECT_EQ(Run({"wait", "--lag", "399ms", "--timeout", "150ms"}), 75);
  EXPECT_NE(err_.find("backlog 3"), std::string::npos);
}

TEST_F(CommandsTest, WaitGivesUpAtTheEndOfItsTime) {
  EXPECT_EQ(Run({"wait", "--timeout", "10ms"}), 75);
  EXPECT_NE(err_.find("no daemon is running"), std::string::npos);
  EXPECT_EQ(Run({"wait", "--timeout", "0"}), 75);
}

TEST_F(CommandsTest, WaitDoesNotWaitForAHaltedDaemon) {
  StatusReport halted = With(State::kHalted);
  halted.status.reason = "position 88 is older than the oldest kept change 412";
  halted.status.next_action = "Run something.";
  StartDaemon({halted});
  EXPECT_EQ(Run({"wait", "--timeout", "1h"}), 75);
  EXPECT_NE(err_.find("position 88"), std::string::npos);
  EXPECT_NE(err_.find("HINT: Run something."), std::string::npos);
}

TEST_F(CommandsTest, PauseAndResumeWaitForTheirEffect) {
  StartDaemon({With(State::kFollowing)});
  EXPECT_EQ(Run({"pause", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(out_)["state"], "paused");
  EXPECT_EQ(Run({"resume", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(out_)["state"], "following");
  EXPECT_EQ(Run({"pause", "-q"}), 0);
  EXPECT_EQ(out_ + err_, "");
}

TEST_F(CommandsTest, WithoutADaemonPauseSaysWhatToDo) {
  for (const char* command : {"pause", "resume"}) {
    EXPECT_EQ(Run({command}), 75);
    EXPECT_NE(err_.find("HINT: "), std::string::npos);
  }
}

TEST_F(CommandsTest, CleanupIsRefusedBesideADaemon) {
  StartDaemon({FollowingReport()});
  EXPECT_EQ(Run({"cleanup", "--source", folder_ / "app.db", "--target",
                 "postgresql://app@127.0.0.1:1/app"}),
            75);
  EXPECT_NE(err_.find("daemon is running"), std::string::npos);
}

TEST_F(CommandsTest, ControlNeedsToKnowTheSocket) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  EXPECT_EQ(RunCommandLine({"pause"}, Commands(), console), 78);
}

}  // namespace
}  // namespace liteferry::daemon
