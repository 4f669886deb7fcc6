#include <gtest/gtest.h>

#include "replication/target/pg_connection.h"
#include "replication/target/pg_error.h"

namespace liteferry::target {
namespace {

TEST(ClassifySqlstate, FollowsTheTable) {
  struct Line {
    const char* sqlstate;
    Disposition expected;
  };
  const Line table[] = {
      {"08000", Disposition::kRetry},      // connection exception
      {"08006", Disposition::kRetry},      // connection failure
      {"22001", Disposition::kRejectRow},  // string too long
      {"22003", Disposition::kRejectRow},  // number out of range
      {"22021", Disposition::kRejectRow},  // not in the encoding
      {"22P02", Disposition::kRejectRow},  // invalid text representation
      {"22P03", Disposition::kRejectRow},  // invalid binary representation
      {"22P04", Disposition::kBug},        // bad COPY file format
      {"23502", Disposition::kRejectRow},  // not null
      {"23503", Disposition::kRejectRow},  // foreign key
      {"23505", Disposition::kRejectRow},  // unique
      {"23514", Disposition::kRejectRow},  // check
      {"23P01", Disposition::kRejectRow},  // exclusion
      {"25006", Disposition::kRetry},      // read only
      {"25P02", Disposition::kBug},        // in a failed transaction
      {"25P03", Disposition::kRetry},      // idle in transaction
      {"28000", Disposition::kStop},       // invalid authorization
      {"28P01", Disposition::kStop},       // invalid password
      {"3D000", Disposition::kStop},       // no such database
      {"40001", Disposition::kRetry},      // serialization
      {"40P01", Disposition::kRetry},      // deadlock
      {"42501", Disposition::kStop},       // privilege
      {"42703", Disposition::kStop},       // no such column
      {"42P01", Disposition::kStop},       // no such table
      {"53100", Disposition::kRetry},      // disk full
      {"53300", Disposition::kRetry},      // too many connections
      {"54000", Disposition::kRejectRow},  // value too long for its index
      {"55P03", Disposition::kRetry},      // lock not available
      {"57014", Disposition::kRetry},      // cancelled
      {"57P01", Disposition::kRetry},      // shutdown
      {"57P02", Disposition::kRetry},      // crash
      {"57P03", Disposition::kRetry},      // starting up
      {"P0001", Disposition::kStop},       // RAISE
      {"XX000", Disposition::kStop},       // internal
      {"", Disposition::kStop},
  };
  for (const Line& line : table) {
    EXPECT_EQ(ToString(ClassifySqlstate(line.sqlstate)), ToString(line.expected)) << line.sqlstate;
  }
}

TEST(BlamesRow, FollowsTheTable) {
  struct Line {
    const char* sqlstate;
    bool in_a_row;
    bool in_column;
  };
  const Line table[] = {
      {"22P02", true, true},   {"22012", true, true},   {"23514", true, true},
      {"23505", true, true},   {"44000", true, true},   {"54000", true, true},
      {"54001", true, true},   {"P0001", true, true},   {"P0004", true, true},
      {"AB123", true, true},   {"21000", true, true},   {"38000", true, true},
      {"42501", true, true},   {"42601", false, true},  {"42P01", false, true},
      {"42883", false, true},  {"3F000", false, true},  {"0A000", false, true},
      {"XX000", false, true},  {"XX001", false, false}, {"22P04", false, false},
      {"08006", false, false}, {"25006", false, false}, {"25P02", false, false},
      {"40001", false, false}, {"40P01", false, false}, {"53100", false, false},
      {"53200", false, false}, {"55P03", false, false}, {"55006", false, false},
      {"57014", false, false}, {"57P01", false, false}, {"58030", false, false},
      {"72000", false, false}, {"HV000", false, false}, {"", false, false},
  };
  for (const Line& line : table) {
    const Error error =
        Error(Disposition::kStop, Component::kTarget, "x").Server(line.sqlstate, "", "", "");
    EXPECT_EQ(BlamesRow(error, false), line.in_a_row) << line.sqlstate;
    EXPECT_EQ(BlamesRow(error, true), line.in_column) << line.sqlstate;
  }
}

TEST(ConnectError, StopsOnlyWhereEveryHostSaysSo) {
  const std::string url = "postgresql://app:hunter2@db/notes";
  const std::string refused =
      "connection to server at \"a\", port 5432 failed: Connection refused\n\tIs it running?\n";
  const std::string denied =
      "connection to server at \"b\", port 5432 failed: FATAL:  password authentication failed for "
      "user \"app\"\n";
  const std::string unknown =
      "connection to server at \"b\", port 5432 failed: FATAL:  database \"notes\" does not "
      "exist\n";

  EXPECT_EQ(ConnectError(refused, url).disposition(), Disposition::kRetry);
  EXPECT_EQ(ConnectError(denied, url).disposition(), Disposition::kStop);
  EXPECT_EQ(ConnectError(denied, url).exit_code(), ExitCode::kPermission);
  EXPECT_EQ(ConnectError(unknown, url).exit_code(), ExitCode::kTargetUnreachable);
  EXPECT_EQ(ConnectError(refused + denied, url).disposition(), Disposition::kRetry);
  EXPECT_EQ(ConnectError(denied + refused, url).disposition(), Disposition::kRetry);
  EXPECT_EQ(ConnectError(denied, url).Describe().find("hunter2"), std::string::npos);

  const std::string at = "connection to server at \"a\", port 5432 failed: ";
  for (const std::string certificate :
       {"SSL error: certificate verify failed\n", "SSL error: sslv3 alert certificate expired\n",
        "server certificate for \"b\" does not match host name \"a\"\n",
        "root certificate file \"/none\" does not exist\n"}) {
    const Error error = ConnectError(at + certificate, url);
    EXPECT_EQ(error.disposition(), Disposition::kStop) << certificate;
    EXPECT_NE(error.hint().find("expired"), std::string::npos) << certificate;
  }
  EXPECT_EQ(ConnectError(at + "SSL error: unexpected eof while reading\n", url).disposition(),
            Disposition::kRetry);
}

TEST(HostChoices, SplitsListsAndRefusesBrokenCredentials) {
  const auto several = HostChoices("postgresql://app@a:1,b:2/notes");
  ASSERT_EQ(several.size(), 2U);
  EXPECT_EQ(several[1].host, "b");
  EXPECT_EQ(several[1].port, "2");
  const auto shared_port = HostChoices("host=a,b,c port=7");
  ASSERT_EQ(shared_port.size(), 3U);
  EXPECT_EQ(shared_port[2].port, "7");
  EXPECT_EQ(HostChoices("postgresql://app@a/notes").size(), 1U);

  for (const std::string url :
       {"postgresql://app:hun@ter2@db/notes", "postgresql://app:hun/ter2@db/notes",
        "postgresql://app:hunter2%zz@db/notes", "hunter2", "host=db password='hunter2"}) {
    try {
      HostChoices(url);
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::kConfig) << url;
      EXPECT_EQ(error.Describe().find("ter2"), std::string::npos) << error.Describe();
    }
  }
}

TEST(LossReason, TellsWhatAPersonWouldLookAt) {
  const auto reason = [](Disposition disposition, const std::string& sqlstate) {
    return LossReason(Error(disposition, Component::kTarget, "x").Server(sqlstate, "", "", ""));
  };
  EXPECT_EQ(reason(Disposition::kRetry, ""), "network");
  EXPECT_EQ(reason(Disposition::kInDoubt, ""), "network");
  EXPECT_EQ(reason(Disposition::kRetry, "57P01"), "network");
  EXPECT_EQ(reason(Disposition::kRetry, "08006"), "network");
  EXPECT_EQ(reason(Disposition::kRetry, "25006"), "failover");
  EXPECT_EQ(reason(Disposition::kStop, "28P01"), "auth");
  EXPECT_EQ(reason(Disposition::kRetry, "53100"), "other");
  EXPECT_EQ(
      LossReason(Error(Disposition::kStop, Component::kTarget, "x").Exit(ExitCode::kPermission)),
      "auth");
}

}  // namespace
}  // namespace liteferry::target
