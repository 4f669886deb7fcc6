#include "replication/target/iso_time.h"

#include <array>
#include <cmath>
#include <cstddef>

#include "replication/target/convert_internal.h"

namespace liteferry::target::internal {
namespace {

constexpr const char* kNotIso = "text is not an ISO date or time";
constexpr const char* kNoSuchDate = "no such date in the calendar";
constexpr const char* kNoSuchTime = "no such time of day";
constexpr const char* kNoSuchZone = "no such time zone offset";
constexpr int kMaxOffsetHours = 15;  // as in PostgreSQL

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  char Peek(std::size_t i = 0) const { return i < text_.size() ? text_[i] : '\0'; }
  void Skip(std::size_t count) { text_.remove_prefix(count); }
  bool Take(char c) {
    if (Peek() != c || AtEnd()) return false;
    Skip(1);
    return true;
  }
  std::size_t CountDigits() const {
    std::size_t count = 0;
    while (count < text_.size() && IsDigit(text_[count])) ++count;
    return count;
  }
  int Number(std::size_t digits) {
    int number = 0;
    for (std::size_t i = 0; i < digits; ++i) number = number * 10 + (text_[i] - '0');
    Skip(digits);
    return number;
  }
  // Two digits, or false.
  bool Pair(int& number) {
    if (!IsDigit(Peek(0)) || !IsDigit(Peek(1))) return false;
    number = Number(2);
    return true;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

struct Date {
  int year = 0;  // astronomical: 0 is 1 BC
  int month = 0;
  int day = 0;
};

bool IsLeapYear(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Years are counted from March, in eras of 400 years (146097 days); the last term moves day 0 to
// 2000-01-01.
constexpr std::int64_t kEraDays = 146'097;
constexpr std::int64_t kMarchZeroTo2000 = 730'425;

std::int64_t DaysOf(const Date& date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kEraDays + day_of_era - kMarchZeroTo2000;
}

Date DateOf(std::int64_t days) {
  days += kMarchZeroTo2000;
  const std::int64_t era = (days >= 0 ? days : days - (kEraDays - 1)) / kEraDays;
  const std::int64_t day_of_era = days - era * kEraDays;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;
  Date date;
  date.day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
  date.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  date.year = static_cast<int>(year_of_era + era * 400 + (date.month <= 2 ? 1 : 0));
  return date;
}

const char* ParseDate(Cursor& in, Date& date) {
  const std::size_t digits = in.CountDigits();
  if (digits < 4 || digits > 7 || (digits > 4 && in.Peek() == '0')) return kNotIso;
  date.year = in.Number(digits);
  if (!in.Take('-') || !in.Pair(date.month) || !in.Take('-') || !in.Pair(date.day)) return kNotIso;
  return nullptr;
}

// Digits after the point. Beyond the microsecond PostgreSQL rounds, and does so in floating point;
// the same operations here give the same microsecond.
const char* ParseFraction(Cursor& in, IsoTime& result) {
  const std::size_t digits = in.CountDigits();
  if (digits < 1) return kNotIso;
  if (digits > 9) return "more than 9 fraction digits in the seconds";
  const int number = in.Number(digits);
  constexpr std::array<int, 10> kPowers = {
      1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
  if (digits <= 6) {
    result.micros += number * kPowers[6 - digits];
    return nullptr;
  }
  result.finer = number % kPowers[digits - 6] != 0;
  result.micros += std::llrint(number / static_cast<double>(kPowers[digits]) * 1e6);
  return nullptr;
}

const char* ParseTime(Cursor& in, IsoTime& result) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  result.has_time = true;
  if (!in.Pair(hour) || !in.Take(':') || !in.Pair(minute)) return kNotIso;
  if (in.Take(':')) {
    if (!in.Pair(second)) return kNotIso;
    if (in.Take('.')) {
      if (const char* reason = ParseFraction(in, result)) return reason;
    }
  }
  const bool end_of_day =
      hour == 24 && minute == 0 && second == 0 && result.micros == 0 && !result.finer;
  if ((hour > 23 && !end_of_day) || minute > 59 || second > 60) return kNoSuchTime;
  if (second == 60) return "leap second";
  result.micros += ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond;
  return nullptr;
}

const char* ParseZone(Cursor& in, IsoTime& result) {
  result.has_zone = true;
  if (in.Take('Z')) return nullptr;
  const bool west = in.Peek() == '-';
  if (!west && in.Peek() != '+') return kNotIso;
  in.Skip(1);
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!in.Pair(hours)) return kNotIso;
  if (in.Take(':')) {
    if (!in.Pair(minutes)) return kNotIso;
    if (in.Take(':') && !in.Pair(seconds)) return kNotIso;
  } else if (IsDigit(in.Peek()) && !in.Pair(minutes)) {
    return kNotIso;
  }
  if (hours > kMaxOffsetHours || minutes > 59 || seconds > 59) return kNoSuchZone;
  result.offset = (hours * 60 + minutes) * 60 + seconds;
  if (west) result.offset = -result.offset;
  return nullptr;
}

const char* ParseDateAndMore(Cursor& in, IsoTime& result) {
  Date date;
  result.has_date = true;
  if (const char* reason = ParseDate(in, date)) return reason;
  const bool before_christ_only = in.rest() == " BC";
  if (!before_christ_only && (in.Take('T') || in.Take(' '))) {
    if (const char* reason = ParseTime(in, result)) return reason;
    const bool space = in.Peek() == ' ' && in.Peek(1) != 'B';
    if (space) in.Skip(1);
    if (space || (!in.AtEnd() && in.Peek() != ' ')) {
      if (const char* reason = ParseZone(in, result)) return reason;
    }
  }
  if (in.rest() == " BC") {
    if (date.year == 0) return kNoSuchDate;
    date.year = 1 - date.year;
    in.Skip(3);
  } else if (date.year == 0) {
    return kNoSuchDate;
  }
  if (!in.AtEnd()) return kNotIso;
  if (date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > DaysInMonth(date.year, date.month)) {
    return kNoSuchDate;
  }
  result.days = DaysOf(date);
  return nullptr;
}

// `number` with at least `width` digits.
void AppendPadded(std::int64_t number, std::size_t width, std::string& out) {
  const NumberText text = FormatInteger(number);
  if (text.size < width) out.append(width - text.size, '0');
  out.append(text.view());
}

}  // namespace

const char* ParseIsoTime(std::string_view text, IsoTime& result) {
  Cursor in(text);
  if (in.CountDigits() == 2 && in.Peek(2) == ':') {
    if (const char* reason = ParseTime(in, result)) return reason;
    return in.AtEnd() ? nullptr : kNotIso;
  }
  if (in.CountDigits() > 0) return ParseDateAndMore(in, result);
  if (EqualsFolded(text, "infinity")) {
    result.infinity = IsoTime::Infinity::kPositive;
  } else if (EqualsFolded(text, "-infinity")) {
    result.infinity = IsoTime::Infinity::kNegative;
  } else {
    return text.empty() ? "text is empty" : kNotIso;
  }
  return nullptr;
}

bool AppendDate(std::int64_t days, std::string& out) {
  const Date date = DateOf(days);
  AppendPadded(date.year > 0 ? date.year : 1 - date.year, 4, out);
  out.push_back('-');
  AppendPadded(date.month, 2, out);
  out.push_back('-');
  AppendPadded(date.day, 2, out);
  return date.year <= 0;
}

void AppendTime(std::int64_t micros, std::string& out) {
  const std::int64_t seconds = micros / kMicrosPerSecond;
  AppendPadded(seconds / 3600, 2, out);
  out.push_back(':');
  AppendPadded(seconds / 60 % 60, 2, out);
  out.push_back(':');
  AppendPadded(seconds % 60, 2, out);
  if (micros % kMicrosPerSecond == 0) return;
  out.push_back('.');
  AppendPadded(micros % kMicrosPerSecond, 6, out);
}

}  // namespace liteferry::target::internal
