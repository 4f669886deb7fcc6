#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "replication/base/text.h"
#include "replication/target/pg_connection.h"

namespace liteferry::target {
namespace {

constexpr std::string_view kHidden = "***";

bool IsSecret(std::string_view keyword) {
  const std::string lower = ToLowerAscii(keyword);
  return lower.find("pass") != std::string::npos && lower != "passfile";
}

// Where the credentials of `rest` (what follows ://) end, or npos. An unescaped @, / or ? in the
// password is a mistake that must not show it either, so the last @ that can be theirs counts.
std::size_t EndOfCredentials(std::string_view rest) {
  const auto query = rest.find('?');
  const auto at = rest.substr(0, query).rfind('@');
  if (at != std::string_view::npos || query == std::string_view::npos) return at;
  // No @ before the question mark: either there are no credentials, or the password holds it.
  const auto colon = rest.find(':');
  if (colon > query) return std::string_view::npos;
  const auto port_end = rest.find_first_not_of("0123456789,", colon + 1);
  const auto last = rest.rfind('@');
  const bool settings = rest.find('=', query) < last;
  if (rest[port_end] == '/' || (port_end == query && settings)) return std::string_view::npos;
  return last;
}

std::string RedactQuery(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && IsSecret(pair.substr(0, equals))) {
      out.append(pair.substr(0, equals + 1)).append(kHidden);
    } else {
      out.append(pair);
    }
    query.remove_prefix(pair.size());
    if (!query.empty()) {
      out.push_back('&');
      query.remove_prefix(1);
    }
  }
  return out;
}

std::string RedactUri(std::string_view url, std::size_t scheme_end) {
  std::string out(url.substr(0, scheme_end));
  std::string_view rest = url.substr(scheme_end);
  if (const auto at = EndOfCredentials(rest); at != std::string_view::npos) {
    const auto colon = rest.find(':');
    if (colon < at) {
      out.append(rest.substr(0, colon + 1)).append(kHidden);
    } else {
      out.append(rest.substr(0, at));
    }
    rest.remove_prefix(at);
  }
  const auto query = rest.find('?');
  out.append(rest.substr(0, query));
  if (query == std::string_view::npos) return out;
  return out.append("?").append(RedactQuery(rest.substr(query + 1)));
}

// The end of a keyword string's value that begins at `at`: quoted, with backslashes, or up to a
// blank.
std::size_t EndOfValue(std::string_view text, std::size_t at) {
  const bool quoted = at < text.size() && text[at] == '\'';
  if (quoted) ++at;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (quoted ? text[at] == '\''
                      : std::isspace(static_cast<unsigned char>(text[at])) != 0) {
      return quoted ? at + 1 : at;
    }
  }
  return text.size();
}

std::string RedactKeywords(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::string out;
  while (!text.empty()) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return out.append(text);
    const auto first = std::min(text.find_first_not_of(kBlank), equals);
    const std::string_view keyword = text.substr(first, equals - first);
    const auto value = std::min(text.find_first_not_of(kBlank, equals + 1), text.size());
    const auto end = EndOfValue(text, value);
    if (IsSecret(keyword)) {
      out.append(text.substr(0, value)).append(kHidden);
    } else {
      out.append(text.substr(0, std::min(end, text.size())));
    }
    text.remove_prefix(std::min(end, text.size()));
  }
  return out;
}

}  // namespace

std::string RedactUrl(std::string_view url) {
  const auto scheme = url.find("://");
  const auto equals = url.find('=');
  if (scheme != std::string_view::npos && scheme < equals) return RedactUri(url, scheme + 3);
  return RedactKeywords(url);
}

}  // namespace liteferry::target
