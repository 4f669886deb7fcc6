#include "replication/verify/calendar.h"

#include <cctype>
#include <charconv>
#include <cmath>

namespace liteferry::verify {
namespace {

// Years count on through 1 BC, which is 0.
std::int64_t DayNumber(std::int64_t year, int month, int day) {
  // Years that begin in March: the leap day is their last.
  if (month <= 2) --year;
  const std::int64_t months = month > 2 ? month - 3 : month + 9;
  const std::int64_t century = year >= 0 ? year / 100 : (year - 99) / 100;
  const std::int64_t leaps = (year >= 0 ? year / 4 : (year - 3) / 4) - century +
                             (century >= 0 ? century / 4 : (century - 3) / 4);
  return year * 365 + leaps + (months * 153 + 2) / 5 + day - 1 - 719'468;
}

struct Civil {
  std::int64_t year;
  int month;
  int day;
};

Civil FromDayNumber(std::int64_t number) {
  // A year is 146097/400 days on average: the guess is at most one off.
  const std::int64_t shifted = number + 719'468;  // days since March of the year 0
  std::int64_t year = shifted * 400 / 146'097;
  while (DayNumber(year, 3, 1) > number) --year;
  while (DayNumber(year + 1, 3, 1) <= number) ++year;
  const std::int64_t of_year = number - DayNumber(year, 3, 1);
  const auto month = static_cast<int>((of_year * 5 + 2) / 153);  // from March on
  const auto day = static_cast<int>(of_year - (month * 153 + 2) / 5) + 1;
  return {month < 10 ? year : year + 1, month < 10 ? month + 3 : month - 9, day};
}

int DaysOf(std::int64_t year, int month) {
  const std::int64_t next = month == 12 ? DayNumber(year + 1, 1, 1) : DayNumber(year, month + 1, 1);
  return static_cast<int>(next - DayNumber(year, month, 1));
}

// Takes pieces from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Between `least` and `most` digits, as many as there are; -1 for fewer or more.
  std::int64_t Number(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') ++count;
    digits_ = rest_.substr(0, count);
    if (count < least || count > most) return -1;
    std::int64_t number = 0;
    std::from_chars(rest_.data(), rest_.data() + count, number);
    rest_.remove_prefix(count);
    return number;
  }
  // Exactly two digits that are at most `most`; -1 for others.
  int Pair(int most) {
    if (rest_.size() < 2 || std::isdigit(static_cast<unsigned char>(rest_[0])) == 0 ||
        std::isdigit(static_cast<unsigned char>(rest_[1])) == 0) {
      return -1;
    }
    const int number = (rest_[0] - '0') * 10 + (rest_[1] - '0');
    rest_.remove_prefix(2);
    return number <= most ? number : -1;
  }
  std::string_view digits() const { return digits_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  std::string_view digits_;
};

bool TakeClock(Cursor& cursor, Moment& moment) {
  const int hour = cursor.Pair(24);
  if (hour < 0 || !cursor.Take(':')) return false;
  const int minute = cursor.Pair(59);
  if (minute < 0) return false;
  int second = 0;
  std::int64_t fraction = 0;
  if (cursor.Take(':')) {
    second = cursor.Pair(59);
    if (second < 0) return false;
    if (cursor.Take('.')) {
      if (cursor.Number(1, 9) < 0) return false;
      // PostgreSQL reads the fraction as a double and rounds its millionfold.
      const std::string text = "0." + std::string(cursor.digits());
      double part = 0;
      std::from_chars(text.data(), text.data() + text.size(), part);
      fraction = std::llrint(part * 1e6);
      moment.rounded = cursor.digits().size() > 6 &&
                       cursor.digits().substr(6).find_first_not_of('0') != std::string_view::npos;
    }
  }
  moment.clock = true;
  moment.micros = (hour * 3600LL + minute * 60LL + second) * kSecond + fraction;
  return moment.micros <= kDay && !(moment.rounded && hour == 24);
}

// [" "] ("Z" | sign hh [[":"] mm] | sign hh ":" mm ":" ss)
bool TakeZone(Cursor& cursor, Moment& moment) {
  cursor.Take(' ');
  moment.zone = true;
  if (cursor.Take('Z')) return true;
  const bool west = cursor.Take('-');
  if (!west && !cursor.Take('+')) return false;
  const int hour = cursor.Pair(15);
  if (hour < 0) return false;
  int minute = 0;
  int second = 0;
  const bool colon = cursor.Take(':');
  const bool more =
      !cursor.done() && std::isdigit(static_cast<unsigned char>(cursor.rest()[0])) != 0;
  if (colon || more) {
    minute = cursor.Pair(59);
    if (minute < 0) return false;
    if (colon && cursor.Take(':')) {
      second = cursor.Pair(59);
      if (second < 0) return false;
    }
  }
  const std::int64_t offset = (hour * 3600LL + minute * 60LL + second) * kSecond;
  moment.offset = west ? -offset : offset;
  return true;
}

bool EqualsFolded(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(text[i])) != lower[i]) return false;
  }
  return true;
}

bool TakeDate(Cursor& cursor, bool before_christ, Moment& moment) {
  const std::int64_t year = cursor.Number(4, 7);
  const std::string_view digits = cursor.digits();
  if (year < 1 || (digits.size() > 4 && digits[0] == '0') || !cursor.Take('-')) return false;
  const int month = cursor.Pair(12);
  if (month < 1 || !cursor.Take('-')) return false;
  const int day = cursor.Pair(31);
  const std::int64_t counted = before_christ ? 1 - year : year;
  if (day < 1 || day > DaysOf(counted, month)) return false;
  moment.date = true;
  moment.day = DayNumber(counted, month, day);
  return true;
}

void AppendDigits(std::string& out, std::int64_t number, std::size_t width) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  const auto size = static_cast<std::size_t>(end - text);
  if (size < width) out.append(width - size, '0');
  out.append(text, size);
}

std::string Year(const Civil& civil) {
  std::string out;
  AppendDigits(out, civil.year > 0 ? civil.year : 1 - civil.year, 4);
  out.push_back('-');
  AppendDigits(out, civil.month, 2);
  out.push_back('-');
  AppendDigits(out, civil.day, 2);
  return out;
}

}  // namespace

std::optional<Moment> ParseMoment(std::string_view text) {
  Moment moment;
  if (EqualsFolded(text, "infinity") || EqualsFolded(text, "-infinity")) {
    moment.infinity = text[0] == '-' ? -1 : 1;
    return moment;
  }
  const bool before_christ = text.ends_with(" BC");
  if (before_christ) text.remove_suffix(3);
  Cursor cursor(text);
  if (text.size() > 2 && text[2] == ':') {
    if (before_christ || !TakeClock(cursor, moment)) return std::nullopt;
    return cursor.done() ? std::optional(moment) : std::nullopt;
  }
  if (!TakeDate(cursor, before_christ, moment)) return std::nullopt;
  if (cursor.done()) return moment;
  if (!cursor.Take('T') && !cursor.Take(' ')) return std::nullopt;
  if (!TakeClock(cursor, moment)) return std::nullopt;
  if (!cursor.done() && (!TakeZone(cursor, moment) || !cursor.done())) return std::nullopt;
  return moment;
}

std::optional<std::string> PrintDate(std::int64_t day) {
  static const std::int64_t first = DayNumber(-4713, 11, 24);
  static const std::int64_t last = DayNumber(5'874'897, 12, 31);
  if (day < first || day > last) return std::nullopt;
  const Civil civil = FromDayNumber(day);
  return Year(civil) + (civil.year > 0 ? "" : " BC");
}

std::optional<std::string> PrintTimestamp(std::int64_t day, std::int64_t micros,
                                          std::string_view zone) {
  const std::int64_t over = micros >= 0 ? micros / kDay : -((-micros + kDay - 1) / kDay);
  day += over;
  micros -= over * kDay;
  static const std::int64_t first = DayNumber(-4713, 11, 24);
  static const std::int64_t last = DayNumber(294'276, 12, 31);
  if (day < first || day > last) return std::nullopt;
  const Civil civil = FromDayNumber(day);
  return Year(civil) + " " + PrintClock(micros) + std::string(zone) + (civil.year > 0 ? "" : " BC");
}

std::string PrintClock(std::int64_t micros) {
  const std::int64_t seconds = micros / kSecond;
  std::string out;
  AppendDigits(out, seconds / 3600, 2);
  out.push_back(':');
  AppendDigits(out, seconds / 60 % 60, 2);
  out.push_back(':');
  AppendDigits(out, seconds % 60, 2);
  if (const std::int64_t fraction = micros % kSecond; fraction != 0) {
    out.push_back('.');
    AppendDigits(out, fraction, 6);
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

}  // namespace liteferry::verify
