#include "replication/source/watcher.h"

#include <poll.h>
#include <sqlite3.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry::source {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBusyTimeout{100};
// Commits within this time are one wake-up; in rollback-journal mode a reader can delay a writer.
constexpr milliseconds kPauseWal{1};
constexpr milliseconds kPauseRollback{50};
// In WAL mode the last event of a commit comes before it is visible: the writer marks it so behind
// the write, without fsync a few microseconds later. So the watcher looks after this time, and then
// again, after twice the time each time, up to the last.
constexpr std::chrono::microseconds kSettle{100};
constexpr milliseconds kFirstSecondLook{1};
constexpr milliseconds kLastSecondLook{320};
constexpr milliseconds kHashApart{100};  // of the triggers, where the schema version stands still
constexpr milliseconds kMeasureApart{1000};  // of the log's size, which reads 128 entries
constexpr milliseconds kFirstBackoff{100};
constexpr milliseconds kLastBackoff{1000};
// A database that is locked for longer than this counts as down (PRAGMA locking_mode=EXCLUSIVE).
constexpr milliseconds kLockedIsDown{3000};

// Watches the folder, not the files: those are deleted and made again.
class FolderWatch {
 public:
  FolderWatch() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

  // -1 when the system has no inotify left: then only the poll remains.
  int fd() const { return fd_.get(); }

  void Watch(const std::filesystem::path& file) {
    if (!fd_.valid()) return;
    const std::string name = file.filename();
    names_ = {name, name + "-wal", name + "-journal"};
    const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
    const int before = watch_;
    watch_ = ::inotify_add_watch(
        fd_.get(), folder.c_str(),
        IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR);
    if (before >= 0 && before != watch_) ::inotify_rm_watch(fd_.get(), before);
  }

  // Takes all pending events; whether one of them concerns the database.
  bool Drain() {
    alignas(inotify_event) std::array<char, 16384> buffer;
    bool relevant = false;
    for (;;) {
      const ssize_t size = ::read(fd_.get(), buffer.data(), buffer.size());
      if (size <= 0) return relevant;
      for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
        inotify_event event{};
        std::memcpy(&event, buffer.data() + at, sizeof(event));
        const char* const name = buffer.data() + at + sizeof(event);
        const bool ours = event.len > 0 && std::find(names_.begin(), names_.end(),
                                                     std::string_view(name)) != names_.end();
        relevant = relevant || ours || (event.mask & (IN_Q_OVERFLOW | IN_IGNORED)) != 0;
        at += sizeof(event) + event.len;
      }
    }
  }

 private:
  UniqueFd fd_;
  int watch_ = -1;
  std::array<std::string, 3> names_;
};

struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t size = 0;
  bool operator==(const FileId& other) const {
    return device == other.device && inode == other.inode;
  }
};

std::optional<FileId> IdOf(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size)};
}

// The watcher's connection and what it saw last. Closed and opened again whenever the file at the
// path is another one.
class Source {
 public:
  explicit Source(std::string path) : path_(std::move(path)) {}

  // Throws Error; then Close() and come again.
  Observation Look(FolderWatch& watch) {
    const std::optional<FileId> id = IdOf(path_);
    if (database_ && (!id || *id != opened_)) Close();
    if (!database_) Open(watch);
    const std::int64_t version = database_->QueryInt("PRAGMA main.data_version");
    if (!fresh_ || version != version_ || (hash_due_ && next_hash_.Passed())) {
      ReadBounds();
      measured_ = false;
    }
    if (!measured_ && next_measure_.Passed()) Measure();
    version_ = version;
    fresh_ = true;
    Observation seen;
    seen.source_up = true;
    seen.captured = bounds_.newest;
    seen.oldest_kept = bounds_.oldest;
    seen.schema_version = schema_version_;
    seen.triggers = triggers_;
    seen.file = opened_.inode;
    seen.size_bytes = id ? id->size : 0;
    const std::optional<FileId> wal = IdOf(resolved_ + "-wal");
    seen.wal_bytes = wal ? wal->size : 0;
    seen.log_bytes = log_bytes_;
    return seen;
  }

  bool is_wal() const { return wal_; }

  void Close() noexcept {
    changelog_.reset();
    read_triggers_ = Statement();
    database_.reset();
    fresh_ = false;
    hashed_version_ = -1;
  }

 private:
  void Open(FolderWatch& watch) {
    std::error_code failed;
    const std::filesystem::path resolved = std::filesystem::weakly_canonical(path_, failed);
    resolved_ = failed ? path_ : resolved.string();
    watch.Watch(resolved_);
    const std::optional<FileId> before = IdOf(path_);
    auto database = std::make_unique<Database>(path_, OpenMode::kReadOnly, kBusyTimeout);
    const std::optional<FileId> after = IdOf(path_);
    if (!before || !after || *before != *after) {
      throw Error(Disposition::kRetry, Component::kSource,
                  "the database '" + path_ + "' is being replaced");
    }
    opened_ = *after;
    database_ = std::move(database);
  }

  // The log may not be there yet, or no longer: that is no fault.
  void ReadBounds() {
    Transaction transaction(*database_, Transaction::Kind::kRead);
    wal_ = ToLowerAscii(database_->QueryText("PRAGMA main.journal_mode")) == "wal";
    const bool has_log = database_->QueryInt(
                             "SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' "
                             "AND name = '_liteferry_log'") > 0;
    if (!has_log) changelog_.reset();
    if (has_log && !changelog_) changelog_.emplace(*database_);
    bounds_ = has_log ? changelog_->Bounds() : LogBounds{};
    schema_version_ = database_->QueryInt("PRAGMA main.schema_version");
    if (next_hash_.Passed() || schema_version_ != hashed_version_) {
      triggers_ = HashTriggers();
      hashed_version_ = schema_version_;
      next_hash_ = Deadline::In(kHashApart);
      hash_due_ = false;
    } else {
      hash_due_ = true;
    }
    transaction.Commit();
  }

  void Measure() {
    log_bytes_ = changelog_ ? changelog_->SizeBytes() : 0;
    measured_ = true;
    next_measure_ = Deadline::In(kMeasureApart);
  }

  // Some 60 us for 300 triggers.
  std::uint64_t HashTriggers() {
    if (!read_triggers_) {
      read_triggers_ = database_->Prepare(
          "SELECT rowid || sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY rowid");
    }
    std::string all;
    while (read_triggers_.Step()) all += read_triggers_.Text(0);
    return std::hash<std::string>()(all);
  }

  const std::string path_;
  std::string resolved_;  // SQLite puts -wal beside the file itself, not beside a link to it
  std::unique_ptr<Database> database_;
  std::optional<Changelog> changelog_;  // dies before database_
  Statement read_triggers_;             // likewise
  FileId opened_;
  std::int64_t version_ = 0;
  bool fresh_ = false;
  bool wal_ = false;
  LogBounds bounds_;
  std::int64_t log_bytes_ = 0;
  bool measured_ = false;  // since the last commit that was seen
  Deadline next_measure_ = Deadline::In(milliseconds(0));
  std::int64_t schema_version_ = 0;
  std::uint64_t triggers_ = 0;
  std::int64_t hashed_version_ = -1;  // schema version when that was read
  bool hash_due_ = false;             // something was committed since
  Deadline next_hash_ = Deadline::In(milliseconds(0));
};

bool SameObservation(const Observation& a, const Observation& b) {
  return a.source_up == b.source_up && a.error == b.error && a.captured == b.captured &&
         a.oldest_kept == b.oldest_kept && a.schema_version == b.schema_version &&
         a.triggers == b.triggers && a.file == b.file && a.size_bytes == b.size_bytes &&
         a.wal_bytes == b.wal_bytes && a.log_bytes == b.log_bytes;
}

// Tells the callback what is new.
class Reporter {
 public:
  explicit Reporter(const Watcher::Callback& on_change) : on_change_(on_change) {}

  void Up(Observation seen) {
    seen.at = std::chrono::steady_clock::now();
    if (seen_any_ && SameObservation(last_, seen)) return;
    seen_any_ = true;
    last_ = std::move(seen);
    on_change_(last_);
  }
  // What was known of the log stays known.
  void Down(const std::string& error) {
    Observation seen = last_;
    seen.source_up = false;
    seen.error = error;
    Up(std::move(seen));
  }

 private:
  const Watcher::Callback& on_change_;
  Observation last_;
  bool seen_any_ = false;
};

// What follows a look that failed: how long to pause, and whether the source counts as down.
class Trouble {
 public:
  explicit Trouble(milliseconds poll) : longest_(std::max(kLastBackoff, poll)) {}

  void Clear() {
    locked_ = false;
    backoff_ = kFirstBackoff;
  }
  bool IsDown(const Error& error) {
    const int code = error.sqlite_code() & 0xff;
    const bool locked = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    if (locked && !locked_) patience_ = Deadline::In(kLockedIsDown);
    locked_ = locked;
    return !locked || patience_.Passed();
  }
  milliseconds NextBackoff() { return std::exchange(backoff_, std::min(backoff_ * 2, longest_)); }

 private:
  const milliseconds longest_;
  milliseconds backoff_ = kFirstBackoff;
  bool locked_ = false;
  Deadline patience_ = Deadline::In(kLockedIsDown);
};

}  // namespace

Watcher::Watcher(std::string path, milliseconds poll, Callback on_change)
    : path_(std::move(path)),
      poll_(poll),
      on_change_(std::move(on_change)),
      thread_([this] { Run(); }) {}

Watcher::~Watcher() {
  stop_.Set();
  thread_.join();
}

void Watcher::Run() {
  FolderWatch watch;
  Source source(path_);
  Reporter reporter(on_change_);
  Trouble trouble(poll_);
  milliseconds second_look = kFirstSecondLook;
  const auto pause_for = [this](std::chrono::microseconds pause) {
    WaitFor(-1, 0, stop_, nullptr, Deadline::In(pause));
  };
  while (!stop_.IsSet()) {
    ++wakeups_;
    try {
      reporter.Up(source.Look(watch));
      trouble.Clear();
    } catch (const Error& error) {
      milliseconds pause = kPauseRollback;
      if (trouble.IsDown(error)) {
        reporter.Down(error.message());
        source.Close();
        pause = trouble.NextBackoff();
      }
      // Opening and closing a broken file makes events, which must not wake us again.
      pause_for(pause);
      watch.Drain();
      continue;
    }
    // A pause that only the end cuts short: a burst of commits collects in it.
    pause_for(source.is_wal() ? kPauseWal : kPauseRollback);
    const bool again = source.is_wal() && second_look <= kLastSecondLook;
    const Deadline tick = Deadline::In(again ? std::min(second_look, poll_) : poll_);
    bool wake = false;
    while (!wake && !stop_.IsSet() && !tick.Passed()) {
      const bool ready = WaitFor(watch.fd(), POLLIN, stop_, nullptr, tick) != 0;
      wake = ready && watch.Drain();
      // Another file of the folder that is written all the time must not keep us busy.
      if (ready && !wake) pause_for(kPauseWal);
    }
    if (wake && source.is_wal()) pause_for(kSettle);
    second_look = wake ? kFirstSecondLook : std::min(second_look * 2, kLastSecondLook * 2);
  }
}

}  // namespace liteferry::source
