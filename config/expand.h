#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry::config {

using Environment = std::map<std::string, std::string>;

struct Expanded {
  std::string text;
  bool changed = false;               // a variable was put in: the text may hold a secret
  std::vector<std::string> problems;  // one per variable that cannot be expanded
};

// Replaces ${NAME} and ${NAME:-default} (the default also serves when NAME is empty) by the
// variable's value, and $$ by $. Any other $ stands for itself. What was put in is not expanded
// again, and a default is taken as it stands, up to the next }.
Expanded Expand(std::string_view text, const Environment& environment);

// The text that Expand gives back as `text`.
std::string EscapeExpansion(std::string_view text);

}  // namespace liteferry::config
