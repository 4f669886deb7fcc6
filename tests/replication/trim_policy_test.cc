#include "replication/trim_policy.h"

#include <gtest/gtest.h>

namespace liteferry {
namespace {

using std::chrono::milliseconds;

TrimFacts Facts(std::int64_t trimmable, int since_trim, int since_change) {
  TrimFacts facts;
  facts.trimmable = trimmable;
  facts.since_last_trim = milliseconds(since_trim);
  facts.since_last_change = milliseconds(since_change);
  return facts;
}

TEST(TrimPolicyTest, LeavesAnEmptyLogAlone) {
  EXPECT_EQ(DecideTrim(Facts(0, 100'000, 100'000)).entries, 0);
}

TEST(TrimPolicyTest, TrimsInSmallSlicesWhileTheApplicationIsQuiet) {
  EXPECT_EQ(DecideTrim(Facts(1'000'000, 20, 600)).entries, 1000);
  EXPECT_EQ(DecideTrim(Facts(300, 20, 600)).entries, 300);
}

TEST(TrimPolicyTest, GivesWayWhileTheApplicationWrites) {
  const TrimDecision decision = DecideTrim(Facts(1'000'000, 100, 1));
  EXPECT_EQ(decision.entries, 0);
  EXPECT_GT(decision.look_again.count(), 1000);
  EXPECT_EQ(DecideTrim(Facts(1'000'000, 2000, 1)).entries, 1000) << "but not for ever";
}

TEST(TrimPolicyTest, IsRarerInRollbackJournalMode) {
  TrimFacts facts = Facts(1'000'000, 5'000, 1);
  facts.rollback_journal = true;
  EXPECT_EQ(DecideTrim(facts).entries, 0);
  facts.since_last_trim = milliseconds(30'000);
  EXPECT_EQ(DecideTrim(facts).entries, 500);
}

TEST(TrimPolicyTest, HurriesWhenTheLogHasOutgrownItsLimit) {
  TrimFacts facts = Facts(1'000'000, 50, 1);
  facts.times_limit = 1;
  EXPECT_EQ(DecideTrim(facts).entries, 1000);
}

TEST(TrimPolicyTest, NoWriterOutrunsIt) {
  TrimFacts facts = Facts(1'000'000, 50, 1);
  facts.times_limit = 3;
  EXPECT_EQ(DecideTrim(facts).entries, 3000);
  facts.times_limit = 100;
  EXPECT_EQ(DecideTrim(facts).entries, 5000) << "the lock is held for a millisecond at most";
}

TEST(TrimPolicyTest, LetsAHandfulOfEntriesWaitForCompany) {
  EXPECT_EQ(DecideTrim(Facts(5, 10'000, 10'000)).entries, 0);
  EXPECT_EQ(DecideTrim(Facts(5, 60'000, 60'000)).entries, 5);
}

}  // namespace
}  // namespace liteferry
