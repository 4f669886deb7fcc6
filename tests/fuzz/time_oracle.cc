#include "tests/fuzz/time_oracle.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "tests/fuzz/big_endian.h"

namespace liteferry::fuzz {
namespace {

using target::Epoch;
using target::TypeKind;
__extension__ using Wide = __int128;  // nanoseconds of all years

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::int64_t kDaysFrom1970 = 10'957;
constexpr std::int64_t kMillisTo2000 = 211'813'444'800'000;  // since Julian day 0

// PostgreSQL's date2j(), less the Julian day of 2000-01-01.
std::int64_t DayNumber(std::int64_t year, int month, int day) {
  if (month > 2) {
    month += 1;
    year += 4800;
  } else {
    month += 13;
    year += 4799;
  }
  const std::int64_t century = year / 100;
  return year * 365 - 32167 + year / 4 - century + century / 4 + 7834 * month / 256 + day -
         2'451'545;
}

struct Read {
  bool has_date = false;
  std::int64_t days = 0;
  std::int64_t nanos = 0;   // of the day
  std::int64_t offset = 0;  // seconds
};

// Text that was accepted, so that it need not be checked again.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Read Run() {
    Read read;
    const bool before_christ = text_.ends_with(" BC");
    if (before_christ) text_.resize(text_.size() - 3);
    if (text_.find('-') != std::string::npos && text_.find('-') < 8 && text_.find(':') > 5) {
      read.has_date = true;
      const std::int64_t year = Number();
      ++at_;
      const auto month = static_cast<int>(Number());
      ++at_;
      const auto day = static_cast<int>(Number());
      ++at_;
      read.days = DayNumber(before_christ ? 1 - year : year, month, day);
    }
    if (at_ < text_.size()) ReadTime(read);
    return read;
  }

 private:
  std::int64_t Number() {
    char* end = nullptr;
    const std::int64_t number = std::strtoll(text_.c_str() + at_, &end, 10);
    at_ = static_cast<std::size_t>(end - text_.c_str());
    return number;
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void ReadTime(Read& read) {
    std::int64_t seconds = Number() * 3600;
    ++at_;
    seconds += Number() * 60;
    if (Take(':')) seconds += Number();
    read.nanos = seconds * 1'000'000'000;
    if (Take('.')) {
      std::int64_t unit = 100'000'000;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, unit /= 10) {
        read.nanos += (text_[at_] - '0') * unit;
      }
    }
    Take(' ');
    if (at_ < text_.size() && text_[at_] != 'Z') read.offset = Offset(text_.substr(at_));
  }

  static std::int64_t Offset(const std::string& zone) {
    std::string digits;
    for (const char c : zone) {
      if (c >= '0' && c <= '9') digits += c;
    }
    digits.resize(6, '0');
    const std::int64_t seconds = std::atoi(digits.substr(0, 2).c_str()) * 3600 +
                                 std::atoi(digits.substr(2, 2).c_str()) * 60 +
                                 std::atoi(digits.substr(4, 2).c_str());
    return zone[0] == '-' ? -seconds : seconds;
  }

  std::string text_;
  std::size_t at_ = 0;
};

// How far apart, in nanoseconds; half a microsecond is what rounding may do.
std::string Near(Wide stored_micros, Wide meant_nanos) {
  const Wide apart = stored_micros * 1000 - meant_nanos;
  return apart <= 500 && apart >= -500 ? "" : "another time";
}

std::string CheckText(const Input& input, std::int64_t stored) {
  std::string lower(input.value.bytes);
  for (char& c : lower) c = static_cast<char>(c | 0x20);
  if (lower == "infinity" || lower == "-infinity") {
    const bool negative = lower[0] == '-';
    const bool day = input.type->kind == TypeKind::kDate;
    using Day = std::numeric_limits<std::int32_t>;
    using Micro = std::numeric_limits<std::int64_t>;
    const std::int64_t meant =
        negative ? (day ? Day::min() : Micro::min()) : (day ? Day::max() : Micro::max());
    return stored == meant ? "" : "another infinity";
  }
  const Read read = Scanner(input.value.bytes).Run();
  if (input.type->kind == TypeKind::kTime) {
    return read.has_date ? "date in a time" : Near(stored, read.nanos);
  }
  if (!read.has_date) return "no date";
  const bool zoned = input.type->kind == TypeKind::kTimestampTz;
  if (!zoned && read.offset != 0) return "offset lost";
  const Wide micros =
      input.type->kind == TypeKind::kDate ? Wide{stored} * kMicrosPerDay : Wide{stored};
  const Wide meant = (Wide{read.days} * 86'400 - read.offset) * 1'000'000'000 + read.nanos;
  return input.type->kind == TypeKind::kDate && micros * 1000 != meant ? "another day"
                                                                       : Near(micros, meant);
}

std::string CheckNumber(const Input& input, std::int64_t stored) {
  const Wide since_2000 =
      input.type->kind == TypeKind::kDate ? Wide{stored} * kMicrosPerDay : Wide{stored};
  const bool integer = input.value.storage == StorageClass::kInteger;
  if (input.options.epoch == Epoch::kJulian) {
    const long double meant = (integer ? static_cast<long double>(input.value.integer)
                                       : static_cast<long double>(input.value.real)) *
                              86'400'000.0L;
    const auto millis = static_cast<long double>(since_2000 / 1000 + kMillisTo2000);
    return since_2000 % 1000 == 0 && std::fabs(meant - millis) <= 0.57L ? "" : "another Julian day";
  }
  const std::int64_t unit = input.options.epoch == Epoch::kSeconds        ? 1'000'000
                            : input.options.epoch == Epoch::kMilliseconds ? 1'000
                                                                          : 1;
  const Wide micros = since_2000 + Wide{kDaysFrom1970} * kMicrosPerDay;
  if (integer) return micros == Wide{input.value.integer} * unit ? "" : "another epoch time";
  const long double meant =
      static_cast<long double>(input.value.real) * static_cast<long double>(unit);
  const long double apart = std::fabs(meant - static_cast<long double>(micros));
  return apart <= 0.51L + std::fabs(meant) * 1e-18L ? "" : "another epoch time";
}

}  // namespace

std::string CheckTime(const Input& input, std::string_view binary) {
  if (binary.size() != (input.type->kind == TypeKind::kDate ? 4U : 8U))
    return "time of another size";
  const std::int64_t stored = SignedBig(binary);
  if (input.value.storage == StorageClass::kText) return CheckText(input, stored);
  if (input.options.epoch == Epoch::kNone || input.type->kind == TypeKind::kTime) {
    return "number taken as a time";
  }
  return CheckNumber(input, stored);
}

}  // namespace liteferry::fuzz
