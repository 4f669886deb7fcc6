#include "replication/target/key_writing.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "replication/base/text.h"
#include "replication/target/convert_internal.h"
#include "replication/target/iso_time.h"

namespace liteferry::target {
namespace {

using internal::IsoTime;

__extension__ using Wide = __int128;

constexpr std::uint32_t kTextOid = 25;
constexpr std::uint32_t kNameOid = 19;

std::optional<double> ReadReal(std::string_view text) {
  double real = 0;
  const auto end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, real);
  if (error != std::errc() || at != end) return std::nullopt;
  return real;
}

// A decimal number without exponent and without zeros that mean nothing.
struct Plain {
  bool negative = false;
  std::string whole;
  std::string fraction;
};

std::optional<Plain> PlainDecimal(std::string_view text) {
  const auto decimal = internal::ParseDecimal(text);
  if (!decimal) return std::nullopt;
  // All digits that count, and how many of them stand before the point.
  std::string digits = std::string(decimal->whole) + std::string(decimal->fraction);
  auto point = static_cast<std::int64_t>(decimal->whole.size()) + decimal->exponent;
  const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, zeros);
  digits.erase(digits.find_last_not_of('0') + 1);
  point = digits.empty() ? 0 : point - static_cast<std::int64_t>(zeros);
  if (point < 0) digits.insert(0, static_cast<std::size_t>(-point), '0');
  const auto before = static_cast<std::size_t>(std::max<std::int64_t>(point, 0));
  if (digits.size() < before) digits.resize(before, '0');
  return Plain{decimal->negative, digits.substr(0, before), digits.substr(before)};
}

// Fills one list from the canonical text of a key (ConvertText). One function per family of types.
class Lister {
 public:
  Lister(const TargetType& type, const ConvertOptions& options, KeyWritings& out)
      : type_(type), options_(options), out_(out) {}

  void List(std::string_view canonical) {
    switch (type_.kind) {
      case TypeKind::kBool:
        return AddBool(canonical.starts_with('t'));
      case TypeKind::kInt2:
      case TypeKind::kInt4:
      case TypeKind::kInt8:
        return AddInteger(canonical);
      case TypeKind::kFloat4:
      case TypeKind::kFloat8:
        return AddFloat(canonical);
      case TypeKind::kNumeric:
        return AddNumeric(canonical);
      case TypeKind::kChar:
        return AddPadded(canonical);
      case TypeKind::kBytea:
        return AddBytes(canonical);
      case TypeKind::kDate:
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampTz:
        return AddMoment(canonical);
      case TypeKind::kTime:
        return AddTimesOfDay("", canonical, {""});
      case TypeKind::kUuid:
        return AddUuid(canonical);
      case TypeKind::kEnum:
        return Text(std::string(canonical));
      default:
        return AddCharacters(canonical);
    }
  }

 private:
  std::string_view Keep(std::string text) { return out_.texts.emplace_back(std::move(text)); }
  void Text(std::string text) { out_.values.push_back(Value::Text(Keep(std::move(text)))); }
  void Blob(std::string bytes) { out_.values.push_back(Value::Blob(Keep(std::move(bytes)))); }
  // Zeros of both signs are one key.
  void Real(double real) {
    out_.values.push_back(Value::Real(real));
    if (real == 0) out_.values.push_back(Value::Real(-real));
  }
  void WholeReal(double real) {
    constexpr double kEnd = 9223372036854775808.0;
    if (real >= -kEnd && real < kEnd && std::trunc(real) == real) {
      out_.values.push_back(Value::Integer(static_cast<std::int64_t>(real)));
    }
  }

  void AddBool(bool value) {
    out_.values.push_back(Value::Integer(value ? 1 : 0));
    Real(value ? 1 : 0);
    constexpr std::array kTrue = {"t", "true", "y", "yes", "on", "1"};
    constexpr std::array kFalse = {"f", "false", "n", "no", "off", "0"};
    for (const std::string word : value ? kTrue : kFalse) {
      std::string upper = ToUpperAscii(word);
      std::string capital = upper.substr(0, 1) + word.substr(1);
      if (capital != upper) Text(std::move(capital));
      if (upper != word) Text(std::move(upper));
      Text(word);
    }
  }

  void AddInteger(std::string_view digits) {
    std::int64_t integer = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), integer);
    out_.values.push_back(Value::Integer(integer));
    Real(static_cast<double>(integer));
    Text(std::string(digits));
  }

  // As PostgreSQL prints it, and as SQLite does, which puts ".0" behind whole numbers.
  void AddPrinted(std::string_view printed) {
    Text(std::string(printed));
    const bool special = printed.find_first_of(".nI") != std::string_view::npos;
    if (special) return;
    const std::size_t exponent = std::min(printed.find('e'), printed.size());
    Text(std::string(printed.substr(0, exponent)) + ".0" + std::string(printed.substr(exponent)));
  }

  void AddFloat(std::string_view canonical) {
    if (canonical == "NaN") {
      for (const char* word : {"NaN", "nan"}) Text(word);
      return;
    }
    const double real = ReadReal(canonical).value_or(0);
    if (std::isinf(real)) {
      const std::string sign = real < 0 ? "-" : "";
      for (const char* word : {"Infinity", "infinity", "Inf", "inf"}) Text(sign + word);
      Real(real);
      return;
    }
    if (real == 0) {
      AddPrinted("-0");
      canonical = "0";
    }
    Real(real);
    AddPrinted(canonical);
    WholeReal(real);
    if (type_.kind != TypeKind::kFloat4) return;
    // The decimal that a float shows, and the double that it is.
    const auto widened = static_cast<double>(static_cast<float>(real));
    if (widened == real) return;
    Real(widened);
    AddPrinted(internal::FormatReal(widened).view());
    WholeReal(widened);
  }

  // Without exponent, and with zeros behind the point as somebody may write them. What is given may
  // be written in any way.
  void AddNumeric(std::string_view canonical) {
    constexpr std::size_t kUsualDigits = 6;
    if (canonical == "NaN") {
      for (const char* word : {"NaN", "nan"}) Text(word);
      return;
    }
    const auto plain = PlainDecimal(canonical);
    if (!plain) return;
    const auto& [negative, whole, fraction] = *plain;
    std::string number(negative && !(whole.empty() && fraction.empty()) ? "-" : "");
    number.append(whole.empty() ? "0" : whole);
    std::int64_t integer = 0;
    const auto end = number.data() + number.size();
    if (fraction.empty() && std::from_chars(number.data(), end, integer).ec == std::errc()) {
      out_.values.push_back(Value::Integer(integer));
    }
    std::string padded = number + "." + fraction;
    if (!fraction.empty()) number = padded;
    if (const auto real = ReadReal(number)) Real(*real);
    Text(number);
    const auto scale = static_cast<std::size_t>(std::max(NumericLimits(type_).scale, 0));
    for (std::size_t digits = fraction.size(); digits < kUsualDigits; ++digits) {
      padded.push_back('0');
      Text(padded);
    }
    if (scale > std::max(kUsualDigits, fraction.size())) {
      Text(padded + std::string(scale - std::max(kUsualDigits, fraction.size()), '0'));
    }
  }

  // Characters may be a TEXT, a BLOB, or a number that becomes these digits.
  void AddCharacters(std::string_view text) {
    Text(std::string(text));
    Blob(std::string(text));
    std::int64_t integer = 0;
    const auto end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, integer);
    if (error == std::errc() && at == end && internal::FormatInteger(integer).view() == text) {
      out_.values.push_back(Value::Integer(integer));
    }
    auto real = ReadReal(text);
    if (text == "Infinity" || text == "-Infinity") {
      real = std::copysign(std::numeric_limits<double>::infinity(), text[0] == '-' ? -1 : 1);
    }
    if (real && internal::FormatReal(*real).view() == text) {
      out_.values.push_back(Value::Real(*real));
    }
  }

  // char(n) compares without the blanks at the end: none, or as many as the type fills up with.
  void AddPadded(std::string_view text) {
    text = text.substr(0, text.find_last_not_of(' ') + 1);
    AddCharacters(text);
    const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
    });
    const std::int64_t blanks = LengthLimit(type_) - characters;
    if (blanks <= 0) return;
    const std::string padded =
        std::string(text) + std::string(static_cast<std::size_t>(blanks), ' ');
    Text(padded);
    Blob(padded);
  }

  void AddBytes(std::string_view canonical) {
    std::string bytes;
    if (!internal::HexToBytes(canonical.substr(2), bytes)) return;
    Text(bytes);
    Blob(std::move(bytes));
  }

  void AddUuid(std::string_view canonical) {
    std::string plain(canonical);
    std::erase(plain, '-');
    std::string dashed = plain;
    for (const std::size_t at : {20U, 16U, 12U, 8U}) dashed.insert(at, "-");
    std::string bytes;
    internal::HexToBytes(plain, bytes);
    for (const std::string& text : {dashed, plain}) {
      std::string upper = ToUpperAscii(text);
      if (upper != text) Text(std::move(upper));
      Text(text);
    }
    Blob(std::move(bytes));
  }

  // `time` is HH:MM:SS and a fraction. Written with the digits that it needs, without seconds where
  // they are zero, and with as many digits as the libraries of the world write: 1, 3, 6, 7 or 9.
  void AddTimesOfDay(const std::string& before, std::string_view time,
                     std::initializer_list<const char*> after) {
    if (time.size() > 8) {
      time = time.substr(0, time.find_last_not_of('0') + 1);
      if (time.ends_with('.')) time.remove_suffix(1);
    }
    std::vector<std::string> forms{std::string(time)};
    if (time.size() == 8 && time.ends_with(":00")) forms.emplace_back(time.substr(0, 5));
    const std::size_t fraction = time.size() > 9 ? time.size() - 9 : 0;
    const std::string pointed = std::string(time) + (fraction == 0 ? "." : "");
    for (const std::size_t digits : {1U, 3U, 6U, 7U, 9U}) {
      if (digits > fraction) forms.push_back(pointed + std::string(digits - fraction, '0'));
    }
    for (const std::string& form : forms) {
      for (const char* zone : after) Text(before + form + zone);
    }
  }

  void AddMoment(std::string_view canonical) {
    if (canonical.ends_with("infinity")) {
      const std::string sign = canonical[0] == '-' ? "-" : "";
      for (const char* word : {"infinity", "Infinity", "INFINITY"}) Text(sign + word);
      return;
    }
    AddEpoch(canonical);
    // Before Christ the suffix stands behind the zone.
    const bool before_christ = canonical.ends_with(" BC");
    if (before_christ) canonical.remove_suffix(3);
    const std::string date(canonical.substr(0, canonical.find(' ')));
    std::string_view time = "00:00:00";
    if (type_.kind != TypeKind::kDate) time = canonical.substr(date.size() + 1);
    if (type_.kind == TypeKind::kTimestampTz) time.remove_suffix(3);
    if (time == "00:00:00") Text(date + (before_christ ? " BC" : ""));
    for (const char* separator : {" ", "T"}) {
      if (before_christ) {
        AddTimesOfDay(date + separator, time, {" BC", "Z BC", "+00 BC", "+00:00 BC"});
      } else {
        AddTimesOfDay(date + separator, time, {"", "Z", "+00", "+00:00"});
      }
    }
  }

  void AddEpoch(std::string_view canonical) {
    constexpr std::int64_t kDaysTo2000 = 10957;                // from 1970-01-01
    constexpr std::int64_t kJulianMs = 211'813'444'800'000LL;  // at 2000-01-01 00:00
    constexpr std::int64_t kDayMs = 86'400'000;
    IsoTime moment;
    if (options_.epoch == Epoch::kNone || internal::ParseIsoTime(canonical, moment) != nullptr) {
      return;
    }
    if (options_.epoch == Epoch::kJulian) {
      const std::int64_t ms = kJulianMs + moment.days * kDayMs + moment.micros / 1000;
      Real(static_cast<double>(ms) / kDayMs);
      if (ms % kDayMs == 0) out_.values.push_back(Value::Integer(ms / kDayMs));
      return;
    }
    const std::int64_t unit = options_.epoch == Epoch::kSeconds        ? internal::kMicrosPerSecond
                              : options_.epoch == Epoch::kMilliseconds ? 1000
                                                                       : 1;
    // A date reaches to the year 5874897, past what 64 bits count in microseconds.
    const Wide micros =
        static_cast<Wide>(moment.days + kDaysTo2000) * internal::kMicrosPerDay + moment.micros;
    const Wide units = micros / unit;
    if (micros % unit == 0 && units == static_cast<std::int64_t>(units)) {
      out_.values.push_back(Value::Integer(static_cast<std::int64_t>(units)));
    }
    Real(static_cast<double>(micros) / static_cast<double>(unit));
  }

  const TargetType& type_;
  const ConvertOptions& options_;
  KeyWritings& out_;
};

// What is among its own writings whatever it is: the cases that are common, without a list.
bool IsUsualAtOnce(const Value& value, const TargetType& type, const ConvertOptions& options) {
  switch (type.kind) {
    case TypeKind::kBool:
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
    case TypeKind::kNumeric:
      return value.storage == StorageClass::kInteger;
    case TypeKind::kText:
    case TypeKind::kVarchar:
      return value.storage == StorageClass::kText && options.on_invalid != OnInvalid::kStripNul;
    case TypeKind::kBytea:
    case TypeKind::kEnum:
      return true;
    case TypeKind::kUuid:
      return value.storage == StorageClass::kBlob;
    default:
      return false;
  }
}

}  // namespace

void KeyWritings::Clear() {
  values.clear();
  texts.clear();
}

bool KeyWritings::Has(const Value& value) const {
  return std::find(values.begin(), values.end(), value) != values.end();
}

void ListWritings(const Value& value, const TargetType& type, const ConvertOptions& options,
                  KeyWritings& writings) {
  writings.Clear();
  std::string canonical;
  bool is_null = false;
  if (ConvertText(value, type, options, canonical, is_null) || is_null) return;
  // Its elements have writings of their own, and the text that is sent is not the one that was
  // written, so its print tells nothing.
  if (type.kind == TypeKind::kArray) return;
  Lister(type, options, writings).List(canonical);
}

bool IsUsualKey(const Value& value, const TargetType& type, const ConvertOptions& options) {
  if (IsUsualAtOnce(value, type, options)) return true;
  KeyWritings writings;
  ListWritings(value, type, options, writings);
  return writings.Has(value);
}

bool IsKnownByPrint(const TargetType& type) {
  switch (type.kind) {
    case TypeKind::kText:
      return type.folds || (type.oid != kTextOid && type.oid != kNameOid);
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      return type.folds;
    case TypeKind::kJson:
    case TypeKind::kJsonb:
    case TypeKind::kOther:
      return true;
    default:
      return false;
  }
}

}  // namespace liteferry::target
