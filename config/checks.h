#pragma once

#include <string>

namespace liteferry::config {

// Whether a text value has the form that its option wants. Forms only: nothing is opened, resolved
// or connected to.

// A file's path: not empty, not a URL and not a connection string (a mixed-up target.url would else
// end up in messages with its password).
bool IsFilePath(const std::string& text);

// host:port, [ipv6]:port or :port (all interfaces); port 0 takes a free one.
bool IsListenAddress(const std::string& text);

// A duration from a second to a year.
bool IsInterval(const std::string& text);

// A shell pattern as fnmatch reads it: not empty, every [ closed.
bool IsNamePattern(const std::string& text);

// A schema of PostgreSQL: 1 to 63 bytes, not one of PostgreSQL's own.
bool IsSchemaName(const std::string& text);

// The same, and not `public`: cleanup drops this schema.
bool IsStateSchemaName(const std::string& text);

}  // namespace liteferry::config
