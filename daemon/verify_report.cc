#include "daemon/verify_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/terminal.h"
#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

using Json = nlohmann::ordered_json;
using State = verify::TableOutcome::State;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view StateName(State state) {
  switch (state) {
    case State::kCompared:
      return "compared";
    case State::kCopying:
      return "copying";
    case State::kInDoubt:
      return "in_doubt";
  }
  return "in_doubt";
}

Json CountsJson(const verify::TableOutcome& outcome) {
  return {{"source_rows", outcome.source_rows},
          {"target_rows", outcome.target_rows},
          {"differences", outcome.differences()},
          {"missing", outcome.missing},
          {"extra", outcome.extra},
          {"different", outcome.different},
          {"stale_rejections", outcome.stale_rejections},
          {"rejected", outcome.rejected},
          {"waiting", outcome.waiting}};
}

std::string Number(std::int64_t number) { return GroupDigits(number); }

std::string TableLine(const verify::TableResult& table) {
  const verify::TableOutcome& outcome = table.outcome;
  std::string line = Printable(table.name) + ": ";
  if (outcome.state != State::kCompared) {
    return line + "not comparable, " + std::string(StateName(outcome.state));
  }
  line += Number(outcome.source_rows) + " rows, ";
  if (outcome.differences() == 0) {
    line += "equal";
  } else {
    line += Number(outcome.differences()) + " differ (" + Number(outcome.missing) + " missing, " +
            Number(outcome.extra) + " extra, " + Number(outcome.different) + " different";
    if (outcome.stale_rejections > 0) {
      line += ", " + Number(outcome.stale_rejections) + " stale rejections";
    }
    line += ")";
  }
  if (outcome.rejected > 0) line += ", " + Number(outcome.rejected) + " rejected";
  if (outcome.waiting > 0) line += ", " + Number(outcome.waiting) + " waiting to be applied";
  return line;
}

}  // namespace

void VerifyReport::Add(const std::string& table, const verify::Difference& difference) {
  if (json_) {
    Json one = {{"table", table},
                {"kind", ToString(difference.kind)},
                {"key", Json::parse(difference.shown, nullptr, false)}};
    if (!difference.columns.empty()) one["columns"] = difference.columns;
    lines_.Append((lines_.size() > 0 ? "," : "") + Dump(one));
    return;
  }
  if (++count_[table] > kShownPerTable) return;
  shown_[table] +=
      "  " + std::string(ToString(difference.kind)) + " " + Printable(difference.shown);
  if (!difference.columns.empty()) {
    shown_[table] += " in " + Printable(Join(difference.columns, ", "));
  }
  shown_[table] += "\n";
}

void VerifyReport::WriteText(const verify::RunResult& result, std::ostream& out) const {
  for (const verify::TableResult& table : result.tables) {
    out << TableLine(table) << "\n";
    const auto shown = shown_.find(table.name);
    if (shown == shown_.end()) continue;
    out << shown->second;
    const int more = count_.at(table.name) - kShownPerTable;
    if (more > 0) out << "  and " << Number(more) << " more; --json lists all\n";
  }
  for (const verify::Finding& finding : result.findings) {
    out << ToString(finding.kind) << ": " << Printable(finding.object) << " "
        << Printable(finding.message) << "\n";
  }
  const verify::TableOutcome total = result.Total();
  out << Number(std::max(total.source_rows, total.target_rows)) << " rows in "
      << FormatDuration(result.duration) << ": ";
  if (total.differences() > 0) {
    out << Number(total.differences()) << " differences";
  } else {
    out << (result.complete() ? "equal" : "equal where it could be compared");
  }
  if (total.waiting > 0) {
    out << "; " << Number(total.waiting) << " more rows are logged and not applied yet";
  }
  out << "\n";
}

void VerifyReport::WriteJson(const verify::RunResult& result, bool daemon_running,
                             std::ostream& out) const {
  const verify::TableOutcome total = result.Total();
  Json root = CountsJson(total);
  root["equal"] = total.differences() == 0 && result.complete();
  root["complete"] = result.complete();
  root["seconds"] = static_cast<double>(result.duration.count()) / 1000;
  root["keys_logged"] = result.keys_logged;
  root["daemon_running"] = daemon_running;
  root["tables"] = Json::array();
  for (const verify::TableResult& table : result.tables) {
    Json one = {
        {"name", table.name}, {"target", table.target}, {"state", StateName(table.outcome.state)}};
    one.update(CountsJson(table.outcome));
    root["tables"].push_back(std::move(one));
  }
  root["findings"] = Json::array();
  for (const verify::Finding& finding : result.findings) {
    root["findings"].push_back({{"kind", ToString(finding.kind)},
                                {"object", finding.object},
                                {"message", finding.message}});
  }
  // The list may be longer than memory would like: it is put in by hand, under another name than
  // the count.
  std::string text = Dump(root);
  text.pop_back();
  out << text << ",\"differing\":[";
  lines_.Read(0, lines_.size(), [&](std::string_view piece) { out << piece; });
  out << "]}\n";
}

std::string DescribeRun(const verify::RunProgress& progress) {
  return Number(progress.rows) + " of about " +
         Number(std::max(progress.rows, progress.rows_expected)) + " rows, " +
         std::to_string(progress.tables_done) + " of " + std::to_string(progress.tables) +
         " tables, " + Number(progress.differences) + " differences";
}

}  // namespace liteferry::daemon
