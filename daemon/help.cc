#include "daemon/help.h"

#include <algorithm>

namespace liteferry::daemon {
namespace {

constexpr std::string_view kExitCodes =
    "Exit codes:\n"
    "  0 done   1 differences found, or the status check failed   64 usage\n"
    "  65 data or schema cannot be carried   66 source missing or unreadable\n"
    "  69 target unreachable   70 bug   73 cannot create capture objects   74 I/O\n"
    "  75 try again: time-out, no daemon, not drained   77 permission   78 configuration\n";

std::string Indented(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    text += "  " + std::string(lines.substr(0, end)) + "\n";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

// "  left      right", the right column where every left one ends before it.
std::string TwoColumns(const std::vector<std::pair<std::string, std::string_view>>& rows) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.first.size());
  std::string text;
  for (const auto& [left, right] : rows) {
    text += "  " + left + std::string(width - left.size() + 2, ' ') + std::string(right) + "\n";
  }
  return text;
}

std::string Options(const std::vector<OptionSpec>& options) {
  std::vector<std::pair<std::string, std::string_view>> rows;
  for (const OptionSpec& option : options) {
    std::string left(option.flag);
    if (!option.value.empty()) left += (option.value.starts_with('[') ? "" : " ");
    rows.emplace_back(left + std::string(option.value), option.help);
  }
  return TwoColumns(rows);
}

}  // namespace

std::string OverviewHelp(const std::vector<CommandSpec>& commands, std::string_view group) {
  std::vector<std::pair<std::string, std::string_view>> rows;
  for (const CommandSpec& command : commands) {
    if (group.empty() || command.name.starts_with(std::string(group) + " ")) {
      rows.emplace_back(command.name, command.summary);
    }
  }
  const std::string name = group.empty() ? "COMMAND" : std::string(group) + " COMMAND";
  return "liteferry carries a live SQLite database into PostgreSQL and follows every write.\n\n"
         "Usage: liteferry " +
         name + " [OPTIONS]\n\nCommands:\n" + TwoColumns(rows) +
         "\nOptions of every command (before or after it):\n" + Options(CommonOptions()) +
         "\nExample:\n"
         "  liteferry check --source app.db --target postgresql://app@localhost/app\n"
         "  liteferry run --source app.db --target postgresql://app@localhost/app\n"
         "\nFlags beat the environment (LITEFERRY_SOURCE_PATH, LITEFERRY_TARGET_URL, ...), that "
         "beats the file.\n\n" +
         std::string(kExitCodes) + "\n'liteferry COMMAND --help' tells more about a command.\n";
}

std::string CommandHelp(const CommandSpec& command) {
  std::string text = "liteferry " + std::string(command.name) + ": " +
                     std::string(command.summary) + "\n\nUsage: liteferry " +
                     std::string(command.name);
  if (!command.argument.name.empty()) text += " " + std::string(command.argument.name);
  if (command.argument.several) text += "...";
  text += " [OPTIONS]\n";
  if (!command.details.empty()) text += "\n" + std::string(command.details) + "\n";
  if (!command.argument.choices.empty()) {
    text += "\n" + std::string(command.argument.name) + " is one of:";
    for (const std::string_view choice : command.argument.choices)
      text += " " + std::string(choice);
    text += "\n";
  }
  if (!command.options.empty()) text += "\nOptions:\n" + Options(command.options);
  text += "\nCommon options:\n" + Options(CommonOptions());
  return text + "\nExample:\n" + Indented(command.example);
}

}  // namespace liteferry::daemon
