#include "replication/base/error.h"

#include <gtest/gtest.h>

namespace liteferry {
namespace {

TEST(ErrorTest, PutsAdviceAfterTheMessage) {
  const Error error =
      Error(Disposition::kStop, Component::kTarget, "table notes is missing").Hint("Create it.");
  EXPECT_EQ(error.Describe(), "table notes is missing\nHINT: Create it.");
  EXPECT_STREQ(error.what(), "table notes is missing");
}

TEST(ErrorTest, HasTheExitCodeOfTheContract) {
  EXPECT_EQ(Error(Disposition::kBug, Component::kTarget, "x").exit_code(), ExitCode::kBug);
  EXPECT_EQ(Error(Disposition::kRetry, Component::kTarget, "x").exit_code(),
            ExitCode::kTargetUnreachable);
  EXPECT_EQ(Error(Disposition::kRetry, Component::kSource, "x").exit_code(), ExitCode::kTryAgain);
  EXPECT_EQ(Error(Disposition::kStop, Component::kSource, "x").exit_code(),
            ExitCode::kSourceMissing);
  EXPECT_EQ(Error(Disposition::kStop, Component::kCapture, "x").exit_code(),
            ExitCode::kCannotCapture);
  EXPECT_EQ(Error(Disposition::kStop, Component::kConfig, "x").exit_code(), ExitCode::kConfig);
  EXPECT_EQ(
      Error(Disposition::kStop, Component::kConfig, "x").Exit(ExitCode::kDataError).exit_code(),
      ExitCode::kDataError);
}

TEST(ErrorTest, BrokenInvariantsAreBugs) {
  EXPECT_NO_THROW(Require(true, "fine"));
  try {
    Require(false, "one is two");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.disposition(), Disposition::kBug);
    EXPECT_EQ(error.message(), "invariant broken: one is two");
  }
}

}  // namespace
}  // namespace liteferry
