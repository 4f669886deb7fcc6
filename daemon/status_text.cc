#include "daemon/status_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <tuple>

#include "daemon/terminal.h"
#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

using std::chrono::milliseconds;

std::string Padded(std::string text, std::size_t width, bool right) {
  const auto length = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
  if (length >= width) return text;
  return right ? std::string(width - length, ' ') + text : text + std::string(width - length, ' ');
}

std::string Upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::string Duration(std::chrono::system_clock::duration duration) {
  return FormatDuration(
      std::max(std::chrono::duration_cast<milliseconds>(duration), milliseconds(0)));
}

std::string_view StateColor(State state) {
  switch (state) {
    case State::kFollowing:
    case State::kCutOver:
      return "\x1b[32m";
    case State::kHalted:
      return "\x1b[31m";
    case State::kRetrying:
    case State::kPaused:
      return "\x1b[33m";
    default:
      return "\x1b[36m";
  }
}

std::string Header(const StatusReport& report) {
  std::string text = "liteferry " + report.version;
  if (report.started_at) text += "   up " + Duration(report.now - *report.started_at);
  if (report.pid != 0) text += "   pid " + std::to_string(report.pid);
  if (report.pid == 0) text += "   no daemon is running; read from the databases";
  return text + "\n";
}

std::string Ends(const StatusReport& report) {
  const SourceStatus& source = report.status.source;
  const TargetStatus& target = report.status.target;
  std::string text = "source   " + Printable(source.path);
  if (!source.journal_mode.empty()) {
    text += "   " + FormatBytes(source.size_bytes) + "   journal " + source.journal_mode;
    if (source.wal_bytes > 0) text += "   WAL " + FormatBytes(source.wal_bytes);
    text += "   log " +
            FormatBytes(static_cast<std::uint64_t>(std::max<std::int64_t>(source.log_bytes, 0)));
    if (report.log_limit_bytes > 0) {
      text += " of " + FormatBytes(static_cast<std::uint64_t>(report.log_limit_bytes));
    }
  }
  if (!source.up) text += "   NOT REACHABLE";
  text += "\ntarget   " + Printable(target.address.empty() ? "-" : target.address);
  if (!target.server_version.empty()) {
    text += "   PostgreSQL " + Printable(target.server_version) + "   role " +
            Printable(target.role) + (target.pooled ? "   through a pooler" : "   direct");
    if (target.timeline > 0) text += "   timeline " + std::to_string(target.timeline);
    if (!report.durability.empty()) text += "   durability " + report.durability;
  }
  if (!target.up) text += "   NOT REACHABLE";
  return text + "\n";
}

std::string StateLines(const StatusReport& report, bool color) {
  const EngineStatus& status = report.status;
  std::string name = Upper(ToString(status.state));
  if (color) name = std::string(StateColor(status.state)) + name + "\x1b[0m";
  std::string text = "state    " + name;
  if (status.since.time_since_epoch().count() > 0) {
    text += " since " + FormatTimestamp(status.since);
  }
  text += status.consistent ? "   consistent" : "   not consistent yet";
  if (!status.tables.empty()) {
    text += "   capture: " + std::to_string(report.TablesCaptured()) + "/" +
            std::to_string(status.tables.size()) + " tables";
  }
  text += "\n";
  if (report.progress.kind != Progress::Kind::kNone) {
    text += "         " + Printable(DescribeProgress(status, report.progress, report.now)) + "\n";
  } else if (!status.activity.empty()) {
    text += "         " + Printable(status.activity) + "\n";
  }
  if (status.state == State::kRetrying) {
    text += "         attempt " + std::to_string(status.retry_attempt) + ", next in " +
            Duration(status.retry_at - report.now) + "; capture goes on\n";
  }
  if (!status.reason.empty()) text += "         " + Printable(status.reason) + "\n";
  if (!status.next_action.empty()) text += "         Next: " + Printable(status.next_action) + "\n";
  return text;
}

std::string Verification(const StatusReport& report) {
  const VerifyStatus& verify = report.status.verify;
  if (!verify.last_finished) return "never";
  return GroupDigits(verify.rows) + " rows, " + GroupDigits(verify.differences) + " differences, " +
         Duration(report.now - *verify.last_finished) + " ago" +
         (verify.complete ? "" : "; not every table could be compared");
}

std::string LagText(double seconds) {
  return FormatDuration(milliseconds(std::llround(seconds * 1000)));
}

std::string CutoverLine(const StatusReport& report) {
  const CutoverStatus& cutover = report.status.cutover;
  if (cutover.running) return cutover.step;
  if (report.status.state == State::kCutOver) {
    return "done: SQLite refuses writes, the application runs on PostgreSQL";
  }
  const std::vector<std::string> blockers = report.CutoverBlockers();
  if (blockers.empty()) {
    return "ready; writes would wait about " +
           LagText(report.status.cutover.estimated_pause_seconds.value_or(0));
  }
  return "not ready: " + Join(blockers, "; ");
}

std::string Positions(const StatusReport& report) {
  const EngineStatus& status = report.status;
  const std::optional<double> lag = report.LagSeconds();
  std::string text = "lag      ";
  text += lag ? LagText(*lag) : "unknown";
  if (status.position_known) {
    text += "   backlog " + GroupDigits(status.backlog_changes) + " changes";
    if (status.backlog_changes > 0) {
      text += " (" + FormatBytes(static_cast<std::uint64_t>(status.UnappliedBytes())) + ")";
    }
  }
  if (report.progress.captured_per_second && report.progress.applied_per_second) {
    text += "   rate " + ShortNumber(*report.progress.captured_per_second) + "/s in, " +
            ShortNumber(*report.progress.applied_per_second) + "/s out";
  }
  if (status.commit_p99_seconds) text += "   p99 commit " + LagText(*status.commit_p99_seconds);
  const auto known = [&](std::int64_t position) {
    return status.position_known ? GroupDigits(position) : std::string("unknown");
  };
  text += "\nposition captured " + GroupDigits(status.captured) + "   applied " +
          known(status.applied) + "   confirmed " + known(status.confirmed) + "   kept since " +
          GroupDigits(status.oldest_kept) + "\n";
  if (status.held > 0) {
    text += "held     " + std::to_string(status.held) +
            " constraints, indexes and triggers of the target stand aside\n";
  }
  text += "verify   " + Verification(report) + "\ncutover  ";
  return text + Printable(CutoverLine(report)) + "\n";
}

std::string CopiedPercent(const TableStatus& table) {
  if (table.copy_done) return "100%";
  if (table.rows_expected <= 0) return "0%";
  const double share =
      static_cast<double>(table.rows_copied) / static_cast<double>(table.rows_expected);
  char text[32];
  std::snprintf(text, sizeof text, "%.0f%%", std::min(std::floor(share * 100), 99.0));
  return text;
}

// What a person wants to see first: what is wrong, what is under way, what is busy.
std::vector<const TableStatus*> MostImportant(const EngineStatus& status, std::size_t count) {
  std::vector<const TableStatus*> tables;
  for (const TableStatus& table : status.tables) tables.push_back(&table);
  if (count >= tables.size()) return tables;
  const auto rank = [](const TableStatus* table) {
    return std::make_tuple(!table->problem.empty() || !table->captured, table->rejected > 0,
                           !table->copy_done && table->rows_copied > 0, !table->copy_done,
                           table->changes_applied);
  };
  std::stable_sort(tables.begin(), tables.end(),
                   [&](const auto* a, const auto* b) { return rank(a) > rank(b); });
  tables.resize(count);
  return tables;
}

// By the latest comparison, whose age stands above: "ok", "3 differ", "-" where it had not this
// one.
std::string VerifiedText(const StatusReport& report, const TableStatus& table) {
  const VerifyStatus::Table* const verified = report.Verified(table);
  if (verified == nullptr) return "-";
  return verified->differences > 0 ? GroupDigits(verified->differences) + " differ" : "ok";
}

std::string Tables(const StatusReport& report, std::size_t most) {
  const EngineStatus& status = report.status;
  if (status.tables.empty()) return "";
  std::size_t width = 14;
  for (const TableStatus& table : status.tables) width = std::max(width, table.name.size() + 2);
  width = std::min<std::size_t>(width, 60);
  const auto row = [&](const std::string& name, const std::string& rows, const std::string& copied,
                       const std::string& changes, const std::string& rejected,
                       const std::string& lag, const std::string& verified) {
    return Padded(name, width, false) + Padded(rows, 12, true) + Padded(copied, 8, true) +
           Padded(changes, 11, true) + Padded(rejected, 10, true) + Padded(lag, 9, true) +
           Padded(verified, 10, true) + "\n";
  };
  std::string text =
      "\n" + row("TABLE", "ROWS SRC", "COPIED", "CHANGES", "REJECTED", "LAG", "VERIFIED");
  const std::vector<const TableStatus*> shown = MostImportant(status, most);
  for (const TableStatus* one : shown) {
    const TableStatus& table = *one;
    const std::optional<double> lag = report.LagSeconds(table);
    const std::string name = Printable(table.name) +
                             (table.captured          ? ""
                              : table.problem.empty() ? " (not captured)"
                                                      : " (not followed)") +
                             (table.in_doubt ? " (in doubt)" : "");
    text +=
        row(name, GroupDigits(std::max(table.rows_expected, table.rows_copied)),
            CopiedPercent(table), GroupDigits(table.changes_applied), GroupDigits(table.rejected),
            lag ? LagText(*lag) : "-", VerifiedText(report, table));
  }
  if (shown.size() < status.tables.size()) {
    text += "… " + std::to_string(status.tables.size() - shown.size()) + " more tables\n";
  }
  return text;
}

// A few rows of each table, so that the pattern shows; the query for all of them.
std::string Rejections(const EngineStatus& status) {
  if (status.rejected_rows == 0) return "";
  std::string text = "! " + GroupDigits(status.rejected_rows) +
                     (status.rejected_rows == 1 ? " row was refused" : " rows were refused") +
                     " and " + (status.rejected_rows == 1 ? "is" : "are") +
                     " not on the target; correct them in the application:\n";
  for (const TableStatus& table : status.tables) {
    std::int64_t shown = 0;
    for (const RejectedStatus& row : status.rejections) {
      if (row.table != table.name) continue;
      ++shown;
      text += "    " + Printable(row.table) + " " + Printable(row.key) +
              (row.column.empty() ? "" : " column " + Printable(row.column)) + ": " +
              Printable(row.reason) + "\n";
    }
    if (shown > 0 && table.rejected > shown) {
      text +=
          "    " + Printable(table.name) + ": " + GroupDigits(table.rejected - shown) + " more\n";
    }
  }
  if (!status.rejected_query.empty()) {
    text += "  All of them, on PostgreSQL: " + Printable(status.rejected_query) + "\n";
  }
  return text;
}

// What is refused, cannot be put back, or is to be known; the first `most` lines of it.
std::string Problems(const EngineStatus& status, std::size_t most) {
  std::string text = Rejections(status);
  for (const std::string& problem : status.held_problems) {
    text += "! cannot be put back: " + Printable(problem) + "\n";
  }
  for (const std::string& note : status.notes) text += "! " + Printable(note) + "\n";
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  if (lines <= most) return text;
  std::size_t end = 0;
  for (std::size_t i = 0; i < most; ++i) end = text.find('\n', end) + 1;
  return text.substr(0, end) + "… " + std::to_string(lines - most) +
         " more lines in `liteferry status`\n";
}

// Rows of a terminal that the line takes; colours take none.
std::size_t RowsOf(std::string_view line, std::size_t columns) {
  std::size_t width = 0;
  bool escape = false;
  for (const char c : line) {
    if (c == '\x1b') escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++width;
    if (c == 'm') escape = false;
  }
  return width == 0 ? 1 : (width + columns - 1) / columns;
}

// The lines that the first `rows` rows of a terminal hold; `taken` are the rows of all of them.
std::string_view FirstRows(std::string_view text, std::size_t rows, std::size_t columns,
                           std::size_t& taken) {
  taken = 0;
  std::size_t fits = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    taken += RowsOf(text.substr(at, end - at), columns);
    at = end + 1;
    if (taken <= rows) fits = at;
  }
  return text.substr(0, fits);
}

}  // namespace

std::string StatusText(const StatusReport& report, bool color, const StatusLimits& limits) {
  const EngineStatus& status = report.status;
  return Header(report) + Ends(report) + StateLines(report, color) + "\n" + Positions(report) +
         Tables(report, limits.tables) + Problems(status, limits.problems);
}

std::string StatusScreen(const StatusReport& report, bool color, TerminalSize size) {
  const std::size_t rows = std::max<std::size_t>(size.rows, 2) - 1;
  std::size_t taken = 0;
  std::string text = StatusText(report, color);
  FirstRows(text, rows, size.columns, taken);
  if (taken <= rows) return text;
  StatusLimits limits;
  limits.problems = std::max<std::size_t>(rows / 4, 2);
  text = StatusText(report, color, limits);
  FirstRows(text, rows, size.columns, taken);
  if (taken > rows) {
    const std::size_t tables = report.status.tables.size();
    const std::size_t less = taken - rows + 1;  // and the line that says so
    limits.tables = tables > less ? tables - less : 0;
    text = StatusText(report, color, limits);
  }
  const std::string_view fits = FirstRows(text, rows, size.columns, taken);
  if (taken <= rows) return text;
  return std::string(FirstRows(fits, rows - 1, size.columns, taken)) + "…\n";
}

}  // namespace liteferry::daemon
