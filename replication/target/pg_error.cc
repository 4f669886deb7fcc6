#include "replication/target/pg_error.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "config/url.h"
#include "replication/target/pg_connection.h"

namespace liteferry::target {
namespace {

struct OptionsFreer {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using OptionsPtr = std::unique_ptr<PQconninfoOption, OptionsFreer>;

struct TextFreer {
  void operator()(char* text) const noexcept { PQfreemem(text); }
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

// Whether the message may be that of a type's input function, which quotes what it was given. Most
// are of class 22; tsvector and hstore also say "syntax error", of no statement, and "internal
// error". While COPY reads, the context names the column.
bool MayQuoteInput(const PGresult* result, std::string_view sqlstate) {
  if (sqlstate.starts_with("22") || sqlstate == "XX000") return true;
  if (sqlstate == "42601" && Field(result, PG_DIAG_STATEMENT_POSITION).empty()) return true;
  const std::string context = Field(result, PG_DIAG_CONTEXT);
  return context.starts_with("COPY ") && Contains(context, ", column ");
}

// The value stands at the end after a colon or in the middle, in the quotation marks of the
// server's language; class 23 never has it in the primary message.
std::string WithoutValues(std::string message, std::string_view sqlstate, bool quotes_input) {
  if (sqlstate.starts_with("23")) return message.substr(0, message.find(": \""));
  if (!quotes_input) return message;
  message.resize(std::min(message.size(), message.find(": ")));
  constexpr std::array<std::string_view, 8> kQuotes = {"\"", "«", "»", "„", "“", "”", "「", "」"};
  std::size_t first = std::string::npos;
  std::size_t end = 0;
  for (const std::string_view quote : kQuotes) {
    if (const auto at = message.find(quote); at != std::string::npos) {
      first = std::min(first, at);
      end = std::max(end, message.rfind(quote) + quote.size());
    }
  }
  if (first != std::string::npos) message.replace(first, end - first, "\"…\"");
  return message;
}

struct StopText {
  std::string_view part;
  std::string_view more;  // must stand there too
  ExitCode exit;
  std::string_view hint = "Check role, password and database of target.url.";
};

constexpr std::string_view kCertificates =
    "See whether the server's certificate has expired or names another host, and whether "
    "sslrootcert, sslcert and sslkey of target.url are right.";

constexpr std::array<StopText, 13> kStopTexts = {{
    {"SSL error", "certificate", ExitCode::kTargetUnreachable, kCertificates},
    {"server certificate", "does not match", ExitCode::kTargetUnreachable, kCertificates},
    {"root certificate", "does not exist", ExitCode::kTargetUnreachable, kCertificates},
    {"authentication failed", "", ExitCode::kPermission},
    {"no pg_hba.conf entry", "", ExitCode::kPermission},
    {"no password supplied", "", ExitCode::kPermission},
    {"role \"", "does not exist", ExitCode::kPermission},
    {"role \"", "is not permitted to log in", ExitCode::kPermission},
    {"permission denied for database", "", ExitCode::kPermission},
    {"no such user", "", ExitCode::kPermission},  // pgbouncer
    {"database \"", "does not exist", ExitCode::kTargetUnreachable},
    {"no such database", "", ExitCode::kTargetUnreachable},  // pgbouncer
    {"is not currently accepting connections", "", ExitCode::kTargetUnreachable},
}};

const StopText* FindStop(std::string_view line) {
  for (const StopText& stop : kStopTexts) {
    if (Contains(line, stop.part) && Contains(line, stop.more)) return &stop;
  }
  return nullptr;
}

// libpq adds up a line for each address it tried: a person must act only when all of them say so.
const StopText* FindStopInAll(std::string_view text) {
  const StopText* found = nullptr;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with("connection to server")) continue;
    found = FindStop(line);
    if (found == nullptr) return nullptr;
  }
  return found;
}

std::vector<std::string> SplitAtCommas(std::string_view list) {
  std::vector<std::string> parts;
  for (;;) {
    const auto comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

// An unescaped @ or / in a password moves part of it into the host, port or database that messages
// show.
bool HasBrokenCredentials(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = url.substr(scheme + 3, url.find('?') - (scheme + 3));
  const auto at = rest.find('@');
  if (at == std::string_view::npos) return false;
  return rest.find('@', at + 1) != std::string_view::npos || rest.find('/') < at;
}

}  // namespace

Disposition ClassifySqlstate(std::string_view sqlstate) {
  const std::string_view category = sqlstate.substr(0, 2);
  // A row of ours that is no row at all (bad_copy_file_format), or a statement after a failed one.
  if (sqlstate == "22P04" || sqlstate == "25P02") return Disposition::kBug;
  if (category == "22" || category == "23") return Disposition::kRejectRow;
  // A value too long for an index of its column, a row for its page, a string for jsonb.
  if (sqlstate == "54000") return Disposition::kRejectRow;
  if (category == "08" || category == "53" || sqlstate.starts_with("57P0")) {
    return Disposition::kRetry;
  }
  // Serialization failure, deadlock, lock time-out, standby, cancelled (also by the server's
  // statement_timeout), idle-in-transaction and transaction time-out.
  for (const std::string_view transient :
       {"40001", "40P01", "55P03", "25006", "57014", "25P03", "25P04"}) {
    if (sqlstate == transient) return Disposition::kRetry;
  }
  return Disposition::kStop;
}

bool BlamesRow(const Error& error, bool in_column) {
  const std::string_view sqlstate = error.sqlstate();
  if (sqlstate.size() != 5 || sqlstate == "22P04") return false;
  if (sqlstate == "42501") return true;
  const std::string_view category = sqlstate.substr(0, 2);
  constexpr std::array<std::string_view, 4> kOfTheType = {"42", "0A", "3D", "3F"};
  if (std::find(kOfTheType.begin(), kOfTheType.end(), category) != kOfTheType.end() ||
      sqlstate == "XX000") {
    return in_column;
  }
  constexpr std::array<std::string_view, 19> kOfTheServer = {
      "08", "0B", "25", "26", "28", "2B", "2D", "34", "3B", "40",
      "53", "55", "57", "58", "72", "F0", "HV", "XX", "00"};
  return std::find(kOfTheServer.begin(), kOfTheServer.end(), category) == kOfTheServer.end();
}

Error ServerError(const PGresult* result) {
  const std::string sqlstate = Field(result, PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) {
    return Error(Disposition::kRetry, Component::kTarget, FirstLine(PQresultErrorMessage(result)));
  }
  std::string message = WithoutValues(Field(result, PG_DIAG_MESSAGE_PRIMARY), sqlstate,
                                      MayQuoteInput(result, sqlstate));
  const Disposition disposition = ClassifySqlstate(sqlstate);
  Error error = Error(disposition, Component::kTarget, message + " (SQLSTATE " + sqlstate + ")")
                    .Server(sqlstate, Field(result, PG_DIAG_CONSTRAINT_NAME),
                            Field(result, PG_DIAG_COLUMN_NAME), Field(result, PG_DIAG_CONTEXT));
  if (sqlstate == "42501" || sqlstate.starts_with("28")) {
    return std::move(error).Exit(ExitCode::kPermission);
  }
  if (sqlstate == "3D000") return std::move(error).Exit(ExitCode::kTargetUnreachable);
  if (sqlstate == "55P03") {
    return std::move(error).Hint(
        "Somebody holds a lock: SELECT pid, query FROM pg_stat_activity a WHERE EXISTS (SELECT "
        "FROM pg_locks l WHERE NOT l.granted AND a.pid = ANY (pg_blocking_pids(l.pid))).");
  }
  return error;
}

std::string_view LossReason(const Error& error) {
  const std::string_view sqlstate = error.sqlstate();
  if (sqlstate.starts_with("28") || error.exit_code() == ExitCode::kPermission) return "auth";
  if (sqlstate == "25006") return "failover";
  const bool transient =
      error.disposition() == Disposition::kRetry || error.disposition() == Disposition::kInDoubt;
  if (sqlstate.starts_with("08") || sqlstate.starts_with("57P0") ||
      (sqlstate.empty() && transient)) {
    return "network";
  }
  return "other";
}

Error ReadOnlyError(std::string_view address) {
  return Error(Disposition::kRetry, Component::kTarget,
               "target " + std::string(address) + " is read-only (a standby?)")
      .Server("25006", "", "", "")
      .Hint("Point target.url at the primary, for CloudNativePG the service that ends in -rw.");
}

Error ConnectError(std::string_view text, std::string_view url) {
  const std::string where = config::RedactUrl(url);
  if (Contains(text, "session is read-only") || Contains(text, "server is in hot standby mode")) {
    return ReadOnlyError(where);
  }
  const std::string message = "cannot connect to " + where + ": " + FirstLine(text);
  if (const StopText* stop = FindStopInAll(text)) {
    return Error(Disposition::kStop, Component::kTarget, message)
        .Hint(std::string(stop->hint))
        .Exit(stop->exit);
  }
  return Error(Disposition::kRetry, Component::kTarget, message);
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::vector<HostChoice> HostChoices(const std::string& url) {
  // libpq's own words would quote the part it could not read, which may be the password.
  char* reason = nullptr;
  const OptionsPtr options(PQconninfoParse(url.c_str(), &reason));
  const std::unique_ptr<char, TextFreer> reason_owner(reason);
  if (options == nullptr || HasBrokenCredentials(url)) {
    throw Error(Disposition::kStop, Component::kConfig, "target.url is not a connection string")
        .Hint(
            "It looks like postgresql://role:password@host:5432/database, with @ : / ? # % in the "
            "password written as %40 %3A %2F %3F %23 %25.");
  }
  std::vector<std::string> hosts(1);
  std::vector<std::string> addresses(1);
  std::vector<std::string> ports(1);
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view keyword = option->keyword;
    if (option->val == nullptr) continue;
    if (keyword == "host") hosts = SplitAtCommas(option->val);
    if (keyword == "hostaddr") addresses = SplitAtCommas(option->val);
    if (keyword == "port") ports = SplitAtCommas(option->val);
  }
  const std::size_t count = std::max(hosts.size(), addresses.size());
  // One host, or lists that do not match: libpq handles or reports them itself.
  const auto matches = [count](std::size_t size) { return size == 1 || size == count; };
  if (count == 1 || !matches(hosts.size()) || !matches(addresses.size()) ||
      !matches(ports.size())) {
    return {HostChoice{}};
  }
  const auto pick = [](const std::vector<std::string>& list, std::size_t i) {
    return list[list.size() == 1 ? 0 : i];
  };
  std::vector<HostChoice> choices;
  for (std::size_t i = 0; i < count; ++i) {
    choices.push_back({pick(hosts, i), pick(addresses, i), pick(ports, i)});
  }
  return choices;
}

}  // namespace liteferry::target
