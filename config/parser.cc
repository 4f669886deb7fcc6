#include "config/parser.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "config/collector.h"
#include "config/options.h"
#include "config/url.h"
#include "config/yaml_reader.h"

namespace liteferry::config {
namespace {

constexpr std::string_view kPrefix = "LITEFERRY_";
constexpr const char* kConfigVariable = "LITEFERRY_CONFIG";
constexpr const char* kDatabaseUrl = "DATABASE_URL";

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Kubernetes sets these in every pod for a Service whose name begins with liteferry:
// LITEFERRY_SERVICE_HOST, LITEFERRY_PORT, LITEFERRY_PORT_9809_TCP_ADDR, …
bool IsServiceVariable(const std::string& name) {
  return name.ends_with("_SERVICE_HOST") || name.ends_with("_PORT") ||
         Contains(name, "_SERVICE_PORT") ||
         (Contains(name, "_PORT_") &&
          (Contains(name, "_TCP") || Contains(name, "_UDP") || Contains(name, "_SCTP")));
}

// What an on-ready command is told, for a liteferry that it calls (docs/CUTOVER.md).
bool IsHookVariable(const std::string& name) {
  return name == "LITEFERRY_EVENT" || name == "LITEFERRY_TARGET" || name == "LITEFERRY_POSITION" ||
         name == "LITEFERRY_WRITE_PAUSE_SECONDS";
}

// Nothing, and `problem` set, when it cannot be read.
std::optional<std::string> ReadText(const std::string& path, std::string& problem) {
  std::error_code ignored;
  errno = std::filesystem::is_directory(path, ignored) ? EISDIR : 0;
  std::ifstream file;
  if (errno == 0) file.open(path, std::ios::binary);
  std::ostringstream content;
  if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  if (!file.is_open() || file.bad()) {
    problem = "cannot read the configuration file: " + std::generic_category().message(errno);
    return std::nullopt;
  }
  return content.str();
}

void ReadFile(const LoadInput& input, Collector& collector) {
  if (!input.file && !input.file_text) return;
  const std::string name = input.file.value_or("configuration");
  std::string problem;
  const auto text = input.file_text ? input.file_text : ReadText(name, problem);
  if (text) {
    ReadYaml(*text, name, input.environment, collector);
  } else {
    collector.Report({Layer::kFile, name, 0}, {}, problem);
    collector.MarkIncomplete();
  }
}

void ReadEnvironment(const Environment& environment, Collector& collector) {
  std::vector<std::string> known;
  for (const std::string& key : AllKeys()) known.push_back(EnvironmentName(key));
  known.emplace_back(kConfigVariable);
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(kPrefix) || name == kConfigVariable) continue;
    const Place place{Layer::kEnvironment, name, 0};
    const auto at = std::find(known.begin(), known.end(), name);
    if (at != known.end()) {
      const Option<Settings>& option = Options()[static_cast<std::size_t>(at - known.begin())];
      if (!text.empty()) collector.Assign(option, place, RawValue::Text(text));
    } else if (!IsServiceVariable(name) && !IsHookVariable(name)) {
      collector.Report(
          place, {},
          "unknown environment variable; the nearest known one is " + Nearest(name, known),
          name.starts_with("LITEFERRY_TABLES") ? "Tables are set in the file only." : "");
    }
  }
}

void ReadFlags(const std::map<std::string, std::string>& flags, Collector& collector) {
  for (const auto& [key, text] : flags) {
    const Option<Settings>* option = FindOption(key);
    if (option == nullptr) {
      collector.Report({Layer::kFlag, "command line", 0}, key,
                       "unknown key; the nearest known key is " + Nearest(key, AllKeys()));
      continue;
    }
    const std::string name =
        option->spec.flag.empty() ? "command line" : std::string(option->spec.flag);
    collector.Assign(*option, {Layer::kFlag, name, 0}, RawValue::Text(text));
  }
}

// The application's own variable, where nothing of ours says what the target is.
void UseDatabaseUrl(const Environment& environment, Collector& collector) {
  const auto found = environment.find(kDatabaseUrl);
  if (found == environment.end() || collector.HasTarget() || !IsPostgresUrl(found->second)) return;
  collector.Assign(*FindOption("target.url"), {Layer::kEnvironment, kDatabaseUrl, 0},
                   RawValue::Text(found->second));
}

}  // namespace

std::string Describe(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line > 0) text += ":" + std::to_string(problem.line);
  for (const std::string& part : {problem.key, problem.message}) {
    if (!part.empty()) text += (text.empty() ? "" : ": ") + part;
  }
  if (!problem.hint.empty()) text += "\n  HINT: " + problem.hint;
  return text;
}

LoadResult Load(const LoadInput& input) {
  Collector collector;
  ReadFile(input, collector);
  ReadEnvironment(input.environment, collector);
  ReadFlags(input.flags, collector);
  UseDatabaseUrl(input.environment, collector);
  return collector.Finish();
}

Environment CurrentEnvironment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

}  // namespace liteferry::config
