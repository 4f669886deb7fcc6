#include "daemon/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "daemon/logging.h"
#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

using std::chrono::seconds;

constexpr double kLeastFractionForEta = 0.01;
constexpr double kMostFractionUnfinished = 0.999;
constexpr seconds kLongestEta = std::chrono::hours(24 * 365);

std::string Fixed(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

bool IsWorkingOff(State state) {
  return state == State::kStarting || state == State::kCopying || state == State::kCatchingUp ||
         state == State::kCuttingOver;
}

std::optional<seconds> Eta(double fraction, double remaining, double per_second) {
  if (fraction < kLeastFractionForEta || per_second <= 0) return std::nullopt;
  const double left = std::ceil(std::max(remaining, 0.0) / per_second);
  if (left > static_cast<double>(kLongestEta.count())) return std::nullopt;
  return seconds(static_cast<std::int64_t>(left));
}

struct CopyCount {
  std::int64_t done = 0;
  std::int64_t total = 0;
  std::int64_t tables_done = 0;
};

CopyCount CountCopy(const EngineStatus& status) {
  CopyCount count;
  for (const TableStatus& table : status.tables) {
    count.done += table.rows_copied;
    // What was expected is an estimate; what is there counts.
    count.total +=
        table.copy_done ? table.rows_copied : std::max(table.rows_expected, table.rows_copied);
    if (table.copy_done) ++count.tables_done;
  }
  return count;
}

std::string LagText(double lag) {
  return FormatDuration(std::chrono::milliseconds(std::llround(lag * 1000)));
}

std::string DescribeLag(const EngineStatus& status, std::chrono::system_clock::time_point now) {
  const std::optional<double> lag = KnownLagSeconds(status, now);
  if (!status.position_known) return lag ? "lag " + LagText(*lag) : "lag unknown";
  if (!lag) return "lag unknown  backlog " + GroupDigits(status.backlog_changes);
  if (*lag == 0 && status.backlog_changes == 0) return "lag 0";
  return "lag " + LagText(*lag) + "  backlog " + GroupDigits(status.backlog_changes);
}

}  // namespace

std::optional<double> KnownLagSeconds(const EngineStatus& status,
                                      std::chrono::system_clock::time_point now) {
  if (status.oldest_unapplied_at) return status.LagSeconds(now);
  const bool known = status.position_known && status.state != State::kStarting;
  if (!known || status.backlog_changes > 0) return std::nullopt;
  return 0;
}

void RateWindow::Add(SteadyTime at, std::int64_t total) {
  if (!samples_.empty() && (total < samples_.back().total || at < samples_.back().at)) {
    samples_.clear();
  }
  // Samples that crowd are one: the newest moves, so that the window stays small at any rate.
  if (samples_.size() >= 2 && at - samples_[samples_.size() - 2].at < window_ / 60) {
    samples_.back() = {at, total};
  } else {
    samples_.push_back({at, total});
  }
  while (samples_.size() > 2 && at - samples_[1].at >= window_) samples_.pop_front();
}

std::optional<double> RateWindow::PerSecond() const {
  if (samples_.size() < 2) return std::nullopt;
  const std::chrono::duration<double> time = samples_.back().at - samples_.front().at;
  if (time < seconds(1)) return std::nullopt;
  return static_cast<double>(samples_.back().total - samples_.front().total) / time.count();
}

const Progress& ProgressMeter::Observe(const EngineStatus& status, SteadyTime now) {
  const CopyCount copy = CountCopy(status);
  rows_.Add(now, copy.done);
  // Before the positions have been read they are zero; the jump from there is no speed.
  if (status.state != State::kStarting) {
    captured_.Add(now, status.captured);
    applied_.Add(now, status.applied);
  }
  progress_ = Progress();
  progress_.captured_per_second = captured_.PerSecond();
  progress_.applied_per_second = applied_.PerSecond();
  if (status.state == State::kCopying) {
    progress_.kind = Progress::Kind::kCopy;
    progress_.rows_per_second = rows_.PerSecond();
    progress_.done = copy.done;
    progress_.total = copy.total;
  } else if (status.state == State::kCatchingUp) {
    progress_.kind = Progress::Kind::kCatchUp;
    progress_.done = std::max<std::int64_t>(status.applied - status.catch_up_from, 0);
    progress_.total = std::max(status.captured - status.catch_up_from, progress_.done);
  } else {
    return progress_;
  }
  const double done = static_cast<double>(progress_.done);
  const double total = static_cast<double>(progress_.total);
  progress_.fraction = total > 0 ? std::min(done / total, kMostFractionUnfinished) : 0;
  const double net =
      progress_.kind == Progress::Kind::kCopy
          ? progress_.rows_per_second.value_or(0)
          : progress_.applied_per_second.value_or(0) - progress_.captured_per_second.value_or(0);
  progress_.eta = Eta(*progress_.fraction, total - done, net);
  return progress_;
}

bool ProgressCadence::Due(const EngineStatus& status, SteadyTime now) {
  const bool other_state = !last_ || status.state != state_ || status.reason != reason_;
  const bool moved = status.captured != captured_ || status.applied != applied_;
  const auto running = now - started_;
  seconds interval(30);
  if (running < std::chrono::minutes(1)) {
    interval = seconds(1);
  } else if (running < std::chrono::minutes(3)) {
    interval = seconds(5);
  }
  if (!IsWorkingOff(status.state) && !moved) interval = std::chrono::minutes(10);
  if (!other_state && now - *last_ < interval) return false;
  last_ = now;
  state_ = status.state;
  reason_ = status.reason;
  captured_ = status.captured;
  applied_ = status.applied;
  return true;
}

std::string ShortNumber(double number) {
  for (const auto& [size, unit] : {std::pair(1e9, "G"), std::pair(1e6, "M"), std::pair(1e3, "k")}) {
    if (number < size) continue;
    const double scaled = number / size;
    return Fixed(scaled, scaled < 10 ? 2 : (scaled < 100 ? 1 : 0)) + unit;
  }
  return Fixed(number, 0);
}

std::string DescribeProgress(const EngineStatus& status, const Progress& progress,
                             std::chrono::system_clock::time_point now) {
  std::string text(ToString(status.state));
  if (progress.fraction) text += " " + Fixed(*progress.fraction * 100, 1) + "%";
  if (progress.kind == Progress::Kind::kCopy) {
    text += "  " + std::to_string(CountCopy(status).tables_done) + "/" +
            std::to_string(status.tables.size()) + " tables  " +
            ShortNumber(static_cast<double>(progress.done)) + "/" +
            ShortNumber(static_cast<double>(progress.total)) + " rows";
    if (progress.rows_per_second) text += "  " + ShortNumber(*progress.rows_per_second) + " rows/s";
  } else {
    text += "  " + DescribeLag(status, now);
    if (progress.applied_per_second.value_or(0) > 0) {
      text += "  " + ShortNumber(*progress.applied_per_second) + " changes/s";
    }
  }
  if (progress.eta) text += "  ETA " + FormatDuration(*progress.eta);
  if (!status.activity.empty()) text += "  " + status.activity;
  if (!status.reason.empty()) text += "  " + status.reason;
  return text;
}

std::string ProgressFields(const EngineStatus& status, const Progress& progress,
                           std::chrono::system_clock::time_point now) {
  std::string text = "state=" + std::string(ToString(status.state));
  if (progress.fraction) text += " percent=" + Fixed(*progress.fraction * 100, 1);
  if (progress.kind == Progress::Kind::kCopy) {
    text += " rows_copied=" + std::to_string(progress.done) +
            " rows_expected=" + std::to_string(progress.total) +
            " tables_copied=" + std::to_string(CountCopy(status).tables_done) +
            " tables=" + std::to_string(status.tables.size());
    if (progress.rows_per_second) text += " rows_per_second=" + Fixed(*progress.rows_per_second, 0);
  }
  if (const auto lag = KnownLagSeconds(status, now)) text += " lag_seconds=" + Fixed(*lag, 3);
  if (status.position_known) {
    text += " backlog=" + std::to_string(status.backlog_changes) +
            " applied=" + std::to_string(status.applied);
  }
  if (progress.applied_per_second) {
    text += " changes_per_second=" + Fixed(*progress.applied_per_second, 1);
  }
  if (progress.eta) text += " eta_seconds=" + std::to_string(progress.eta->count());
  if (status.rejected_rows > 0) text += " rejected=" + std::to_string(status.rejected_rows);
  if (!status.activity.empty()) text += " activity=" + LogValue(status.activity);
  if (!status.reason.empty()) text += " reason=" + LogValue(status.reason);
  if (!status.next_action.empty()) text += " next=" + LogValue(status.next_action);
  return text;
}

}  // namespace liteferry::daemon
