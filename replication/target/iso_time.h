#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// ISO 8601 dates and times as text, strictly: no guess, no other order, no name of a month. Not for
// use outside of replication/target.
namespace liteferry::target::internal {

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// What a text says, in PostgreSQL's units.
struct IsoTime {
  enum class Infinity : std::int8_t { kNone, kPositive, kNegative };
  Infinity infinity = Infinity::kNone;  // then nothing else is set
  bool has_date = false;
  bool has_time = false;
  bool has_zone = false;
  bool finer = false;       // digits beyond the microsecond that are not zero were rounded
  std::int64_t days = 0;    // since 2000-01-01, proleptic Gregorian
  std::int64_t micros = 0;  // of the day; kMicrosPerDay for 24:00:00
  std::int32_t offset = 0;  // of the zone, in seconds east of UTC
};

// Reads all of `text`:
//   date  = year "-" MM "-" DD              year: 4 digits, or 5 to 7 without a leading zero
//   time  = HH ":" MM [":" SS ["." 1 to 9 digits]]
//   zone  = "Z" | ("+" | "-") hh [[":"] mm] | ("+" | "-") hh ":" mm ":" ss
//   text  = date [("T" | " ") time [[" "] zone]] [" BC"] | time | "infinity" | "-infinity"
// Returns null, or why it is none of these.
const char* ParseIsoTime(std::string_view text, IsoTime& result);

// The forms that PostgreSQL reads alike under every DateStyle: 0044-03-15 BC, 23:59:59.5.
// Days since 2000-01-01; microseconds of the day. AppendDate() returns whether " BC" must follow,
// which stands behind time and zone.
bool AppendDate(std::int64_t days, std::string& out);
void AppendTime(std::int64_t micros, std::string& out);

}  // namespace liteferry::target::internal
