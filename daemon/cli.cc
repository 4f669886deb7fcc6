#include "daemon/cli.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <exception>
#include <iostream>
#include <memory>

#include "config/options.h"
#include "daemon/build_info.h"
#include "daemon/commands/commands.h"
#include "daemon/help.h"
#include "daemon/terminal.h"

namespace liteferry::daemon {
namespace {

// Where CLI11 puts what it reads.
struct Parsed {
  std::string config_file;
  std::string source;
  std::string target;
  std::string socket;
  std::string log_level;
  std::string log_format;
  std::vector<std::string> set;
  bool json = false;
  int quiet = 0;
  int verbose = 0;
  std::deque<std::string> values;  // of the commands' own options; addresses stay
  std::deque<std::vector<std::string>> lists;
};

// One command in CLI11: the options to ask afterwards.
struct Bound {
  const CommandSpec* spec = nullptr;
  CLI::App* app = nullptr;
  std::vector<std::pair<CLI::Option*, std::string*>> options;  // in the order of spec->options
  std::map<std::string, std::vector<std::string>*> lists;      // options that may be repeated
  std::string* argument = nullptr;
  std::vector<std::string>* arguments = nullptr;
};

void AddText(CLI::App& app, const std::string& names, std::string& into) {
  app.add_option(names, into)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

// Common flags are accepted before and after the command; what comes later wins.
void AddCommon(CLI::App& app, Parsed& parsed) {
  AddText(app, "-c,--config", parsed.config_file);
  AddText(app, "--source", parsed.source);
  AddText(app, "--target", parsed.target);
  AddText(app, "--socket", parsed.socket);
  AddText(app, "--log-level", parsed.log_level);
  AddText(app, "--log-format", parsed.log_format);
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&parsed](const std::vector<std::string>& items) {
           parsed.set.insert(parsed.set.end(), items.begin(), items.end());
         })
      ->allow_extra_args(false)
      ->expected(1)
      ->take_all();
  app.add_flag_callback("--json", [&parsed] { parsed.json = true; })->disable_flag_override();
  app.add_flag_callback("-q,--quiet", [&parsed] { ++parsed.quiet; })->disable_flag_override();
  app.add_flag_callback("-v,--verbose", [&parsed] { ++parsed.verbose; })->disable_flag_override();
}

Bound AddCommand(CLI::App& parent, const std::string& name, const CommandSpec& spec,
                 Parsed& parsed) {
  Bound bound;
  bound.spec = &spec;
  bound.app = parent.add_subcommand(name);
  bound.app->set_help_flag("-h,--help");
  AddCommon(*bound.app, parsed);
  for (const OptionSpec& option : spec.options) {
    const std::string flag(option.flag);
    std::string& value = parsed.values.emplace_back();
    if (option.value.empty()) {
      bound.options.emplace_back(bound.app->add_flag(flag)->disable_flag_override(), nullptr);
      continue;
    }
    if (option.repeated) {
      bound.lists[flag] = &parsed.lists.emplace_back();
      bound.options.emplace_back(
          bound.app->add_option(flag, *bound.lists[flag])->allow_extra_args(false)->take_all(),
          nullptr);
      continue;
    }
    CLI::Option* added = bound.app->add_option(flag, value);
    if (option.value.starts_with('[')) {
      added->expected(0, 1);
    } else {
      added->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
    bound.options.emplace_back(added, &value);
  }
  if (spec.argument.several) {
    bound.arguments = &parsed.lists.emplace_back();
    bound.app->add_option(std::string(spec.argument.name), *bound.arguments);
  } else if (!spec.argument.name.empty()) {
    bound.argument = &parsed.values.emplace_back();
    CLI::Option* added = bound.app->add_option(std::string(spec.argument.name), *bound.argument);
    added->required();
    if (!spec.argument.choices.empty()) {
      added->check(CLI::IsMember(
          std::vector<std::string>(spec.argument.choices.begin(), spec.argument.choices.end())));
    }
  }
  return bound;
}

void AddSetting(std::map<std::string, std::string>& settings, const char* key,
                const std::string& value) {
  if (!value.empty()) settings[key] = value;
}

// Returns what is wrong, "" for nothing.
std::string FillInvocation(const Parsed& parsed, const Bound& bound, Invocation& invocation) {
  invocation.config_file = parsed.config_file;
  invocation.json = parsed.json;
  invocation.quiet = parsed.quiet > 0;
  if (parsed.quiet > 0) invocation.settings["log.level"] = "warn";
  if (parsed.verbose > 0) invocation.settings["log.level"] = "debug";
  for (const std::string& item : parsed.set) {
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos || equals == 0) return "--set wants KEY=VALUE, not " + item;
    invocation.settings[item.substr(0, equals)] = item.substr(equals + 1);
  }
  AddSetting(invocation.settings, "source.path", parsed.source);
  AddSetting(invocation.settings, "target.url", parsed.target);
  AddSetting(invocation.settings, "socket.path", parsed.socket);
  AddSetting(invocation.settings, "log.level", parsed.log_level);
  AddSetting(invocation.settings, "log.format", parsed.log_format);
  for (std::size_t i = 0; i < bound.options.size(); ++i) {
    const auto& [option, value] = bound.options[i];
    if (option->count() == 0) continue;
    invocation.options[std::string(bound.spec->options[i].flag)] =
        value == nullptr ? std::string() : *value;
  }
  for (const auto& [flag, values] : bound.lists) {
    if (!values->empty()) invocation.lists[flag] = *values;
  }
  if (bound.argument != nullptr) invocation.argument = *bound.argument;
  if (bound.arguments != nullptr) invocation.arguments = *bound.arguments;
  return "";
}

std::string FirstWord(std::string_view name) { return std::string(name.substr(0, name.find(' '))); }

// CLI11's sentence in our grammar, on one line.
std::string UsageMessage(const CLI::ParseError& error) {
  std::string message = error.what();
  if (message.size() > 1 && std::islower(static_cast<unsigned char>(message[1])) != 0) {
    message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  }
  std::replace(message.begin(), message.end(), '\n', ' ');
  while (!message.empty() && (message.back() == '.' || message.back() == ' ')) message.pop_back();
  return message;
}

// The parser with every command; `deepest` finds the innermost that was named.
class Parser {
 public:
  explicit Parser(const std::vector<CommandSpec>& commands) : commands_(commands) {
    app_.set_help_flag("-h,--help");
    app_.add_flag("--version", version_);
    AddCommon(app_, parsed_);
    std::map<std::string, CLI::App*> groups;
    for (const CommandSpec& spec : commands_) {
      const std::string first = FirstWord(spec.name);
      if (first.size() == spec.name.size()) {
        bound_.push_back(AddCommand(app_, first, spec, parsed_));
        continue;
      }
      CLI::App*& group = groups[first];
      if (group == nullptr) {
        group = app_.add_subcommand(first);
        group->set_help_flag("-h,--help");
        AddCommon(*group, parsed_);
        group->require_subcommand(0, 1);
      }
      bound_.push_back(
          AddCommand(*group, std::string(spec.name.substr(first.size() + 1)), spec, parsed_));
    }
    app_.require_subcommand(0, 1);
  }

  ParsedCommandLine Parse(std::vector<std::string> arguments) {
    ParsedCommandLine result;
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      const Bound* bound = Chosen();
      result.text = bound != nullptr ? CommandHelp(*bound->spec) : OverviewHelp(commands_, Group());
      return result;
    } catch (const CLI::ParseError& error) {
      return Wrong(UsageMessage(error));
    }
    if (version_) {
      result.text = std::string("liteferry ") + LITEFERRY_VERSION + "\n";
      return result;
    }
    const Bound* bound = Chosen();
    if (bound == nullptr) {
      if (Group().empty()) return Wrong("no command was given");
      return Wrong("'" + Group() + "' wants a second word");
    }
    const std::string problem = FillInvocation(parsed_, *bound, result.invocation);
    if (!problem.empty()) return Wrong(problem);
    result.command = bound->spec;
    return result;
  }

 private:
  ParsedCommandLine Wrong(const std::string& message) const {
    ParsedCommandLine result;
    result.invocation.json = parsed_.json;
    result.error = message;
    const Bound* bound = Chosen();
    const std::string of = bound != nullptr ? std::string(bound->spec->name) : Group();
    result.hint = "Run 'liteferry " + of + (of.empty() ? "" : " ") + "--help'.";
    const std::vector<std::string> unknown = app_.remaining(true);
    if (bound == nullptr && Group().empty() && !unknown.empty() && !unknown[0].starts_with('-')) {
      std::vector<std::string> names;
      for (const CommandSpec& spec : commands_) names.push_back(FirstWord(spec.name));
      result.error = "there is no command '" + unknown[0] + "'";
      result.hint = "The nearest command is '" + config::Nearest(unknown[0], names) +
                    "'; 'liteferry --help' lists all.";
    }
    return result;
  }

  const Bound* Chosen() const {
    for (const Bound& bound : bound_) {
      if (bound.app->parsed()) return &bound;
    }
    return nullptr;
  }

  std::string Group() const {
    const auto chosen = app_.get_subcommands();
    return chosen.empty() ? "" : chosen[0]->get_name();
  }

  const std::vector<CommandSpec>& commands_;
  CLI::App app_;
  Parsed parsed_;
  bool version_ = false;
  std::vector<Bound> bound_;
};

ExitCode Run(const ParsedCommandLine& parsed, Console& console) {
  if (!parsed.error.empty()) {
    return ReportError(Error(Disposition::kStop, Component::kConfig, parsed.error)
                           .Hint(parsed.hint)
                           .Exit(ExitCode::kUsage),
                       parsed.invocation, console);
  }
  if (parsed.command == nullptr) {
    console.out << parsed.text;
    return ExitCode::kOk;
  }
  try {
    return parsed.command->run(parsed.invocation, console);
  } catch (const Error& error) {
    return ReportError(error, parsed.invocation, console);
  } catch (const std::exception& fault) {
    return ReportError(Error(Disposition::kBug, Component::kControl, fault.what())
                           .Hint("This is a fault of liteferry; please report it."),
                       parsed.invocation, console);
  }
}

}  // namespace

ParsedCommandLine ParseCommandLine(const std::vector<std::string>& arguments,
                                   const std::vector<CommandSpec>& commands) {
  return Parser(commands).Parse(arguments);
}

int RunCommandLine(const std::vector<std::string>& arguments,
                   const std::vector<CommandSpec>& commands, Console& console) {
  const ExitCode code = Run(ParseCommandLine(arguments, commands), console);
  console.out.flush();
  if (!console.out && code == ExitCode::kOk) {
    console.err << "liteferry: cannot write to standard output\n";
    return static_cast<int>(ExitCode::kIo);
  }
  return static_cast<int>(code);
}

int Main(int argc, char** argv) {
  Console console{std::cout, std::cerr, IsTerminal(STDOUT_FILENO), WantsColor(STDOUT_FILENO)};
  return RunCommandLine(std::vector<std::string>(argv + std::min(argc, 1), argv + argc), Commands(),
                        console);
}

}  // namespace liteferry::daemon
