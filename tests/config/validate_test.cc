#include "config/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liteferry::config {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> KeysOf(const std::vector<Problem>& problems) {
  std::vector<std::string> keys;
  for (const Problem& problem : problems) keys.push_back(problem.key);
  return keys;
}

TEST(Validate, NamesWhatIsMissingForThePurpose) {
  const Settings none;
  EXPECT_THAT(Validate(none, Purpose::kNothing), IsEmpty());
  EXPECT_THAT(KeysOf(Validate(none, Purpose::kSource)), ElementsAre("source.path"));
  EXPECT_THAT(KeysOf(Validate(none, Purpose::kTarget)), ElementsAre("target.url"));
  EXPECT_THAT(KeysOf(Validate(none, Purpose::kControl)), ElementsAre("source.path"));
  EXPECT_THAT(KeysOf(Validate(none, Purpose::kBoth)), ElementsAre("source.path", "target.url"));
}

TEST(Validate, SaysHowToGiveWhatIsMissing) {
  const auto problems = Validate(Settings{}, Purpose::kBoth);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].hint, "Set --source, LITEFERRY_SOURCE_PATH or source.path in the file.");
  EXPECT_THAT(problems[1].hint,
              HasSubstr("Set --target, LITEFERRY_TARGET_URL or target.url in the file."));
}

TEST(Validate, IsContentWithEitherFormOfTheTargetAndTheSocket) {
  Settings settings;
  settings.source.path = "app.db";
  settings.target.url_file = "/f";
  EXPECT_THAT(Validate(settings, Purpose::kBoth), IsEmpty());
  EXPECT_THAT(Validate(settings, Purpose::kControl), IsEmpty());
  settings.source.path.clear();
  settings.socket.path = "s.sock";
  EXPECT_THAT(Validate(settings, Purpose::kControl), IsEmpty());
}

TEST(Validate, FindsWhatDoesNotFitTogether) {
  Settings settings;
  settings.target.url = "postgresql://h/db";
  settings.target.url_file = "/f";
  settings.target.schema = "liteferry";
  settings.source.include = {"a*", "b"};
  settings.source.exclude = {"a*", "*"};
  EXPECT_THAT(KeysOf(Validate(settings, Purpose::kNothing)),
              ElementsAre("target.url", "target.state_schema", "source.exclude", "source.exclude"));
}

TEST(Validate, WantsAStandbyWhereOneConfirmsAndOnlyThere) {
  Settings settings;
  settings.target.confirm_url = "postgresql://h/db";
  EXPECT_THAT(KeysOf(Validate(settings, Purpose::kNothing)), ElementsAre("target.confirm_url"));
  settings.target.durability = Durability::kStandby;
  EXPECT_THAT(KeysOf(Validate(settings, Purpose::kNothing)), ElementsAre());
  settings.target.confirm_url_file = "/f";
  EXPECT_THAT(KeysOf(Validate(settings, Purpose::kNothing)), ElementsAre("target.confirm_url"));
  settings.target.confirm_url.clear();
  EXPECT_THAT(KeysOf(Validate(settings, Purpose::kNothing)), ElementsAre());
  settings.target.confirm_url_file.clear();
  EXPECT_THAT(KeysOf(Validate(settings, Purpose::kNothing)), ElementsAre("target.confirm_url"));
}

TEST(Validate, ChecksValuesThatDidNotComeFromLoad) {
  Settings settings;
  settings.copy.jobs = 0;
  settings.http.listen = "nonsense";
  settings.target.state_schema = "public";
  settings.target.schema = "app";
  settings.source.include = {"[a"};
  EXPECT_THAT(KeysOf(Validate(settings, Purpose::kNothing)),
              ElementsAre("source.include", "target.state_schema", "copy.jobs", "http.listen"));
}

TEST(AllProblems, DoesNotCallAWrongValueMissing) {
  const LoadResult load =
      Load({.file = "f.yaml",
            .file_text = "source: {path: \"${NOPE}\"}\ntarget: {url_file: \"a://b\"}\n",
            .environment = {},
            .flags = {}});
  EXPECT_THAT(KeysOf(AllProblems(load, Purpose::kBoth)),
              ElementsAre("source.path", "target.url_file"));
}

TEST(AllProblems, DoesNotCallMissingWhatAnUnreadableFileMayHold) {
  for (const char* text : {"source: [", "source: {path: x}\n\tlog: {}\n"}) {
    const LoadResult load = Load({.file = "f.yaml", .file_text = text});
    EXPECT_THAT(AllProblems(load, Purpose::kBoth), testing::SizeIs(1)) << text;
  }
  EXPECT_THAT(AllProblems(Load({.file = "/nonexistent/f.yaml"}), Purpose::kBoth),
              testing::SizeIs(1));
}

TEST(AllProblems, NamesWhereAConflictingValueStands) {
  const LoadResult load = Load(
      {.environment = {{"LITEFERRY_TARGET_SCHEMA", "x"}}, .flags = {{"target.state_schema", "x"}}});
  EXPECT_THAT(AllProblems(load, Purpose::kNothing),
              ElementsAre(Field(&Problem::file, "command line")));
}

}  // namespace
}  // namespace liteferry::config
