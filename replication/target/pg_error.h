#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replication/base/error.h"

struct pg_result;

namespace liteferry::target {

// How libpq's failures become Error: part of PgConnection, apart from it only for size.

// The error of a result, by ClassifySqlstate(); values that the server quotes are cut off.
Error ServerError(const pg_result* result);

// libpq's text after a failed attempt to connect. There is no SQLSTATE to be had, so only the few
// texts that surely mean a person must act are kStop; every other one, a translated one too, is
// kRetry.
Error ConnectError(std::string_view text, std::string_view url);

Error ReadOnlyError(std::string_view address);

std::string FirstLine(std::string_view text);

// One of the hosts that a URL names; all empty: as the URL says.
struct HostChoice {
  std::string host;
  std::string address;
  std::string port;
};

// Throws Error (stop, exit 78), which does not quote it, when `url` is none.
std::vector<HostChoice> HostChoices(const std::string& url);

}  // namespace liteferry::target
