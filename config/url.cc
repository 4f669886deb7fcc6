#include "config/url.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <set>
#include <system_error>
#include <vector>

#include "config/value_text.h"

namespace liteferry::config {
namespace {

constexpr std::string_view kScheme = "postgresql://";
constexpr std::string_view kHidden = "***";
constexpr std::string_view kEncodeHint =
    "; special characters in user and password must be percent-encoded (@ is %40, / is %2F, % is "
    "%25)";

// What drivers and their pools read from the URL for themselves. Without meaning for liteferry, so
// that the application's own DATABASE_URL can be used as it is.
constexpr std::array kDriverOnly = std::to_array<std::string_view>({"async_fallback",
                                                                    "binary_parameters",
                                                                    "command_timeout",
                                                                    "conn_health_checks",
                                                                    "conn_max_age",
                                                                    "connection_limit",
                                                                    "max_cacheable_statement_size",
                                                                    "max_cached_statement_lifetime",
                                                                    "max_overflow",
                                                                    "pgbouncer",
                                                                    "pool",
                                                                    "pool_max_conns",
                                                                    "pool_min_conns",
                                                                    "pool_pre_ping",
                                                                    "pool_recycle",
                                                                    "pool_size",
                                                                    "pool_timeout",
                                                                    "preparethreshold",
                                                                    "prepared_statement_cache_size",
                                                                    "prepared_statement_name_func",
                                                                    "prepared_statements",
                                                                    "rewritebatchedinserts",
                                                                    "socket_timeout",
                                                                    "statement_cache_size"});

struct ConninfoFree {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using Conninfo = std::unique_ptr<PQconninfoOption, ConninfoFree>;

// libpq's own message is thrown away: it quotes what it could not read, which may be a password.
Conninfo ParseConninfo(const std::string& text) {
  char* message = nullptr;
  Conninfo options(PQconninfoParse(text.c_str(), &message));
  PQfreemem(message);
  return options;
}

std::string ValueOf(const Conninfo& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (keyword == option->keyword && option->val != nullptr) return option->val;
  }
  return {};
}

bool IsKnownParameter(const std::string& name) {
  static const std::set<std::string> known = [] {
    std::set<std::string> names;
    const Conninfo options = ParseConninfo("");
    for (const PQconninfoOption* o = options.get(); o != nullptr && o->keyword != nullptr; ++o) {
      names.insert(o->keyword);
    }
    return names;
  }();
  return known.count(name) > 0;
}

bool IsSecretParameter(std::string_view name) {
  return name.find("pass") != std::string_view::npos ||
         name.find("secret") != std::string_view::npos || name.rfind("scram_", 0) == 0;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

int HexValue(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto at = kDigits.find(Lower({&c, 1}));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Nothing when a % is not followed by two hexadecimal digits, or they are 00.
std::optional<std::string> PercentDecode(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

struct Parameter {
  std::string_view name;  // still encoded
  std::string_view value;
  bool has_value = false;
};

// A URI behind its scheme, cut as libpq cuts it; views into the text given.
struct UriParts {
  std::string_view user_info;  // user[:password], without the @
  std::string_view place;      // host[:port][,…][/database]
  std::vector<Parameter> parameters;
};

UriParts SplitUri(std::string_view rest) {
  UriParts parts;
  const auto stop = rest.find_first_of("@/");
  if (stop != std::string_view::npos && rest[stop] == '@') {
    parts.user_info = rest.substr(0, stop);
    rest.remove_prefix(stop + 1);
  }
  const auto question = rest.find('?');
  parts.place = rest.substr(0, question);
  if (question == std::string_view::npos) return parts;
  rest.remove_prefix(question + 1);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view one = rest.substr(0, end);
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) {
      parts.parameters.push_back({one, {}, false});
    } else {
      parts.parameters.push_back({one.substr(0, equals), one.substr(equals + 1), true});
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return parts;
}

std::string JoinUri(std::string_view user_info, std::string_view place,
                    const std::vector<std::string>& parameters) {
  std::string url(kScheme);
  if (!user_info.empty()) url.append(user_info).append("@");
  url += place;
  char separator = '?';
  for (const std::string& parameter : parameters) {
    url += separator;
    url += parameter;
    separator = '&';
  }
  return url;
}

// One key = value of a keyword string; `begin` and `end` enclose the value with its quotes.
struct Keyword {
  std::string name;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// As libpq's conninfo_parse reads it; nothing on a syntax error.
std::optional<std::vector<Keyword>> SplitKeywords(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  std::vector<Keyword> keywords;
  std::size_t at = text.find_first_not_of(kSpace);
  while (at < text.size()) {
    const std::size_t name_end = std::min(text.find_first_of(" \t\r\n\v\f=", at), text.size());
    Keyword keyword{std::string(text.substr(at, name_end - at))};
    at = text.find_first_not_of(kSpace, name_end);
    if (at >= text.size() || text[at] != '=') return std::nullopt;
    at = std::min(text.find_first_not_of(kSpace, at + 1), text.size());
    keyword.begin = at;
    const bool quoted = at < text.size() && text[at] == '\'';
    if (quoted) ++at;
    while (at < text.size() &&
           (quoted ? text[at] != '\'' : kSpace.find(text[at]) == std::string_view::npos)) {
      at += text[at] == '\\' ? 2U : 1U;
    }
    if (quoted && at >= text.size()) return std::nullopt;
    keyword.end = std::min(quoted ? at + 1 : at, text.size());
    keywords.push_back(std::move(keyword));
    at = text.find_first_not_of(kSpace, keywords.back().end);
  }
  return keywords;
}

// `in_secret`: what looks like a name may be the tail of a password that is not quoted or encoded.
std::string UnknownParameter(const std::string& name, bool in_secret) {
  if (in_secret) {
    return "an unknown connection parameter, perhaps a part of a password that is not quoted or "
           "percent-encoded";
  }
  const bool plain = name.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_-.") == std::string::npos;
  return "unknown connection parameter" + (plain ? " " + name : std::string());
}

// SQLAlchemy's asyncpg takes both booleans and libpq's modes. Empty when it is neither.
std::string SslMode(std::string_view value) {
  std::string word = Lower(value);
  if (const auto flag = ParseBool(word)) return *flag ? "require" : "disable";
  for (const char* mode : {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}) {
    if (word == mode) return word;
  }
  return {};
}

// What libpq would only find out when it connects, with a message that quotes a piece of a
// password.
std::string CheckPort(const Conninfo& options) {
  for (const std::string& port : SplitList(ValueOf(options, "port"))) {
    const auto number = ParseInteger(port);
    if (!port.empty() && (!number || *number < 1 || *number > 65535)) {
      return "the port is not a number from 1 to 65535" + std::string(kEncodeHint);
    }
  }
  return {};
}

TargetUrl NormalizeUri(std::string_view rest) {
  const UriParts parts = SplitUri(rest);
  if (parts.place.find('@') != std::string_view::npos) {
    return {{}, "more than one @, or an @ after a /" + std::string(kEncodeHint)};
  }
  if (!PercentDecode(rest)) return {{}, "a % without two digits" + std::string(kEncodeHint)};

  std::vector<std::string> kept;
  std::set<std::string> seen;
  bool after_secret = false;
  for (const Parameter& parameter : parts.parameters) {
    if (!parameter.has_value) return {{}, "a connection parameter has no value"};
    std::string name = *PercentDecode(parameter.name);
    std::string value(parameter.value);
    if (std::count(kDriverOnly.begin(), kDriverOnly.end(), Lower(name)) > 0) continue;
    if (name == "ssl") {
      name = "sslmode";
      value = SslMode(value);
      if (value.empty()) return {{}, "parameter ssl is neither a boolean nor one of libpq's modes"};
    }
    if (!IsKnownParameter(name)) {
      // With an @ behind it the ? may stand in the password, not before the parameters.
      const bool in_secret =
          after_secret ||
          rest.find('@', static_cast<std::size_t>(parameter.name.data() - rest.data())) !=
              rest.npos;
      return {{}, UnknownParameter(name, in_secret)};
    }
    if (!seen.insert(name).second) return {{}, "parameter " + name + " is given twice"};
    after_secret = after_secret || IsSecretParameter(name);
    kept.push_back(std::move(name.append("=").append(value)));
  }

  std::string url = JoinUri(parts.user_info, parts.place, kept);
  const Conninfo options = ParseConninfo(url);
  if (!options) return {{}, "libpq cannot read it" + std::string(kEncodeHint)};
  if (std::string problem = CheckPort(options); !problem.empty()) return {{}, std::move(problem)};
  return {std::move(url), {}};
}

TargetUrl NormalizeKeywords(std::string_view text) {
  const auto keywords = SplitKeywords(text);
  if (!keywords) {
    return {{},
            "a keyword without value, or a quote that is not closed; a value with spaces is "
            "written in single quotes"};
  }
  bool after_secret = false;
  for (const Keyword& keyword : *keywords) {
    if (!IsKnownParameter(keyword.name)) {
      return {{}, UnknownParameter(keyword.name, after_secret)};
    }
    after_secret = after_secret || IsSecretParameter(keyword.name);
  }
  const Conninfo options = ParseConninfo(std::string(text));
  if (!options) return {{}, "libpq cannot read it"};
  if (std::string problem = CheckPort(options); !problem.empty()) return {{}, std::move(problem)};
  return {std::string(text), {}};
}

// The part before ://, lower-case; empty when there is none that could be a scheme.
std::string SchemeOf(std::string_view text) {
  const auto end = text.find("://");
  if (end == std::string_view::npos) return {};
  std::string scheme = Lower(text.substr(0, end));
  const bool valid =
      scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+.-_") == std::string::npos;
  return valid ? scheme : std::string();
}

std::string_view WithoutJdbc(std::string_view text) {
  text = Trim(text);
  if (Lower(text.substr(0, 5)) == "jdbc:") text.remove_prefix(5);
  return text;
}

std::string BaseOf(const std::string& scheme) { return scheme.substr(0, scheme.find('+')); }

}  // namespace

bool IsPostgresUrl(std::string_view text) {
  const std::string base = BaseOf(SchemeOf(WithoutJdbc(text)));
  return base == "postgres" || base == "postgresql";
}

TargetUrl NormalizeTargetUrl(std::string_view text) {
  text = WithoutJdbc(text);
  const std::string scheme = SchemeOf(text);
  if (text.find('\0') != std::string_view::npos) return {{}, "it holds a NUL byte"};
  if (IsPostgresUrl(text)) return NormalizeUri(text.substr(scheme.size() + 3));
  if (BaseOf(scheme) == "sqlite" || Lower(text.substr(0, 7)) == "sqlite:") {
    return {{}, "this is the source: target.url needs a PostgreSQL URL"};
  }
  if (!scheme.empty()) {
    return {{}, "its scheme is " + scheme + ": target.url needs a PostgreSQL URL"};
  }
  if (text.find('=') != std::string_view::npos) return NormalizeKeywords(text);
  return {{},
          "neither a PostgreSQL URL (postgresql://user@host/database) nor a keyword string "
          "(host=… dbname=…)"};
}

std::string RedactUrl(std::string_view url) {
  const TargetUrl normal = NormalizeTargetUrl(url);
  if (normal.url.empty()) return std::string(kHidden);
  if (normal.url.rfind(kScheme, 0) != 0) {
    std::string redacted = normal.url;
    const auto keywords = *SplitKeywords(normal.url);
    for (auto keyword = keywords.rbegin(); keyword != keywords.rend(); ++keyword) {
      // A URL may hide in dbname.
      const bool nested = redacted.find("://", keyword->begin) < keyword->end;
      if (!nested && !IsSecretParameter(keyword->name)) continue;
      redacted.replace(keyword->begin, keyword->end - keyword->begin, kHidden);
    }
    return redacted;
  }
  const UriParts parts = SplitUri(std::string_view(normal.url).substr(kScheme.size()));
  std::string user_info(parts.user_info);
  if (const auto colon = user_info.find(':'); colon != std::string::npos) {
    user_info = user_info.substr(0, colon + 1) + std::string(kHidden);
  }
  std::vector<std::string> parameters;
  for (const Parameter& parameter : parts.parameters) {
    const bool secret = IsSecretParameter(parameter.name);
    parameters.push_back(std::string(parameter.name) + "=" +
                         std::string(secret ? kHidden : parameter.value));
  }
  return JoinUri(user_info, parts.place, parameters);
}

bool MayHoldSecret(std::string_view text) {
  return text.find("://") != std::string_view::npos ||
         Lower(text).find("password=") != std::string::npos;
}

std::string DisplayUrl(std::string_view url) {
  const TargetUrl normal = NormalizeTargetUrl(url);
  if (normal.url.empty()) return std::string(kHidden);
  const Conninfo options = ParseConninfo(normal.url);
  std::string text(kScheme);
  if (const std::string user = ValueOf(options, "user"); !user.empty()) {
    text += PercentEncode(user) + "@";
  }
  std::string host_list = ValueOf(options, "host");
  if (host_list.empty()) host_list = ValueOf(options, "hostaddr");
  const std::vector<std::string> hosts = SplitList(host_list);
  const std::vector<std::string> ports = SplitList(ValueOf(options, "port"));
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0) text += ",";
    const bool ipv6 = hosts[i].find(':') != std::string::npos;
    text += ipv6 ? "[" + hosts[i] + "]" : PercentEncode(hosts[i]);
    // One port stands for all hosts.
    const std::string port = ports.empty() ? "" : ports[std::min(i, ports.size() - 1)];
    if (!port.empty()) text += ":" + port;
  }
  if (hosts.empty() && !ports.empty()) text += ":" + ports.front();
  const std::string database = ValueOf(options, "dbname");
  if (database.find("://") != std::string::npos) return text + "/" + std::string(kHidden);
  return database.empty() ? text : text + "/" + PercentEncode(database);
}

namespace {

// The URL that `key` or the file of `key`_file gives.
std::optional<std::string> ReadUrl(const std::string& key, const std::string& url,
                                   const std::string& url_file, std::string& problem) {
  std::string name = key;
  std::string text = url;
  if (url.empty() && url_file.empty()) {
    problem = "no target: neither " + key + " nor " + key + "_file is set";
    return std::nullopt;
  }
  if (url.empty()) {
    const std::string file_name = key + "_file " + url_file;
    name = "the first line of " + file_name;
    errno = 0;
    std::ifstream file(url_file);
    if (!std::getline(file, text) && text.empty()) {
      problem = "cannot read " + file_name + ": " +
                (errno != 0 ? std::generic_category().message(errno) : "it is empty");
      return std::nullopt;
    }
    if (Trim(text).empty()) {
      problem = name + " is empty";
      return std::nullopt;
    }
  }
  TargetUrl normal = NormalizeTargetUrl(text);
  if (normal.url.empty()) {
    problem = name + " is not valid: " + normal.problem;
    return std::nullopt;
  }
  return std::move(normal.url);
}

}  // namespace

std::optional<std::string> ReadTargetUrl(const Settings& settings, std::string& problem) {
  const auto& target = settings.target;
  return ReadUrl("target.url", target.url, target.url_file, problem);
}

std::optional<std::string> ReadConfirmUrl(const Settings& settings, std::string& problem) {
  const auto& target = settings.target;
  return ReadUrl("target.confirm_url", target.confirm_url, target.confirm_url_file, problem);
}

}  // namespace liteferry::config
