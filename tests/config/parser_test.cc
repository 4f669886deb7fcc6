#include "config/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "config/options.h"
#include "tests/config/random_settings.h"

namespace liteferry::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

LoadResult LoadText(const std::string& text, const Environment& environment = {},
                    const std::map<std::string, std::string>& flags = {}) {
  return Load(
      {.file = "liteferry.yaml", .file_text = text, .environment = environment, .flags = flags});
}

// A problem of the file at this line, with this key and message.
auto FileProblem(int line, const std::string& key, const std::string& message) {
  return AllOf(Field("file", &Problem::file, "liteferry.yaml"), Field("line", &Problem::line, line),
               Field("key", &Problem::key, key),
               Field("message", &Problem::message, HasSubstr(message)));
}

auto OtherProblem(const std::string& place, const std::string& key, const std::string& message) {
  return AllOf(Field("file", &Problem::file, place), Field("line", &Problem::line, 0),
               Field("key", &Problem::key, key),
               Field("message", &Problem::message, HasSubstr(message)));
}

TEST(Load, GivesTheDefaultsForNothingAtAll) {
  for (const char* text :
       {"", "\n", "# only a comment\n", "---\n", "copy:\nsource:\ntables:\n", "{}"}) {
    const LoadResult result = LoadText(text);
    EXPECT_THAT(result.problems, IsEmpty()) << text;
    EXPECT_THAT(result.origins, IsEmpty()) << text;
    ExpectSame(result.settings, Settings{});
  }
}

TEST(Load, ReadsEveryKindOfValue) {
  const LoadResult result = LoadText(R"(
source: {path: /data/app.db, busy_timeout: 200ms, exclude: ["celery_*", audit], include: []}
target:
  url: postgresql+asyncpg://app:pw@h/db?ssl=true
  create_tables: never
  existing_rows: replace
copy: {jobs: 4, chunk_rows: "500"}
changelog: {retention: 7d, max_size: 1GB}
cutover: {max_pause: 1m, on_shutdown: yes}
http: {listen: off}
socket: {mode: 0660}
log: {level: debug, format: json}
tables:
  'select "x"': {target: Order}
  notes:
    columns:
      "a.b": {target: c, type: timestamptz, on_invalid: strip_nul, epoch: ms}
      empty:
)");
  EXPECT_THAT(result.problems, IsEmpty());
  const Settings& settings = result.settings;
  EXPECT_EQ(settings.source.path, "/data/app.db");
  EXPECT_EQ(settings.source.busy_timeout, Milliseconds(200));
  EXPECT_THAT(settings.source.exclude, ElementsAre("celery_*", "audit"));
  EXPECT_EQ(settings.target.url, "postgresql://app:pw@h/db?sslmode=require");
  EXPECT_EQ(settings.target.create_tables, CreateTables::kNever);
  EXPECT_EQ(settings.target.existing_rows, ExistingRows::kReplace);
  EXPECT_EQ(settings.copy.jobs, 4);
  EXPECT_EQ(settings.copy.chunk_rows, 500);
  EXPECT_EQ(settings.changelog.retention, std::chrono::hours(168));
  EXPECT_EQ(settings.changelog.max_size, 1'000'000'000);
  EXPECT_TRUE(settings.cutover.on_shutdown);
  EXPECT_EQ(settings.http.listen, "");
  EXPECT_EQ(settings.socket.mode, 0660U);
  EXPECT_EQ(settings.log.level, LogLevel::kDebug);
  EXPECT_EQ(settings.log.format, LogFormat::kJson);
  ASSERT_EQ(settings.tables.size(), 2U);
  EXPECT_EQ(settings.tables.at("select \"x\"").target, "Order");
  const ColumnSettings& column = settings.tables.at("notes").columns.at("a.b");
  EXPECT_EQ(column.target, "c");
  EXPECT_EQ(column.type, "timestamptz");
  EXPECT_EQ(column.on_invalid, OnInvalid::kStripNul);
  EXPECT_EQ(column.epoch, Epoch::kMilliseconds);
  EXPECT_EQ(settings.tables.at("notes").columns.count("empty"), 1U);
  EXPECT_EQ(result.origins.at("copy.jobs").place, "liteferry.yaml:7");
  EXPECT_EQ(result.origins.at("tables.notes").place, "liteferry.yaml:15");
}

// A bare null is no value for YAML, but one of the choices here.
TEST(Load, TellsTheWordNullFromNoValue) {
  const auto load = [](const std::string& value) {
    return LoadText("tables:\n  t:\n    columns:\n      c:\n        on_invalid:" + value +
                    "\n      d:\n");
  };
  for (const char* value : {" null", "   null  # comment", " \"null\"", " 'null'"}) {
    const LoadResult result = load(value);
    EXPECT_THAT(result.problems, IsEmpty()) << value;
    EXPECT_EQ(result.settings.tables.at("t").columns.at("c").on_invalid, OnInvalid::kNull) << value;
  }
  for (const char* value : {"", " ~", "  # null", " {}"}) {
    const LoadResult result = load(value);
    EXPECT_EQ(result.problems.size(), 1U) << value;
    EXPECT_EQ(result.settings.tables.at("t").columns.at("c").on_invalid, OnInvalid::kReject)
        << value;
  }
  const LoadResult flow = LoadText("tables: {é: {columns: {漢: {on_invalid: null, epoch: s}}}}");
  EXPECT_THAT(flow.problems, IsEmpty());
  EXPECT_EQ(flow.settings.tables.at("é").columns.at("漢").on_invalid, OnInvalid::kNull);
  const LoadResult julian = LoadText("tables: {t: {columns: {c: {epoch: julian}}}}");
  EXPECT_THAT(julian.problems, IsEmpty());
  EXPECT_EQ(julian.settings.tables.at("t").columns.at("c").epoch, Epoch::kJulian);
  EXPECT_THAT(LoadText("copy: {jobs: null}").problems,
              ElementsAre(FileProblem(1, "copy.jobs", "no value")));
}

// Every subset of the layers: the strongest one present wins.
TEST(Load, LetsFlagsBeatEnvironmentBeatFileBeatDefaults) {
  for (unsigned present = 0; present < 8; ++present) {
    const LoadResult result =
        LoadText((present & 1U) != 0 ? "copy: {jobs: 11}" : "",
                 (present & 2U) != 0 ? Environment{{"LITEFERRY_COPY_JOBS", "12"}} : Environment{},
                 (present & 4U) != 0 ? std::map<std::string, std::string>{{"copy.jobs", "13"}}
                                     : std::map<std::string, std::string>{});
    const int expected = present >= 4 ? 13 : present >= 2 ? 12 : present == 1 ? 11 : 2;
    EXPECT_THAT(result.problems, IsEmpty());
    EXPECT_EQ(result.settings.copy.jobs, expected) << present;
    const auto origin = result.origins.find("copy.jobs");
    if (present == 0) {
      EXPECT_EQ(origin, result.origins.end());
    } else {
      EXPECT_EQ(origin->second.layer, present >= 4   ? Layer::kFlag
                                      : present >= 2 ? Layer::kEnvironment
                                                     : Layer::kFile);
    }
  }
}

TEST(Load, TakesEveryKeyFromTheEnvironmentAndFromFlags) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Settings settings = RandomSettings(seed).Make();
    settings.tables.clear();
    // A comma cannot stand in such a list.
    settings.source.include = {"a*", "b c"};
    settings.source.exclude = {"x"};
    LoadInput input;
    for (const auto& option : Options()) {
      const std::string text = ValueText(option.spec, option.get(settings));
      const bool set = option.get(settings) != option.get(Settings{});
      if (set && seed % 2 == 0) input.environment[EnvironmentName(option.spec.key)] = text;
      if (set && seed % 2 == 1) input.flags[std::string(option.spec.key)] = text;
    }
    const LoadResult result = Load(input);
    EXPECT_THAT(result.problems, IsEmpty());
    ExpectSame(result.settings, settings);
  }
}

TEST(Load, ReportsAllProblemsAtOnce) {
  const LoadResult result = LoadText(
      "source:\n"
      "  pth: app.db\n"
      "  exclude: celery\n"
      "copy:\n"
      "  jobs: 0\n"
      "  jobs: 3\n"
      "  chunk_rows: many\n"
      "replication: {}\n"
      "log: debug\n"
      "socket: {mode: \"0999\", path: [a]}\n"
      "cutover: {max_pause: , on_shutdown: maybe}\n"
      "tables:\n"
      "  notes: {colums: {}, columns: {body: {on_invalid: drop, kind: text}}}\n",
      {{"LITEFERRY_COPY_JOB", "3"}, {"LITEFERRY_LOG_FORMAT", "xml"}},
      {{"log.level", "loud"}, {"copy.jbos", "1"}});
  EXPECT_THAT(
      result.problems,
      ElementsAre(
          FileProblem(2, "source.pth", "nearest known key is source.path"),
          FileProblem(3, "source.exclude", "a list is expected"),
          FileProblem(5, "copy.jobs",
                      "\"0\" is not valid; allowed: a whole number of connections from 1 to 64"),
          FileProblem(6, "copy.jobs", "given twice"),
          FileProblem(7, "copy.chunk_rows",
                      "\"many\" is not valid; allowed: a whole number of rows"),
          FileProblem(8, "replication", "nearest known key is"),
          FileProblem(9, "log", "a map is expected"),
          FileProblem(10, "socket.mode", "\"0999\" is not valid"),
          FileProblem(10, "socket.path", "a single value is expected"),
          FileProblem(11, "cutover.max_pause", "no value is given"),
          FileProblem(11, "cutover.on_shutdown", "allowed: true or false"),
          FileProblem(13, "tables.notes.colums", "nearest known key is tables.notes.columns"),
          FileProblem(13, "tables.notes.columns.body.on_invalid",
                      "\"drop\" is not valid; allowed: reject, null or strip_nul"),
          FileProblem(13, "tables.notes.columns.body.kind", "unknown key"),
          OtherProblem("LITEFERRY_COPY_JOB", "", "nearest known one is LITEFERRY_COPY_JOBS"),
          OtherProblem("LITEFERRY_LOG_FORMAT", "log.format", "\"xml\" is not valid"),
          OtherProblem("command line", "copy.jbos", "nearest known key is copy.jobs"),
          OtherProblem("--log-level", "log.level", "\"loud\" is not valid")));
  EXPECT_EQ(result.settings.copy.jobs, Settings{}.copy.jobs);
}

TEST(Load, DescribesAProblemInOneLineAndItsHintInAnother) {
  const LoadResult result = LoadText("copy: {job: 1}");
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(Describe(result.problems[0]),
            "liteferry.yaml:1: copy.job: unknown key; the nearest known key is copy.jobs\n"
            "  HINT: Inside copy stand jobs, chunk_rows.");
}

TEST(Load, SaysWhichSectionAKeyBelongsTo) {
  for (const char* text : {"chunk_rows: 5", "copy.chunk_rows: 5"}) {
    const LoadResult result = LoadText(text);
    ASSERT_EQ(result.problems.size(), 1U) << text;
    EXPECT_EQ(result.problems[0].hint, "Write it as `copy: {chunk_rows: …}`.");
  }
}

TEST(Load, GivesTheLineOfASyntaxError) {
  EXPECT_THAT(LoadText("copy:\n  jobs: [1\nlog: x\n").problems,
              ElementsAre(FileProblem(3, "", "not valid YAML")));
  EXPECT_THAT(LoadText("copy:\n\tjobs: 1\n").problems,
              ElementsAre(FileProblem(2, "", "not valid YAML")));
  EXPECT_THAT(LoadText("a: 1\n---\nb: 1\n").problems,
              Contains(FileProblem(3, "", "second YAML document")));
  EXPECT_THAT(LoadText("- a\n").problems, ElementsAre(FileProblem(1, "", "a map is expected")));
  EXPECT_THAT(LoadText("? [a]\n: 1\n").problems,
              ElementsAre(FileProblem(1, "", "not a plain text")));
}

TEST(Load, DoesNotQuoteWhatASyntaxErrorStumbledOver) {
  const LoadResult result = LoadText("target: {url: \"x\\q\"}");
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].message, "not valid YAML: unknown escape character");
}

TEST(Load, DoesNotFollowAnAliasRoundAndRound) {
  const LoadResult result = LoadText("tables: &t\n  notes:\n    columns: *t\n");
  EXPECT_FALSE(result.problems.empty());
}

TEST(Load, ReadsTheFileOrSaysWhyNot) {
  const std::string path =
      testing::TempDir() + "liteferry_parser_test_" + std::to_string(::getpid());
  std::remove(path.c_str());
  EXPECT_THAT(Load({.file = path}).problems, ElementsAre(OtherProblem(path, "", "No such file")));
  EXPECT_THAT(Load({.file = testing::TempDir()}).problems,
              ElementsAre(OtherProblem(testing::TempDir(), "", "directory")));
  std::ofstream(path) << "";
  EXPECT_THAT(Load({.file = path}).problems, IsEmpty());
  std::ofstream(path) << "copy:\n  jobs: 7\n";
  const LoadResult result = Load({.file = path});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.settings.copy.jobs, 7);
  EXPECT_EQ(result.origins.at("copy.jobs").place, path + ":2");
  std::remove(path.c_str());
}

TEST(Load, ExpandsVariablesAfterParsingSoThatNoPasswordBreaksYaml) {
  for (const std::string password :
       {"p#a:s\"s$w", "it's ${NAME} $$", " #x", ": - ? | >", "*a &b !c", "\\n\\"}) {
    const LoadResult result =
        LoadText("source:\n  path: ${PW}  # comment\nsocket: {path: \"a${PW}b$$c$d\"}\n",
                 {{"PW", password}});
    EXPECT_THAT(result.problems, IsEmpty());
    EXPECT_EQ(result.settings.source.path, password);
    EXPECT_EQ(result.settings.socket.path, "a" + password + "b$c$d");
  }
  const LoadResult url =
      LoadText("target: {url: \"postgresql://app:${PW}@h/db\"}", {{"PW", "p#a:s\"s$w"}});
  EXPECT_THAT(url.problems, IsEmpty());
  EXPECT_EQ(url.settings.target.url, "postgresql://app:p#a:s\"s$w@h/db");
}

TEST(Load, ExpandsElementsOfListsAndValuesOfTables) {
  const LoadResult result = LoadText(
      "source: {exclude: [\"${A}\", b]}\ntables: {t: {target: \"${A}\"}}\n", {{"A", "x,y"}});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.settings.source.exclude, ElementsAre("x,y", "b"));
  EXPECT_EQ(result.settings.tables.at("t").target, "x,y");
}

TEST(Load, ReportsEachUnsetVariableWithItsLine) {
  EXPECT_THAT(
      LoadText("source:\n  path: ${NOPE}\n  exclude:\n    - ${ONE}\n    - ${TWO}\n").problems,
      ElementsAre(FileProblem(2, "source.path", "NOPE is not set"),
                  FileProblem(4, "source.exclude", "ONE is not set"),
                  FileProblem(5, "source.exclude", "TWO is not set")));
}

TEST(Load, DoesNotExpandEnvironmentAndFlags) {
  const LoadResult result = Load(
      {.environment = {{"LITEFERRY_SOURCE_PATH", "a${B}$$"}}, .flags = {{"socket.path", "s${B}"}}});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.settings.source.path, "a${B}$$");
  EXPECT_EQ(result.settings.socket.path, "s${B}");
}

TEST(Environment, MayHoldWhatIsNotOurs) {
  const LoadResult result =
      Load({.environment = {{"LITEFERRY_CONFIG", "x.yaml"},
                            {"LITEFERRY_COPY_JOBS", ""},
                            {"LITEFERRY_SERVICE_HOST", "10.0.0.1"},
                            {"LITEFERRY_SERVICE_PORT", "9809"},
                            {"LITEFERRY_SERVICE_PORT_METRICS", "9809"},
                            {"LITEFERRY_PORT", "tcp://10.0.0.1:9809"},
                            {"LITEFERRY_PORT_9809_TCP", "tcp://10.0.0.1:9809"},
                            {"LITEFERRY_METRICS_PORT_9809_TCP_ADDR", "10.0.0.1"},
                            {"HOME", "/root"}}});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.settings.copy.jobs, 2);
}

TEST(Environment, CannotHoldTables) {
  const LoadResult result = Load({.environment = {{"LITEFERRY_TABLES_NOTES_TARGET", "x"}}});
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].hint, "Tables are set in the file only.");
}

TEST(Messages, DoNotNameAKeyThatIsAUrl) {
  for (const char* text :
       {"postgresql://u:S3CR@h/db: x", "target: {'postgresql://u:S3CR@h/db': x}"}) {
    const LoadResult result = LoadText(text);
    ASSERT_EQ(result.problems.size(), 1U);
    EXPECT_THAT(Describe(result.problems[0]), Not(HasSubstr("S3CR")));
  }
}

TEST(DatabaseUrl, IsUsedWhenNothingElseSaysTheTarget) {
  const Environment environment = {{"DATABASE_URL", "postgresql+asyncpg://app:pw@h/db"}};
  const LoadResult used = LoadText("", environment);
  EXPECT_EQ(used.settings.target.url, "postgresql://app:pw@h/db");
  EXPECT_EQ(used.origins.at("target.url").place, "DATABASE_URL");

  EXPECT_EQ(LoadText("target: {url: postgres://other}", environment).settings.target.url,
            "postgresql://other");
  EXPECT_EQ(LoadText("target: {url_file: /f}", environment).settings.target.url, "");
  EXPECT_EQ(LoadText("target: {url: \"\"}", environment).settings.target.url,
            "postgresql://app:pw@h/db");
  // A wrong target is not silently replaced by another.
  const LoadResult wrong = LoadText("target: {url: wrong}", environment);
  EXPECT_EQ(wrong.settings.target.url, "");
  EXPECT_EQ(wrong.problems.size(), 1U);
  EXPECT_EQ(LoadText("target: {url: \"${NOPE}\"}", environment).settings.target.url, "");
}

TEST(DatabaseUrl, IsIgnoredUnlessItIsForPostgres) {
  for (const char* url :
       {"sqlite:///app.db", "sqlite+aiosqlite:///app.db", "mysql://h/db", "", "host=h"}) {
    const LoadResult result = Load({.environment = {{"DATABASE_URL", url}}});
    EXPECT_THAT(result.problems, IsEmpty()) << url;
    EXPECT_EQ(result.settings.target.url, "") << url;
  }
  const LoadResult wrong = Load({.environment = {{"DATABASE_URL", "postgresql://h/db?nope=1"}}});
  EXPECT_THAT(wrong.problems,
              ElementsAre(OtherProblem("DATABASE_URL", "target.url", "parameter nope")));
}

// target.url and target.url_file in every pair of layers.
TEST(TargetForms, OfAStrongerLayerReplaceBothOfAWeakerOne) {
  const auto load = [](int url_layer, int file_layer) {
    LoadInput input{.file = "liteferry.yaml", .file_text = "target:\n"};
    const auto give = [&input](int layer, const std::string& leaf, const std::string& text) {
      if (layer == 0) *input.file_text += "  " + leaf + ": " + text + "\n";
      if (layer == 1) input.environment[EnvironmentName("target." + leaf)] = text;
      if (layer == 2) input.flags["target." + leaf] = text;
    };
    give(url_layer, "url", "postgresql://h/db");
    give(file_layer, "url_file", "/f");
    return Load(input);
  };
  for (int url_layer = 0; url_layer < 3; ++url_layer) {
    for (int file_layer = 0; file_layer < 3; ++file_layer) {
      SCOPED_TRACE(std::to_string(url_layer) + std::to_string(file_layer));
      const LoadResult result = load(url_layer, file_layer);
      if (url_layer == file_layer) {
        ASSERT_EQ(result.problems.size(), 1U);
        EXPECT_THAT(result.problems[0].message, HasSubstr("both given"));
        continue;
      }
      EXPECT_THAT(result.problems, IsEmpty());
      EXPECT_EQ(result.settings.target.url, url_layer > file_layer ? "postgresql://h/db" : "");
      EXPECT_EQ(result.settings.target.url_file, file_layer > url_layer ? "/f" : "");
      EXPECT_EQ(result.origins.count("target.url"), url_layer > file_layer ? 1U : 0U);
      EXPECT_EQ(result.origins.count("target.url_file"), file_layer > url_layer ? 1U : 0U);
    }
  }
}

TEST(Messages, NeverShowAnExpandedVariable) {
  const LoadResult result =
      LoadText("log: {level: \"${PW}\"}\ncopy: {jobs: \"x${PW}\"}", {{"PW", "S3CR"}});
  EXPECT_THAT(result.problems, ElementsAre(FileProblem(1, "log.level", "\"${PW}\" is not valid"),
                                           FileProblem(2, "copy.jobs", "\"x${PW}\" is not valid")));
  for (const Problem& problem : result.problems)
    EXPECT_THAT(Describe(problem), Not(HasSubstr("S3CR")));
}

}  // namespace
}  // namespace liteferry::config
