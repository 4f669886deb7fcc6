#include <array>
#include <cmath>
#include <limits>

#include "replication/target/convert_internal.h"
#include "replication/target/iso_time.h"

namespace liteferry::target::internal {
namespace {

// What PostgreSQL's date and timestamp hold, relative to 2000-01-01. Both begin at Julian day 0,
// 4714-11-24 BC.
constexpr std::int64_t kFirstDay = -2'451'545;
constexpr std::int64_t kEndOfDates = 2'145'031'949;     // 5874898-01-01
constexpr std::int64_t kEndOfTimestamps = 106'751'983;  // 294277-01-01, as a day
constexpr std::int64_t kFirstMicro = kFirstDay * kMicrosPerDay;
constexpr std::int64_t kEndMicro = kEndOfTimestamps * kMicrosPerDay;
constexpr std::int64_t kEpochDay = -10'957;  // 1970-01-01

constexpr std::int64_t kInfinity64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinusInfinity64 = std::numeric_limits<std::int64_t>::min();

Rejection OutOfRange(const TargetType& type) { return Reject("out of range for " + type.name); }

bool IsNumber(const Value& value) {
  return value.storage == StorageClass::kInteger || value.storage == StorageClass::kReal;
}

Rejection Parse(const Value& value, const TargetType& type, IsoTime& parsed) {
  if (value.storage != StorageClass::kText) return RejectClass(value, type);
  if (const char* reason = ParseIsoTime(value.bytes, parsed)) return Reject(reason);
  return std::nullopt;
}

// Refuses what timestamp(n) or time(n) would round away. Rounding to the microsecond is the rule
// for full precision only.
Rejection CheckFraction(std::int64_t micros, bool finer, const TargetType& type) {
  constexpr std::array<std::int64_t, 7> kUnits = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  const auto digits = static_cast<std::size_t>(FractionDigits(type));
  if (digits == 6 || (!finer && micros % kUnits[digits] == 0)) return std::nullopt;
  return Reject("more fraction digits than " + type.name + " keeps");
}

std::int64_t MicrosPerUnit(Epoch epoch) {
  return epoch == Epoch::kSeconds ? 1'000'000 : epoch == Epoch::kMilliseconds ? 1'000 : 1;
}

// Of a number that counts since 1970, to the nearest microsecond.
Rejection FromUnixTime(const Value& value, const TargetType& type, Epoch epoch, const Sink& sink,
                       std::int64_t& micros) {
  const std::int64_t unit = MicrosPerUnit(epoch);
  std::int64_t whole = value.integer;
  std::int64_t part = 0;
  if (value.storage == StorageClass::kReal) {
    constexpr double kLimit = 9.3e18;  // in microseconds; beyond everything that a timestamp holds
    // Written so that NaN is refused.
    if (!(std::fabs(value.real) * static_cast<double>(unit) < kLimit)) return OutOfRange(type);
    const double floor = std::floor(value.real);
    if (floor >= 9.2e18 || floor <= -9.2e18) return OutOfRange(type);
    whole = static_cast<std::int64_t>(floor);
    // The difference is exact, so that only one rounding remains.
    part = std::llrint((value.real - floor) * static_cast<double>(unit));
    // The microseconds, written as a number of that unit again, are the same double or not.
    const double again =
        (floor * static_cast<double>(unit) + static_cast<double>(part)) / static_cast<double>(unit);
    if (again != value.real) sink.NoteRounded();
  }
  // From 1970 to 2000 first: the last microseconds of timestamp overflow when counted since 1970.
  if (__builtin_add_overflow(whole, kEpochDay * (kMicrosPerDay / unit), &whole) ||
      __builtin_mul_overflow(whole, unit, &micros) ||
      __builtin_add_overflow(micros, part, &micros) || micros < kFirstMicro ||
      micros >= kEndMicro) {
    return OutOfRange(type);
  }
  return std::nullopt;
}

// Of a Julian day number, to the nearest millisecond: SQLite's date functions keep milliseconds,
// read a number so, and know days up to the end of the year 9999 (setRawDateNumber() in its
// date.c). Doubles of that size lie 40 microseconds apart, so that each millisecond has one of its
// own.
Rejection FromJulianDay(const Value& value, const TargetType& type, const Sink& sink,
                        std::int64_t& micros) {
  constexpr double kMillisPerDay = 86'400'000;
  constexpr double kEndOfDays = 5'373'484.5;  // 10000-01-01
  constexpr std::int64_t kEndOfMillis = 464'269'060'800'000;
  constexpr std::int64_t kMillisTo2000 = 211'813'444'800'000;
  const double day =
      value.storage == StorageClass::kReal ? value.real : static_cast<double>(value.integer);
  if (!(day >= 0 && day < kEndOfDays)) return OutOfRange(type);
  const auto millis = static_cast<std::int64_t>(day * kMillisPerDay + 0.5);
  if (millis >= kEndOfMillis) return OutOfRange(type);
  if (static_cast<double>(millis) / kMillisPerDay != day) sink.NoteRounded();
  micros = (millis - kMillisTo2000) * 1'000;
  return std::nullopt;
}

// Microseconds since 2000-01-01.
Rejection FromNumber(const Value& value, const TargetType& type, Epoch epoch, const Sink& sink,
                     std::int64_t& micros) {
  if (epoch == Epoch::kNone) {
    return CellError{std::string(ToString(value.storage)) + " cannot become " + type.name +
                     " unless the column's epoch is configured"};
  }
  if (epoch == Epoch::kJulian) return FromJulianDay(value, type, sink, micros);
  return FromUnixTime(value, type, epoch, sink, micros);
}

Rejection TimestampFromText(const Value& value, const TargetType& type, const Sink& sink,
                            std::int64_t& micros) {
  IsoTime parsed;
  if (auto rejection = Parse(value, type, parsed)) return rejection;
  if (parsed.infinity != IsoTime::Infinity::kNone) {
    micros = parsed.infinity == IsoTime::Infinity::kPositive ? kInfinity64 : kMinusInfinity64;
    return std::nullopt;
  }
  if (!parsed.has_date) return Reject("text has no date");
  if (type.kind == TypeKind::kTimestamp && parsed.offset != 0) {
    return Reject("time zone offset would be lost in " + type.name);
  }
  // One day of slack for the offset; what remains cannot overflow.
  if (parsed.days < kFirstDay - 1 || parsed.days > kEndOfTimestamps) return OutOfRange(type);
  micros = parsed.days * kMicrosPerDay + parsed.micros - parsed.offset * kMicrosPerSecond;
  if (micros < kFirstMicro || micros >= kEndMicro) return OutOfRange(type);
  if (parsed.finer) sink.NoteRounded();
  return CheckFraction(parsed.micros, parsed.finer, type);
}

std::int64_t FloorDiv(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

void PutTimestamp(std::int64_t micros, const TargetType& type, const Sink& sink) {
  if (sink.binary) {
    sink.Big(micros);
    return;
  }
  if (micros == kInfinity64 || micros == kMinusInfinity64) {
    sink.Bytes(micros > 0 ? "infinity" : "-infinity");
    return;
  }
  const std::int64_t days = FloorDiv(micros, kMicrosPerDay);
  const bool before_christ = AppendDate(days, sink.out);
  sink.out.push_back(' ');
  AppendTime(micros - days * kMicrosPerDay, sink.out);
  if (type.kind == TypeKind::kTimestampTz) sink.Bytes("+00");
  if (before_christ) sink.Bytes(" BC");
}

Rejection DateFromText(const Value& value, const TargetType& type, std::int64_t& days) {
  IsoTime parsed;
  if (auto rejection = Parse(value, type, parsed)) return rejection;
  if (parsed.infinity != IsoTime::Infinity::kNone) {
    days = parsed.infinity == IsoTime::Infinity::kPositive
               ? std::numeric_limits<std::int32_t>::max()
               : std::numeric_limits<std::int32_t>::min();
    return std::nullopt;
  }
  if (!parsed.has_date) return Reject("text has no date");
  if (parsed.micros != 0 || parsed.finer) {
    return Reject("time of day would be lost in " + type.name);
  }
  if (parsed.offset != 0) return Reject("time zone offset would be lost in " + type.name);
  if (parsed.days < kFirstDay || parsed.days >= kEndOfDates) return OutOfRange(type);
  days = parsed.days;
  return std::nullopt;
}

}  // namespace

Rejection ConvertTime(const Value& value, const TargetType& type, const Sink& sink) {
  IsoTime parsed;
  if (auto rejection = Parse(value, type, parsed)) return rejection;
  if (parsed.infinity != IsoTime::Infinity::kNone || parsed.has_date) {
    return Reject("text is not a time of day alone");
  }
  if (auto rejection = CheckFraction(parsed.micros, parsed.finer, type)) return rejection;
  if (parsed.finer) sink.NoteRounded();
  if (sink.binary) {
    sink.Big(parsed.micros);
  } else {
    AppendTime(parsed.micros, sink.out);
  }
  return std::nullopt;
}

Rejection ConvertDate(const Value& value, const TargetType& type, const ConvertOptions& options,
                      const Sink& sink) {
  std::int64_t days = 0;
  if (IsNumber(value)) {
    std::int64_t micros = 0;
    if (auto rejection = FromNumber(value, type, options.epoch, sink, micros)) return rejection;
    if (micros % kMicrosPerDay != 0) return Reject("time of day would be lost in " + type.name);
    days = micros / kMicrosPerDay;
  } else if (auto rejection = DateFromText(value, type, days)) {
    return rejection;
  }
  if (sink.binary) {
    sink.Big(static_cast<std::int32_t>(days));
  } else if (days == std::numeric_limits<std::int32_t>::max()) {
    sink.Bytes("infinity");
  } else if (days == std::numeric_limits<std::int32_t>::min()) {
    sink.Bytes("-infinity");
  } else if (AppendDate(days, sink.out)) {
    sink.Bytes(" BC");
  }
  return std::nullopt;
}

Rejection ConvertTimestamp(const Value& value, const TargetType& type,
                           const ConvertOptions& options, const Sink& sink) {
  std::int64_t micros = 0;
  if (IsNumber(value)) {
    if (auto rejection = FromNumber(value, type, options.epoch, sink, micros)) return rejection;
    if (auto rejection = CheckFraction(micros, false, type)) return rejection;
  } else if (auto rejection = TimestampFromText(value, type, sink, micros)) {
    return rejection;
  }
  PutTimestamp(micros, type, sink);
  return std::nullopt;
}

}  // namespace liteferry::target::internal
