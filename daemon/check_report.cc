#include "daemon/check_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/terminal.h"
#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

using Json = nlohmann::ordered_json;

std::string_view ToString(Severity severity) {
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

std::string TableLines(const PairedTable& table) {
  std::string text = OrDash(table.source) + " -> " + OrDash(table.target) + "   about " +
                     GroupDigits(table.rows) + " rows";
  if (!table.key.empty()) text += "   " + Printable(table.key);
  text += "\n";
  std::size_t width = 0;
  const auto left = [](const PairedColumn& column) {
    return OrDash(column.source) + " " + Printable(column.source_type);
  };
  for (const PairedColumn& column : table.columns) width = std::max(width, left(column).size());
  width = std::min<std::size_t>(width, 50);
  for (const PairedColumn& column : table.columns) {
    std::string name = left(column);
    if (name.size() < width) name.append(width - name.size(), ' ');
    text += "  " + name + "  -> " + OrDash(column.target) + " " + Printable(column.target_type) +
            (column.key ? "   key" : "") + "\n";
  }
  for (const std::string& column : table.target_only) {
    text += "  only on the target: " + Printable(column) + "\n";
  }
  return text;
}

std::string FindingLines(const Finding& finding) {
  std::string text = std::string(ToString(finding.severity)) + ": ";
  if (!finding.object.empty()) text += Printable(finding.object) + ": ";
  text += Printable(finding.message) + "\n";
  if (!finding.hint.empty()) text += "  HINT: " + Printable(finding.hint) + "\n";
  return text;
}

std::string Verdict(const CheckReport& report) {
  const auto count = [&](Severity severity) {
    return std::count_if(report.findings.begin(), report.findings.end(),
                         [&](const Finding& finding) { return finding.severity == severity; });
  };
  return (report.ok() ? "ready" : "not ready") + std::string(": ") +
         std::to_string(report.tables.size()) + " tables, " +
         std::to_string(count(Severity::kError)) + " errors, " +
         std::to_string(count(Severity::kWarning)) + " warnings\n";
}

Json ColumnsJson(const PairedTable& table) {
  Json columns = Json::array();
  for (const PairedColumn& column : table.columns) {
    columns.push_back({{"source", column.source},
                       {"source_type", column.source_type},
                       {"target", column.target},
                       {"target_type", column.target_type},
                       {"key", column.key}});
  }
  return columns;
}

}  // namespace

std::string CheckReportText(const CheckReport& report) {
  std::string text = "source  " + OrDash(report.source_path);
  if (!report.sqlite_version.empty()) text += "   SQLite " + report.sqlite_version;
  if (!report.journal_mode.empty()) text += "   journal " + report.journal_mode;
  text += "\ntarget  " + OrDash(report.target);
  if (!report.server_version.empty()) {
    text += "   PostgreSQL " + Printable(report.server_version) +
            (report.pooled ? "   through a pooler" : "   direct");
  }
  text += "\n\n";
  for (const PairedTable& table : report.tables) text += TableLines(table) + "\n";
  const auto list = [&](const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    text += title + "\n";
    for (const std::string& line : lines) text += "  " + Printable(line) + "\n";
    text += "\n";
  };
  list("Not carried:", report.skipped);
  list("Stands aside on the target meanwhile:", report.held);
  for (const Finding& finding : report.findings) text += FindingLines(finding);
  return text + Verdict(report);
}

std::string CheckReportJson(const CheckReport& report) {
  Json tables = Json::array();
  for (const PairedTable& table : report.tables) {
    tables.push_back({{"source", table.source},
                      {"target", table.target},
                      {"rows", table.rows},
                      {"key", table.key},
                      {"columns", ColumnsJson(table)},
                      {"target_only", table.target_only}});
  }
  Json findings = Json::array();
  for (const Finding& finding : report.findings) {
    findings.push_back({{"severity", ToString(finding.severity)},
                        {"object", finding.object},
                        {"message", finding.message},
                        {"hint", finding.hint}});
  }
  const Json root = {{"ok", report.ok()},
                     {"exit_code", static_cast<int>(report.exit_code())},
                     {"source",
                      {{"path", report.source_path},
                       {"journal_mode", report.journal_mode},
                       {"sqlite_version", report.sqlite_version}}},
                     {"target",
                      {{"address", report.target},
                       {"server_version", report.server_version},
                       {"pooler", report.pooled}}},
                     {"tables", tables},
                     {"skipped", report.skipped},
                     {"held", report.held},
                     {"findings", findings}};
  return root.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace liteferry::daemon
