#include "replication/source/log_keys.h"

#include <algorithm>

#include "replication/base/error.h"
#include "replication/source/changelog.h"

namespace liteferry::source {
namespace {

constexpr std::size_t kAtOnce = 1000;
constexpr std::chrono::milliseconds kBusyPause{5};

class NoWait {
 public:
  explicit NoWait(Database& database) : database_(database), before_(database.busy_timeout()) {
    database_.SetBusyTimeout(std::chrono::milliseconds(0));
  }
  ~NoWait() { database_.SetBusyTimeout(before_); }
  NoWait(const NoWait&) = delete;
  NoWait& operator=(const NoWait&) = delete;

 private:
  Database& database_;
  const std::chrono::milliseconds before_;
};

// False when the application holds the lock.
bool TryLog(Database& database, int table_no, const std::vector<PackedKey>& keys) {
  try {
    Transaction transaction(database, Transaction::Kind::kWrite);
    Changelog(database).Touch(table_no, keys);
    transaction.Commit();
    return true;
  } catch (const Error& error) {
    if (error.disposition() != Disposition::kRetry) throw;
    return false;
  }
}

}  // namespace

void LogKeys(Database& database, int table_no, const std::vector<PackedKey>& keys,
             const SignalEvent& stop, Deadline deadline) {
  const NoWait no_wait(database);
  for (std::size_t at = 0; at < keys.size();) {
    const std::size_t end = std::min(keys.size(), at + kAtOnce);
    const std::vector<PackedKey> part(keys.begin() + static_cast<std::ptrdiff_t>(at),
                                      keys.begin() + static_cast<std::ptrdiff_t>(end));
    while (!TryLog(database, table_no, part)) {
      if (stop.IsSet() || deadline.Passed()) {
        throw Error(Disposition::kRetry, Component::kSource,
                    "the application held the write lock until the time for logging keys was over")
            .Exit(ExitCode::kTryAgain);
      }
      WaitFor(-1, 0, stop, nullptr, deadline.Earlier(Deadline::In(kBusyPause)));
    }
    at = end;
    // Leaves the lock to a writer that waits for it.
    if (at < keys.size()) WaitFor(-1, 0, stop, nullptr, Deadline::In(std::chrono::milliseconds(1)));
  }
}

}  // namespace liteferry::source
