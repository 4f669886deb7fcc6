#include "daemon/status_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/gauges.h"
#include "daemon/status_text.h"
#include "replication/base/error.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

using nlohmann::json;

TEST(StatusJsonTest, HasEveryFieldOfTheContract) {
  for (const StatusReport& report : {StatusReport(), FollowingReport()}) {
    const json root = json::parse(StatusJson(report));
    const json keys = json::parse(R"({
      "": ["state", "since", "reason", "next_action", "consistent", "lag_seconds",
           "backlog_changes", "position", "tables", "rejected_rows", "verify", "cutover", "source",
           "target", "version"],
      "position": ["captured", "applied", "confirmed", "oldest_kept"],
      "verify": ["last_finished", "rows", "differences"],
      "cutover": ["ready", "blockers", "estimated_pause_seconds"],
      "source": ["path", "journal_mode", "size_bytes", "wal_bytes", "log_bytes"],
      "target": ["server_version", "database", "role", "pooler"]})");
    for (const auto& [part, names] : keys.items()) {
      const json& object = part.empty() ? root : root.at(part);
      for (const auto& name : names) {
        EXPECT_TRUE(object.contains(name.get<std::string>())) << part << " " << name;
      }
    }
    for (const json& table : root["tables"]) {
      for (const char* name :
           {"name", "rows_expected", "rows_copied", "changes_applied", "rejected", "captured"}) {
        EXPECT_TRUE(table.contains(name)) << name;
      }
    }
    EXPECT_TRUE(root["cutover"]["blockers"].is_array());
  }
}

// The names of all fields: `a.b` of an object in an object, `a[].b` of one in an array.
void CollectNames(const json& value, const std::string& name, std::set<std::string>& names) {
  if (value.is_object()) {
    for (const auto& [key, part] : value.items()) {
      CollectNames(part, name.empty() ? key : name + "." + key, names);
    }
  } else if (value.is_array() && !value.empty() && value[0].is_object()) {
    for (const json& part : value) CollectNames(part, name + "[]", names);
  } else {
    names.insert(name);
  }
}

TEST(StatusJsonTest, HasTheFieldsOfTheDocumentAndNoOther) {
  StatusReport report = FollowingReport();
  report.status.rejections.push_back({"notes", "[1]", "title", "why"});
  report.status.cutover.gates.push_back({"following", true, "", ""});
  report.history.emplace_back();
  std::set<std::string> printed;
  CollectNames(json::parse(StatusJson(report)), "", printed);

  std::ifstream file(std::string(LITEFERRY_SOURCE_DIR) + "/docs/STATUS.md");
  std::set<std::string> documented;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string cell = line.substr(0, line.find(" |", 1));
    for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
      const std::size_t end = cell.find('`', at + 1);
      documented.insert(cell.substr(at + 1, end - at - 1));
      at = end;
    }
  }
  EXPECT_EQ(printed, documented);
}

TEST(StatusJsonTest, SaysWhatOneTableLacks) {
  StatusReport report = FollowingReport();
  EngineStatus& status = report.status;
  status.tables[0].in_doubt = true;
  status.tables[0].behind_since = report.now - std::chrono::seconds(60);
  status.verify.last_finished = report.now - std::chrono::hours(1);
  status.verify.tables = {{"tags", 0}};
  const json tables = json::parse(StatusJson(report))["tables"];
  EXPECT_EQ(tables[0]["in_doubt"], true);
  EXPECT_DOUBLE_EQ(tables[0]["lag_seconds"], 60);
  EXPECT_TRUE(tables[0]["last_verified"].is_null());
  EXPECT_DOUBLE_EQ(tables[1]["lag_seconds"], 0.4);
  EXPECT_EQ(tables[1]["differences"], 0);
  EXPECT_FALSE(tables[1]["last_verified"].is_null());
}

TEST(StatusJsonTest, KnowsNoLagBeforeThePosition) {
  StatusReport report = FollowingReport();
  report.status.state = State::kRetrying;
  report.status.position_known = false;
  report.status.oldest_unapplied_at.reset();
  report.status.backlog_changes = 0;
  const json root = json::parse(StatusJson(report));
  EXPECT_TRUE(root["lag_seconds"].is_null());
  EXPECT_TRUE(root["backlog_changes"].is_null());
  EXPECT_TRUE(root["position"]["applied"].is_null());
  const std::string text = StatusText(ParseStatusJson(root.dump()), false);
  EXPECT_NE(text.find("lag      unknown"), std::string::npos) << text;
  // The metric must be a number, and not a reassuring one.
  EXPECT_DOUBLE_EQ(MakeGauges(report).lag_seconds, 1000);
}

TEST(StatusJsonTest, TellsTheValues) {
  const json root = json::parse(StatusJson(FollowingReport()));
  EXPECT_EQ(root["state"], "following");
  EXPECT_DOUBLE_EQ(root["lag_seconds"], 0.4);
  EXPECT_EQ(root["backlog_changes"], 3);
  EXPECT_EQ(root["position"]["captured"], 1003);
  EXPECT_EQ(root["tables"].size(), 2U);
  EXPECT_EQ(root["uptime_seconds"], 1000);
  EXPECT_EQ(root["cutover"]["ready"], false);
  EXPECT_FALSE(root["cutover"]["blockers"].empty());
}

TEST(StatusJsonTest, LagIsZeroOnlyWithoutBacklog) {
  StatusReport report = FollowingReport();
  report.status.oldest_unapplied_at.reset();
  EXPECT_TRUE(json::parse(StatusJson(report))["lag_seconds"].is_null());
  report.status.backlog_changes = 0;
  EXPECT_EQ(json::parse(StatusJson(report))["lag_seconds"], 0);
}

TEST(StatusJsonTest, LagThatNobodyKnowsIsNull) {
  StatusReport report = FollowingReport();
  report.status.oldest_unapplied_at.reset();
  report.status.backlog_changes = 0;
  report.status.state = State::kStarting;
  EXPECT_TRUE(json::parse(StatusJson(report))["lag_seconds"].is_null());
  report.status.state = State::kFollowing;
  report.pid = 0;
  EXPECT_EQ(json::parse(StatusJson(report))["lag_seconds"], 0);
  report.status.target.up = false;
  EXPECT_TRUE(json::parse(StatusJson(report))["lag_seconds"].is_null());
}

StatusReport RandomReport(std::mt19937& random) {
  const auto number = [&] { return static_cast<std::int64_t>(random()); };
  // Times with milliseconds, as they are written; text that is valid UTF-8, as JSON needs it.
  const auto time = [&] { return At(1'700'000'000'000 + number()); };
  const auto text = [&] {
    std::string result = HostileText(random, 12);
    for (char& c : result) c = static_cast<char>(static_cast<unsigned char>(c) & 0x7FU);
    return result;
  };
  const auto coin = [&] { return random() % 2 == 0; };
  StatusReport report;
  EngineStatus& status = report.status;
  status.state = static_cast<State>(random() % 9);
  status.since = time();
  status.reason = text();
  status.next_action = text();
  status.consistent = coin();
  status.captured = number();
  status.applied = number();
  status.confirmed = number();
  status.oldest_kept = number();
  if (coin()) status.oldest_unapplied_at = time();
  status.backlog_changes = number();
  for (std::size_t i = random() % 3; i > 0; --i) {
    status.tables.push_back(
        {text(), number(), number(), number(), number(), coin(), coin(), text()});
  }
  status.rejected_rows = number();
  if (coin()) status.rejections.push_back({text(), text(), text(), text()});
  status.rejected_query = text();
  status.held = static_cast<int>(random() % 100);
  if (coin()) status.held_problems.push_back(text());
  if (coin()) status.notes.push_back(text());
  status.activity = text();
  if (!status.activity.empty()) status.activity_since = time();
  status.catch_up_from = number();
  status.retry_attempt = static_cast<int>(random() % 9);
  if (status.state == State::kRetrying) status.retry_at = time();
  status.source = {coin(), text(), text(), random(), random(), number()};
  status.target = {coin(), text(), text(), text(), coin(), text()};
  report.progress.kind = static_cast<Progress::Kind>(random() % 3);
  report.progress.done = number();
  report.progress.total = number();
  if (coin()) report.progress.fraction = 0.25;
  if (coin()) report.progress.eta = std::chrono::seconds(random() % 1000);
  if (coin()) report.progress.applied_per_second = 1.5;
  report.now = time();
  report.version = text();
  report.pid = number();
  if (coin()) report.started_at = time();
  report.log_limit_bytes = number();
  report.verify_max_age = std::chrono::milliseconds(random() % 1'000'000);
  return report;
}

TEST(StatusJsonTest, WhatIsWrittenIsReadBack) {
  std::mt19937 random(TestSeed());
  for (int i = 0; i < 1000; ++i) {
    const std::string text = StatusJson(RandomReport(random));
    EXPECT_EQ(text.find('\n'), std::string::npos);
    ASSERT_EQ(StatusJson(ParseStatusJson(text)), text);
  }
}

TEST(StatusJsonTest, HostileNamesGiveValidJson) {
  std::mt19937 random(TestSeed());
  StatusReport report = FollowingReport();
  for (int i = 0; i < 1000; ++i) {
    report.status.tables[0].name = HostileText(random, 30);
    report.status.reason = HostileText(random, 30);
    ASSERT_TRUE(json::accept(StatusJson(report)));
  }
}

TEST(StatusJsonTest, EveryShutGateSaysWhatToDo) {
  StatusReport report = FollowingReport();
  report.verify_max_age = std::chrono::hours(24);
  report.status.rejected_rows = 2;
  report.status.tables[0].captured = false;
  report.status.tables[1].problem = "has no column b";
  report.status.held_problems = {"unique index u"};
  report.status.verify.last_success = report.now - std::chrono::hours(25);
  report.status.verify.complete = true;
  const json cutover = json::parse(StatusJson(report))["cutover"];
  std::set<std::string> shut;
  for (const json& gate : cutover["checklist"]) {
    if (gate["ok"].get<bool>()) continue;
    shut.insert(gate["name"].get<std::string>());
    EXPECT_NE(gate["detail"], "") << gate;
    EXPECT_NE(gate["next_action"], "") << gate;
  }
  EXPECT_EQ(shut,
            (std::set<std::string>{"tables", "rejected rows", "held constraints", "verified"}));
  EXPECT_EQ(cutover["blockers"].size(), shut.size());
  EXPECT_EQ(cutover["ready"], false);
  for (int state = 0; state <= static_cast<int>(State::kHalted); ++state) {
    report.status.state = static_cast<State>(state);
    const json now = json::parse(StatusJson(report))["cutover"];
    const bool past =
        report.status.state == State::kCuttingOver || report.status.state == State::kCutOver;
    EXPECT_EQ(now["checklist"].empty(), past) << state;
  }
}

TEST(StatusJsonTest, WhenItIsOpenEverywhereItIsReady) {
  StatusReport report = FollowingReport();
  report.verify_max_age = std::chrono::hours(24);
  report.status.verify.last_success = report.now - std::chrono::hours(23);
  report.status.verify.complete = true;
  EXPECT_THAT(report.CutoverBlockers(), ::testing::IsEmpty());
  report.status.state = State::kHalted;
  report.status.next_action = "Run this.";
  EXPECT_THAT(report.CutoverBlockers(), ::testing::ElementsAre("following: state is halted"));
  EXPECT_EQ(report.CutoverGates().front().next_action, "Run this.");
}

TEST(StatusJsonTest, WhatNobodyLookedAtIsNotReady) {
  StatusReport report = FollowingReport();
  report.verify_max_age = std::chrono::hours(24);
  report.status.verify.last_success = report.now - std::chrono::hours(23);
  report.status.verify.last_finished = report.status.verify.last_success;
  report.status.verify.complete = true;
  ASSERT_THAT(report.CutoverBlockers(), ::testing::IsEmpty());
  // A gate that was shut when both databases were looked at stays so until the next look.
  report.status.cutover.planned[2] = {"durability", false, "no standby", "See there."};
  report.status.cutover.planned.push_back({"verified", false, "not in the log", "Verify."});
  EXPECT_THAT(report.CutoverBlockers(),
              ::testing::ElementsAre("verified: not in the log", "durability: no standby"));
  EXPECT_THAT(ParseStatusJson(StatusJson(report)).CutoverBlockers(),
              ::testing::ElementsAreArray(report.CutoverBlockers()));
  // A comparison since then is in the log.
  report.status.verify.last_finished = report.now;
  EXPECT_THAT(report.CutoverBlockers(), ::testing::ElementsAre("durability: no standby"));
  report.status.cutover.planned_at.reset();
  report.status.cutover.planned.clear();
  EXPECT_THAT(report.CutoverBlockers(),
              ::testing::ElementsAre("both databases: not looked through yet"));
}

TEST(StatusJsonTest, ReadsWhatOtherVersionsWrite) {
  const StatusReport report = ParseStatusJson(
      R"({"state":"following","new_field":{"x":1},"backlog_changes":"many","tables":[{"name":"t"},7],
          "position":null,"eta_seconds":null})");
  EXPECT_EQ(report.status.state, State::kFollowing);
  EXPECT_EQ(report.status.backlog_changes, 0);
  ASSERT_EQ(report.status.tables.size(), 2U);
  EXPECT_EQ(report.status.tables[0].name, "t");
  EXPECT_THROW(ParseStatusJson("[]"), Error);
  EXPECT_THROW(ParseStatusJson("{"), Error);
}

TEST(StatusTextTest, ShowsStateLagAndTables) {
  const std::string text = StatusText(FollowingReport(), false);
  for (const char* part :
       {"liteferry 0.1.0", "pid 4711", "/data/app.db", "PostgreSQL 17.2", "FOLLOWING", "400 ms",
        "backlog 3 changes", "captured 1 003", "capture: 2/2 tables", "notes", "100%"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(StatusText(FollowingReport(), true).find("\x1b[32m"), std::string::npos);
}

TEST(StatusTextTest, NamesAFewRejectedRowsOfEachTable) {
  StatusReport report;
  EngineStatus& status = report.status;
  for (const char* name : {"notes", "tags"}) {
    status.tables.emplace_back().name = name;
    status.tables.back().rejected = 1;
  }
  status.tables.front().rejected = 1002;
  status.rejected_rows = 1003;
  status.rejections = {{"notes", "[1]", "qty", "too large"},
                       {"notes", "[2]", "", "no partition"},
                       {"tags", "[\"a\"]", "name", "too\x1b long"}};
  status.rejected_query = "SELECT all";
  const std::string text = StatusText(report, false);
  EXPECT_THAT(text, ::testing::HasSubstr("! 1 003 rows were refused and are not on the target"));
  EXPECT_THAT(text, ::testing::HasSubstr("    notes [1] column qty: too large\n"
                                         "    notes [2]: no partition\n"
                                         "    notes: 1 000 more\n"
                                         "    tags [\"a\"] column name: too"));
  EXPECT_THAT(text, ::testing::HasSubstr("  All of them, on PostgreSQL: SELECT all\n"));
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("\x1b")));
}

// As a terminal would count.
std::size_t RowsTaken(const std::string& text, std::size_t columns) {
  std::size_t rows = 0;
  std::size_t width = 0;
  for (const char c : text) {
    if (c == '\n') {
      rows += width == 0 ? 1 : (width + columns - 1) / columns;
      width = 0;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++width;
    }
  }
  return rows;
}

TEST(StatusTextTest, FitsTheScreenWhateverItsSize) {
  StatusReport report = FollowingReport();
  EngineStatus& status = report.status;
  for (int i = 0; i < 300; ++i) {
    status.tables.emplace_back().name = "table " + std::to_string(i);
    status.tables.back().captured = true;
    status.tables.back().copy_done = true;
    status.tables.back().changes_applied = i;
  }
  status.tables[150].rejected = 3;
  status.tables[151].problem = "is missing on the target";
  status.tables[152].copy_done = false;
  status.tables[152].rows_copied = 1;
  status.notes.assign(20, "a note that is longer than the narrow terminals are wide");
  for (std::size_t rows = 1; rows < 60; ++rows) {
    for (const std::size_t columns : {20U, 40U, 80U, 200U}) {
      const std::string text = StatusScreen(report, false, {rows, columns});
      EXPECT_LE(RowsTaken(text, columns), std::max<std::size_t>(rows, 2) - 1)
          << rows << "x" << columns;
    }
  }
  const std::string text = StatusScreen(report, false, {30, 80});
  for (const char* part : {"FOLLOWING", "lag ", "table 148", "table 149", "table 150", "table 299",
                           " more tables\n", " more lines in `liteferry status`\n"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(part)) << text;
  }
  EXPECT_EQ(RowsTaken(text, 80), 29U) << "the whole screen is used";
  EXPECT_EQ(StatusScreen(report, true, {2000, 200}), StatusText(report, true));
}

TEST(StatusTextTest, WithoutADaemonNobodyKnowsSinceWhen) {
  StatusReport report = FollowingReport();
  report.status.since = {};
  EXPECT_THAT(StatusText(report, false), ::testing::Not(::testing::HasSubstr(" since 1970")));
  EXPECT_TRUE(json::parse(StatusJson(report))["since"].is_null());
  EXPECT_EQ(ParseStatusJson(StatusJson(report)).status.since, report.status.since);
}

TEST(StatusTextTest, ANameCannotSteerTheTerminal) {
  std::mt19937 random(TestSeed());
  StatusReport report = FollowingReport();
  for (int i = 0; i < 500; ++i) {
    report.status.tables[0].name = HostileText(random, 30);
    report.status.reason = HostileText(random, 30);
    report.status.notes = {HostileText(random, 30)};
    report.status.activity = HostileText(random, 30);
    report.status.held_problems = {HostileText(random, 30)};
    report.status.source.path = HostileText(random, 30);
    ASSERT_EQ(StatusText(report, false).find_first_of("\x1b\r\t\x01\x7f"), std::string::npos);
  }
}

TEST(StatusTextTest, UnfinishedTablesNeverShowAHundredPercent) {
  StatusReport report = FollowingReport();
  report.status.tables = {{"t", 1000, 1000, 0, 0, true, false, ""}};
  EXPECT_EQ(StatusText(report, false).find("100%"), std::string::npos);
  EXPECT_NE(StatusText(report, false).find("99%"), std::string::npos);
}

TEST(GaugesTest, CountTablesByTheirCopy) {
  StatusReport report = FollowingReport();
  report.status.state = State::kCopying;
  report.status.tables = {{"done", 9, 9, 0, 0, true, true, ""},
                          {"running", 9, 3, 0, 0, true, false, ""},
                          {"pending", 9, 0, 0, 0, false, false, ""}};
  const metrics::Gauges gauges = MakeGauges(report);
  EXPECT_EQ(gauges.tables_copied, 1);
  EXPECT_EQ(gauges.tables_copying, 1);
  EXPECT_EQ(gauges.tables_pending, 1);
  EXPECT_EQ(gauges.tables_not_captured, 1);
  EXPECT_EQ(gauges.state, "copying");
  EXPECT_DOUBLE_EQ(gauges.lag_seconds, 0.4);
}

TEST(GaugesTest, LagBytesAreTheBacklogsShareOfTheLog) {
  StatusReport report = FollowingReport();
  report.status.oldest_kept = 1;
  report.status.captured = 100;
  report.status.backlog_changes = 25;
  report.status.source.log_bytes = 4000;
  EXPECT_EQ(MakeGauges(report).lag_bytes, 1000);
  report.status.backlog_changes = 0;
  EXPECT_EQ(MakeGauges(report).lag_bytes, 0);
}

TEST(GaugesTest, NameTheServerWithoutItsPackager) {
  StatusReport report = FollowingReport();
  report.status.target.server_version = "15.18 (Debian 15.18-0+deb12u1)";
  EXPECT_EQ(MakeGauges(report).server_version, "15.18");
}

TEST(GaugesTest, KnowTheFreeSpaceOfTheSourcesFilesystem) {
  StatusReport report = FollowingReport();
  report.status.source.path = "/tmp";
  EXPECT_GT(MakeGauges(report).filesystem_free_bytes, 0U);
}

}  // namespace
}  // namespace liteferry::daemon
