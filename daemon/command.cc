#include "daemon/command.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "config/parser.h"
#include "config/value_text.h"

namespace liteferry::daemon {

std::string Invocation::Value(std::string_view flag, std::string_view fallback) const {
  const auto found = options.find(flag);
  return found == options.end() || found->second.empty() ? std::string(fallback) : found->second;
}

std::vector<std::string> Invocation::List(std::string_view flag) const {
  const auto found = lists.find(flag);
  return found == lists.end() ? std::vector<std::string>() : found->second;
}

const std::vector<OptionSpec>& CommonOptions() {
  static const std::vector<OptionSpec> options = {
      {"--config", "FILE", "read this configuration file (-c; else $LITEFERRY_CONFIG)"},
      {"--source", "PATH", "the SQLite database (source.path)"},
      {"--target", "URL", "the PostgreSQL database (target.url)"},
      {"--socket", "PATH", "the daemon's control socket (socket.path)"},
      {"--set", "KEY=VALUE", "any other key of the configuration; may be repeated"},
      {"--json", "", "the result as JSON on standard output"},
      {"--quiet", "", "only results, warnings and errors (-q)"},
      {"--verbose", "", "also log what helps to find a fault (-v)"},
      {"--log-level", "LEVEL", "debug, info, warn or error (log.level)"},
      {"--log-format", "FORMAT", "auto, text or json (log.format)"},
      {"--help", "", "show this help (-h)"},
  };
  return options;
}

ExitCode ReportError(const Error& error, const Invocation& invocation, Console& console) {
  const ExitCode code = error.exit_code();
  console.err << "liteferry: " << error.message() << "\n";
  if (!error.hint().empty()) console.err << "HINT: " << error.hint() << "\n";
  if (invocation.json) {
    const nlohmann::ordered_json object = {{"error",
                                            {{"message", error.message()},
                                             {"hint", error.hint()},
                                             {"exit_code", static_cast<int>(code)}}}};
    console.out << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  return code;
}

void Say(const Invocation& invocation, Console& console, std::string_view message) {
  if (!invocation.quiet) console.err << message << "\n";
}

config::LoadResult LoadConfiguration(const Invocation& invocation, config::Purpose purpose) {
  config::LoadInput input;
  input.environment = config::CurrentEnvironment();
  input.flags = invocation.settings;
  if (!invocation.config_file.empty()) {
    input.file = invocation.config_file;
  } else if (const auto found = input.environment.find("LITEFERRY_CONFIG");
             found != input.environment.end() && !found->second.empty()) {
    input.file = found->second;
  }
  config::LoadResult load = config::Load(input);
  const std::vector<config::Problem> problems = config::AllProblems(load, purpose);
  if (problems.empty()) return load;
  std::string message = problems.size() == 1 ? "the configuration has a problem"
                                             : "the configuration has " +
                                                   std::to_string(problems.size()) + " problems";
  for (const config::Problem& problem : problems) message += "\n  " + config::Describe(problem);
  throw Error(Disposition::kStop, Component::kConfig, message)
      .Hint("'liteferry config reference' describes every key.")
      .Exit(ExitCode::kConfig);
}

config::Settings LoadSettings(const Invocation& invocation, config::Purpose purpose) {
  return LoadConfiguration(invocation, purpose).settings;
}

config::Milliseconds DurationOption(const Invocation& invocation, std::string_view flag,
                                    std::string_view fallback) {
  const std::string text = invocation.Value(flag, fallback);
  const auto duration = config::ParseDuration(text);
  if (duration && duration->count() >= 0) return *duration;
  throw Error(Disposition::kStop, Component::kConfig,
              std::string(flag) + " is not a duration: " + text)
      .Hint("Write 0, 500ms, 5s, 10m or 1h30m.")
      .Exit(ExitCode::kUsage);
}

}  // namespace liteferry::daemon
