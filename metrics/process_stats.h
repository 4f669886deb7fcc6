#pragma once

#include <cstdint>

namespace liteferry::metrics {

// What the kernel knows of this process; zero where /proc does not say.
struct ProcessStats {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // since 1970
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::int64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

// Reads /proc/self. Never fails.
ProcessStats ReadProcessStats();

}  // namespace liteferry::metrics
