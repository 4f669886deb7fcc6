#include "tests/harness/cut_proxy.h"

#include <gtest/gtest.h>

#include "replication/target/pg_connection.h"
#include "tests/harness/pg_cluster.h"

namespace liteferry::testing {
namespace {

using target::PgConnection;

class CutProxyTest : public ::testing::Test {
 protected:
  PgConnection Open(const std::string& url) {
    PgConnection::Options options;
    options.url = url;
    return PgConnection(options, stop_);
  }

  SignalEvent stop_;
  const std::string url_ = PgCluster::Get().CreateDatabase();
  CutProxy proxy_{PgCluster::Get().SocketPath()};
};

TEST_F(CutProxyTest, CarriesLargeCopiesUnchanged) {
  PgConnection connection = Open(proxy_.Url(url_));
  connection.BeginCopy("CREATE TABLE t (a int); COPY t FROM STDIN");
  std::string rows;
  for (int i = 0; i < 1'000'000; ++i) rows += std::to_string(i) + "\n";
  connection.PutCopy(rows);
  EXPECT_EQ(connection.EndCopy(), 1'000'000);
  EXPECT_EQ(connection.Exec("SELECT sum(a) FROM t").Int(0, 0), 499'999'500'000);
  EXPECT_EQ(connection.Exec("SELECT repeat('x', 3000000)").Text(0, 0).size(), 3'000'000U);
}

// The heart of it: whatever is lost around COMMIT, the outcome is open, never a plain error and
// never success.
TEST_F(CutProxyTest, LosingCommitLeavesItInDoubt) {
  PgConnection direct = Open(url_);
  direct.Exec("CREATE TABLE t (a int)");
  int number = 0;
  for (const Cut moment :
       {Cut::kBeforeQuery, Cut::kAfterQuery, Cut::kBeforeAnswer, Cut::kWithinAnswer}) {
    SCOPED_TRACE(static_cast<int>(moment));
    PgConnection connection = Open(proxy_.Url(url_));
    connection.Exec("BEGIN; INSERT INTO t VALUES (" + std::to_string(++number) + ")");
    proxy_.CutAt("COMMIT", moment);
    try {
      connection.Commit();
      ADD_FAILURE() << "committed";
    } catch (const Error& error) {
      EXPECT_EQ(ToString(error.disposition()), ToString(Disposition::kInDoubt)) << error.Describe();
    }
    EXPECT_TRUE(connection.broken());
    EXPECT_EQ(proxy_.cuts(), number);
  }
  EXPECT_EQ(direct.Exec("SELECT count(*) FROM t WHERE a = 1").Int(0, 0), 0);
  EXPECT_EQ(direct.Exec("SELECT count(*) FROM t WHERE a IN (3, 4)").Int(0, 0), 2);
}

TEST_F(CutProxyTest, LosingAnythingElseIsForAnotherTry) {
  PgConnection connection = Open(proxy_.Url(url_));
  proxy_.CutAt("pg_class", Cut::kBeforeAnswer);
  try {
    connection.Exec("SELECT * FROM pg_class");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(ToString(error.disposition()), ToString(Disposition::kRetry));
  }

  connection = Open(proxy_.Url(url_));
  connection.BeginCopy("CREATE TABLE t (a text); COPY t FROM STDIN");
  proxy_.CutAfterBytes(3'000'000);
  try {
    for (int i = 0; i < 100; ++i) connection.PutCopy(std::string(999'999, '\n'));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(ToString(error.disposition()), ToString(Disposition::kRetry)) << error.Describe();
  }
  EXPECT_TRUE(connection.broken());
}

TEST_F(CutProxyTest, AFrozenServerRunsIntoTheDeadline) {
  PgConnection connection = Open(proxy_.Url(url_));
  proxy_.Freeze(true);
  connection.SetStatementTimeout(std::chrono::milliseconds(50));
  try {
    connection.Exec("SELECT 1");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(ToString(error.disposition()), ToString(Disposition::kRetry));
  }
  proxy_.Freeze(false);
  connection = Open(proxy_.Url(url_));
  EXPECT_EQ(connection.Exec("SELECT 1").Int(0, 0), 1);
  proxy_.CutAll();
  EXPECT_THROW(connection.Exec("SELECT 1"), Error);
}

}  // namespace
}  // namespace liteferry::testing
