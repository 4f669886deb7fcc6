#include "daemon/check_report.h"

#include <algorithm>
#include <array>

#include "daemon/terminal.h"
#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

constexpr std::size_t kCells = 5;
using Cells = std::array<std::string, kCells>;

std::string_view Word(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      break;
  }
  return "error";
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : Printable(text); }

bool StartsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::size_t Length(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), StartsCharacter));
}

// At most `most` characters, the last one then a "…".
std::string Cut(const std::string& text, std::size_t most) {
  if (Length(text) <= most) return text;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (StartsCharacter(text[i]) && ++count == most) return text.substr(0, i) + "…";
  }
  return text;
}

// Lines of `text` behind `indent`, broken at blanks, the further ones two columns deeper.
std::string Wrapped(std::size_t indent, const std::string& text, std::size_t width) {
  std::string out(indent, ' ');
  std::size_t column = indent;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at + 1), text.size());
    const std::string word = text.substr(at, end - at);
    const std::size_t length = Length(word);
    if (width > 0 && column + length > width && column > indent + 2) {
      out += "\n" + std::string(indent + 2, ' ') + word.substr(word.front() == ' ' ? 1 : 0);
      column = indent + 1 + length;
    } else {
      out += word;
      column += length;
    }
    at = end;
  }
  return out + "\n";
}

// A type as people write it.
std::string ShortType(std::string name) {
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"character varying", "varchar"},
      {"timestamp without time zone", "timestamp"},
      {"timestamp with time zone", "timestamptz"},
      {"time without time zone", "time"},
      {"double precision", "double"},
  };
  for (const auto& [spelled, usual] : kShort) {
    if (name.starts_with(spelled)) return std::string(usual) + name.substr(spelled.size());
  }
  // timestamp(3) with time zone
  if (name.starts_with("timestamp(")) {
    const std::size_t close = name.find(')');
    const std::string digits = name.substr(9, close - 8);
    return (name.ends_with("without time zone") ? "timestamp" : "timestamptz") + digits;
  }
  return name;
}

std::string Holds(const ColumnProfile& profile) {
  std::string text;
  const auto add = [&text](std::int64_t count, const char* name) {
    if (count > 0) text += (text.empty() ? "" : ", ") + GroupDigits(count) + " " + name;
  };
  add(profile.integers, "int");
  add(profile.reals, "real");
  add(profile.texts, "text");
  add(profile.blobs, "blob");
  add(profile.nulls, "null");
  return text.empty() ? "no rows" : text;
}

const ColumnScan* ColumnNamed(const TableScan* scan, const std::string& name) {
  if (scan == nullptr) return nullptr;
  for (const ColumnScan& column : scan->columns) {
    if (column.source == name) return &column;
  }
  return nullptr;
}

Cells CellsOf(const PairedColumn& column, const ColumnScan* scan) {
  std::string target = ShortType(Printable(column.target_type));
  if (column.target.empty()) {
    target = scan == nullptr ? "-" : "(" + ShortType(Printable(scan->planned_type)) + ")";
  } else if (column.target != column.source) {
    target = Printable(column.target) + " " + target;
  }
  std::string marks = column.key ? "key" : "";
  if (scan != nullptr && scan->rejected > 0) {
    marks += (marks.empty() ? "" : ", ") + GroupDigits(scan->rejected) + " rejected";
  }
  return {OrDash(column.source), Printable(column.source_type),
          scan == nullptr ? "" : Holds(scan->profile), target.empty() ? "" : "-> " + target, marks};
}

// Columns of text side by side; the widest ones are cut where the lines would be too long.
std::string Aligned(const std::vector<Cells>& rows, std::size_t width) {
  std::array<std::size_t, kCells> widths{};
  const auto total = [&widths] {
    std::size_t sum = 0;
    for (const std::size_t one : widths) sum += one == 0 ? 0 : one + 2;
    return sum;
  };
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < kCells; ++i) widths[i] = std::max(widths[i], Length(row[i]));
  }
  constexpr std::size_t kNarrowest = 8;
  // The last cell, what is wrong, is never cut.
  while (width > 0 && total() > width) {
    auto widest = std::max_element(widths.begin(), widths.end() - 1);
    if (*widest <= kNarrowest) break;
    --*widest;
  }
  std::string text;
  for (const Cells& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i < kCells; ++i) {
      if (widths[i] == 0) continue;
      const std::string cell = i + 1 < kCells ? Cut(row[i], widths[i]) : row[i];
      line += " " + cell + std::string(widths[i] - std::min(Length(cell), widths[i]) + 1, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string Samples(const std::vector<ScanSample>& samples, std::int64_t count) {
  std::string text = samples.size() == 1 ? "key " : "keys ";
  for (std::size_t i = 0; i < samples.size(); ++i) {
    text += (i > 0 ? ", " : "") + Printable(samples[i].key);
    if (!samples[i].value.empty()) text += " " + Printable(samples[i].value);
  }
  return text + (count > static_cast<std::int64_t>(samples.size()) ? ", …" : "");
}

std::string SuggestionText(const Suggestion& one) {
  switch (one.kind) {
    case Suggestion::Kind::kSetting:
      return "suggested: " + one.key + ": " + one.value + " (" + one.evidence + ")";
    case Suggestion::Kind::kOffer:
      return "possible: " + one.key + ": " + one.value + " (" + one.evidence + "; " + one.price +
             ")";
    case Suggestion::Kind::kType:
      break;
  }
  if (one.value.empty()) return one.evidence;
  return "possible: type " + ShortType(one.value) + " on PostgreSQL (" + one.evidence + ")";
}

// What is wrong with the values of one table, and what may help.
std::string ScanLines(const TableScan& scan, std::size_t width) {
  std::string text;
  if (scan.null_keys > 0) {
    text += Wrapped(2,
                    "! the key holds NULL in " + GroupDigits(scan.null_keys) + ": " +
                        Samples(scan.null_key_samples, scan.null_keys),
                    width);
  }
  for (const ColumnScan& column : scan.columns) {
    for (const ScanReason& reason : column.reasons) {
      text += Wrapped(2,
                      "! " + Printable(column.source) + ": " + GroupDigits(reason.count) + " x " +
                          Printable(reason.reason) + "; " + Samples(reason.samples, reason.count),
                      width);
    }
    for (const Suggestion& one : SuggestColumn(column)) {
      text += Wrapped(4, Printable(column.source) + ": " + Printable(SuggestionText(one)), width);
    }
  }
  return text;
}

std::string TableLines(const PairedTable& table, const TableScan* scan, std::size_t width) {
  std::string head = OrDash(table.source);
  head += table.target.empty() ? "   no counterpart" : " -> " + Printable(table.target);
  const std::int64_t rows = scan == nullptr ? table.rows : scan->rows;
  head +=
      (scan == nullptr ? "   about " : "   ") + GroupDigits(rows) + (rows == 1 ? " row" : " rows");
  if (!table.key.empty()) head += "   " + Printable(table.key);
  std::string text = Wrapped(0, head, width);
  std::vector<Cells> cells;
  for (const PairedColumn& column : table.columns) {
    cells.push_back(CellsOf(column, ColumnNamed(scan, column.source)));
  }
  text += Aligned(cells, width);
  for (const std::string& column : table.target_only) {
    text += "  only on the target: " + Printable(column) + "\n";
  }
  return scan == nullptr ? text : text + ScanLines(*scan, width);
}

PairedTable Unpaired(const TableScan& scan) {
  PairedTable table;
  table.source = scan.source;
  for (const ColumnScan& column : scan.columns) {
    table.columns.push_back({column.source, column.declared_type, "", "", false});
  }
  return table;
}

std::string FindingLines(const Finding& finding, std::size_t width) {
  std::string text = std::string(Word(finding.severity)) + ": ";
  if (!finding.object.empty()) text += Printable(finding.object) + ": ";
  text = Wrapped(0, text + Printable(finding.message), width);
  if (!finding.hint.empty()) text += Wrapped(2, "HINT: " + Printable(finding.hint), width);
  return text;
}

std::string Verdict(const CheckReport& report) {
  const auto count = [&](Severity severity, const char* name) {
    const auto found =
        std::count_if(report.findings.begin(), report.findings.end(),
                      [&](const Finding& finding) { return finding.severity == severity; });
    return std::to_string(found) + " " + name + (found == 1 ? "" : "s");
  };
  std::string text = (report.ok() ? "ready" : "not ready") + std::string(": ") +
                     std::to_string(report.tables.size()) +
                     (report.tables.size() == 1 ? " table, " : " tables, ") +
                     count(Severity::kError, "error") + ", " +
                     count(Severity::kWarning, "warning") + "\n";
  if (!report.scanned) return text;
  std::int64_t rows = 0;
  std::int64_t rejected = 0;
  for (const TableScan& scan : report.scans) {
    rows += scan.rows;
    rejected += scan.rejected_rows;
  }
  return text + "scanned " + GroupDigits(rows) + " rows in " + FormatDuration(report.scan_time) +
         ": " + (rejected == 0 ? "none" : GroupDigits(rejected)) + " would be rejected\n";
}

}  // namespace

std::string CheckReportText(const CheckReport& report, std::size_t width) {
  std::string source = "source  " + OrDash(report.source_path);
  if (!report.sqlite_version.empty()) source += "   SQLite " + report.sqlite_version;
  if (!report.journal_mode.empty()) source += "   journal " + report.journal_mode;
  std::string target = "target  " + OrDash(report.target);
  if (!report.server_version.empty()) {
    target += "   PostgreSQL " + Printable(report.server_version) +
              (report.pooled ? "   through a pooler" : "   direct");
  }
  std::string text = Wrapped(0, source, width) + Wrapped(0, target, width) + "\n";
  for (const PairedTable& table : report.tables) {
    text += TableLines(table, report.ScanOf(table.source), width) + "\n";
  }
  for (const TableScan& scan : report.scans) {
    if (scan.target.empty()) text += TableLines(Unpaired(scan), &scan, width) + "\n";
  }
  const auto list = [&](const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    text += title + "\n";
    for (const std::string& line : lines) text += Wrapped(2, Printable(line), width);
    text += "\n";
  };
  list("Not carried:", report.skipped);
  list("Stands aside on the target meanwhile:", report.held);
  for (const Finding& finding : report.findings) text += FindingLines(finding, width);
  return text + Verdict(report);
}

}  // namespace liteferry::daemon
