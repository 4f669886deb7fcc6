#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "replication/session.h"

namespace liteferry {

// Notices that the changes which wait to be applied have outgrown changelog.max_size: once, and
// again whenever they have grown by half of it more, so that a person who goes on nevertheless is
// not stopped at once; and that the disk has less room than that left for them. What is so when the
// daemon starts is no news: most often it is being caught up. Pure; one thread.
class LogLimit {
 public:
  explicit LogLimit(std::int64_t bytes) : limit_(bytes) {}

  // The changes that wait take so many bytes now. Whether they have passed the limit.
  bool Passed(std::int64_t unapplied) noexcept {
    if (unapplied <= limit_) {
      next_ = limit_;
      return false;
    }
    const bool passed = next_ > 0 && unapplied > next_;
    if (next_ == 0 || passed) next_ = unapplied + limit_ / 2;
    return passed;
  }

  // So many bytes are free on the disk they lie on. Whether it is about to be full of them.
  bool FillsDisk(std::int64_t unapplied, std::int64_t free) noexcept {
    const bool before = fills_disk_;
    fills_disk_ = unapplied > limit_ && free < limit_;
    return fills_disk_ && !before;
  }

 private:
  std::int64_t limit_;
  std::int64_t next_ = 0;   // 0: nothing was seen yet
  bool fills_disk_ = true;  // nor here
};

// Whether the capture must be released, since `status` has passed the limit or the disk gets full
// of it; either is logged.
bool MustRelease(LogLimit& limit, const EngineStatus& status, const EngineContext& context);

// For `status` while the limit is passed; empty when it is not.
std::string OutgrownNote(const EngineStatus& status, std::int64_t limit);

inline constexpr std::string_view kReleasedReason =
    "paused: the changes that wait have outgrown changelog.max_size, so the triggers are taken "
    "away and changes are not captured (changelog.when_full is release, or the disk is nearly "
    "full)";
inline constexpr std::string_view kReleasedNext =
    "See that PostgreSQL takes changes again and the disk has room, then run `liteferry resume`; "
    "every table is compared then.";

}  // namespace liteferry
