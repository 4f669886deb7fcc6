#include "replication/verify/forms.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>

#include "replication/base/text.h"
#include "replication/verify/array_form.h"
#include "replication/verify/calendar.h"
#include "replication/verify/decimal.h"

namespace liteferry::verify {
namespace {

using config::Epoch;
using target::TargetType;
using target::TypeKind;

// The form as text, or nothing for a value that the type cannot hold.
using Fitted = std::optional<std::string>;

std::string Lower(std::string_view text) { return ToLowerAscii(text); }

template <typename Number>
std::string Bits(Number value) {
  std::string bits(sizeof value, '\0');
  std::memcpy(bits.data(), &value, sizeof value);
  return bits;
}

template <typename Number>
Number FromBits(std::string_view bits) {
  Number number{};
  std::memcpy(&number, bits.data(), std::min(bits.size(), sizeof number));
  return number;
}

bool IsTrue(std::string_view word) {
  return word == "t" || word == "true" || word == "y" || word == "yes" || word == "on" ||
         word == "1";
}
bool IsFalse(std::string_view word) {
  return word == "f" || word == "false" || word == "n" || word == "no" || word == "off" ||
         word == "0";
}

Fitted FitBool(const Value& value) {
  switch (value.storage) {
    case StorageClass::kInteger:
      if (value.integer == 0 || value.integer == 1) return value.integer == 1 ? "t" : "f";
      return std::nullopt;
    case StorageClass::kReal:
      if (value.real == 0 || value.real == 1) return value.real == 1 ? "t" : "f";
      return std::nullopt;
    case StorageClass::kText: {
      const std::string word = Lower(value.bytes);
      if (IsTrue(word)) return "t";
      if (IsFalse(word)) return "f";
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

Fitted FitInteger(const Value& value, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  if (value.storage == StorageClass::kInteger) {
    number = value.integer;
  } else if (value.storage == StorageClass::kReal) {
    // 2^63 itself is out of range; NaN fails both comparisons.
    if (!(value.real >= -0x1p63 && value.real < 0x1p63)) return std::nullopt;
    number = static_cast<std::int64_t>(value.real);
    if (static_cast<double>(number) != value.real) return std::nullopt;
  } else if (value.storage == StorageClass::kText) {
    std::string_view text = value.bytes;
    if (text.starts_with('+')) text.remove_prefix(1);
    if (text.size() < value.bytes.size() && text.starts_with('-')) return std::nullopt;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (number < least || number > most) return std::nullopt;
  return std::to_string(number);
}

// NaN and the infinities as words.
std::optional<double> SpecialNumber(std::string_view text) {
  std::string word = Lower(text);
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  const bool minus = word.starts_with('-');
  if (minus || word.starts_with('+')) word.erase(0, 1);
  if (word != "inf" && word != "infinity") return std::nullopt;
  const double infinity = std::numeric_limits<double>::infinity();
  return minus ? -infinity : infinity;
}

Fitted FitDouble(const Value& value) {
  switch (value.storage) {
    case StorageClass::kReal:
      return Bits(value.real);
    case StorageClass::kInteger: {
      const auto number = static_cast<double>(value.integer);
      // 2^63 as a double is one more than any integer.
      if (number >= 0x1p63 || static_cast<std::int64_t>(number) != value.integer)
        return std::nullopt;
      return Bits(number);
    }
    case StorageClass::kText: {
      const auto special = SpecialNumber(value.bytes);
      const auto number = special ? special : NearestDouble(value.bytes);
      return number ? Fitted(Bits(*number)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// A real holds a double that is the same number, or that a reader of its digits would get.
Fitted FloatOf(double number) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  const bool beyond = std::isfinite(number) && std::fabs(number) > static_cast<double>(kLargest);
  const float narrow =
      beyond ? std::copysign(kLargest, number < 0 ? -1.0F : 1.0F) : static_cast<float>(number);
  if (std::isnan(number) || static_cast<double>(narrow) == number) return Bits(narrow);
  if (std::isinf(narrow) || NearestDouble(PrintFloat(narrow)) != number) return std::nullopt;
  return Bits(narrow);
}

Fitted FitFloat(const Value& value) {
  const Fitted wide = FitDouble(value);
  return wide ? FloatOf(FromBits<double>(*wide)) : std::nullopt;
}

// A REAL with more digits than the column has is read at the 15 digits that are certain.
Fitted FitRealDecimal(double number, int precision, int scale) {
  if (!std::isfinite(number)) return std::nullopt;
  const auto shortest = ParseDecimal(PrintDouble(number));
  if (precision == 0) return FitDecimal(*shortest, 0, 0);
  if (auto fits = FitDecimal(*shortest, precision, scale)) return fits;
  if (shortest->scale <= scale) return std::nullopt;
  char text[40];
  std::snprintf(text, sizeof text, "%.14e", number);
  return FitDecimal(*ParseDecimal(text), precision, scale);
}

Fitted FitNumeric(const Value& value, const TargetType& type) {
  const target::NumericLimit limit = target::NumericLimits(type);
  switch (value.storage) {
    case StorageClass::kInteger:
      return FitDecimal(*ParseDecimal(std::to_string(value.integer)), limit.precision, limit.scale);
    case StorageClass::kReal:
      return FitRealDecimal(value.real, limit.precision, limit.scale);
    case StorageClass::kText: {
      if (Lower(value.bytes) == "nan") return "NaN";
      const auto number = ParseDecimal(value.bytes);
      return number ? FitDecimal(*number, limit.precision, limit.scale) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// Text that PostgreSQL can hold: what becomes of any value in a column of characters or JSON.
Fitted Characters(const Value& value, const target::ConvertOptions& options, bool blobs) {
  std::string text;
  switch (value.storage) {
    case StorageClass::kInteger:
      return std::to_string(value.integer);
    case StorageClass::kReal:
      return PrintDouble(value.real);
    case StorageClass::kBlob:
      if (!blobs) return std::nullopt;
      text = value.bytes;
      break;
    case StorageClass::kText:
      text = value.bytes;
      break;
    case StorageClass::kNull:
      return std::nullopt;
  }
  if (!IsValidUtf8(text)) return std::nullopt;
  if (text.find('\0') == std::string::npos) return text;
  if (options.on_invalid != config::OnInvalid::kStripNul || value.storage != StorageClass::kText) {
    return std::nullopt;
  }
  std::erase(text, '\0');
  return text;
}

Fitted FitCharacters(const Value& value, const TargetType& type,
                     const target::ConvertOptions& options) {
  Fitted text = Characters(value, options, true);
  if (!text) return text;
  if (type.oid == 19 && text->size() > 63) return std::nullopt;  // name
  const auto limit = static_cast<std::size_t>(target::LengthLimit(type));
  if (limit > 0 && CountCharacters(*text) > limit) return std::nullopt;
  if (type.kind == TypeKind::kChar) text->erase(text->find_last_not_of(' ') + 1);
  return text;
}

Fitted FitJson(const Value& value, const target::ConvertOptions& options) {
  if (value.storage == StorageClass::kReal && !std::isfinite(value.real)) return std::nullopt;
  return Characters(value, options, true);
}

// Two fraction digits; what the server would read by itself beyond that is not taken.
Fitted FitMoney(const Value& value) {
  switch (value.storage) {
    case StorageClass::kInteger: {
      const std::string digits = std::to_string(value.integer);
      if (digits.size() - (digits[0] == '-' ? 1 : 0) > 17) return std::nullopt;
      return digits;
    }
    case StorageClass::kReal:
      return FitRealDecimal(value.real, 19, 2);
    case StorageClass::kText: {
      const auto number = ParseDecimal(value.bytes);
      if (!number || value.bytes.find_first_of("eE") != std::string_view::npos) return std::nullopt;
      return FitDecimal(*number, 19, 2);
    }
    default:
      return std::nullopt;
  }
}

// What the server's input function makes of a text, and of numbers where that is what they mean.
Fitted FitOther(const Value& value, const TargetType& type, const target::ConvertOptions& options) {
  constexpr std::uint32_t kMoney = 790;
  // interval, timetz, bit, varbit, inet, cidr
  constexpr std::uint32_t kNoNumbers[] = {1186, 1266, 1560, 1562, 869, 650};
  if (type.oid == kMoney) return FitMoney(value);
  const bool texts =
      std::find(std::begin(kNoNumbers), std::end(kNoNumbers), type.oid) != std::end(kNoNumbers);
  if (texts && value.storage != StorageClass::kText) return std::nullopt;
  return Characters(value, options, false);
}

Fitted FitUuid(const Value& value) {
  std::string hex;
  if (value.storage == StorageClass::kBlob && value.bytes.size() == 16) {
    hex = ToHex(value.bytes);
  } else if (value.storage == StorageClass::kText) {
    std::string_view text = value.bytes;
    if (text.size() > 2 && text.front() == '{' && text.back() == '}') {
      text = text.substr(1, text.size() - 2);
    }
    const bool dashes = text.size() == 36;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
        if (text[i] != '-') return std::nullopt;
        continue;
      }
      hex.push_back(text[i]);
    }
    hex = Lower(hex);
  }
  if (hex.size() != 32 || hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  for (const std::size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, "-");
  return hex;
}

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

Fitted FitEnum(const Value& value, const TargetType& type) {
  if (value.storage != StorageClass::kText) return std::nullopt;
  const auto& labels = type.enum_labels;
  const auto found = std::find(labels.begin(), labels.end(), value.bytes);
  return found == labels.end() ? std::nullopt : Fitted(*found);
}

Fitted FitArrayOf(const Value& value, const TargetType& type,
                  const target::ConvertOptions& options);

Fitted Fit(const Value& value, const TargetType& type, const target::ConvertOptions& options) {
  switch (type.kind) {
    case TypeKind::kBool:
      return FitBool(value);
    case TypeKind::kInt2:
      return FitInteger(value, -32'768, 32'767);
    case TypeKind::kInt4:
      return FitInteger(value, -2'147'483'648LL, 2'147'483'647LL);
    case TypeKind::kInt8:
      return FitInteger(value, std::numeric_limits<std::int64_t>::min(),
                        std::numeric_limits<std::int64_t>::max());
    case TypeKind::kFloat4:
      return FitFloat(value);
    case TypeKind::kFloat8:
      return FitDouble(value);
    case TypeKind::kNumeric:
      return FitNumeric(value, type);
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      return FitCharacters(value, type, options);
    case TypeKind::kBytea:
      if (value.storage != StorageClass::kText && value.storage != StorageClass::kBlob) return {};
      return std::string(value.bytes);
    case TypeKind::kDate:
      return FitDate(value, options.epoch);
    case TypeKind::kTime:
      return FitClock(value, type);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return FitTimestamp(value, type, options.epoch);
    case TypeKind::kUuid:
      return FitUuid(value);
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      return FitJson(value, options);
    case TypeKind::kEnum:
      return FitEnum(value, type);
    case TypeKind::kArray:
      return FitArrayOf(value, type, options);
    default:
      return FitOther(value, type, options);
  }
}

Fitted FitArrayOf(const Value& value, const TargetType& type,
                  const target::ConvertOptions& options) {
  if (value.storage != StorageClass::kText) return std::nullopt;
  const Fitted text = Characters(value, options, false);
  if (!text) return text;
  return FitArray(*text, type, [&](const Value& element) -> Fitted {
    const Fitted fitted = Fit(element, *type.element, options);
    return fitted ? Fitted(FormLiteral(*type.element, *fitted)) : std::nullopt;
  });
}

// The server alone knows what it makes of these.
bool AskServer(TypeKind kind) {
  return kind == TypeKind::kJsonb || kind == TypeKind::kArray || kind == TypeKind::kOther;
}

template <typename Number>
Number ReadNumber(std::string_view printed) {
  Number number{};
  std::from_chars(printed.data(), printed.data() + printed.size(), number);
  return number;
}

template <typename Number>
std::string ObservedBits(std::string_view printed) {
  if (printed == "NaN") return Bits(std::numeric_limits<Number>::quiet_NaN());
  return Bits(ReadNumber<Number>(printed));
}

bool IsInteger(TypeKind kind) {
  return kind == TypeKind::kInt2 || kind == TypeKind::kInt4 || kind == TypeKind::kInt8;
}

// The common cases, without an allocation.
std::optional<Form> QuickForm(const Value& value, const TargetType& type, std::string& out) {
  if (value.storage == StorageClass::kInteger && type.kind == TypeKind::kInt8) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value.integer).ptr;
    out.append(text, end);
    return Form::kText;
  }
  if (value.storage == StorageClass::kReal && type.kind == TypeKind::kFloat8) {
    char bits[sizeof value.real];
    std::memcpy(bits, &value.real, sizeof bits);
    out.append(bits, sizeof bits);
    return Form::kText;
  }
  const bool bytes = value.storage == StorageClass::kText || value.storage == StorageClass::kBlob;
  if (bytes && type.kind == TypeKind::kBytea) {
    out.append(value.bytes);
    return Form::kText;
  }
  const bool characters =
      type.kind == TypeKind::kJson || (type.kind == TypeKind::kText && type.oid != 19);
  if (bytes && characters && value.bytes.find('\0') == std::string_view::npos &&
      IsValidUtf8(value.bytes)) {
    out.append(value.bytes);
    return Form::kText;
  }
  return std::nullopt;
}

}  // namespace

Form ExpectedForm(const Value& value, const TargetType& type, const target::ConvertOptions& options,
                  std::string& out) {
  if (value.is_null()) return Form::kNull;
  if (const auto quick = QuickForm(value, type, out)) return *quick;
  const Fitted fitted = Fit(value, type, options);
  if (!fitted) {
    return options.on_invalid == config::OnInvalid::kNull ? Form::kNull : Form::kUnfit;
  }
  out.append(*fitted);
  return AskServer(type.kind) ? Form::kAsk : Form::kText;
}

void ObservedForm(const TargetType& type, std::string_view printed, std::string& out) {
  switch (type.kind) {
    case TypeKind::kFloat8:
      out.append(ObservedBits<double>(printed));
      return;
    case TypeKind::kFloat4:
      out.append(ObservedBits<float>(printed));
      return;
    case TypeKind::kBytea:
      out.append(FromHex(printed.substr(std::min<std::size_t>(2, printed.size()))));
      return;
    case TypeKind::kChar:
      out.append(printed.substr(0, printed.find_last_not_of(' ') + 1));
      return;
    default:
      out.append(printed);
  }
}

std::string FormLiteral(const TargetType& type, std::string_view form) {
  switch (type.kind) {
    case TypeKind::kFloat8:
      return PrintDouble(FromBits<double>(form));
    case TypeKind::kFloat4:
      return PrintFloat(FromBits<float>(form));
    case TypeKind::kBytea:
      return "\\x" + ToHex(form);
    default:
      return std::string(form);
  }
}

Value FormValue(const TargetType& type, std::string_view form, std::string& scratch) {
  if (IsInteger(type.kind)) return Value::Integer(ReadNumber<std::int64_t>(form));
  if (type.kind == TypeKind::kBool) return Value::Integer(form == "t" ? 1 : 0);
  if (type.kind == TypeKind::kBytea) return Value::Blob(form);
  scratch = FormLiteral(type, form);
  return Value::Text(scratch);
}

}  // namespace liteferry::verify
