#include "config/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/config/random_settings.h"

namespace liteferry::config {
namespace {

TEST(OptionTable, HasEachKeyAndVariableOnce) {
  std::set<std::string> keys;
  std::set<std::string> variables;
  for (const auto& option : Options()) {
    EXPECT_TRUE(keys.emplace(option.spec.key).second) << option.spec.key;
    EXPECT_TRUE(variables.insert(EnvironmentName(option.spec.key)).second) << option.spec.key;
    EXPECT_FALSE(option.spec.description.empty()) << option.spec.key;
    EXPECT_EQ(FindOption(option.spec.key), &option);
  }
  EXPECT_EQ(FindOption("copy.job"), nullptr);
}

// A struct's new member is easily forgotten in the table; its size is not.
TEST(OptionTable, HoldsTheKeysOfTheContract) {
  std::vector<std::string> keys;
  for (const auto& option : Options()) keys.emplace_back(option.spec.key);
  EXPECT_THAT(keys, testing::ElementsAre(
                        "source.path", "source.busy_timeout", "source.exclude", "source.include",
                        "target.url", "target.url_file", "target.schema", "target.state_schema",
                        "target.create_tables", "target.existing_rows", "target.connect_timeout",
                        "target.durability", "target.confirm_url", "target.confirm_url_file",
                        "copy.jobs", "copy.chunk_rows", "apply.max_batch_changes",
                        "apply.on_rewind", "changelog.retention", "changelog.max_size",
                        "changelog.when_full", "verify.schedule", "cutover.max_pause",
                        "cutover.on_shutdown", "cutover.verify_max_age", "cutover.on_ready",
                        "http.listen", "socket.path", "socket.mode", "log.level", "log.format"));
}

TEST(OptionTable, KeepsSectionsTogether) {
  const std::vector<std::string> sections = Sections();
  EXPECT_EQ(std::set<std::string>(sections.begin(), sections.end()).size(), sections.size());
}

TEST(OptionTable, HasDefaultsThatItWouldAccept) {
  const Settings defaults;
  for (const auto& option : Options()) {
    const OptionValue value = option.get(defaults);
    const ParsedValue parsed = ParseText(option.spec, ValueText(option.spec, value));
    ASSERT_TRUE(parsed.value.has_value()) << option.spec.key << ": " << parsed.problem;
    EXPECT_EQ(*parsed.value, value) << option.spec.key;
  }
}

TEST(OptionTable, StoresEachOptionApart) {
  for (const auto& changed : Options()) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Settings other = RandomSettings(seed).Make();
      Settings settings;
      changed.set(settings, changed.get(other));
      for (const auto& option : Options()) {
        const Settings& expected = &option == &changed ? other : Settings{};
        EXPECT_EQ(option.get(settings), option.get(expected)) << changed.spec.key;
      }
    }
  }
}

TEST(OptionTable, AcceptsBothEndsOfEachRangeAndNothingBeyond) {
  for (const auto& option : Options()) {
    const OptionSpec& spec = option.spec;
    if (spec.max == 0) continue;
    for (const std::int64_t inside : {spec.min, spec.max}) {
      EXPECT_EQ(ParseText(spec, ValueText(spec, inside)).value, OptionValue(inside)) << spec.key;
    }
    EXPECT_FALSE(ParseText(spec, ValueText(spec, spec.max + 1)).value) << spec.key;
    if (spec.min > 0) {
      EXPECT_FALSE(ParseText(spec, ValueText(spec, spec.min - 1)).value) << spec.key;
    }
  }
}

struct FormCase {
  const char* key;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

TEST(OptionTable, ChecksTheFormOfTexts) {
  const FormCase cases[] = {
      {"source.path",
       {"app.db", "/data/my app.db", "passwords.db"},
       {"sqlite:///app.db", "file:app.db?mode=ro", "host=h password=x"}},
      {"target.url_file", {"/run/secrets/uri"}, {"postgresql://u:pw@h/db", "host=h password=pw"}},
      {"target.schema",
       {"public", "my schema", std::string(63, 'x')},
       {"pg_catalog", "information_schema", std::string(64, 'x')}},
      {"target.state_schema", {"liteferry"}, {"public", "pg_toast"}},
      {"http.listen",
       {":9809", "0.0.0.0:0", "[::1]:9809", "localhost:1", "off", ""},
       {"9809", "localhost", "a:b", "::1:9809", "[::1]", "h:65536", "h:-1", "h h:1", "h:1 ",
        "http://h:1"}},
      {"verify.schedule",
       {"24h", "7d", "1h30m", "1s", "365d", "off", ""},
       {"10 3 * * *", "0", "999ms", "366d", "-1h", "daily", "on"}},
  };
  for (const FormCase& one : cases) {
    const OptionSpec& spec = FindOption(one.key)->spec;
    for (const auto& text : one.good)
      EXPECT_TRUE(ParseText(spec, text).value) << one.key << " " << text;
    for (const auto& text : one.bad)
      EXPECT_FALSE(ParseText(spec, text).value) << one.key << " " << text;
  }
}

TEST(OptionTable, ChecksEveryPatternOfAList) {
  const OptionSpec& spec = FindOption("source.exclude")->spec;
  EXPECT_TRUE(ParseItems(spec, {"a*", "[ab]?", "[!]x]", "\\["}).value);
  for (const char* bad : {"", "[a", "[]", "x["})
    EXPECT_FALSE(ParseItems(spec, {"a", bad}).value) << bad;
}

TEST(Nearest, FindsWhatWasMeant) {
  std::vector<std::string> keys;
  for (const auto& option : Options()) keys.emplace_back(option.spec.key);
  const std::pair<const char*, const char*> cases[] = {
      {"copy.chunkrows", "copy.chunk_rows"},
      {"copy.chunk-rows", "copy.chunk_rows"},
      {"copy.job", "copy.jobs"},
      {"source.pth", "source.path"},
      {"copy.max_batch_changes", "apply.max_batch_changes"},
      {"chunk_rows", "copy.chunk_rows"},
      {"Target.URL", "target.url"},
      {"target.existing_row", "target.existing_rows"},
      {"http.listn", "http.listen"},
      {"logs.level", "log.level"}};
  for (const auto& [given, meant] : cases) EXPECT_EQ(Nearest(given, keys), meant) << given;
}

TEST(Nearest, FindsEveryKeyDespiteOneWrongLetter) {
  std::vector<std::string> keys;
  for (const auto& option : Options()) keys.emplace_back(option.spec.key);
  for (const std::string& key : keys) {
    for (std::size_t i = 0; i < key.size(); ++i) {
      std::string wrong = key;
      wrong[i] = '#';
      EXPECT_EQ(Nearest(wrong, keys), key) << wrong;
    }
  }
}

}  // namespace
}  // namespace liteferry::config
