#include "config/print.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <regex>
#include <sstream>

#include "config/validate.h"
#include "tests/config/random_settings.h"

namespace liteferry::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Effective(const Settings& settings, const std::map<std::string, Origin>& origins = {}) {
  std::ostringstream out;
  PrintEffective(settings, origins, out);
  return out.str();
}

LoadResult LoadText(const std::string& text, const Environment& environment = {}) {
  return Load(
      {.file = "liteferry.yaml", .file_text = text, .environment = environment, .flags = {}});
}

TEST(PrintEffective, LoadsToTheSameSettings) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Settings settings = RandomSettings(seed).Make();
    const std::string text = Effective(settings);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + text);
    const LoadResult result = LoadText(text);
    for (const Problem& problem : result.problems) ADD_FAILURE() << Describe(problem);
    ExpectSame(result.settings, settings);
    if (HasFailure()) break;
  }
}

TEST(PrintEffective, SaysWhereEachValueCameFrom) {
  const LoadResult result = Load({.file = "liteferry.yaml",
                                  .file_text = "copy:\n  jobs: 4\ntables:\n  notes: {target: n}\n",
                                  .environment = {{"LITEFERRY_LOG_LEVEL", "debug"}},
                                  .flags = {{"source.path", "app.db"}}});
  const std::string text = Effective(result.settings, result.origins);
  EXPECT_THAT(text, HasSubstr("  jobs: 4  # liteferry.yaml:2\n"));
  EXPECT_THAT(text, HasSubstr("  notes:  # liteferry.yaml:4\n"));
  EXPECT_THAT(text, HasSubstr("  level: debug  # LITEFERRY_LOG_LEVEL\n"));
  EXPECT_THAT(text, HasSubstr("  path: app.db  # --source\n"));
  EXPECT_THAT(text, HasSubstr("  chunk_rows: 20000\n"));
  ExpectSame(LoadText(text).settings, result.settings);
}

TEST(PrintEffective, HidesThePasswordAndNothingElse) {
  const LoadResult result =
      LoadText("target: {url: \"postgres://app:pw@orders-rw:5432/app?sslmode=require\"}");
  EXPECT_THAT(Effective(result.settings),
              HasSubstr("  url: \"postgresql://app:***@orders-rw:5432/app?sslmode=require\"\n"));
}

// A password in every place where somebody may put a URL: of each layer, under each key,
// well-formed or not. Neither the effective configuration nor any problem shows it.
TEST(Secrets, AppearNowhere) {
  constexpr std::string_view kSpecial = "@/:?&=%#[]'\\\"$,;ab01";
  const std::string secret = "zXqSecretqXz";
  std::vector<std::string> keys;
  for (const auto& option : Options()) keys.emplace_back(option.spec.key);
  int seen_in_settings = 0;
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    std::mt19937_64 random(seed);
    std::string password = secret;
    for (std::size_t n = random() % 3; n > 0; --n) password += kSpecial[random() % kSpecial.size()];
    const std::string forms[] = {"postgresql://app:" + password + "@h:5432/db",
                                 "postgresql+asyncpg://app:" + password + "@h/db?ssl=true",
                                 "postgresql://h/db?password=" + password,
                                 "host=h password=" + password,
                                 "host=h password='" + password + "'",
                                 "jdbc:postgresql://h/db?user=a&password=" + password,
                                 "mysql://app:" + password + "@h/db",
                                 "app:" + password + "@h://db"};
    const std::string& url = forms[random() % std::size(forms)];
    const std::string key = random() % 2 == 0 ? "target.url" : keys[random() % keys.size()];
    const std::string section(SectionOf(key));
    const std::string leaf(LeafOf(key));
    std::string quoted;
    for (const char c : url) quoted.append(c == '\'' ? 2 : 1, c);
    LoadInput input{.file = "f.yaml", .file_text = ""};
    switch (random() % 8) {
      case 0:  // written into the file, properly
        input.file_text = section + ":\n  " + leaf + ": '" + quoted + "'\n";
        break;
      case 1:  // and without any care for YAML
        input.file_text = section + ":\n  " + leaf + ": " + url + "\n";
        break;
      case 2:
        input.file_text = section + ":\n  " + leaf + ": [" + url + ", \"" + url + "\"]\n";
        break;
      case 3:
        input.file_text = section + ":\n  " + leaf + ": ${PG_URL}\n";
        input.environment["PG_URL"] = url;
        break;
      case 4:
        input.environment[EnvironmentName(key)] = url;
        break;
      case 5:
        input.environment["DATABASE_URL"] = url;
        break;
      case 6:
        input.flags[key] = url;
        break;
      default:
        input.environment["LITEFERRY_TARGET_URI"] = url;
        input.file_text = "target:\n  uri: '" + quoted + "'\n" + leaf + ": '" + quoted + "'\n";
    }
    const LoadResult result = Load(input);
    std::string shown = Effective(result.settings, result.origins);
    for (const Problem& problem : AllProblems(result, Purpose::kBoth))
      shown += Describe(problem) + "\n";
    ASSERT_THAT(shown, Not(HasSubstr(secret))) << "seed " << seed << " " << key << ": " << url;
    if (result.settings.target.url.find(secret) != std::string::npos) ++seen_in_settings;
  }
  EXPECT_GT(seen_in_settings, 2000) << "the URLs hardly ever arrived: this test shows nothing";
}

// ---- documents

std::string Reference() {
  std::ostringstream out;
  PrintReference(out);
  return out.str();
}

std::string Sample() {
  std::ostringstream out;
  PrintSample(out);
  return out.str();
}

// The file of the repository is what the program prints; else the text to put there is left beside.
void ExpectFileHolds(const std::string& name, const std::string& expected) {
  const std::string path = std::string(LITEFERRY_SOURCE_DIR) + "/" + name;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (content.str() == expected) return;
  const std::string fresh = testing::TempDir() + name.substr(name.rfind('/') + 1);
  std::ofstream(fresh, std::ios::binary) << expected;
  ADD_FAILURE() << name << " is out of date: cp " << fresh << " " << path;
}

TEST(Reference, EqualsTheDocument) { ExpectFileHolds("docs/CONFIGURATION.md", Reference()); }

TEST(Reference, NamesEveryKeyAndVariable) {
  const std::string text = Reference();
  for (const auto& option : Options()) {
    EXPECT_THAT(text, HasSubstr("| `" + std::string(option.spec.key) + "` |"));
    EXPECT_THAT(text, HasSubstr("`" + EnvironmentName(option.spec.key) + "`"));
  }
  for (const char* key : {"tables.<name>.target", "tables.<name>.columns.<name>.epoch"}) {
    EXPECT_THAT(text, HasSubstr("| `" + std::string(key) + "` |"));
  }
}

TEST(Reference, HasWellFormedTables) {
  std::istringstream lines(Reference());
  std::ptrdiff_t columns = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() != '|') {
      columns = 0;
      continue;
    }
    const auto bars = std::count(line.begin(), line.end(), '|');
    EXPECT_TRUE(columns == 0 || bars == columns) << line;
    columns = bars;
  }
}

TEST(Sample, EqualsTheFileThatIsShipped) { ExpectFileHolds("deploy/liteferry.yaml", Sample()); }

TEST(Sample, LoadsToTheDefaults) {
  const LoadResult result =
      Load({.file = std::string(LITEFERRY_SOURCE_DIR) + "/deploy/liteferry.yaml"});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.origins, IsEmpty());
  ExpectSame(result.settings, Settings{});
}

TEST(Sample, IsStillValidWithEveryKeySwitchedOn) {
  std::string text = std::regex_replace(Sample(), std::regex("(^|\n)( *)#(?=[a-z])"), "$1$2");
  // The alternative to target.url, and what goes with target.durability: standby only.
  text = std::regex_replace(text, std::regex("\n *(url_file|confirm_url|confirm_url_file):[^\n]*"),
                            "");
  const LoadResult result = LoadText(text);
  for (const Problem& problem : result.problems) ADD_FAILURE() << Describe(problem);
  EXPECT_THAT(Validate(result.settings, Purpose::kBoth), IsEmpty());
  // Without those three, with the table.
  EXPECT_EQ(result.origins.size(), Options().size() - 2);
  EXPECT_EQ(result.settings.tables.at("customers").columns.at("created").type, "timestamptz");
  for (const auto& option : Options()) {
    if (!option.spec.example.empty()) continue;
    EXPECT_EQ(option.get(result.settings), option.get(Settings{})) << option.spec.key;
  }
}

TEST(Sample, KeepsToTheLineWidth) {
  std::istringstream lines(Sample());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 101U) << line;
}

}  // namespace
}  // namespace liteferry::config
