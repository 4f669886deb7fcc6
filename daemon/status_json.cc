#include "daemon/status_json.h"

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "replication/base/error.h"
#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

using Json = nlohmann::ordered_json;
using TimePoint = std::chrono::system_clock::time_point;

Json OptionalTime(const std::optional<TimePoint>& at) {
  return at ? Json(FormatTimestamp(*at)) : Json(nullptr);
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json RejectionsJson(const EngineStatus& status) {
  Json rows = Json::array();
  for (const RejectedStatus& row : status.rejections) {
    rows.push_back(
        {{"table", row.table}, {"key", row.key}, {"column", row.column}, {"reason", row.reason}});
  }
  return rows;
}

Json TablesJson(const StatusReport& report) {
  Json tables = Json::array();
  for (const TableStatus& table : report.status.tables) {
    const VerifyStatus::Table* const verified = report.Verified(table);
    tables.push_back(
        {{"name", table.name},
         {"rows_expected", table.rows_expected},
         {"rows_copied", table.rows_copied},
         {"changes_applied", table.changes_applied},
         {"rejected", table.rejected},
         {"captured", table.captured},
         {"copy_done", table.copy_done},
         {"problem", table.problem},
         {"in_doubt", table.in_doubt},
         {"behind_since", OptionalTime(table.behind_since)},
         {"lag_seconds", OrNull(report.LagSeconds(table))},
         {"last_verified",
          verified == nullptr ? Json(nullptr) : OptionalTime(report.status.verify.last_finished)},
         {"differences", verified == nullptr ? Json(nullptr) : Json(verified->differences)}});
  }
  return tables;
}

Json SourceJson(const StatusReport& report) {
  const SourceStatus& source = report.status.source;
  return {{"up", source.up},
          {"path", source.path},
          {"journal_mode", source.journal_mode},
          {"size_bytes", source.size_bytes},
          {"wal_bytes", source.wal_bytes},
          {"log_bytes", source.log_bytes},
          {"log_limit_bytes", report.log_limit_bytes}};
}

Json TargetJson(const StatusReport& report) {
  const TargetStatus& target = report.status.target;
  return {{"up", target.up},
          {"server_version", target.server_version},
          {"database", target.database},
          {"role", target.role},
          {"pooler", target.pooled},
          {"address", target.address},
          {"timeline", target.timeline == 0 ? Json(nullptr) : Json(target.timeline)},
          {"durability", report.durability.empty() ? Json(nullptr) : Json(report.durability)}};
}

Json ProgressJson(const Progress& progress) {
  return {{"kind", progress.kind == Progress::Kind::kCopy      ? Json("copy")
                   : progress.kind == Progress::Kind::kCatchUp ? Json("catch_up")
                                                               : Json(nullptr)},
          {"done", progress.done},
          {"total", progress.total},
          {"fraction", OrNull(progress.fraction)},
          {"rows_per_second", OrNull(progress.rows_per_second)},
          {"captured_per_second", OrNull(progress.captured_per_second)},
          {"applied_per_second", OrNull(progress.applied_per_second)}};
}

// Rows rather than objects: a page asks for it every second.
Json HistoryJson(const std::vector<HistorySample>& history) {
  const auto rounded = [](const std::optional<double>& value) {
    return value ? Json(std::round(*value * 1000) / 1000) : Json(nullptr);
  };
  Json samples = Json::array();
  for (const HistorySample& sample : history) {
    const auto at = std::chrono::floor<std::chrono::milliseconds>(sample.at.time_since_epoch());
    samples.push_back({at.count(), rounded(sample.lag_seconds), sample.backlog_changes,
                       rounded(sample.captured_per_second), rounded(sample.applied_per_second),
                       rounded(sample.rows_per_second)});
  }
  return {{"columns",
           {"at_milliseconds", "lag_seconds", "backlog_changes", "captured_per_second",
            "applied_per_second", "rows_per_second"}},
          {"samples", std::move(samples)}};
}

// The reading side: whatever is missing or of another type leaves `into` as it is.
template <typename T>
void Read(const Json& object, const char* key, T& into) {
  if (!object.is_object()) return;
  const auto found = object.find(key);
  if (found == object.end()) return;
  if constexpr (std::is_same_v<T, bool>) {
    if (found->is_boolean()) into = found->get<bool>();
  } else if constexpr (std::is_arithmetic_v<T>) {
    if (found->is_number()) into = found->get<T>();
  } else {
    if (found->is_string()) into = found->get<std::string>();
  }
}

template <typename T>
void Read(const Json& object, const char* key, std::optional<T>& into) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return;
  into = object[key].template get<T>();
}

void Read(const Json& object, const char* key, std::vector<std::string>& into) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_array()) return;
  for (const Json& item : object[key]) {
    if (item.is_string()) into.push_back(item.get<std::string>());
  }
}

// Of FormatTimestamp(): 2026-11-22T18:37:00.123Z.
std::optional<TimePoint> ReadTime(const Json& object, const char* key) {
  std::string text;
  Read(object, key, text);
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  TimePoint at = std::chrono::system_clock::from_time_t(timegm(&parts));
  if (rest[0] == '.' && std::string_view(rest).size() >= 4) {
    at += std::chrono::milliseconds(std::atoi(std::string(rest + 1, 3).c_str()));
  }
  return at;
}

const Json& Part(const Json& object, const char* key) {
  static const Json kNone = Json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : kNone;
}

State ReadState(const Json& root) {
  std::string name;
  Read(root, "state", name);
  for (const State state :
       {State::kStarting, State::kCopying, State::kCatchingUp, State::kFollowing,
        State::kCuttingOver, State::kCutOver, State::kRetrying, State::kPaused}) {
    if (ToString(state) == name) return state;
  }
  return State::kHalted;
}

void ReadTables(const Json& root, EngineStatus& status) {
  if (!root.contains("tables") || !root["tables"].is_array()) return;
  for (const Json& item : root["tables"]) {
    TableStatus& table = status.tables.emplace_back();
    Read(item, "name", table.name);
    Read(item, "rows_expected", table.rows_expected);
    Read(item, "rows_copied", table.rows_copied);
    Read(item, "changes_applied", table.changes_applied);
    Read(item, "rejected", table.rejected);
    Read(item, "captured", table.captured);
    Read(item, "copy_done", table.copy_done);
    Read(item, "problem", table.problem);
    Read(item, "in_doubt", table.in_doubt);
    table.behind_since = ReadTime(item, "behind_since");
    std::optional<std::int64_t> differences;
    Read(item, "differences", differences);
    if (differences) status.verify.tables.push_back({table.name, *differences});
  }
}

void ReadRejections(const Json& root, EngineStatus& status) {
  if (!root.contains("rejections") || !root["rejections"].is_array()) return;
  for (const Json& item : root["rejections"]) {
    RejectedStatus& row = status.rejections.emplace_back();
    Read(item, "table", row.table);
    Read(item, "key", row.key);
    Read(item, "column", row.column);
    Read(item, "reason", row.reason);
  }
}

void ReadEnds(const Json& root, StatusReport& report) {
  const Json& source = Part(root, "source");
  SourceStatus& from = report.status.source;
  Read(source, "up", from.up);
  Read(source, "path", from.path);
  Read(source, "journal_mode", from.journal_mode);
  Read(source, "size_bytes", from.size_bytes);
  Read(source, "wal_bytes", from.wal_bytes);
  Read(source, "log_bytes", from.log_bytes);
  Read(source, "log_limit_bytes", report.log_limit_bytes);
  const Json& target = Part(root, "target");
  TargetStatus& to = report.status.target;
  Read(target, "up", to.up);
  Read(target, "server_version", to.server_version);
  Read(target, "database", to.database);
  Read(target, "role", to.role);
  Read(target, "pooler", to.pooled);
  Read(target, "address", to.address);
  Read(target, "timeline", to.timeline);
  Read(target, "durability", report.durability);
}

void ReadProgress(const Json& root, Progress& progress) {
  const Json& part = Part(root, "progress");
  std::string kind;
  Read(part, "kind", kind);
  if (kind == "copy") progress.kind = Progress::Kind::kCopy;
  if (kind == "catch_up") progress.kind = Progress::Kind::kCatchUp;
  Read(part, "done", progress.done);
  Read(part, "total", progress.total);
  Read(part, "fraction", progress.fraction);
  Read(part, "rows_per_second", progress.rows_per_second);
  Read(part, "captured_per_second", progress.captured_per_second);
  Read(part, "applied_per_second", progress.applied_per_second);
  std::optional<std::int64_t> eta;
  Read(root, "eta_seconds", eta);
  if (eta) progress.eta = std::chrono::seconds(*eta);
}

void ReadEngine(const Json& root, EngineStatus& status) {
  status.state = ReadState(root);
  status.since = ReadTime(root, "since").value_or(TimePoint());
  Read(root, "reason", status.reason);
  Read(root, "next_action", status.next_action);
  Read(root, "consistent", status.consistent);
  Read(root, "backlog_changes", status.backlog_changes);
  const Json& commits = Part(root, "commit_seconds");
  Read(commits, "p50", status.commit_p50_seconds);
  Read(commits, "p99", status.commit_p99_seconds);
  status.oldest_unapplied_at = ReadTime(root, "oldest_unapplied_at");
  const Json& position = Part(root, "position");
  Read(position, "captured", status.captured);
  status.position_known = position.contains("applied") && position["applied"].is_number();
  Read(position, "applied", status.applied);
  Read(position, "confirmed", status.confirmed);
  Read(position, "oldest_kept", status.oldest_kept);
  Read(root, "rejected_rows", status.rejected_rows);
  Read(root, "rejected_query", status.rejected_query);
  Read(root, "held", status.held);
  Read(root, "held_problems", status.held_problems);
  Read(root, "notes", status.notes);
  Read(root, "activity", status.activity);
  status.activity_since = ReadTime(root, "activity_since").value_or(TimePoint());
  Read(root, "catch_up_from", status.catch_up_from);
  Read(root, "retry_attempt", status.retry_attempt);
  status.retry_at = ReadTime(root, "retry_at").value_or(TimePoint());
}

}  // namespace

namespace {

Json VerifyJson(const VerifyStatus& verify) {
  Json json = {{"last_finished", OptionalTime(verify.last_finished)}};
  for (const char* key : {"rows", "differences", "complete", "duration_seconds"})
    json[key] = nullptr;
  json["last_success"] = OptionalTime(verify.last_success);
  if (!verify.last_finished) return json;
  json["rows"] = verify.rows;
  json["differences"] = verify.differences;
  json["complete"] = verify.complete;
  json["duration_seconds"] = std::chrono::duration<double>(verify.duration).count();
  return json;
}

void ReadVerify(const Json& root, VerifyStatus& verify) {
  const Json& part = Part(root, "verify");
  verify.last_finished = ReadTime(part, "last_finished");
  verify.last_success = ReadTime(part, "last_success");
  Read(part, "rows", verify.rows);
  Read(part, "differences", verify.differences);
  Read(part, "complete", verify.complete);
  double seconds = 0;
  Read(part, "duration_seconds", seconds);
  verify.duration =
      std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

Json CutoverJson(const StatusReport& report) {
  const CutoverStatus& cutover = report.status.cutover;
  const auto blockers = report.CutoverBlockers();
  return {
      {"ready", blockers.empty()},
      {"blockers", blockers},
      {"estimated_pause_seconds",
       cutover.estimated_pause_seconds ? Json(*cutover.estimated_pause_seconds) : Json(nullptr)},
      {"planned_at", OptionalTime(cutover.planned_at)},
      {"checklist", GatesJson(report.CutoverGates())},
      {"verify_max_age_seconds", std::chrono::duration<double>(report.verify_max_age).count()},
      {"gates", GatesJson(cutover.gates)},
      {"attempt", cutover.attempt},
      {"running", cutover.running},
      {"step", cutover.step},
      {"result", cutover.result},
      {"message", cutover.message},
      {"next_action", cutover.next_action},
      {"exit_code", cutover.exit_code},
      {"fenced", cutover.fenced},
      {"write_pause_seconds",
       cutover.write_pause_seconds ? Json(*cutover.write_pause_seconds) : Json(nullptr)}};
}

std::vector<CutoverGate> ReadGates(const Json& root, const char* name) {
  std::vector<CutoverGate> gates;
  const auto found = root.find(name);
  if (found == root.end() || !found->is_array()) return gates;
  for (const Json& one : *found) {
    CutoverGate gate;
    Read(one, "name", gate.name);
    Read(one, "ok", gate.ok);
    Read(one, "detail", gate.detail);
    Read(one, "next_action", gate.next_action);
    gates.push_back(std::move(gate));
  }
  return gates;
}

void ReadCutover(const Json& root, StatusReport& report) {
  CutoverStatus& cutover = report.status.cutover;
  const auto found = root.find("cutover");
  if (found == root.end() || !found->is_object()) return;
  double max_age = 0;
  Read(*found, "verify_max_age_seconds", max_age);
  report.verify_max_age =
      std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(max_age));
  Read(*found, "attempt", cutover.attempt);
  Read(*found, "running", cutover.running);
  Read(*found, "step", cutover.step);
  Read(*found, "result", cutover.result);
  Read(*found, "message", cutover.message);
  Read(*found, "next_action", cutover.next_action);
  Read(*found, "exit_code", cutover.exit_code);
  Read(*found, "fenced", cutover.fenced);
  double pause = -1;
  Read(*found, "write_pause_seconds", pause);
  if (pause >= 0) cutover.write_pause_seconds = pause;
  double estimate = -1;
  Read(*found, "estimated_pause_seconds", estimate);
  if (estimate >= 0) cutover.estimated_pause_seconds = estimate;
  cutover.planned_at = ReadTime(*found, "planned_at");
  if (cutover.planned_at) cutover.planned = ReadGates(*found, "checklist");
  cutover.gates = ReadGates(*found, "gates");
}

}  // namespace

Json GatesJson(const std::vector<CutoverGate>& gates) {
  Json list = Json::array();
  for (const CutoverGate& gate : gates) {
    list.push_back({{"name", gate.name},
                    {"ok", gate.ok},
                    {"detail", gate.detail},
                    {"next_action", gate.next_action}});
  }
  return list;
}

std::string StatusJson(const StatusReport& report) {
  const EngineStatus& status = report.status;
  const bool retrying = status.state == State::kRetrying;
  const bool known = status.position_known;
  std::optional<double> uptime;
  if (report.started_at) {
    uptime = std::chrono::duration<double>(report.now - *report.started_at).count();
  }
  Json root;
  root["state"] = ToString(status.state);
  root["since"] = status.since == TimePoint() ? Json(nullptr) : Json(FormatTimestamp(status.since));
  root["reason"] = status.reason;
  root["next_action"] = status.next_action;
  root["consistent"] = status.consistent;
  root["lag_seconds"] = OrNull(report.LagSeconds());
  root["backlog_changes"] = known ? Json(status.backlog_changes) : Json(nullptr);
  root["backlog_bytes"] = known ? Json(status.UnappliedBytes()) : Json(nullptr);
  root["oldest_unapplied_at"] = OptionalTime(status.oldest_unapplied_at);
  root["position"] = {{"captured", status.captured},
                      {"applied", known ? Json(status.applied) : Json(nullptr)},
                      {"confirmed", known ? Json(status.confirmed) : Json(nullptr)},
                      {"oldest_kept", status.oldest_kept}};
  root["commit_seconds"] = {{"p50", OrNull(status.commit_p50_seconds)},
                            {"p99", OrNull(status.commit_p99_seconds)}};
  root["tables"] = TablesJson(report);
  root["rejected_rows"] = status.rejected_rows;
  root["rejections"] = RejectionsJson(status);
  root["rejected_query"] = status.rejected_query;
  root["verify"] = VerifyJson(status.verify);
  root["cutover"] = CutoverJson(report);
  root["source"] = SourceJson(report);
  root["target"] = TargetJson(report);
  root["version"] = report.version;
  root["now"] = FormatTimestamp(report.now);
  root["pid"] = report.pid == 0 ? Json(nullptr) : Json(report.pid);
  root["started_at"] = OptionalTime(report.started_at);
  root["uptime_seconds"] = OrNull(uptime);
  root["activity"] = status.activity;
  root["activity_since"] =
      status.activity.empty() ? Json(nullptr) : Json(FormatTimestamp(status.activity_since));
  root["progress"] = ProgressJson(report.progress);
  root["eta_seconds"] = report.progress.eta ? Json(report.progress.eta->count()) : Json(nullptr);
  root["catch_up_from"] = status.catch_up_from;
  root["retry_attempt"] = status.retry_attempt;
  root["retry_at"] = retrying ? Json(FormatTimestamp(status.retry_at)) : Json(nullptr);
  root["held"] = status.held;
  root["held_problems"] = status.held_problems;
  root["notes"] = status.notes;
  if (!report.history.empty()) root["history"] = HistoryJson(report.history);
  return root.dump(-1, ' ', false, Json::error_handler_t::replace);
}

StatusReport ParseStatusJson(std::string_view text) {
  const Json root = Json::parse(text, nullptr, false);
  if (!root.is_object()) {
    throw Error(Disposition::kBug, Component::kControl, "the status is not a JSON object");
  }
  StatusReport report;
  ReadEngine(root, report.status);
  ReadVerify(root, report.status.verify);
  ReadCutover(root, report);
  ReadTables(root, report.status);
  ReadRejections(root, report.status);
  ReadEnds(root, report);
  ReadProgress(root, report.progress);
  Read(root, "version", report.version);
  report.now = ReadTime(root, "now").value_or(TimePoint());
  Read(root, "pid", report.pid);
  report.started_at = ReadTime(root, "started_at");
  return report;
}

}  // namespace liteferry::daemon
