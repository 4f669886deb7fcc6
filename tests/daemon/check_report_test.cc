#include "daemon/check_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/parser.h"
#include "daemon/scan_progress.h"
#include "daemon/suggested_config.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CheckReport SampleCheck() {
  CheckReport report;
  report.source_path = "app.db";
  report.journal_mode = "wal";
  report.sqlite_version = "3.40.1";
  report.target = "host:5432/app as app";
  report.server_version = "17.2";
  PairedTable table;
  table.source = "notes";
  table.target = "public.notes";
  table.rows = 1234;
  table.key = "primary key (id)";
  table.columns = {{"id", "INTEGER", "id", "bigint", true},
                   {"CreatedAt", "DATETIME", "created_at", "timestamp without time zone", false},
                   {"gone", "TEXT", "", "", false}};
  table.target_only = {"updated_at"};
  report.tables = {table};
  report.skipped = {"email: virtual table"};
  report.held = {"foreign key notes_project_id_fkey on notes"};
  report.findings = {{Severity::kWarning, "notes", "is large", "Wait.", ExitCode::kOk},
                     {Severity::kError, "notes.gone", "has no column on the target", "Add it.",
                      ExitCode::kDataError}};
  return report;
}

// With a column whose numbers are milliseconds, a text with a NUL, and a table without counterpart.
CheckReport SampleScan() {
  CheckReport report = SampleCheck();
  TableScan scan;
  scan.source = "notes";
  scan.target = "public.notes";
  scan.rows = 1240;
  scan.rejected_rows = 41;
  scan.columns.resize(2);
  ColumnScan& id = scan.columns[0];
  id.source = id.target = "id";
  id.profile.integers = 1240;
  ColumnScan& at = scan.columns[1];
  at.source = "CreatedAt";
  at.target = "created_at";
  at.type.kind = target::TypeKind::kTimestamp;
  at.type.name = "timestamp without time zone";
  at.profile.texts = 1200;
  at.profile.integers = 40;
  at.profile.nul_texts = 1;
  at.profile.empty_texts = 1;
  at.rejected = 41;
  at.reasons = {{"integer cannot become timestamp without time zone", 40, {{"[7]", ""}}},
                {"text is empty", 1, {{"[\"a\\u0007\"]", "''"}}}};
  at.epochs = {{config::Epoch::kMilliseconds, 40, 40, 1.70e12, 1.75e12}};
  TableScan lonely;
  lonely.source = "lonely";
  lonely.columns.resize(1);
  lonely.columns[0].source = "a";
  report.scans = {scan, lonely};
  report.scanned = true;
  report.scan_time = std::chrono::milliseconds(1500);
  NameSuggestions names;
  names.settings.tables["notes"].columns["CreatedAt"].target = "created_at";
  names.evidence["tables.notes.columns.CreatedAt"] = "written alike";
  names.unpaired = {"lonely"};
  report.suggested = SuggestConfig(names, report.scans);
  return report;
}

config::LoadResult Loaded(const std::string& yaml) {
  config::LoadInput input;
  input.file = "suggested.yaml";
  input.file_text = yaml;
  return config::Load(input);
}

TEST(CheckReportTest, TextShowsPairingAndFindings) {
  const std::string text = CheckReportText(SampleCheck());
  for (const char* part :
       {"notes -> public.notes   about 1 234 rows   primary key (id)",
        "  id         INTEGER   -> bigint                key\n",
        "  CreatedAt  DATETIME  -> created_at timestamp\n", "  gone       TEXT      -> -\n",
        "only on the target: updated_at", "email: virtual table",
        "foreign key notes_project_id_fkey", "error: notes.gone: has no column on the target",
        "  HINT: Add it.", "not ready: 1 table, 1 error, 1 warning\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(CheckReportTest, TextOfAScanShowsWhatIsThereAndWhatIsWrong) {
  const std::string text = CheckReportText(SampleScan());
  for (const char* part :
       {"notes -> public.notes   1 240 rows",
        "CreatedAt  DATETIME  40 int, 1 200 text  -> created_at timestamp  41 rejected",
        "  ! CreatedAt: 40 x integer cannot become timestamp without time zone; key [7], …\n",
        "  ! CreatedAt: 1 x text is empty; key [\"a\\u0007\"] ''\n",
        "    CreatedAt: suggested: epoch: ms (all 40 numbers lie between 1.7e12 and 1.8e12: ",
        "    CreatedAt: possible: on_invalid: null (", "lonely   no counterpart",
        "scanned 1 240 rows in 1.5 s: 41 would be rejected\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(CheckReportTest, TextKeepsWithinTheWidth) {
  for (const std::size_t width : {60U, 80U, 120U}) {
    std::istringstream lines(CheckReportText(SampleScan(), width));
    for (std::string line; std::getline(lines, line);) {
      const auto length = std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
      });
      EXPECT_LE(static_cast<std::size_t>(length), width) << line;
    }
  }
}

TEST(CheckReportTest, JsonHoldsTheSame) {
  const auto json = nlohmann::json::parse(CheckReportJson(SampleCheck()));
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["exit_code"], 65);
  EXPECT_EQ(json["tables"][0]["columns"][0]["target_type"], "bigint");
  EXPECT_EQ(json["findings"][1]["severity"], "error");
  EXPECT_EQ(json["skipped"][0], "email: virtual table");
  EXPECT_FALSE(json.contains("scan"));
}

TEST(CheckReportTest, JsonHoldsTheScan) {
  const auto json = nlohmann::json::parse(CheckReportJson(SampleScan()));
  const auto& scan = json["scan"];
  EXPECT_EQ(scan["rows"], 1240);
  EXPECT_EQ(scan["rejected_rows"], 41);
  const auto& column = scan["tables"][0]["columns"][1];
  EXPECT_EQ(column["storage"]["text"], 1200);
  EXPECT_EQ(column["text_forms"]["empty"], 1);
  EXPECT_EQ(column["reasons"][0]["samples"][0], nlohmann::json::parse(R"({"key": [7]})"));
  EXPECT_EQ(column["reasons"][1]["samples"][0]["value"], "''");
  EXPECT_EQ(column["suggestions"][0]["value"], "ms");
  EXPECT_THAT(json["suggested_config"].get<std::string>(), HasSubstr("epoch: ms"));
}

TEST(CheckReportTest, HostileNamesBreakNeitherForm) {
  std::mt19937 random(TestSeed());
  for (int i = 0; i < 500; ++i) {
    CheckReport report = SampleScan();
    report.tables[0].source = HostileText(random, 30);
    report.tables[0].columns[0].source = HostileText(random, 30);
    report.scans[1].source = report.scans[1].columns[0].source = HostileText(random, 30);
    report.findings[0].message = HostileText(random, 30);
    report.skipped[0] = HostileText(random, 30);
    ASSERT_TRUE(nlohmann::json::accept(CheckReportJson(report)));
    for (const std::size_t width : {0U, 40U}) {
      ASSERT_EQ(CheckReportText(report, width).find_first_of("\x1b\r\t\x01\x7f"),
                std::string::npos);
    }
  }
}

TEST(SuggestedConfigTest, ParsesToWhatItSuggests) {
  const std::string yaml = SuggestedConfigYaml(SampleScan());
  const config::LoadResult loaded = Loaded(yaml);
  ASSERT_TRUE(loaded.problems.empty()) << yaml << Describe(loaded.problems.front());
  const auto& column = loaded.settings.tables.at("notes").columns.at("CreatedAt");
  EXPECT_EQ(column.target, "created_at");
  EXPECT_EQ(column.epoch, config::Epoch::kMilliseconds);
  EXPECT_EQ(column.on_invalid, config::OnInvalid::kReject);
  EXPECT_THAT(yaml, HasSubstr("target: created_at  # written alike\n"));
  EXPECT_THAT(yaml, HasSubstr("        # all 40 numbers lie"));
  EXPECT_THAT(yaml, HasSubstr("        # on_invalid: \"null\"\n"));
  EXPECT_THAT(yaml, HasSubstr("  # exclude: [lonely]\n"));
}

TEST(SuggestedConfigTest, OffersAreSettingsOnceTheirCommentSignIsGone) {
  std::string yaml = SuggestedConfigYaml(SampleScan());
  for (const char* line : {"# source:", "# exclude:", "# on_invalid:"}) {
    const std::size_t at = yaml.find(line);
    ASSERT_NE(at, std::string::npos) << line;
    yaml.erase(at, 2);
  }
  const config::LoadResult loaded = Loaded(yaml);
  ASSERT_TRUE(loaded.problems.empty()) << yaml << Describe(loaded.problems.front());
  EXPECT_EQ(loaded.settings.tables.at("notes").columns.at("CreatedAt").on_invalid,
            config::OnInvalid::kNull);
  EXPECT_EQ(loaded.settings.source.exclude, std::vector<std::string>{"lonely"});
}

TEST(SuggestedConfigTest, KeepsWhatIsConfiguredButNoSecret) {
  CheckReport report = SampleScan();
  config::Settings& settings = report.suggested->settings;
  settings.source.path = "/data/app $x.db";
  settings.source.exclude = {"old_*"};
  settings.target.url = "postgresql://app:secret@db/app";
  settings.copy.jobs = 7;
  const std::string yaml = SuggestedConfigYaml(report);
  EXPECT_THAT(yaml, Not(HasSubstr("secret")));
  EXPECT_THAT(yaml, HasSubstr("# exclude: [\"old_*\", lonely]"));
  const config::LoadResult loaded = Loaded(yaml);
  ASSERT_TRUE(loaded.problems.empty()) << yaml << Describe(loaded.problems.front());
  EXPECT_EQ(loaded.settings.source.path, settings.source.path);
  EXPECT_EQ(loaded.settings.source.exclude, settings.source.exclude);
  EXPECT_EQ(loaded.settings.copy.jobs, 7);
}

// Names that mean something to YAML or to the expansion of variables.
std::string StrangeName(std::mt19937& random) {
  static const std::vector<std::string> kParts = {
      "a", "Z", "_",  "0",  ":", " ", "#", "\"", "'",    "\\", "$",  "{",
      "}", "[", "]",  "-",  "?", "!", "&", "*",  "|",    ">",  "%",  "ä",
      ",", "~", "\n", "\t", ".", "@", "`", "€",  "\x7f", "=",  "on", "No"};
  std::string name;
  do {
    name += kParts[random() % kParts.size()];
  } while (random() % 4 != 0);
  return name;
}

TEST(SuggestedConfigTest, ParsesWithAnyNames) {
  std::mt19937 random(TestSeed());
  for (int i = 0; i < 500; ++i) {
    CheckReport report = SampleScan();
    const std::string table = i == 0 ? "yes" : i == 1 ? "null" : StrangeName(random);
    const std::string column = i == 0 ? "on" : i == 1 ? "~" : StrangeName(random);
    report.scans[0].source = table;
    report.scans[0].columns[1].source = column;
    NameSuggestions names;
    names.settings.tables[table].columns[column].target = "a$b";
    report.suggested = SuggestConfig(names, report.scans);
    const std::string yaml = SuggestedConfigYaml(report);
    const config::LoadResult loaded = Loaded(yaml);
    ASSERT_TRUE(loaded.problems.empty()) << yaml << Describe(loaded.problems.front());
    ASSERT_TRUE(loaded.settings.tables.contains(table)) << yaml;
    const auto& columns = loaded.settings.tables.at(table).columns;
    ASSERT_TRUE(columns.contains(column)) << yaml;
    EXPECT_EQ(columns.at(column).target, "a$b");
    EXPECT_EQ(columns.at(column).epoch, config::Epoch::kMilliseconds);
  }
}

TEST(ScanProgressTest, ShowsABarOnlyOnATerminal) {
  ScanProgress progress;
  progress.tables = 4;
  progress.tables_done = 1;
  progress.rows = 500'000;
  progress.rows_expected = 2'000'000;
  EXPECT_EQ(DescribeScan(progress, 50'000, true),
            "scan  25.0%  [#####---------------]  1/4 tables  500k/2.00M rows  50.0k rows/s  ETA "
            "30.0 s");
  EXPECT_EQ(DescribeScan(progress, std::nullopt, false),
            "scan  25.0%  1/4 tables  500k/2.00M rows");
  progress.rows = progress.rows_expected = 0;
  EXPECT_EQ(DescribeScan(progress, 0, false), "scan  0.0%  1/4 tables  0/0 rows");
}

}  // namespace
}  // namespace liteferry::daemon
