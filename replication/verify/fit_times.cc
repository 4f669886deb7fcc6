#include <cmath>
#include <limits>

#include "replication/verify/calendar.h"
#include "replication/verify/fits.h"

namespace liteferry::verify {
namespace {

using config::Epoch;
using target::TargetType;
using target::TypeKind;

// Nearest microsecond to value * micros_per_unit, ties to even.
std::optional<std::int64_t> Scaled(double value, std::int64_t micros_per_unit) {
  if (!std::isfinite(value) || std::fabs(value) * static_cast<double>(micros_per_unit) > 9e18) {
    return std::nullopt;
  }
  const double whole = std::floor(value);
  return static_cast<std::int64_t>(whole) * micros_per_unit +
         std::llrint((value - whole) * static_cast<double>(micros_per_unit));
}

std::int64_t MicrosPerUnit(Epoch epoch) {
  if (epoch == Epoch::kSeconds) return kSecond;
  return epoch == Epoch::kMilliseconds ? 1000 : 1;
}

// As SQLite's own date functions read a Julian day: to the millisecond, up to the year 9999.
std::optional<std::int64_t> JulianMicros(const Value& value) {
  const double day =
      value.storage == StorageClass::kReal ? value.real : static_cast<double>(value.integer);
  if (!(day >= 0 && day < 5'373'484.5)) return std::nullopt;
  const auto millis = static_cast<std::int64_t>(day * 86'400'000.0 + 0.5);
  constexpr std::int64_t kMillisTo1970 = 210'866'760'000'000;  // 2440587.5 days
  constexpr std::int64_t kMillisTo10000 = 464'269'060'800'000;
  if (millis >= kMillisTo10000) return std::nullopt;
  return (millis - kMillisTo1970) * 1000;
}

std::optional<std::int64_t> EpochMicros(const Value& value, Epoch epoch) {
  if (epoch == Epoch::kNone) return std::nullopt;
  if (epoch == Epoch::kJulian) return JulianMicros(value);
  const std::int64_t unit = MicrosPerUnit(epoch);
  if (value.storage == StorageClass::kReal) return Scaled(value.real, unit);
  if (value.integer > std::numeric_limits<std::int64_t>::max() / unit ||
      value.integer < std::numeric_limits<std::int64_t>::min() / unit) {
    return std::nullopt;
  }
  return value.integer * unit;
}

bool LosesDigits(std::int64_t micros, bool rounded, const TargetType& type) {
  const int digits = target::FractionDigits(type);
  if (digits == 6) return false;
  std::int64_t unit = 1;
  for (int i = digits; i < 6; ++i) unit *= 10;
  return rounded || micros % unit != 0;
}

}  // namespace

Fitted FitDate(const Value& value, Epoch epoch) {
  if (value.storage == StorageClass::kInteger || value.storage == StorageClass::kReal) {
    const auto micros = EpochMicros(value, epoch);
    if (!micros || *micros % kDay != 0) return std::nullopt;
    return PrintDate(*micros / kDay);
  }
  if (value.storage != StorageClass::kText) return std::nullopt;
  const auto moment = ParseMoment(value.bytes);
  if (!moment) return std::nullopt;
  if (moment->infinity != 0) return moment->infinity > 0 ? "infinity" : "-infinity";
  if (!moment->date || moment->offset != 0 || moment->rounded) return std::nullopt;
  if (moment->micros != 0) return std::nullopt;
  return PrintDate(moment->day);
}

Fitted FitClock(const Value& value, const TargetType& type) {
  if (value.storage != StorageClass::kText) return std::nullopt;
  const auto moment = ParseMoment(value.bytes);
  if (!moment || moment->infinity != 0 || moment->date) return std::nullopt;
  if (LosesDigits(moment->micros, moment->rounded, type)) return std::nullopt;
  return PrintClock(moment->micros);
}

Fitted FitTimestamp(const Value& value, const TargetType& type, Epoch epoch) {
  const bool zoned = type.kind == TypeKind::kTimestampTz;
  std::int64_t day = 0;
  std::int64_t micros = 0;
  bool rounded = false;
  if (value.storage == StorageClass::kInteger || value.storage == StorageClass::kReal) {
    const auto counted = EpochMicros(value, epoch);
    if (!counted) return std::nullopt;
    micros = *counted;
  } else if (value.storage == StorageClass::kText) {
    const auto moment = ParseMoment(value.bytes);
    if (!moment) return std::nullopt;
    if (moment->infinity != 0) return moment->infinity > 0 ? "infinity" : "-infinity";
    if (!moment->date || (!zoned && moment->offset != 0)) return std::nullopt;
    day = moment->day;
    micros = moment->micros - moment->offset;
    rounded = moment->rounded;
  } else {
    return std::nullopt;
  }
  if (LosesDigits(micros, rounded, type)) return std::nullopt;
  return PrintTimestamp(day, micros, zoned ? "+00" : "");
}

}  // namespace liteferry::verify
