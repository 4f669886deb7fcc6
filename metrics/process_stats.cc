#include "metrics/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace liteferry::metrics {
namespace {

double BootTimeSeconds() {
  std::ifstream stat("/proc/stat");
  std::string word;
  while (stat >> word) {
    if (word == "btime") {
      double seconds = 0;
      stat >> seconds;
      return seconds;
    }
  }
  return 0;
}

std::int64_t CountOpenFiles() {
  std::error_code failed;
  std::int64_t count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", failed);
       !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // one of them was the directory itself
}

}  // namespace

ProcessStats ReadProcessStats() {
  ProcessStats stats;
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The second field, the program's name, may itself hold spaces and parentheses.
  const std::size_t name_end = line.rfind(')');
  if (name_end != std::string::npos) {
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field <= 13; ++field) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    for (int field = 16; field <= 21; ++field) fields >> skipped;
    double start = 0;
    std::uint64_t resident_pages = 0;
    fields >> start >> stats.virtual_bytes >> resident_pages;
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    stats.cpu_seconds = (user + system) / ticks;
    stats.resident_bytes = resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    static const double boot_time = BootTimeSeconds();
    stats.start_time_seconds = boot_time + start / ticks;
  }
  stats.open_fds = CountOpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = limit.rlim_cur;
  return stats;
}

}  // namespace liteferry::metrics
