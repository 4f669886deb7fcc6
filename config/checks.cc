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

bool IsInterval(const std::string& text) {
  const auto interval = ParseDuration(text);
  return interval && *interval >= std::chrono::seconds(1) &&
         *interval <= std::chrono::hours(24 * 365);
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
