#include "replication/target/pg_connection.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <thread>

#include "tests/harness/pg_cluster.h"

namespace liteferry::target {
namespace {

using testing::PgCluster;

class PgConnectionTest : public ::testing::Test {
 protected:
  PgConnection Open(const std::string& url) {
    PgConnection::Options options;
    options.url = url;
    return PgConnection(options, stop_);
  }
  PgConnection Open() { return Open(url_); }

  // The error that `action` throws; a test failure when it throws none.
  static Error Catch(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(Disposition::kBug, Component::kControl, "no error");
  }

  // Waits until the backend `pid` runs a statement.
  void AwaitActive(int pid) {
    PgConnection observer = Open(PgCluster::Get().SuperuserUrl());
    const std::string query =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = " +
        std::to_string(pid);
    const Deadline deadline = Deadline::In(std::chrono::seconds(30));
    while (observer.Exec(query).Int(0, 0) == 0) ASSERT_FALSE(deadline.Passed());
  }

  SignalEvent stop_;
  const std::string url_ = PgCluster::Get().CreateDatabase();
};

TEST_F(PgConnectionTest, KnowsItsServer) {
  PgConnection connection = Open();
  PgConnection admin = Open(PgCluster::Get().SuperuserUrl());
  const PgServer& server = connection.server();
  EXPECT_EQ(server.role, "app");
  EXPECT_NE(url_.find("/" + server.database + "?"), std::string::npos);
  EXPECT_EQ(std::to_string(server.version), admin.Exec("SHOW server_version_num").Text(0, 0));
  EXPECT_FALSE(server.pooled);
  EXPECT_EQ(server.timeline, 1);
  EXPECT_EQ(server.system_identifier,
            admin.Exec("SELECT system_identifier FROM pg_control_system()").Text(0, 0));
  EXPECT_NE(connection.Describe().find("/" + server.database + " as app"), std::string::npos);
}

TEST_F(PgConnectionTest, ToleratesRefusedIdentityFunctions) {
  PgConnection admin = Open(PgCluster::Get().SuperuserUrl(Open().server().database));
  admin.Exec("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
  PgConnection connection = Open();
  EXPECT_EQ(connection.server().system_identifier, "");
  EXPECT_EQ(connection.Exec("SELECT 1").Int(0, 0), 1);
}

TEST_F(PgConnectionTest, GivesTheLastOfSeveralResults) {
  PgConnection connection = Open();
  const PgResult result = connection.Exec(
      "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); SELECT 7, NULL, true");
  ASSERT_EQ(result.rows(), 1);
  ASSERT_EQ(result.columns(), 3);
  EXPECT_EQ(result.Int(0, 0), 7);
  EXPECT_TRUE(result.IsNull(0, 1));
  EXPECT_EQ(result.Text(0, 1), "");
  EXPECT_TRUE(result.Bool(0, 2));
  EXPECT_EQ(connection.Exec("UPDATE t SET a = a + 1").affected(), 2);
}

TEST_F(PgConnectionTest, SendsDeferredStatementsFirst) {
  PgConnection connection = Open();
  connection.ExecLater("CREATE TABLE t (a int)");
  connection.ExecLater("INSERT INTO t VALUES (5)");
  EXPECT_EQ(connection.Exec("SELECT a FROM t").Int(0, 0), 5);
  connection.ExecLater("DELETE FROM t");
  const std::array<PgParam, 1> param = {PgParam{"6"}};
  connection.ExecParams("INSERT INTO t VALUES ($1)", param);
  EXPECT_EQ(connection.Exec("SELECT sum(a) FROM t").Int(0, 0), 6);
}

TEST_F(PgConnectionTest, PassesParametersInBothFormats) {
  PgConnection connection = Open();
  const std::string big_endian("\x00\x00\x01\x02", 4);
  const std::array<PgParam, 3> params = {PgParam{big_endian, 23, true}, PgParam{"it's", 25, false},
                                         PgParam{std::nullopt, 25, false}};
  const PgResult result = connection.ExecParams("SELECT $1::int4, $2, $3", params);
  EXPECT_EQ(result.Int(0, 0), 258);
  EXPECT_EQ(result.Text(0, 1), "it's");
  EXPECT_TRUE(result.IsNull(0, 2));
}

TEST_F(PgConnectionTest, CarriesTheServersError) {
  PgConnection connection = Open();
  connection.Exec("CREATE TABLE t (a int NOT NULL, CONSTRAINT small CHECK (a < 10))");
  const Error check = Catch([&] { connection.Exec("INSERT INTO t VALUES (77)"); });
  EXPECT_EQ(check.disposition(), Disposition::kRejectRow);
  EXPECT_EQ(check.sqlstate(), "23514");
  EXPECT_EQ(check.constraint(), "small");
  const Error null =
      Catch([&] { connection.Exec("SELECT 1; INSERT INTO t VALUES (NULL); SELECT 2"); });
  EXPECT_EQ(null.column(), "a");
  const Error missing = Catch([&] { connection.Exec("SELECT * FROM nowhere"); });
  EXPECT_EQ(missing.disposition(), Disposition::kStop);
  EXPECT_EQ(missing.message(), "relation \"nowhere\" does not exist (SQLSTATE 42P01)");
  const Error denied = Catch([&] { connection.Exec("CREATE ROLE x"); });
  EXPECT_EQ(denied.exit_code(), ExitCode::kPermission);
  EXPECT_FALSE(connection.broken());
  EXPECT_EQ(connection.Exec("SELECT 3").Int(0, 0), 3);
}

TEST_F(PgConnectionTest, KeepsValuesOutOfMessages) {
  PgConnection connection = Open();
  connection.Exec("CREATE TYPE color AS ENUM ('red'); CREATE TABLE u (a text PRIMARY KEY)");
  connection.Exec("INSERT INTO u VALUES ('987654321')");
  const std::array<const char*, 14> statements = {
      "SELECT '987654321x'::int",
      "SELECT '987654321987654321'::int",
      "SELECT '9876543219'::int2",
      "SELECT '987654321987654321e987654321'::float8",
      "SELECT '987654321'::uuid",
      "SELECT '{\"a\": 987654321,}'::json",
      "SELECT '987654321'::color",
      "SELECT '987654321-01-01'::date",
      "SELECT '2020-987654321-01'::timestamp",
      "SELECT '987654321'::inet",
      "SELECT 'Mars/987654321'::text::timestamptz",
      "SELECT '2987654321'::bit(4)",
      "SELECT '{987654321'::int[]",
      "INSERT INTO u VALUES ('987654321')",
  };
  for (const char* statement : statements) {
    const Error error = Catch([&] { connection.Exec(statement); });
    EXPECT_EQ(error.disposition(), Disposition::kRejectRow) << statement;
    EXPECT_EQ(error.Describe().find("987654321"), std::string::npos) << error.Describe();
  }
}

TEST_F(PgConnectionTest, CopiesAfterOtherStatementsInOneMessage) {
  PgConnection connection = Open();
  connection.BeginCopy("CREATE TABLE t (a int, b text); COPY t FROM STDIN");
  std::string rows;
  for (int i = 0; i < 100'000; ++i) rows += std::to_string(i) + "\tsome text that fills the row\n";
  connection.PutCopy(rows.substr(0, 1'000'003));  // ends within a row
  connection.PutCopy(rows.substr(1'000'003));
  EXPECT_EQ(connection.EndCopy(), 100'000);
  EXPECT_EQ(connection.Exec("SELECT sum(a) FROM t").Int(0, 0), 4'999'950'000);
}

TEST_F(PgConnectionTest, StopsAFailedCopyEarly) {
  PgConnection connection = Open();
  connection.Exec("CREATE TABLE t (a int)");
  connection.Exec("BEGIN; SAVEPOINT s");
  connection.BeginCopy("COPY t FROM STDIN");
  const std::string rows = "bad\n" + std::string(std::size_t{1} << 20, '1') + "\n";
  int sent = 0;
  const Error error = Catch([&] {
    for (; sent < 4096; ++sent) connection.PutCopy(rows);
  });
  EXPECT_EQ(error.sqlstate(), "22P02");
  EXPECT_NE(error.context().find("COPY t, line 1, column a"), std::string::npos) << error.context();
  EXPECT_LT(sent, 64);
  connection.Exec("ROLLBACK TO SAVEPOINT s");
  connection.BeginCopy("COPY t FROM STDIN");
  connection.PutCopy("1\n");
  EXPECT_EQ(connection.EndCopy(), 1);
  connection.Commit();
}

TEST_F(PgConnectionTest, DoesNotTakeNoticesForErrors) {
  PgConnection connection = Open();
  connection.Exec(
      "CREATE TABLE t (a text);"
      "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN RAISE NOTICE 'row %', new.a; RETURN new; END $$;"
      "CREATE TRIGGER tell BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tell()");
  connection.BeginCopy("COPY t FROM STDIN");
  std::string rows;
  for (int i = 0; i < 1000; ++i) rows += std::string(200, 'x') + "\n";
  for (int i = 0; i < 20; ++i) connection.PutCopy(rows);
  connection.PutCopy(std::string(3'000'000, 'y') + "\n");  // one long notice
  for (int i = 0; i < 20; ++i) connection.PutCopy(rows);
  EXPECT_EQ(connection.EndCopy(), 40'001);
}

TEST_F(PgConnectionTest, CommitsAndRollsBack) {
  PgConnection connection = Open();
  connection.Exec("CREATE TABLE t (a int)");
  connection.Exec("BEGIN; INSERT INTO t VALUES (1)");
  connection.Commit();
  connection.Exec("BEGIN; INSERT INTO t VALUES (2)");
  connection.Rollback();
  connection.Exec("BEGIN");
  connection.BeginCopy("COPY t FROM STDIN");
  connection.Rollback();  // in the middle of a COPY the connection is given up
  EXPECT_TRUE(connection.broken());
  connection.Rollback();
  EXPECT_EQ(Open().Exec("SELECT sum(a) FROM t").Int(0, 0), 1);
}

TEST_F(PgConnectionTest, ReportsCommitOfAFailedTransactionAsBug) {
  PgConnection connection = Open();
  connection.Exec("BEGIN");
  Catch([&] { connection.Exec("SELECT 1/0"); });
  EXPECT_EQ(Catch([&] { connection.Commit(); }).disposition(), Disposition::kBug);
  EXPECT_EQ(connection.Exec("SELECT 1").Int(0, 0), 1);
}

TEST_F(PgConnectionTest, ClassifiesAnErrorThatCommitAnswers) {
  PgConnection connection = Open();
  connection.Exec(
      "CREATE TABLE p (a int PRIMARY KEY);"
      "CREATE TABLE c (a int REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
  connection.Exec("BEGIN; INSERT INTO c VALUES (1)");
  const Error error = Catch([&] { connection.Commit(); });
  EXPECT_EQ(error.disposition(), Disposition::kRejectRow);
  EXPECT_EQ(error.sqlstate(), "23503");
  EXPECT_EQ(connection.Exec("SELECT count(*) FROM c").Int(0, 0), 0);
}

// BEGIN, an INSERT into t (a int PRIMARY KEY) for each number, COMMIT.
std::vector<PgStep> Inserting(const std::vector<std::string>& numbers) {
  std::vector<PgStep> steps = {{"BEGIN", {}}};
  for (const std::string& number : numbers)
    steps.push_back({"INSERT INTO t VALUES ($1)", {number}});
  steps.push_back({"COMMIT", {}});
  return steps;
}

TEST_F(PgConnectionTest, RunsATransactionInOnePipeline) {
  PgConnection connection = Open();
  connection.Exec("CREATE TABLE t (a int PRIMARY KEY)");
  connection.ExecLater("SET client_min_messages = warning");
  for (const char* number : {"1", "3", "5"}) {
    const auto results =
        connection.RunPipeline(Inserting({number, std::to_string(std::stoi(number) + 1)}));
    ASSERT_EQ(results.size(), 4U);
    EXPECT_EQ(results[1].affected(), 1);
    EXPECT_EQ(results[2].affected(), 1);
  }
  std::vector<PgStep> steps = Inserting({});
  steps.insert(steps.begin() + 1,
               {"SELECT $1::text, $2::bytea, $3::text", {"x", "\x01", std::nullopt}});
  const auto results = connection.RunPipeline(steps);
  EXPECT_EQ(results[1].Text(0, 0), "x");
  EXPECT_EQ(results[1].Text(0, 1), "\\x01");
  EXPECT_TRUE(results[1].IsNull(0, 2));
  const PgResult known = connection.Exec(
      "SELECT count(*), current_setting('client_min_messages') FROM pg_prepared_statements");
  EXPECT_EQ(known.Int(0, 0), 4);  // each statement once
  EXPECT_EQ(known.Text(0, 1), "warning");
  EXPECT_EQ(Open().Exec("SELECT sum(a) FROM t").Int(0, 0), 21);
}

TEST_F(PgConnectionTest, APipelineEndsWithTheFirstRefusal) {
  PgConnection connection = Open();
  connection.Exec("CREATE TABLE t (a int PRIMARY KEY)");
  const std::vector<std::vector<std::string>> refused = {{"1", "x", "2"}, {"3", "3", "4"}};
  for (const auto& numbers : refused) {
    const Error error = Catch([&] { connection.RunPipeline(Inserting(numbers)); });
    EXPECT_EQ(error.disposition(), Disposition::kRejectRow);
    EXPECT_FALSE(connection.broken());
    connection.Rollback();
  }
  EXPECT_EQ(Catch([&] {
              connection.RunPipeline({{{"BEGIN", {}}, {"SELEC 1", {}}}});
            }).sqlstate(),
            "42601");
  connection.Rollback();
  connection.RunPipeline(Inserting({"7"}));
  EXPECT_EQ(connection.Exec("SELECT sum(a) FROM t").Int(0, 0), 7);
}

TEST_F(PgConnectionTest, PreparesAnewWhatTheServerForgot) {
  PgConnection connection = Open();
  connection.Exec("CREATE TABLE t (a int PRIMARY KEY)");
  connection.RunPipeline(Inserting({"1"}));
  connection.Exec("DEALLOCATE ALL");  // as a pooler's other backend
  EXPECT_EQ(Catch([&] { connection.RunPipeline(Inserting({"2"})); }).sqlstate(), "26000");
  connection.Rollback();
  connection.RunPipeline(Inserting({"3"}));
  EXPECT_EQ(connection.Exec("SELECT sum(a) FROM t").Int(0, 0), 4);
}

TEST_F(PgConnectionTest, KeepsNoMoreThanSomePreparedStatements) {
  PgConnection connection = Open();
  connection.Exec("CREATE TABLE t (a int PRIMARY KEY)");
  for (int i = 0; i < 900; ++i) {
    std::vector<PgStep> steps = Inserting({std::to_string(i)});
    steps[1].sql += " /* " + std::to_string(i) + " */";
    connection.RunPipeline(steps);
  }
  EXPECT_EQ(connection.Exec("SELECT count(*) FROM t").Int(0, 0), 900);
  EXPECT_LE(connection.Exec("SELECT count(*) FROM pg_prepared_statements").Int(0, 0), 400);
}

TEST_F(PgConnectionTest, APipelineIsInDoubtWithoutAnAnswer) {
  for (const bool terminated : {true, false}) {
    PgConnection connection = Open();
    const int pid = connection.server().backend_pid;
    std::thread killer;
    if (terminated) {
      killer = std::thread([this, pid] {
        AwaitActive(pid);
        Open(PgCluster::Get().SuperuserUrl())
            .Exec("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 30000)");
      });
    } else {
      connection.SetStatementTimeout(std::chrono::milliseconds(50));
    }
    std::vector<PgStep> steps = {{"BEGIN", {}}, {"SELECT pg_sleep(60)", {}}, {"COMMIT", {}}};
    const Error error = Catch([&] { connection.RunPipeline(steps); });
    if (killer.joinable()) killer.join();
    EXPECT_EQ(error.disposition(), Disposition::kInDoubt) << error.Describe();
    EXPECT_TRUE(connection.broken());
    EXPECT_EQ(Catch([&] { connection.RunPipeline(steps); }).disposition(), Disposition::kRetry);
  }
}

TEST_F(PgConnectionTest, GivesUpAtTheDeadline) {
  PgConnection connection = Open();
  connection.SetStatementTimeout(std::chrono::milliseconds(50));
  const Error error = Catch([&] { connection.Exec("SELECT pg_sleep(120)"); });
  EXPECT_EQ(error.disposition(), Disposition::kRetry);
  EXPECT_TRUE(connection.broken());
  EXPECT_EQ(Catch([&] { connection.Exec("SELECT 1"); }).disposition(), Disposition::kRetry);
}

TEST_F(PgConnectionTest, GivesUpWhenStopped) {
  PgConnection connection = Open();
  std::thread stopper([&, pid = connection.server().backend_pid] {
    SignalEvent never;
    PgConnection::Options options;
    options.url = PgCluster::Get().SuperuserUrl();
    PgConnection observer(options, never);
    const std::string query =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " +
        std::to_string(pid);
    while (observer.Exec(query).Int(0, 0) == 0) {
    }
    stop_.Set();
  });
  const Error error = Catch([&] { connection.Exec("SELECT pg_sleep(120)"); });
  stopper.join();
  EXPECT_EQ(error.disposition(), Disposition::kRetry);
  EXPECT_TRUE(connection.broken());
  EXPECT_EQ(Catch([&] { Open(); }).disposition(), Disposition::kRetry);
}

TEST_F(PgConnectionTest, KeepsTheStateOfATerminatedConnection) {
  for (const bool in_statement : {false, true}) {
    PgConnection connection = Open();
    const int pid = connection.server().backend_pid;
    std::thread killer;
    const auto kill = [this, pid, in_statement] {
      if (in_statement) AwaitActive(pid);
      Open(PgCluster::Get().SuperuserUrl())
          .Exec("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 30000)");
    };
    if (in_statement) {
      killer = std::thread(kill);
    } else {
      kill();
    }
    const Error error = Catch([&] { connection.Exec("SELECT pg_sleep(60)"); });
    if (killer.joinable()) killer.join();
    EXPECT_EQ(error.disposition(), Disposition::kRetry);
    EXPECT_EQ(error.sqlstate(), "57P01") << error.Describe();
    EXPECT_TRUE(connection.broken());
  }
}

TEST_F(PgConnectionTest, TellsWhatTimeHealsWhenItCannotConnect) {
  std::string url = url_;
  const Error role = Catch([&] { Open(url.replace(url.find("app@"), 4, "nobody_here@")); });
  EXPECT_EQ(role.disposition(), Disposition::kStop);
  EXPECT_EQ(role.exit_code(), ExitCode::kPermission);
  url = url_;
  const Error database = Catch([&] { Open(url.replace(url.find("/lf_"), 4, "/no_")); });
  EXPECT_EQ(database.disposition(), Disposition::kStop);
  EXPECT_EQ(database.exit_code(), ExitCode::kTargetUnreachable);
  const Error refused = Catch([&] { Open("postgresql://app:hunter2@127.0.0.1:1/notes"); });
  EXPECT_EQ(refused.disposition(), Disposition::kRetry);
  EXPECT_EQ(refused.Describe().find("hunter2"), std::string::npos);
}

TEST_F(PgConnectionTest, TriesEveryHost) {
  PgConnection connection = Open(url_ + "," + url_.substr(url_.find("host=") + 5) + "&user=app");
  std::string url = url_;
  url.replace(url.find("host="), 5, "host=127.0.0.1,");
  EXPECT_EQ(Open(url + "&port=1,5432").Exec("SELECT 1").Int(0, 0), 1);
}

TEST_F(PgConnectionTest, LetsTheUrlDecideWhatIsUpToIt) {
  PgConnection connection =
      Open(url_ + "&application_name=mine&connect_timeout=3&keepalives_idle=60");
  EXPECT_EQ(connection.Exec("SHOW application_name").Text(0, 0), "mine");
  EXPECT_EQ(Open().Exec("SHOW application_name").Text(0, 0), "liteferry");
  EXPECT_EQ(Open(url_ + "&client_encoding=LATIN1").Exec("SHOW client_encoding").Text(0, 0), "UTF8");
}

TEST_F(PgConnectionTest, RefusesAReadOnlyTarget) {
  PgConnection connection = Open();
  connection.Exec("ALTER DATABASE " + connection.server().database +
                  " SET default_transaction_read_only = on");
  const Error error = Catch([&] { Open(); });
  EXPECT_EQ(error.disposition(), Disposition::kRetry);
  EXPECT_EQ(error.sqlstate(), "25006");
}

TEST_F(PgConnectionTest, RefusesOtherRulesOfQuoting) {
  PgConnection connection = Open();
  connection.Exec("ALTER DATABASE " + connection.server().database +
                  " SET standard_conforming_strings = off");
  EXPECT_EQ(Catch([&] { Open(); }).disposition(), Disposition::kStop);
}

TEST_F(PgConnectionTest, SurvivesARestartOfTheServerByANewConnection) {
  PgConnection connection = Open();
  PgCluster::Get().Stop("immediate");
  EXPECT_EQ(Catch([&] { connection.Exec("SELECT 1"); }).disposition(), Disposition::kRetry);
  EXPECT_EQ(Catch([&] { Open(); }).disposition(), Disposition::kRetry);
  PgCluster::Get().Start();
  EXPECT_EQ(Open().Exec("SELECT 1").Int(0, 0), 1);
}

}  // namespace
}  // namespace liteferry::target
