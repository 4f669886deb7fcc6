#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace liteferry::config {

// What became of a URL: `url` in a form that libpq takes, or `problem` (lower-case, never with a
// part of the URL that may be secret) and an empty url.
struct TargetUrl {
  std::string url;
  std::string problem;
};

// Accepts libpq's URIs (postgres://, postgresql://), SQLAlchemy's and other tools' forms of them
// (postgresql+asyncpg://, jdbc:postgresql://) and libpq's keyword strings (host=… dbname=…).
// asyncpg's `ssl` becomes sslmode; parameters that only mean something to a driver or its pool are
// dropped; a parameter that libpq does not know is a problem. What is percent-encoded stays so.
// Idempotent. Nothing is resolved or connected to.
TargetUrl NormalizeTargetUrl(std::string_view text);

// By its scheme only: postgres, postgresql, with or without a driver.
bool IsPostgresUrl(std::string_view text);

// The same URL or keyword string with every secret replaced by ***; *** alone when it cannot be
// parsed, as nobody knows then what in it is secret.
std::string RedactUrl(std::string_view url);

// Whether a text that should be something else looks like a URL or connection string, so that it
// must not be shown.
bool MayHoldSecret(std::string_view text);

// For people: postgresql://app@orders-rw:5432/app, without password and parameters.
std::string DisplayUrl(std::string_view url);

// The URL to connect to: target.url, or the first line of target.url_file, read anew at each call
// so that a rotated password is picked up. Nothing, and `problem` set, when there is none or it is
// not valid; `problem` names the file, never its content.
std::optional<std::string> ReadTargetUrl(const Settings& settings, std::string& problem);

// The same for target.confirm_url and target.confirm_url_file.
std::optional<std::string> ReadConfirmUrl(const Settings& settings, std::string& problem);

}  // namespace liteferry::config
