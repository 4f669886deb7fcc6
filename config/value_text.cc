#include "config/value_text.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace liteferry::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// From large to small: the order in which a duration names them.
constexpr Unit kDurationUnits[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};

// The first name of a factor is the one that is printed.
constexpr Unit kSizeUnits[] = {{"TiB", std::int64_t{1} << 40},
                               {"GiB", std::int64_t{1} << 30},
                               {"MiB", std::int64_t{1} << 20},
                               {"KiB", std::int64_t{1} << 10},
                               {"TB", 1'000'000'000'000},
                               {"GB", 1'000'000'000},
                               {"MB", 1'000'000},
                               {"KB", 1000},
                               {"B", 1},
                               {"Ti", std::int64_t{1} << 40},
                               {"Gi", std::int64_t{1} << 30},
                               {"Mi", std::int64_t{1} << 20},
                               {"Ki", std::int64_t{1} << 10}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the front of `text`; nothing when there are none or too many.
std::optional<std::int64_t> TakeNumber(std::string_view& text) {
  std::int64_t number = 0;
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  if (Trim(text).empty()) return parts;
  while (true) {
    const auto comma = text.find(',');
    parts.emplace_back(Trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

std::optional<bool> ParseBool(std::string_view text) {
  std::string word(text);
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  const Unit* next = std::begin(kDurationUnits);
  while (!text.empty()) {
    const auto number = TakeNumber(text);
    if (!number) return std::nullopt;
    const std::string_view name =
        text.substr(0, std::find_if(text.begin(), text.end(), IsDigit) - text.begin());
    next = std::find_if(next, std::end(kDurationUnits),
                        [name](const Unit& unit) { return unit.name == name; });
    std::int64_t part = 0;
    if (next == std::end(kDurationUnits) || __builtin_mul_overflow(*number, next->factor, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return std::nullopt;
    }
    text.remove_prefix(name.size());
    ++next;
  }
  return std::chrono::milliseconds(total);
}

std::string DurationText(std::chrono::milliseconds duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kDurationUnits) {
    // One day reads better as 24h.
    if (unit.name == "d" && rest < 2 * unit.factor) continue;
    const std::int64_t number = rest / unit.factor;
    if (number == 0) continue;
    text += std::to_string(number);
    text += unit.name;
    rest -= number * unit.factor;
  }
  return text;
}

std::optional<std::int64_t> ParseSize(std::string_view text) {
  const auto number = TakeNumber(text);
  if (!number) return std::nullopt;
  if (text.empty()) return number;
  for (const Unit& unit : kSizeUnits) {
    std::int64_t bytes = 0;
    if (unit.name != text) continue;
    if (__builtin_mul_overflow(*number, unit.factor, &bytes)) return std::nullopt;
    return bytes;
  }
  return std::nullopt;
}

std::string SizeText(std::int64_t bytes) {
  for (const Unit& unit : kSizeUnits) {
    if (unit.factor == 1 || bytes == 0) break;
    if (bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(bytes);
}

std::optional<std::uint32_t> ParseMode(std::string_view text) {
  std::uint32_t mode = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, mode, 8);
  if (error != std::errc() || end != last || mode > 0777) return std::nullopt;
  return mode;
}

std::string ModeText(std::uint32_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode);
  return text;
}

}  // namespace liteferry::config
