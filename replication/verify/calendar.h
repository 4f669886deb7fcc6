#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Dates and times as the comparison understands them. Written for verification alone: it shares no
// code with what encodes values for the target.
namespace liteferry::verify {

inline constexpr std::int64_t kSecond = 1'000'000;
inline constexpr std::int64_t kDay = 86'400 * kSecond;

// What a text of VALUES.md's form says.
struct Moment {
  int infinity = 0;  // -1, 1: then nothing else counts
  bool date = false;
  bool clock = false;
  bool zone = false;
  std::int64_t day = 0;     // since 1970-01-01, proleptic Gregorian
  std::int64_t micros = 0;  // of the day, kDay for 24:00:00; rounded to the microsecond
  bool rounded = false;     // a digit beyond the microsecond was not zero
  std::int64_t offset = 0;  // microseconds east of UTC
};

std::optional<Moment> ParseMoment(std::string_view text);

// As PostgreSQL prints them with DateStyle ISO; nothing where the type does not reach that far.
// `day` since 1970-01-01; `micros` from its midnight on, any number of them, also negative. `zone`
// is
// "+00" for timestamptz and "" for timestamp.
std::optional<std::string> PrintDate(std::int64_t day);
std::optional<std::string> PrintTimestamp(std::int64_t day, std::int64_t micros,
                                          std::string_view zone);
std::string PrintClock(std::int64_t micros);

}  // namespace liteferry::verify
