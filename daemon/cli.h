#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/command.h"

namespace liteferry::daemon {

// What became of a command line: a command to run, or a text to print and leave.
struct ParsedCommandLine {
  const CommandSpec* command = nullptr;  // null: there is nothing to run
  Invocation invocation;
  std::string text;   // for standard output: help, version
  std::string error;  // usage error, lower-case, without a full stop
  std::string hint;
};

// Pure. `arguments` without the program's name.
ParsedCommandLine ParseCommandLine(const std::vector<std::string>& arguments,
                                   const std::vector<CommandSpec>& commands);

// Parses, runs, reports: everything but the process. Catches every exception.
int RunCommandLine(const std::vector<std::string>& arguments,
                   const std::vector<CommandSpec>& commands, Console& console);

// The program.
int Main(int argc, char** argv);

}  // namespace liteferry::daemon
