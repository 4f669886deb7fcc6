#include "replication/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "replication/target/json_syntax.h"
#include "replication/target/pg_connection.h"
#include "tests/harness/pg_cluster.h"
#include "tests/harness/sqlite_fixture.h"

namespace liteferry {
namespace {

using testing::AppDatabase;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PgCluster;
using ::testing::SizeIs;
using testing::TempDir;

class CheckTest : public ::testing::Test {
 protected:
  CheckTest() : app_(folder_.Path("app.db")) {
    settings_.source.path = folder_.Path("app.db");
    settings_.target.url = PgCluster::Get().CreateDatabase();
    target_ = std::make_unique<target::PgConnection>(
        target::PgConnection::Options{.url = settings_.target.url}, stop_);
  }

  CheckReport Check(bool scan, bool suggest = false) {
    CheckOptions options;
    options.scan = scan;
    options.suggest = suggest;
    options.scan_options = scan_options_;
    return RunCheck(settings_, options, stop_);
  }

  TempDir folder_;
  AppDatabase app_;
  SignalEvent stop_;
  config::Settings settings_;
  ScanOptions scan_options_;
  std::unique_ptr<target::PgConnection> target_;
};

TEST_F(CheckTest, ScanJudgesByTheTypesOfTheServer) {
  target_->Exec(
      "CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE DOMAIN short AS varchar(3);"
      "CREATE TABLE t (id bigint PRIMARY KEY, m mood, s short, n numeric(4,1), at timestamp(3))");
  app_.Run(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, m TEXT, s TEXT, n REAL, at TEXT);"
      "INSERT INTO t VALUES (1, 'ok', 'abc', 1.5, '2024-01-05 10:11:12.123'),"
      "(2, 'OK', 'abcd', 1.25, '2024-01-05 10:11:12.1234'), (3, NULL, NULL, NULL, NULL)");
  const CheckReport report = Check(true);
  ASSERT_THAT(report.scans, SizeIs(1));
  EXPECT_EQ(report.scans[0].rows, 3);
  EXPECT_EQ(report.scans[0].rejected_rows, 1);
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(report.scans[0].columns[i].rejected, 1) << report.scans[0].columns[i].source;
    EXPECT_EQ(report.scans[0].columns[i].profile.nulls, 1);
  }
  EXPECT_EQ(report.exit_code(), ExitCode::kDataError);
  EXPECT_EQ(Check(false).exit_code(), ExitCode::kOk);
}

TEST_F(CheckTest, ScanShowsItsProgressAndObeysStop) {
  target_->Exec("CREATE TABLE t (id bigint PRIMARY KEY)");
  app_.Run(
      "CREATE TABLE t (id INTEGER PRIMARY KEY);"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000)"
      " INSERT INTO t SELECT i FROM c");
  ScanProgress last;
  scan_options_.progress = [&last](const ScanProgress& progress) { last = progress; };
  EXPECT_EQ(Check(true).scans.at(0).rows, 20'000);
  EXPECT_EQ(last.rows, 20'000);
  EXPECT_EQ(last.tables_done, 1);
  stop_.Set();
  const CheckReport stopped = Check(true);
  EXPECT_FALSE(stopped.scanned);
  EXPECT_FALSE(stopped.ok());
}

TEST_F(CheckTest, SuggestionMakesTheNextCheckBetter) {
  target_->Exec("CREATE TABLE order_line (line_id bigint PRIMARY KEY, created_at timestamptz)");
  app_.Run(
      "CREATE TABLE OrderLine (LineId INTEGER PRIMARY KEY, CreatedAt DATETIME);"
      "INSERT INTO OrderLine VALUES (1, 1700000000123)");
  const CheckReport alone = Check(true);
  ASSERT_THAT(alone.findings, SizeIs(1));
  EXPECT_THAT(alone.findings[0].message, HasSubstr("although order_line on the target is written"));
  settings_.target.create_tables = config::CreateTables::kNever;
  EXPECT_EQ(Check(true).exit_code(), ExitCode::kDataError);
  const CheckReport report = Check(false, true);
  ASSERT_TRUE(report.suggested.has_value());
  settings_ = report.suggested->settings;
  const CheckReport better = Check(true);
  EXPECT_THAT(better.findings, IsEmpty());
  EXPECT_EQ(better.scans.at(0).rejected_rows, 0);
}

TEST_F(CheckTest, KnowsJsonAsTheServerDoes) {
  std::mt19937_64 random(std::random_device{}());
  const auto seed = random();
  random.seed(seed);
  const std::vector<std::string> parts = {
      "{",  "}",     "[",    "]",    ",",         ":",     " ",    "\"",      "\"a\"",   "1",
      "-",  "0",     ".5",   "e3",   "E+",        "true",  "null", "\\u0041", "\\ud83d", "\\ude00",
      "\n", "\\u00", "\\\"", "\"\"", "{\"a\":1}", "[1,2]", "x",    "\\u0000", "ä",       "\t"};
  int taken = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string text = i % 3 == 0 ? "\"" : "";
    for (std::size_t n = random() % 6; n > 0; --n) text += parts[random() % parts.size()];
    if (i % 3 == 0) text += "\"";
    for (const bool jsonb : {false, true}) {
      const target::PgParam param{.value = text};
      bool server = true;
      try {
        target_->ExecParams(jsonb ? "SELECT $1::text::jsonb" : "SELECT $1::text::json",
                            {&param, 1});
      } catch (const Error& error) {
        ASSERT_FALSE(error.sqlstate().empty()) << error.message();
        server = false;
      }
      taken += server ? 1 : 0;
      ASSERT_EQ(target::IsJson(text, jsonb), server) << "seed " << seed << ": " << text;
    }
  }
  EXPECT_GT(taken, 100);
}

TEST_F(CheckTest, SchemaOfAnotherRoleIsAFinding) {
  target::PgConnection super({.url = PgCluster::Get().SuperuserUrl(target_->server().database)},
                             stop_);
  super.Exec(
      "CREATE SCHEMA theirs; GRANT USAGE ON SCHEMA theirs TO app;"
      "CREATE TABLE theirs.t (id bigint PRIMARY KEY); GRANT ALL ON theirs.t TO app");
  app_.Run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  settings_.tables["t"].target = "theirs.t";
  const CheckReport report = Check(false);
  ASSERT_THAT(report.findings, SizeIs(2));
  EXPECT_THAT(report.findings[0].message, HasSubstr("may not create in schema \"theirs\""));
  EXPECT_THAT(report.findings[1].message, HasSubstr("is not owned by the connected role"));
  EXPECT_EQ(report.exit_code(), ExitCode::kPermission);
}

}  // namespace
}  // namespace liteferry
