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

// Whether an error that came while the server took in rows is the fault of one of them, so that the
// others can go on without it. `in_column` where the server says which column it was reading: then
// the type's own input function refused the value, and the code is the type's choice.
// (ClassifySqlstate is about statements.)
//
//   class                                  | is a row's fault
//   ---------------------------------------|--------------------------------------------------
//   22, 23, 44, 54                         | always: the value, a constraint, a limit
//   P0, 2F, 38, 39, 20, 21, 27, 09         | always: what the function of a CHECK, of a generated
//   and any that PostgreSQL does not know  | column or of a type raises
//   42501                                  | always: how such a function says "not allowed"
//   42, 0A, 3D, 3F, XX000                  | in_column: regclass, ltree, tsquery and PostGIS refuse
//                                          | values so. Else a function or object is missing or
//                                          | broken, for every row
//   08, 25, 26, 28, 2B, 2D, 34, 3B, 40,    | never: connection, transaction, resources, operator,
//   53, 55, 57, 58, 72, F0, HV, XX, 0B     | the server itself
//   22P04                                  | never: the bytes that we send are no COPY
bool BlamesRow(const Error& error, bool in_column);

// What the target was lost by: auth, failover (it became a standby), network, or other.
std::string_view LossReason(const Error& error);

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
