#include "daemon/scan_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

constexpr std::size_t kBar = 20;
constexpr double kMostUnfinished = 0.999;
constexpr double kLeastForEta = 0.01;

}  // namespace

std::string DescribeScan(const ScanProgress& progress, std::optional<double> rows_per_second,
                         bool bar) {
  const auto rows = static_cast<double>(progress.rows);
  const auto expected = static_cast<double>(progress.rows_expected);
  const double fraction = expected > 0 ? std::min(rows / expected, kMostUnfinished) : 0;
  std::string text = fmt::format("scan  {:.1f}%", fraction * 100);
  if (bar) {
    const auto full = static_cast<std::size_t>(fraction * kBar);
    text += "  [" + std::string(full, '#') + std::string(kBar - full, '-') + "]";
  }
  text += fmt::format("  {}/{} tables  {}/{} rows", progress.tables_done, progress.tables,
                      ShortNumber(rows), ShortNumber(expected));
  if (!rows_per_second || *rows_per_second <= 0) return text;
  text += "  " + ShortNumber(*rows_per_second) + " rows/s";
  if (fraction < kLeastForEta) return text;
  const auto left = static_cast<std::int64_t>(std::ceil((expected - rows) / *rows_per_second));
  return text + "  ETA " + FormatDuration(std::chrono::seconds(left));
}

void ScanDisplay::Show(const ScanProgress& progress, SteadyTime now) {
  rate_.Add(now, progress.rows);
  if (terminal_.is_terminal()) {
    terminal_.SetStatus(DescribeScan(progress, rate_.PerSecond(), true));
    return;
  }
  const auto interval =
      now - started_ < std::chrono::minutes(1) ? std::chrono::seconds(5) : std::chrono::seconds(30);
  if (now - last_ < interval) return;
  last_ = now;
  terminal_.WriteLine(DescribeScan(progress, rate_.PerSecond(), false));
}

}  // namespace liteferry::daemon
