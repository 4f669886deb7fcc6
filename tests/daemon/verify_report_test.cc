#include "daemon/verify_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace liteferry::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

verify::Difference Missing(int id) {
  verify::Difference difference;
  difference.kind = verify::DifferenceKind::kMissing;
  difference.shown = "[" + std::to_string(id) + "]";
  return difference;
}

verify::RunResult ResultOf(int missing) {
  verify::RunResult result;
  result.tables.emplace_back();
  result.tables.back().name = "notes";
  result.tables.back().outcome.missing = missing;
  return result;
}

TEST(VerifyReportTest, ShowsTheFirstKeysToPeople) {
  VerifyReport report(false);
  for (int id = 1; id <= 5000; ++id) report.Add("notes", Missing(id));
  std::ostringstream out;
  report.WriteText(ResultOf(5000), out);
  EXPECT_THAT(out.str(), HasSubstr("[20]"));
  EXPECT_THAT(out.str(), Not(HasSubstr("[21]")));
  EXPECT_THAT(out.str(), HasSubstr("more"));
}

TEST(VerifyReportTest, NamesEveryKeyInJson) {
  VerifyReport report(true);
  // More than is kept in memory.
  constexpr int kMany = 50'000;
  for (int id = 1; id <= kMany; ++id) report.Add("notes", Missing(id));
  std::ostringstream out;
  report.WriteJson(ResultOf(kMany), true, out);
  const auto json = nlohmann::json::parse(out.str());
  ASSERT_EQ(json["differing"].size(), static_cast<std::size_t>(kMany));
  EXPECT_EQ(json["differing"][kMany - 1]["key"][0], kMany);
}

TEST(VerifyReportTest, TellsHowFarItIs) {
  verify::RunProgress progress;
  progress.rows = 1'234;
  progress.rows_expected = 20'000;
  progress.tables = 10;
  progress.tables_done = 3;
  progress.differences = 2;
  const std::string text = DescribeRun(progress);
  EXPECT_THAT(text, HasSubstr("3 of 10 tables"));
  EXPECT_THAT(text, HasSubstr("2 differences"));
}

}  // namespace
}  // namespace liteferry::daemon
