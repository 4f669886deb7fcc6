#include "daemon/cli.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "daemon/commands/commands.h"
#include "daemon/completion.h"
#include "daemon/help.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

using Arguments = std::vector<std::string>;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome RunCli(const Arguments& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  Outcome outcome;
  outcome.code = RunCommandLine(arguments, Commands(), console);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

Invocation Parsed(const Arguments& arguments) {
  const ParsedCommandLine parsed = ParseCommandLine(arguments, Commands());
  EXPECT_EQ(parsed.error, "");
  EXPECT_NE(parsed.command, nullptr);
  return parsed.invocation;
}

TEST(CliTest, WrongUsageIs64WithAHint) {
  for (const Arguments& arguments : std::vector<Arguments>{
           {},
           {"stauts"},
           {"run", "--nope"},
           {"run", "extra"},
           {"run", "status"},
           {"--source"},
           {"run", "--source"},
           {"config"},
           {"config", "prnit"},
           {"completion"},
           {"completion", "ksh"},
           {"completion", "bash", "zsh"},
           {"run", "--set", "novalue"},
           {"run", "--set", "=x"},
           {"wait", "--timeout", "soon"},
           {"wait", "--lag", "-1s"},
           {"status", "--check=never"},
           {"status", "--watch=3"},
       }) {
    const Outcome outcome = RunCli(arguments);
    SCOPED_TRACE(testing::PrintToString(arguments) + outcome.err);
    EXPECT_EQ(outcome.code, 64);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err.find("liteferry: "), 0U);
    EXPECT_NE(outcome.err.find("\nHINT: "), std::string::npos);
  }
}

TEST(CliTest, AnUnknownCommandNamesTheNearest) {
  EXPECT_NE(RunCli({"stauts"}).err.find("'status'"), std::string::npos);
}

TEST(CliTest, CommonFlagsCountBeforeAndAfterTheCommand) {
  for (const Arguments& arguments : {Arguments{"--source", "a.db", "--json", "-q", "status"},
                                     Arguments{"status", "--source", "a.db", "--json", "-q"},
                                     Arguments{"--json", "status", "-q", "--source=a.db"}}) {
    const Invocation invocation = Parsed(arguments);
    EXPECT_EQ(invocation.settings.at("source.path"), "a.db");
    EXPECT_TRUE(invocation.json);
    EXPECT_TRUE(invocation.quiet);
  }
}

TEST(CliTest, FlagsBecomeKeysOfTheConfiguration) {
  const Invocation invocation = Parsed({"run",
                                        "-c",
                                        "f.yaml",
                                        "--source",
                                        "a",
                                        "--source",
                                        "b",
                                        "--target",
                                        "postgresql://x",
                                        "--socket",
                                        "s",
                                        "--log-level",
                                        "error",
                                        "--log-format",
                                        "json",
                                        "--set",
                                        "copy.jobs=4",
                                        "--set",
                                        "http.listen=:1",
                                        "--set",
                                        "target.schema=a=b",
                                        "-v"});
  EXPECT_EQ(invocation.config_file, "f.yaml");
  EXPECT_EQ(invocation.settings,
            (std::map<std::string, std::string>{{"source.path", "b"},
                                                {"target.url", "postgresql://x"},
                                                {"socket.path", "s"},
                                                {"log.level", "error"},
                                                {"log.format", "json"},
                                                {"copy.jobs", "4"},
                                                {"http.listen", ":1"},
                                                {"target.schema", "a=b"}}));
}

TEST(CliTest, SetTakesOneValueOnly) {
  const ParsedCommandLine parsed = ParseCommandLine({"--set", "copy.jobs=4", "run"}, Commands());
  ASSERT_NE(parsed.command, nullptr) << parsed.error;
  EXPECT_EQ(parsed.command->name, "run");
}

TEST(CliTest, QuietAndVerboseSetTheLevel) {
  EXPECT_EQ(Parsed({"run", "-q"}).settings.at("log.level"), "warn");
  EXPECT_EQ(Parsed({"run", "-v"}).settings.at("log.level"), "debug");
  EXPECT_FALSE(Parsed({"run"}).settings.contains("log.level"));
}

TEST(CliTest, OptionsOfACommandReachIt) {
  EXPECT_TRUE(Parsed({"status", "--check"}).Has("--check"));
  EXPECT_EQ(Parsed({"status", "--check"}).Value("--check", "60s"), "60s");
  EXPECT_EQ(Parsed({"status", "--check=5s"}).Value("--check", "60s"), "5s");
  EXPECT_FALSE(Parsed({"status"}).Has("--check"));
  EXPECT_TRUE(Parsed({"cleanup", "--not-valid"}).Has("--not-valid"));
  EXPECT_EQ(Parsed({"wait", "--timeout", "5m"}).Value("--timeout", "60s"), "5m");
  EXPECT_EQ(Parsed({"completion", "zsh"}).argument, "zsh");
  using List = std::vector<std::string>;
  EXPECT_EQ(Parsed({"verify", "--table", "a", "--json", "--table=b c"}).List("--table"),
            (List{"a", "b c"}));
  EXPECT_EQ(Parsed({"verify"}).List("--table"), List{});
  EXPECT_EQ(Parsed({"resync", "status", "--jobs", "3", "b"}).arguments, (List{"status", "b"}));
  EXPECT_EQ(Parsed({"resync", "--all"}).arguments, List{});
}

TEST(CliTest, EveryCommandHelpsItself) {
  for (const CommandSpec& command : Commands()) {
    Arguments arguments;
    std::istringstream words{std::string(command.name)};
    for (std::string word; words >> word;) arguments.push_back(word);
    for (const char* flag : {"--help", "-h"}) {
      arguments.emplace_back(flag);
      const Outcome outcome = RunCli(arguments);
      EXPECT_EQ(outcome.code, 0);
      EXPECT_EQ(outcome.out, CommandHelp(command));
      EXPECT_EQ(outcome.err, "");
      arguments.pop_back();
    }
    const std::string help = CommandHelp(command);
    EXPECT_NE(help.find("Example:\n  "), std::string::npos) << command.name;
    EXPECT_NE(help.find("liteferry " + std::string(command.name)), std::string::npos);
    for (const OptionSpec& option : command.options) {
      EXPECT_NE(help.find(option.flag), std::string::npos) << option.flag;
    }
    for (std::size_t at = 0; at < help.size(); at = help.find('\n', at) + 1) {
      EXPECT_LE(help.find('\n', at) - at, 100U) << help.substr(at, 110);
    }
  }
}

TEST(CliTest, TheOverviewListsEveryCommandOnce) {
  const Outcome outcome = RunCli({"--help"});
  EXPECT_EQ(outcome.code, 0);
  std::set<std::string_view> names;
  for (const CommandSpec& command : Commands()) {
    EXPECT_TRUE(names.insert(command.name).second);
    EXPECT_NE(outcome.out.find("\n  " + std::string(command.name) + " "), std::string::npos);
  }
}

TEST(CliTest, VersionIsToldInBothForms) {
  EXPECT_EQ(RunCli({"--version"}).out, std::string("liteferry ") + LITEFERRY_VERSION + "\n");
  const auto json = nlohmann::json::parse(RunCli({"version", "--json"}).out);
  EXPECT_EQ(json["version"], LITEFERRY_VERSION);
  EXPECT_TRUE(json.contains("sqlite"));
  EXPECT_TRUE(json.contains("libpq"));
}

TEST(CliTest, WithJsonAnErrorIsAnObjectOnStandardOutputToo) {
  const Outcome outcome = RunCli({"wait", "--json", "--timeout", "x"});
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["error"]["exit_code"], 64);
  EXPECT_NE(json["error"]["message"], "");
  EXPECT_NE(outcome.err, "");
}

TEST(CliTest, ProblemsOfTheConfigurationAre78AndAllListed) {
  const Outcome outcome = RunCli({"run", "--source", "a.db", "--set", "copy.jbos=3", "--set",
                                  "copy.jobs=none", "--log-level", "loud"});
  EXPECT_EQ(outcome.code, 78);
  for (const char* part : {"copy.jbos", "copy.jobs", "log.level"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
}

TEST(CliTest, AFileThatIsWrongIsToldWithItsLine) {
  TempDir folder;
  const std::string file = folder / "f.yaml";
  std::ofstream(file) << "source:\n  path: a.db\ncopy:\n  jbos: 3\n";
  const Outcome outcome = RunCli({"config", "print", "-c", file});
  EXPECT_EQ(outcome.code, 78);
  EXPECT_NE(outcome.err.find(file + ":4"), std::string::npos) << outcome.err;
  EXPECT_EQ(RunCli({"config", "print", "-c", folder / "none.yaml"}).code, 78);
}

TEST(CliTest, ConfigPrintHidesTheSecret) {
  const Outcome outcome =
      RunCli({"config", "print", "--target", "postgresql://app:geheim@host:5432/app"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out.find("geheim"), std::string::npos);
  EXPECT_NE(outcome.out.find("host:5432"), std::string::npos);
}

TEST(CliTest, ReferenceAndSampleArePrinted) {
  EXPECT_NE(RunCli({"config", "reference"}).out.find("copy.jobs"), std::string::npos);
  EXPECT_NE(RunCli({"config", "sample"}).out.find("jobs"), std::string::npos);
}

TEST(CliTest, AMissingSourceIs66) {
  TempDir folder;
  const Outcome outcome = RunCli(
      {"run", "--source", folder / "none.db", "--target", "postgresql://app@127.0.0.1:1/app"});
  EXPECT_EQ(outcome.code, 66) << outcome.err;
  EXPECT_NE(outcome.err.find("none.db"), std::string::npos);
  EXPECT_NE(outcome.err.find("HINT"), std::string::npos);
}

TEST(CliTest, AResultThatCannotBeWrittenIsAFault) {
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  Console console{out, err};
  EXPECT_EQ(RunCommandLine({"version"}, Commands(), console), 74);
}

TEST(CliTest, AFaultOfACommandIs70AndABareExceptionToo) {
  CommandSpec broken;
  broken.name = "broken";
  broken.run = [](const Invocation&, Console&) -> ExitCode { throw std::runtime_error("oops"); };
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  EXPECT_EQ(RunCommandLine({"broken"}, {broken}, console), 70);
  EXPECT_NE(err.str().find("oops"), std::string::npos);
}

TEST(CompletionTest, EveryShellKnowsEveryCommandAndFlag) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Outcome outcome = RunCli({"completion", shell});
    EXPECT_EQ(outcome.code, 0);
    for (const CommandSpec& command : Commands()) {
      const std::string name(command.name);
      EXPECT_NE(outcome.out.find(name.substr(name.find(' ') + 1)), std::string::npos) << name;
      for (const OptionSpec& option : command.options) {
        EXPECT_NE(outcome.out.find(option.flag.substr(2)), std::string::npos) << option.flag;
      }
    }
  }
}

std::string ShellOutput(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "no shell";
  char buffer[1024];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) text += buffer;
  pclose(pipe);
  return text;
}

TEST(CompletionTest, BashCompletesWords) {
  TempDir folder;
  const std::string script = folder / "completion";
  std::ofstream(script) << CompletionScript("bash", Commands());
  const auto complete = [&](const std::string& words, int at) {
    return ShellOutput("bash -c '. " + script + "; COMP_WORDS=(" + words + "); COMP_CWORD=" +
                       std::to_string(at) + "; _liteferry; echo ${COMPREPLY[*]}' 2>&1");
  };
  EXPECT_EQ(complete("liteferry sta", 1), "status\n");
  EXPECT_EQ(complete("liteferry config r", 2), "reference\n");
  EXPECT_EQ(complete("liteferry completion z", 2), "zsh\n");
  EXPECT_EQ(complete("liteferry --json status --ch", 3), "--check\n");
  EXPECT_EQ(complete("liteferry run --ch", 2), "\n");
}

}  // namespace
}  // namespace liteferry::daemon
