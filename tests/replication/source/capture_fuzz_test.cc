// A differential test of capture: random schemas, random transactions and migrations, and as oracle
// full snapshots before and after each. LITEFERRY_FUZZ_SEEDS sets how many schemas are tried (in
// all, over the shards), LITEFERRY_FUZZ_FIRST the first seed.
#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/harness/random_application.h"
#include "tests/replication/source/capture_bench.h"

namespace liteferry::source {
namespace {

using ::testing::IsEmpty;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr unsigned kSeeds = 160;
#else
constexpr unsigned kSeeds = 2000;
#endif
constexpr unsigned kShards = 4;
constexpr int kTransactions = 20;

unsigned FromEnvironment(const char* name, unsigned usual) {
  const char* wanted = std::getenv(name);
  return wanted == nullptr ? usual : static_cast<unsigned>(std::strtoul(wanted, nullptr, 10));
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Wrong {
  std::vector<std::string> what;
  std::string statements;
};

struct Outcome {
  bool usable = false;  // SQLite takes the schema
  std::vector<Wrong> wrong;
};

// One application over some transactions and migrations.
class Life {
 public:
  explicit Life(unsigned seed) : application_(seed) {
    story_ = "seed " + std::to_string(seed) + ": " + application_.schema() + "\nat:\n";
  }

  // Ends with the first transaction that goes wrong.
  Outcome Run() { return Run(false); }
  // With our AFTER triggers alone; goes on after a miss.
  Outcome RunWithAfterTriggers() { return Run(true); }

  const std::string& story() const { return story_; }

 private:
  Outcome Run(bool only_after) {
    Outcome outcome;
    testing::AppDatabase probe(":memory:", "");
    if (!probe.Try(application_.schema()).empty()) return outcome;
    outcome.usable = true;
    CaptureBench bench(application_.schema());
    if (only_after) bench.KeepOnlyAfterTriggers();
    for (int i = 0; i < kTransactions && (only_after || outcome.wrong.empty()); ++i) {
      const bool migration = i % 5 == 4;
      const auto statements =
          migration ? application_.SchemaChange() : application_.TransactionOfChanges();
      Wrong wrong{Try(bench, statements), ""};
      if (!only_after && !bench.Broken().empty()) wrong.what.emplace_back("Install left it broken");
      if (wrong.what.empty()) continue;
      for (const std::string& sql : statements) wrong.statements += sql + ";\n";
      outcome.wrong.push_back(std::move(wrong));
    }
    return outcome;
  }

  // What is wrong with capture after these statements, or nothing.
  static std::vector<std::string> Try(CaptureBench& bench,
                                      const std::vector<std::string>& statements) {
    std::vector<CaptureBench::Failure> failures;
    std::vector<std::string> wrong = bench.MissedByAll(statements, &failures);
    for (const CaptureBench::Failure& failure : failures) {
      if (!IsOurs(failure.message)) continue;
      // The one statement that a trigger of ours may block (docs/CAPTURE.md) works without them.
      if (Has(failure.statement, "DROP COLUMN")) {
        bench.capture().RemoveTriggers();
        const std::string again = bench.app().Try(failure.statement);
        if (IsOurs(again)) wrong.push_back("also without triggers: " + again);
        bench.Install();
      } else {
        wrong.push_back(failure.statement + " fails: " + failure.message);
      }
    }
    return wrong;
  }

  // Whether an error of SQLite names something of ours. (Others that are ours would be differences
  // to a database without capture: capture_difference_test.cc.)
  static bool IsOurs(const std::string& message) { return Has(message, "_liteferry"); }

  testing::RandomApplication application_;
  std::string story_;
};

class CaptureFuzz : public ::testing::TestWithParam<unsigned> {};

TEST_P(CaptureFuzz, EveryChangedKeyIsLogged) {
  const unsigned seeds = FromEnvironment("LITEFERRY_FUZZ_SEEDS", kSeeds);
  const unsigned first = FromEnvironment("LITEFERRY_FUZZ_FIRST", 1);
  unsigned usable = 0;
  for (unsigned seed = first + GetParam(); seed < first + seeds; seed += kShards) {
    Life life(seed);
    const Outcome outcome = life.Run();
    usable += outcome.usable ? 1 : 0;
    if (outcome.wrong.empty()) continue;
    EXPECT_THAT(outcome.wrong.front().what, IsEmpty())
        << life.story() << outcome.wrong.front().statements;
    break;
  }
  RecordProperty("schemas", static_cast<int>(usable));
  if (!HasFailure()) {
    EXPECT_GT(usable, seeds / kShards / 2) << "the generator makes too few valid schemas";
  }
}

INSTANTIATE_TEST_SUITE_P(Shard, CaptureFuzz, ::testing::Range(0U, kShards));

// The same with AFTER triggers alone, as one would write them first: the fuzzer must find what they
// are known to miss, by each of the statements that can do it.
TEST(CaptureFuzzOfPlainTriggers, FindsWhatTheyMiss) {
  int schemas = 0;
  int inserts = 0;
  int updates = 0;
  int clauses = 0;  // ON CONFLICT REPLACE of the table
  for (unsigned seed = 1; seed <= 250; ++seed) {
    const Outcome outcome = Life(seed).RunWithAfterTriggers();
    schemas += outcome.wrong.empty() ? 0 : 1;
    for (const Wrong& wrong : outcome.wrong) {
      const bool insert = Has(wrong.statements, "REPLACE INTO");
      const bool update = Has(wrong.statements, "UPDATE OR REPLACE");
      inserts += insert && !update ? 1 : 0;
      updates += update && !insert ? 1 : 0;
      clauses += !insert && !update ? 1 : 0;
    }
  }
  EXPECT_GT(schemas, 40);
  EXPECT_GT(inserts, 5);
  EXPECT_GT(updates, 5);
  EXPECT_GT(clauses, 0);
}

}  // namespace
}  // namespace liteferry::source
