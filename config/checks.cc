#include "config/checks.h"

#include <string_view>

#include "config/url.h"
#include "config/value_text.h"

namespace liteferry::config {
namespace {

bool InRange(std::string_view text, std::int64_t low, std::int64_t high) {
  const auto number = text.size() > 5 ? std::nullopt : ParseInteger(text);
  return number && text.front() != '-' && *number >= low && *number <= high;
}

// One element of a cron field: *, n, n-m, each with an optional /step.
bool IsCronElement(std::string_view element, std::int64_t low, std::int64_t high) {
  const auto slash = element.find('/');
  if (slash != std::string_view::npos) {
    if (!InRange(element.substr(slash + 1), 1, high)) return false;
    element = element.substr(0, slash);
  }
  if (element == "*") return true;
  const auto dash = element.find('-');
  if (dash == std::string_view::npos) return InRange(element, low, high);
  const std::string_view first = element.substr(0, dash);
  const std::string_view last = element.substr(dash + 1);
  return InRange(first, low, high) && InRange(last, low, high) &&
         *ParseInteger(first) <= *ParseInteger(last);
}

}  // namespace

bool IsFilePath(const std::string& text) {
  return !text.empty() && !MayHoldSecret(text) && !text.starts_with("file:") &&
         text.find('\0') == std::string::npos;
}

bool IsListenAddress(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || !InRange(text.substr(colon + 1), 0, 65535)) return false;
  std::string_view host = std::string_view(text).substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    return host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  return host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
         std::string_view::npos;
}

bool IsCronSchedule(const std::string& text) {
  struct Field {
    std::int64_t low;
    std::int64_t high;
  };
  constexpr Field kFields[] = {{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}};
  std::string_view rest = Trim(text);
  for (const Field& field : kFields) {
    const auto end = rest.find_first_of(" \t");
    for (const std::string& element : SplitList(rest.substr(0, end))) {
      if (!IsCronElement(element, field.low, field.high)) return false;
    }
    if (rest.empty()) return false;
    rest = end == std::string_view::npos ? std::string_view() : Trim(rest.substr(end));
  }
  return rest.empty();
}

bool IsNamePattern(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '[') {
      // A ] directly after [ or [! stands for itself.
      std::size_t first = i + 1;
      if (first < text.size() && (text[first] == '!' || text[first] == '^')) ++first;
      i = text.find(']', first + 1);
      if (i == std::string::npos) return false;
    }
  }
  return !text.empty() && !MayHoldSecret(text);
}

bool IsSchemaName(const std::string& text) {
  return !text.empty() && text.size() <= 63 && !text.starts_with("pg_") &&
         text != "information_schema" && text.find('\0') == std::string::npos;
}

bool IsStateSchemaName(const std::string& text) { return IsSchemaName(text) && text != "public"; }

}  // namespace liteferry::config
