#pragma once

#include <optional>
#include <string>

#include "daemon/progress.h"
#include "daemon/terminal.h"
#include "replication/scan_run.h"

namespace liteferry::daemon {

// "scan  61.2%  [############--------]  4/14 tables  1.29M/2.11M rows  48k rows/s  ETA 17 s".
// Without a bar for a log. Pure.
std::string DescribeScan(const ScanProgress& progress, std::optional<double> rows_per_second,
                         bool bar);

// Shows the progress of a scan: a status line on a terminal; else a line after 5 seconds and then
// every 5, after a minute every 30. One thread. Does not own the terminal.
class ScanDisplay {
 public:
  ScanDisplay(Terminal& terminal, SteadyTime started)
      : terminal_(terminal), started_(started), last_(started) {}

  void Show(const ScanProgress& progress, SteadyTime now);

 private:
  Terminal& terminal_;
  const SteadyTime started_;
  SteadyTime last_;
  RateWindow rate_{std::chrono::seconds(10)};
};

}  // namespace liteferry::daemon
