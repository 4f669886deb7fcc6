#include "config/expand.h"

namespace liteferry::config {
namespace {

bool IsVariableName(std::string_view name) {
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         name.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
             std::string_view::npos;
}

// `inside` is what stands between ${ and }.
void Substitute(std::string_view inside, const Environment& environment, Expanded& result) {
  const auto separator = inside.find(":-");
  const std::string name(inside.substr(0, separator));
  if (!IsVariableName(name)) {
    result.problems.emplace_back("${...} does not name an environment variable; a $ itself is $$");
    return;
  }
  result.changed = true;
  const auto found = environment.find(name);
  const bool has_default = separator != std::string_view::npos;
  if (found != environment.end() && !(has_default && found->second.empty())) {
    result.text += found->second;
  } else if (has_default) {
    result.text += inside.substr(separator + 2);
  } else {
    result.problems.push_back("environment variable " + name + " is not set");
  }
}

}  // namespace

Expanded Expand(std::string_view text, const Environment& environment) {
  Expanded result;
  while (true) {
    const auto dollar = text.find('$');
    result.text += text.substr(0, dollar);
    if (dollar == std::string_view::npos) return result;
    text.remove_prefix(dollar + 1);
    if (text.empty() || (text.front() != '{' && text.front() != '$')) {
      result.text += '$';
      continue;
    }
    if (text.front() == '$') {
      result.text += '$';
      text.remove_prefix(1);
      continue;
    }
    const auto close = text.find('}');
    if (close == std::string_view::npos) {
      result.problems.emplace_back("${ without }; a $ itself is $$");
      return result;
    }
    Substitute(text.substr(1, close - 1), environment, result);
    text.remove_prefix(close + 1);
  }
}

std::string EscapeExpansion(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped.append(c == '$' ? 2 : 1, c);
  return escaped;
}

}  // namespace liteferry::config
