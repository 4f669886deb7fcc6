// The JSON form of `check`; docs/CHECK.md describes every field.
#include <nlohmann/json.hpp>

#include "daemon/check_report.h"
#include "daemon/suggested_config.h"

namespace liteferry::daemon {
namespace {

using Json = nlohmann::ordered_json;

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

Json SamplesJson(const std::vector<ScanSample>& samples) {
  Json list = Json::array();
  for (const ScanSample& sample : samples) {
    Json one = {{"key", Json::parse(sample.key, nullptr, false)}};
    if (!sample.value.empty()) one["value"] = sample.value;
    list.push_back(std::move(one));
  }
  return list;
}

Json ReasonsJson(const ColumnScan& column) {
  Json reasons = Json::array();
  for (const ScanReason& reason : column.reasons) {
    reasons.push_back({{"reason", reason.reason},
                       {"count", reason.count},
                       {"samples", SamplesJson(reason.samples)}});
  }
  return reasons;
}

Json SuggestionsJson(const std::vector<Suggestion>& suggestions) {
  Json list = Json::array();
  for (const Suggestion& one : suggestions) {
    const char* kind = one.kind == Suggestion::Kind::kSetting ? "setting"
                       : one.kind == Suggestion::Kind::kOffer ? "offer"
                                                              : "type";
    list.push_back({{"kind", kind},
                    {"key", one.key},
                    {"value", one.value},
                    {"evidence", one.evidence},
                    {"price", one.price}});
  }
  return list;
}

Json TextFormsJson(const ColumnProfile& profile) {
  return {{"empty", profile.empty_texts},         {"boolean", profile.boolean_texts},
          {"integer", profile.integer_texts},     {"decimal", profile.decimal_texts},
          {"date", profile.date_texts},           {"timestamp", profile.timestamp_texts},
          {"timestamptz", profile.zoned_texts},   {"time", profile.time_texts},
          {"finer_time", profile.finer_times},    {"uuid", profile.uuid_texts},
          {"json", profile.json_texts},           {"nul", profile.nul_texts},
          {"invalid_utf8", profile.invalid_texts}};
}

Json ColumnScanJson(const ColumnScan& column) {
  const ColumnProfile& profile = column.profile;
  Json json = {{"source", column.source},
               {"source_type", column.declared_type},
               {"target", column.target},
               {"target_type", column.type.name},
               {"planned_type", column.planned_type},
               {"storage",
                {{"null", profile.nulls},
                 {"integer", profile.integers},
                 {"real", profile.reals},
                 {"text", profile.texts},
                 {"blob", profile.blobs}}},
               {"text_forms", TextFormsJson(profile)},
               {"longest_text", profile.longest_text},
               {"longest_blob", profile.longest_blob},
               {"rejected", column.rejected},
               {"rounded", column.rounded},
               {"altered", column.altered},
               {"reasons", ReasonsJson(column)},
               {"suggestions", SuggestionsJson(SuggestColumn(column))}};
  return json;
}

Json ScanJson(const CheckReport& report) {
  Json tables = Json::array();
  std::int64_t rows = 0;
  std::int64_t rejected = 0;
  for (const TableScan& scan : report.scans) {
    rows += scan.rows;
    rejected += scan.rejected_rows;
    Json columns = Json::array();
    for (const ColumnScan& column : scan.columns) columns.push_back(ColumnScanJson(column));
    tables.push_back(
        {{"source", scan.source},
         {"target", scan.target},
         {"rows", scan.rows},
         {"rejected_rows", scan.rejected_rows},
         {"null_keys",
          {{"count", scan.null_keys}, {"samples", SamplesJson(scan.null_key_samples)}}},
         {"columns", std::move(columns)}});
  }
  return {{"seconds", static_cast<double>(report.scan_time.count()) / 1000},
          {"rows", rows},
          {"rejected_rows", rejected},
          {"tables", std::move(tables)}};
}

}  // namespace

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
    findings.push_back({{"severity", Word(finding.severity)},
                        {"object", finding.object},
                        {"message", finding.message},
                        {"hint", finding.hint}});
  }
  Json root = {{"ok", report.ok()},
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
  if (report.scanned) root["scan"] = ScanJson(report);
  if (report.suggested) root["suggested_config"] = SuggestedConfigYaml(report);
  return root.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace liteferry::daemon
