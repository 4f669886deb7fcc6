#include "daemon/completion.h"

#include <algorithm>
#include <map>

namespace liteferry::daemon {
namespace {

// What may follow each word: "" for the first word, "config" for the second word of a group,
// "config print" or "run" for a whole command. In the order in which the help lists them.
struct Words {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>>
      next;  // word, description

  void Add(const std::string& after, const std::string& word, std::string_view description) {
    if (!next.contains(after)) order.push_back(after);
    auto& list = next[after];
    for (const auto& known : list) {
      if (known.first == word) return;
    }
    list.emplace_back(word, description);
  }
};

Words Collect(const std::vector<CommandSpec>& commands) {
  Words words;
  for (const CommandSpec& command : commands) {
    const std::string name(command.name);
    const std::size_t space = name.find(' ');
    if (space == std::string::npos) {
      words.Add("", name, command.summary);
    } else {
      const std::string group = name.substr(0, space);
      words.Add("", group, "commands of the group " + group);
      words.Add(group, name.substr(space + 1), command.summary);
    }
    for (const std::string_view choice : command.argument.choices) {
      words.Add(name, std::string(choice), "");
    }
    for (const OptionSpec& option : command.options) {
      words.Add(name, std::string(option.flag), option.help);
    }
    for (const OptionSpec& option : CommonOptions()) {
      words.Add(name, std::string(option.flag), option.help);
    }
  }
  for (const OptionSpec& option : CommonOptions()) {
    words.Add("", std::string(option.flag), option.help);
  }
  return words;
}

// Shell code that sets `after` to the key of Words for the words before the cursor.
std::string FindAfter(const Words& words, const std::string& loop) {
  std::string groups;
  for (const std::string& key : words.order) {
    if (!key.empty() && key.find(' ') == std::string::npos && words.next.contains(key) &&
        std::any_of(words.order.begin(), words.order.end(),
                    [&](const std::string& other) { return other.starts_with(key + " "); })) {
      groups += (groups.empty() ? "" : "|") + key;
    }
  }
  return "  local after='' word\n  " + loop +
         "\n"
         "    case \"$word\" in -*) continue ;; esac\n"
         "    case \"$after\" in\n"
         "      '') after=$word ;;\n" +
         (groups.empty() ? "" : "      " + groups + ") after=\"$after $word\" ;;\n") +
         "    esac\n"
         "  done\n";
}

std::string Bash(const Words& words) {
  std::string text =
      "# bash completion for liteferry\n_liteferry() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} list\n"
      "  COMPREPLY=()\n"
      "  case \"$previous\" in\n"
      "    -c|--config|--source|--socket) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "  esac\n" +
      FindAfter(words, "for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do") +
      "  case \"$after\" in\n";
  for (const std::string& key : words.order) {
    text += "    '" + key + "') list='";
    for (const auto& [word, description] : words.next.at(key)) text += word + " ";
    text += "' ;;\n";
  }
  return text +
         "    *) list='' ;;\n  esac\n"
         "  COMPREPLY=($(compgen -W \"$list\" -- \"$current\"))\n}\n"
         "complete -F _liteferry liteferry\n";
}

// For single quotes in sh and zsh, where _describe wants colons escaped as well.
std::string ZshQuoted(const std::string& word, const std::string& description) {
  std::string text = "'" + word;
  if (!description.empty()) text += ":";
  for (const char c : description) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string Zsh(const Words& words) {
  std::string text =
      "#compdef liteferry\n_liteferry() {\n  local -a list\n"
      "  case \"${words[CURRENT-1]}\" in\n"
      "    -c|--config|--source|--socket) _files; return ;;\n  esac\n" +
      FindAfter(words, "for word in \"${(@)words[2,CURRENT-1]}\"; do") + "  case \"$after\" in\n";
  for (const std::string& key : words.order) {
    text += "    '" + key + "') list=(";
    for (const auto& [word, description] : words.next.at(key)) {
      text += "\n      " + ZshQuoted(word, description);
    }
    text += ") ;;\n";
  }
  return text +
         "  esac\n  _describe 'liteferry' list\n}\n"
         "if [ \"$funcstack[1]\" = _liteferry ]; then _liteferry; "
         "else compdef _liteferry liteferry; fi\n";
}

std::string FishQuoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string Fish(const Words& words) {
  std::string text = "# fish completion for liteferry\ncomplete -c liteferry -f\n";
  for (const std::string& key : words.order) {
    std::string condition = "__fish_use_subcommand";
    if (!key.empty()) {
      condition = "__fish_seen_subcommand_from " + key.substr(0, key.find(' '));
      if (const std::size_t space = key.find(' '); space != std::string::npos) {
        condition += "; and __fish_seen_subcommand_from " + key.substr(space + 1);
      }
    }
    for (const auto& [word, description] : words.next.at(key)) {
      text += "complete -c liteferry -n " + FishQuoted(condition);
      text += word.starts_with("--") ? " -l " + word.substr(2) : " -a " + FishQuoted(word);
      if (word == "--config" || word == "--source" || word == "--socket") text += " -r -F";
      if (!description.empty()) text += " -d " + FishQuoted(description);
      text += "\n";
    }
  }
  return text;
}

}  // namespace

std::string CompletionScript(std::string_view shell, const std::vector<CommandSpec>& commands) {
  const Words words = Collect(commands);
  if (shell == "bash") return Bash(words);
  if (shell == "zsh") return Zsh(words);
  if (shell == "fish") return Fish(words);
  return "";
}

}  // namespace liteferry::daemon
