#include "config/options.h"

#include <algorithm>
#include <utility>

#include "config/url.h"
#include "config/value_text.h"

namespace liteferry::config {
namespace {

using enum OptionType;

std::string JoinChoices(const std::vector<std::string_view>& choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
    text += choices[i];
  }
  return text;
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

ParsedValue NotAllowed(const OptionSpec& spec) {
  return {std::nullopt, "allowed: " + AllowedText(spec)};
}

ParsedValue ParseNumber(const OptionSpec& spec, const std::string& text) {
  std::optional<std::int64_t> number;
  if (spec.type == kInteger) {
    number = ParseInteger(text);
  } else if (spec.type == kSize) {
    number = ParseSize(text);
  } else if (const auto duration = ParseDuration(text)) {
    number = duration->count();
  }
  if (!number || *number < spec.min || *number > spec.max) return NotAllowed(spec);
  return {*number, {}};
}

ParsedValue ParsePlainText(const OptionSpec& spec, const std::string& text) {
  if (text.empty() || text == spec.empty_word) return {std::string(), {}};
  if (spec.type == kUrl) {
    TargetUrl normal = NormalizeTargetUrl(text);
    if (normal.url.empty()) return {std::nullopt, std::move(normal.problem)};
    return {std::move(normal.url), {}};
  }
  if (spec.valid != nullptr && !spec.valid(text)) return NotAllowed(spec);
  return {text, {}};
}

}  // namespace

const Option<Settings>* FindOption(std::string_view key) {
  for (const Option<Settings>& option : Options()) {
    if (option.spec.key == key) return &option;
  }
  return nullptr;
}

std::string_view SectionOf(std::string_view key) { return key.substr(0, key.rfind('.')); }

std::string_view LeafOf(std::string_view key) {
  const auto dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

std::vector<std::string> Sections() {
  std::vector<std::string> sections;
  for (const Option<Settings>& option : Options()) {
    const std::string_view section = SectionOf(option.spec.key);
    if (sections.empty() || sections.back() != section) sections.emplace_back(section);
  }
  return sections;
}

std::string EnvironmentName(std::string_view key) {
  std::string name = "LITEFERRY_";
  for (const char c : key) {
    const bool lower = c >= 'a' && c <= 'z';
    name += c == '.' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

ParsedValue ParseText(const OptionSpec& spec, const std::string& text) {
  switch (spec.type) {
    case kText:
    case kUrl:
      return ParsePlainText(spec, text);
    case kList:
      // A URL may have commas; its pieces do not look like one any more.
      if (MayHoldSecret(text)) return NotAllowed(spec);
      return ParseItems(spec, SplitList(text));
    case kBool:
      if (const auto flag = ParseBool(text)) return {*flag, {}};
      return NotAllowed(spec);
    case kMode:
      if (const auto mode = ParseMode(text)) return {std::int64_t{*mode}, {}};
      return NotAllowed(spec);
    case kChoice: {
      const auto at = std::find(spec.choices.begin(), spec.choices.end(), text);
      if (at == spec.choices.end()) return NotAllowed(spec);
      return {std::int64_t{at - spec.choices.begin()}, {}};
    }
    case kInteger:
    case kSize:
    case kDuration:
      break;
  }
  return ParseNumber(spec, text);
}

ParsedValue ParseItems(const OptionSpec& spec, const std::vector<std::string>& items) {
  for (const std::string& item : items) {
    if (spec.valid != nullptr && !spec.valid(item)) return NotAllowed(spec);
  }
  return {items, {}};
}

std::string ValueText(const OptionSpec& spec, const OptionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return text->empty() ? std::string(spec.empty_word) : *text;
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    std::string text;
    for (const std::string& item : *items) text += (text.empty() ? "" : ",") + item;
    return text;
  }
  const std::int64_t number = std::get<std::int64_t>(value);
  switch (spec.type) {
    case kSize:
      return SizeText(number);
    case kDuration:
      return DurationText(Milliseconds(number));
    case kMode:
      return ModeText(static_cast<std::uint32_t>(number));
    case kChoice:
      return std::string(spec.choices.at(static_cast<std::size_t>(number)));
    default:
      return std::to_string(number);
  }
}

std::string AllowedText(const OptionSpec& spec) {
  if (!spec.allowed.empty()) return std::string(spec.allowed);
  const auto range = [&spec] {
    return ValueText(spec, spec.min) + " to " + ValueText(spec, spec.max);
  };
  switch (spec.type) {
    case kText:
      return "a text";
    case kUrl:
      return "a PostgreSQL URL";
    case kList:
      return "a list";
    case kBool:
      return "true or false";
    case kInteger:
      return "a whole number of " + std::string(spec.unit) + " from " + range();
    case kSize:
      return "a size such as 512MiB, from " + range();
    case kDuration:
      return "a duration such as 200ms, 5s, 1h30m or 7d, from " + range();
    case kMode:
      return "octal permissions from 0000 to 0777, such as \"0600\"";
    case kChoice:
      break;
  }
  return JoinChoices(spec.choices);
}

std::string Nearest(std::string_view name, const std::vector<std::string>& known) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  const auto distance = [&lower](const std::string& key) {
    std::string folded = key;
    for (char& c : folded) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const std::size_t whole = EditDistance(lower, folded);
    const std::size_t leaf = EditDistance(LeafOf(lower), LeafOf(folded));
    const bool near = leaf <= 1 && LeafOf(folded).size() > 2;
    return std::pair(near ? std::min(whole, leaf + 1) : whole, whole);
  };
  return *std::min_element(known.begin(), known.end(),
                           [&distance](const std::string& a, const std::string& b) {
                             return distance(a) < distance(b);
                           });
}

}  // namespace liteferry::config
