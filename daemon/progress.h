#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "replication/status.h"

namespace liteferry::daemon {

using SteadyTime = std::chrono::steady_clock::time_point;

// The speed of a growing total over the last `window`. Pure; one thread.
class RateWindow {
 public:
  explicit RateWindow(std::chrono::milliseconds window) : window_(window) {}

  // A total lower than the last one (another run, a rewind) begins anew.
  void Add(SteadyTime at, std::int64_t total);
  // Nothing until a second has been seen. Never negative.
  std::optional<double> PerSecond() const;

 private:
  struct Sample {
    SteadyTime at;
    std::int64_t total;
  };

  const std::chrono::milliseconds window_;
  std::deque<Sample> samples_;  // at most 64 or so
};

// How far work of known size is.
struct Progress {
  enum class Kind : std::uint8_t { kNone, kCopy, kCatchUp };

  Kind kind = Kind::kNone;
  std::int64_t done = 0;   // rows, or log entries
  std::int64_t total = 0;  // an estimate
  // 0 to 1; below 1 as long as the work is not finished. Nothing for kNone.
  std::optional<double> fraction;
  // Nothing below 1 %, without a measured speed, or when it falls behind.
  std::optional<std::chrono::seconds> eta;

  std::optional<double> rows_per_second;      // of the copy
  std::optional<double> captured_per_second;  // log entries in
  std::optional<double> applied_per_second;   // log entries out
};

// Derives progress from successive looks at one engine's status. Pure; one thread.
class ProgressMeter {
 public:
  const Progress& Observe(const EngineStatus& status, SteadyTime now);
  const Progress& current() const { return progress_; }

 private:
  RateWindow rows_{std::chrono::seconds(30)};
  RateWindow captured_{std::chrono::seconds(30)};
  RateWindow applied_{std::chrono::seconds(30)};
  Progress progress_;
};

// The lag, or nothing when it is not known: before the position was read from the target, or with a
// backlog of unknown age.
std::optional<double> KnownLagSeconds(const EngineStatus& status,
                                      std::chrono::system_clock::time_point now);

// When to log a line of progress: always when the state or its reason changes; else every second in
// the first minute, every 5 s until 3 min, then every 30 s. Where nothing is being worked off
// (following, paused, halted) only when a position moved, or ten minutes passed. Pure; one thread.
class ProgressCadence {
 public:
  explicit ProgressCadence(SteadyTime started) : started_(started) {}

  bool Due(const EngineStatus& status, SteadyTime now);

 private:
  const SteadyTime started_;
  std::optional<SteadyTime> last_;
  State state_ = State::kStarting;
  std::string reason_;
  std::int64_t captured_ = 0;
  std::int64_t applied_ = 0;
};

// One line for people: "copying 61.2%  4/14 tables  1.29M/2.11M rows  48k rows/s  ETA 17 s".
std::string DescribeProgress(const EngineStatus& status, const Progress& progress,
                             std::chrono::system_clock::time_point now);
// The same as pairs of a log message (see logging.h), without the event.
std::string ProgressFields(const EngineStatus& status, const Progress& progress,
                           std::chrono::system_clock::time_point now);

// 1290000 as "1.29M", 48123 as "48.1k", 37 as "37".
std::string ShortNumber(double number);

}  // namespace liteferry::daemon
