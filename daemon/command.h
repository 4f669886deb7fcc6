#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "config/validate.h"
#include "replication/base/error.h"

namespace liteferry::daemon {

struct OptionSpec {
  std::string_view flag;   // --timeout
  std::string_view value;  // DURATION; "" for a switch; "[=LAG]" when the value may be left out
  std::string_view help;
  bool repeated = false;  // may be given several times: Invocation::lists has all values
};

struct ArgumentSpec {
  std::string_view name;  // SHELL; "" for a command without arguments
  std::vector<std::string_view> choices;
  bool several = false;  // any number of them, none too: Invocation::arguments has all
};

// What the command line said, with the flags that every command has.
struct Invocation {
  std::string config_file;                      // "" for none
  std::map<std::string, std::string> settings;  // by key; from --source … and --set
  bool json = false;
  bool quiet = false;
  std::map<std::string, std::string, std::less<>> options;  // by flag; "" without a value
  std::map<std::string, std::vector<std::string>, std::less<>> lists;  // by flag
  std::string argument;
  std::vector<std::string> arguments;

  bool Has(std::string_view flag) const { return options.contains(flag); }
  // `fallback` also when the flag was given without a value.
  std::string Value(std::string_view flag, std::string_view fallback) const;
  // Of a flag that may be repeated.
  std::vector<std::string> List(std::string_view flag) const;
};

// Where a command writes: results to `out`, messages to `err`. Owns nothing.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool out_terminal = false;
  bool color = false;  // of out
};

using CommandFunction = ExitCode (*)(const Invocation&, Console&);

// One command: all that the parser, the help and the completions need. The name of a command of a
// group has two words: "config print".
struct CommandSpec {
  std::string_view name;
  std::string_view summary;  // one line, lower-case, without a full stop
  std::string_view details;  // sentences; may be empty
  std::string_view example;  // one command line per line
  std::vector<OptionSpec> options;
  ArgumentSpec argument;
  CommandFunction run = nullptr;
};

// The flags of every command, in the order of the help.
const std::vector<OptionSpec>& CommonOptions();

// Prints `error` for people, and with --json as an object on standard output as well.
ExitCode ReportError(const Error& error, const Invocation& invocation, Console& console);
// A note for people, unless --quiet.
void Say(const Invocation& invocation, Console& console, std::string_view message);

// File, environment and flags together; prints nothing. Throws Error (config, exit 78) whose
// message holds every problem, one per line, when there is any that matters for `purpose`.
config::LoadResult LoadConfiguration(const Invocation& invocation, config::Purpose purpose);
config::Settings LoadSettings(const Invocation& invocation, config::Purpose purpose);

// A duration given to `flag`; throws Error (usage) when it is not one.
config::Milliseconds DurationOption(const Invocation& invocation, std::string_view flag,
                                    std::string_view fallback);

}  // namespace liteferry::daemon
