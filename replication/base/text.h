#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry {

// An identifier as SQLite and PostgreSQL both quote it: select "x" becomes "select ""x""".
std::string QuoteIdentifier(std::string_view name);
// "schema"."name".
std::string QuoteQualified(std::string_view schema, std::string_view name);
// A string literal as both databases read it ('it''s'). Throws Error (bug) on a NUL byte. For
// PostgreSQL it relies on standard_conforming_strings, the default since 9.1.
std::string QuoteLiteral(std::string_view text);

std::string ToHex(std::string_view bytes);
// Throws Error (bug) on an odd length or another character than a hexadecimal digit.
std::string FromHex(std::string_view hex);

std::string Join(const std::vector<std::string>& parts, std::string_view separator);

// ASCII letters only, as both databases fold identifiers.
std::string ToLowerAscii(std::string_view text);
std::string ToUpperAscii(std::string_view text);

// 1234567 as "1 234 567", for people.
std::string GroupDigits(std::int64_t number);
// 1536 as "1.5 KiB".
std::string FormatBytes(std::uint64_t bytes);
// "350 ms", "12.4 s", "3m 05s", "2h 10m": for people.
std::string FormatDuration(std::chrono::milliseconds duration);
// 2026-11-22T18:37:00.123Z.
std::string FormatTimestamp(std::chrono::system_clock::time_point at);

// A random version 4 UUID in its usual text form.
std::string RandomUuid();

}  // namespace liteferry
