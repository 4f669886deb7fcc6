#include "replication/source/watcher.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "tests/replication/source/capture_bench.h"

namespace liteferry::source {
namespace {

using liteferry::testing::AppDatabase;
using liteferry::testing::TempDir;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Long enough that a test which reaches it has failed.
constexpr seconds kPatience{30};
// So long that what is noticed within a test was noticed by inotify.
constexpr milliseconds kNoPoll = std::chrono::hours(1);

class Seen {
 public:
  Watcher::Callback Callback() {
    return [this](const Observation& observation) {
      const std::lock_guard lock(mutex_);
      last_ = observation;
      ++calls_;
      changed_.notify_all();
    };
  }
  template <typename Condition>
  bool Until(const Condition& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return calls_ > 0 && condition(last_); });
  }
  bool UntilCaptured(Seq seq) {
    return Until([&](const Observation& o) { return o.source_up && o.captured == seq; });
  }
  Observation Last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  int calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Observation last_;
  int calls_ = 0;
};

void MakeCaptured(const std::string& path, std::string_view mode) {
  AppDatabase(path, mode).Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  Database ours(path, OpenMode::kReadWrite, seconds(5));
  Capture(ours).Install(ReadCatalog(ours).tables);
}

class WatcherMode : public ::testing::TestWithParam<const char*> {
 protected:
  TempDir dir_;
  const std::string path_ = dir_.Path("app.db");
};

TEST_P(WatcherMode, NoticesEveryCommitWithoutPolling) {
  MakeCaptured(path_, GetParam());
  Seen seen;
  const Watcher watcher(path_, kNoPoll, seen.Callback());
  ASSERT_TRUE(seen.UntilCaptured(1));
  AppDatabase app(path_, "");
  for (int i = 1; i <= 5; ++i) {
    app.Run("INSERT INTO t(v) VALUES(1)");
    ASSERT_TRUE(seen.UntilCaptured(1 + i)) << i;
  }
  EXPECT_EQ(seen.Last().oldest_kept, 1);
  EXPECT_GT(seen.Last().size_bytes, 0U);
}

TEST_P(WatcherMode, NoticesByPollingWhatIsWrittenElsewhere) {
  MakeCaptured(path_, GetParam());
  Seen seen;
  // The name is a link in another folder, and that folder is not the one that is written.
  const std::string link = dir_.Path("link.db");
  std::filesystem::create_symlink(path_, link);
  const Watcher watcher(link, milliseconds(20), seen.Callback());
  ASSERT_TRUE(seen.UntilCaptured(1));
  AppDatabase(path_, "").Run("INSERT INTO t(v) VALUES(1)");
  EXPECT_TRUE(seen.UntilCaptured(2));
}

TEST_P(WatcherMode, SurvivesAReplacedFile) {
  MakeCaptured(path_, GetParam());
  Seen seen;
  const Watcher watcher(path_, milliseconds(50), seen.Callback());
  ASSERT_TRUE(seen.UntilCaptured(1));
  const std::string other = dir_.Path("other.db");
  MakeCaptured(other, "delete");
  AppDatabase(other, "").Run("INSERT INTO t(v) VALUES(1),(2),(3)");
  std::filesystem::remove(path_ + "-wal");
  std::filesystem::remove(path_ + "-shm");
  std::filesystem::rename(other, path_);
  EXPECT_TRUE(seen.UntilCaptured(4));
  AppDatabase(path_, "").Run("INSERT INTO t(v) VALUES(4)");
  EXPECT_TRUE(seen.UntilCaptured(5));
}

TEST_P(WatcherMode, SaysWhyTheSourceIsDownAndComesBack) {
  Seen seen;
  const Watcher watcher(path_, milliseconds(50), seen.Callback());
  ASSERT_TRUE(seen.Until([](const Observation& o) { return !o.source_up; }));
  EXPECT_THAT(seen.Last().error, ::testing::HasSubstr("No such file"));
  const std::string other = dir_.Path("other.db");
  MakeCaptured(other, GetParam());
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (std::filesystem::exists(other + suffix))
      std::filesystem::rename(other + suffix, path_ + suffix);
  }
  EXPECT_TRUE(seen.UntilCaptured(1));
  EXPECT_EQ(seen.Last().error, "");
  std::filesystem::remove(path_);
  EXPECT_TRUE(seen.Until([](const Observation& o) { return !o.source_up; }));
  EXPECT_EQ(seen.Last().captured, 1);
}

TEST_P(WatcherMode, CountsNothingBeforeCaptureIsInstalledAndAfterItIsRemoved) {
  AppDatabase(path_, GetParam()).Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  Seen seen;
  const Watcher watcher(path_, kNoPoll, seen.Callback());
  ASSERT_TRUE(seen.UntilCaptured(0));
  Database ours(path_, OpenMode::kReadWrite, seconds(5));
  Capture(ours).Install(ReadCatalog(ours).tables);
  EXPECT_TRUE(seen.UntilCaptured(1));
  Capture(ours).Remove();
  EXPECT_TRUE(seen.UntilCaptured(0));
}

// writable_schema: neither the log nor the schema version changes with it.
TEST_P(WatcherMode, NoticesTriggersRemovedBehindTheSchemaVersion) {
  MakeCaptured(path_, GetParam());
  Seen seen;
  const Watcher watcher(path_, kNoPoll, seen.Callback());
  ASSERT_TRUE(seen.UntilCaptured(1));
  const Observation before = seen.Last();
  AppDatabase app(path_, "");
  app.Run("INSERT INTO t(v) VALUES(1)");
  ASSERT_TRUE(seen.UntilCaptured(2));
  EXPECT_EQ(seen.Last().triggers, before.triggers);
  app.Run(
      "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'NEW', 'OLD') "
      "WHERE name = '_liteferry_1_ai'");
  ASSERT_TRUE(seen.Until([&](const Observation& o) { return o.triggers != before.triggers; }));
  EXPECT_EQ(seen.Last().schema_version, before.schema_version);
}

INSTANTIATE_TEST_SUITE_P(Modes, WatcherMode,
                         ::testing::Values("wal", "delete", "truncate", "persist"),
                         [](const auto& mode) { return std::string(mode.param); });

TEST(Watcher, SleepsWhileNothingHappens) {
  TempDir dir;
  MakeCaptured(dir.Path("app.db"), "wal");
  Seen seen;
  Seen other_seen;
  const Watcher watcher(dir.Path("app.db"), kNoPoll, seen.Callback());
  ASSERT_TRUE(seen.UntilCaptured(1));
  // Opening made events of its own; they are over once a write of ours was noticed.
  AppDatabase app(dir.Path("app.db"), "");
  app.Run("INSERT INTO t(v) VALUES(1)");
  ASSERT_TRUE(seen.UntilCaptured(2));
  TempDir elsewhere;
  MakeCaptured(elsewhere.Path("other.db"), "wal");
  const Watcher clock(elsewhere.Path("other.db"), milliseconds(10), other_seen.Callback());
  const auto settled = [&] {
    const std::uint64_t before = clock.wakeups();
    const Deadline deadline = Deadline::In(kPatience);
    const SignalEvent never;
    while (clock.wakeups() < before + 120 && !deadline.Passed()) {
      WaitFor(-1, 0, never, nullptr, Deadline::In(milliseconds(5)));
    }
    return watcher.wakeups();
  };
  const std::uint64_t before = settled();
  for (int i = 0; i < 20; ++i) std::ofstream(dir.Path("busy.log")) << i << std::flush;
  EXPECT_EQ(settled(), before);
  EXPECT_LE(before, 40U);
}

TEST(Watcher, ManyCommitsAreFewReadsAndTheLastIsSeen) {
  TempDir dir;
  MakeCaptured(dir.Path("app.db"), "wal");
  Seen seen;
  const Watcher watcher(dir.Path("app.db"), kNoPoll, seen.Callback());
  ASSERT_TRUE(seen.UntilCaptured(1));
  AppDatabase app(dir.Path("app.db"), "");
  for (int i = 0; i < 3000; ++i) app.Run("INSERT INTO t(v) VALUES(1)");
  EXPECT_TRUE(seen.UntilCaptured(3001));
  EXPECT_LT(watcher.wakeups(), 2000U);
}

}  // namespace
}  // namespace liteferry::source
