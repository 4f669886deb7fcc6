#include "config/validate.h"

#include <algorithm>
#include <set>

#include "config/options.h"

namespace liteferry::config {
namespace {

void Add(std::vector<Problem>& problems, std::string key, std::string message,
         std::string hint = {}) {
  problems.push_back({{}, 0, std::move(key), std::move(message), std::move(hint)});
}

// "Set --source, LITEFERRY_SOURCE_PATH or source.path in the file."
std::string HowToSet(std::string_view key) {
  const std::string_view flag = FindOption(key)->spec.flag;
  return "Set " + (flag.empty() ? std::string() : std::string(flag) + ", ") + EnvironmentName(key) +
         " or " + std::string(key) + " in the file.";
}

void CheckPresent(const Settings& settings, Purpose purpose, std::vector<Problem>& problems) {
  const bool needs_source = purpose == Purpose::kSource || purpose == Purpose::kBoth;
  const bool needs_target = purpose == Purpose::kTarget || purpose == Purpose::kBoth;
  if (settings.source.path.empty()) {
    if (needs_source) {
      Add(problems, "source.path", "the SQLite database is not given", HowToSet("source.path"));
    } else if (purpose == Purpose::kControl && settings.socket.path.empty()) {
      Add(problems, "source.path", "neither the SQLite database nor the daemon's socket is given",
          HowToSet("source.path") + " Or: " + HowToSet("socket.path"));
    }
  }
  if (needs_target && settings.target.url.empty() && settings.target.url_file.empty()) {
    Add(problems, "target.url", "the PostgreSQL database is not given",
        HowToSet("target.url") + " Or name a file that holds it: target.url_file.");
  }
}

// Values that were not read by Load; its own are valid already.
void CheckValues(const Settings& settings, std::vector<Problem>& problems) {
  for (const Option<Settings>& option : Options()) {
    const OptionValue value = option.get(settings);
    const auto* items = std::get_if<std::vector<std::string>>(&value);
    const ParsedValue parsed = items != nullptr
                                   ? ParseItems(option.spec, *items)
                                   : ParseText(option.spec, ValueText(option.spec, value));
    if (!parsed.value) Add(problems, std::string(option.spec.key), "not valid; " + parsed.problem);
  }
}

void CheckTogether(const Settings& settings, std::vector<Problem>& problems) {
  if (!settings.target.url.empty() && !settings.target.url_file.empty()) {
    Add(problems, "target.url", "target.url and target.url_file are both given",
        "Remove one of the two.");
  }
  const auto& target = settings.target;
  const bool confirms = target.durability == Durability::kStandby;
  const bool has_url = !target.confirm_url.empty();
  const bool has_file = !target.confirm_url_file.empty();
  if (has_url && has_file) {
    Add(problems, "target.confirm_url",
        "target.confirm_url and target.confirm_url_file are both given", "Remove one of the two.");
  } else if (confirms && !has_url && !has_file) {
    Add(problems, "target.confirm_url", "target.durability is standby, and no standby is given",
        HowToSet("target.confirm_url") + " Or name a file that holds it: target.confirm_url_file.");
  } else if (!confirms && (has_url || has_file)) {
    Add(problems, has_url ? "target.confirm_url" : "target.confirm_url_file",
        "a standby is given, but target.durability is not standby",
        "Set target.durability: standby, or remove it.");
  }
  if (settings.target.schema == settings.target.state_schema) {
    Add(problems, "target.state_schema", "it is the same schema as target.schema",
        "Use a schema of its own: cleanup drops it.");
  }
  const auto& include = settings.source.include;
  for (const std::string& pattern : settings.source.exclude) {
    if (pattern == "*") {
      Add(problems, "source.exclude", "the pattern * leaves no table to replicate",
          "To replicate only some tables, name them in source.include.");
    } else if (std::count(include.begin(), include.end(), pattern) > 0) {
      Add(problems, "source.exclude",
          "the pattern " + pattern + " stands in source.include too, and source.exclude wins");
    }
  }
}

}  // namespace

std::vector<Problem> Validate(const Settings& settings, Purpose purpose) {
  std::vector<Problem> problems;
  CheckPresent(settings, purpose, problems);
  CheckValues(settings, problems);
  CheckTogether(settings, problems);
  return problems;
}

std::vector<Problem> AllProblems(const LoadResult& load, Purpose purpose) {
  std::vector<Problem> problems = load.problems;
  std::set<std::string> reported;
  for (const Problem& problem : problems) {
    // Where the target is looked for in either form, a wrong one is not a missing one.
    reported.insert(problem.key == "target.url_file" ? "target.url" : problem.key);
  }
  const Purpose needed = load.incomplete ? Purpose::kNothing : purpose;
  for (Problem& problem : Validate(load.settings, needed)) {
    if (reported.count(problem.key) > 0) continue;
    const auto origin = load.origins.find(problem.key);
    if (origin != load.origins.end()) problem.file = origin->second.place;
    problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace liteferry::config
