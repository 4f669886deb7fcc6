#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>

#include "replication/target/convert_internal.h"

namespace liteferry::target::internal {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

// The integer that `value` is, exactly.
Rejection ToInteger(const Value& value, const TargetType& type, std::int64_t& integer) {
  switch (value.storage) {
    case StorageClass::kInteger:
      integer = value.integer;
      return std::nullopt;
    case StorageClass::kReal:
      // Written so that NaN is refused.
      if (!(value.real >= -kTwoTo63 && value.real < kTwoTo63)) {
        return Reject("real out of range for " + type.name);
      }
      if (std::trunc(value.real) != value.real) {
        return Reject("real with a fraction cannot become " + type.name);
      }
      integer = static_cast<std::int64_t>(value.real);
      return std::nullopt;
    case StorageClass::kText: {
      std::string_view text = value.bytes;
      if (text.size() > 1 && text[0] == '+' && IsDigit(text[1])) text.remove_prefix(1);
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
      if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
        return Reject("text is not a whole number");
      }
      if (error != std::errc()) return Reject("number in text out of range for " + type.name);
      return std::nullopt;
    }
    default:
      return RejectClass(value, type);
  }
}

template <typename Int>
Rejection PutInteger(const Value& value, const TargetType& type, std::int64_t integer,
                     const Sink& sink) {
  if (integer < std::numeric_limits<Int>::min() || integer > std::numeric_limits<Int>::max()) {
    return CellError{std::string(ToString(value.storage)) + " out of range for " + type.name};
  }
  if (sink.binary) {
    sink.Big(static_cast<Int>(integer));
  } else {
    sink.Bytes(FormatInteger(integer).view());
  }
  return std::nullopt;
}

Rejection DoubleFromText(std::string_view text, double& real) {
  const auto decimal = ParseDecimal(text);
  if (!decimal) {
    const bool negative = text.starts_with('-');
    const std::string_view name = text.starts_with('+') || negative ? text.substr(1) : text;
    if (EqualsFolded(name, "infinity") || EqualsFolded(name, "inf")) {
      real = negative ? -std::numeric_limits<double>::infinity()
                      : std::numeric_limits<double>::infinity();
      return std::nullopt;
    }
    if (!EqualsFolded(text, "nan")) return Reject("text is not a number");
    real = std::numeric_limits<double>::quiet_NaN();
    return std::nullopt;
  }
  if (text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real);
  const auto has_digit = [](std::string_view digits) {
    return digits.find_first_not_of('0') != std::string_view::npos;
  };
  const bool vanished = real == 0 && (has_digit(decimal->whole) || has_digit(decimal->fraction));
  if (error != std::errc() || end != text.data() + text.size() || std::isinf(real) || vanished) {
    return Reject("number in text out of range for double precision");
  }
  return std::nullopt;
}

Rejection ToDouble(const Value& value, const TargetType& type, const Sink& sink, double& real) {
  switch (value.storage) {
    case StorageClass::kReal:
      real = value.real;
      return std::nullopt;
    case StorageClass::kInteger:
      real = static_cast<double>(value.integer);
      if (real >= kTwoTo63 || static_cast<std::int64_t>(real) != value.integer) {
        return Reject("integer has no exact form in " + type.name);
      }
      return std::nullopt;
    case StorageClass::kText:
      if (auto rejection = DoubleFromText(value.bytes, real)) return rejection;
      if (sink.rounded != nullptr && std::isfinite(real) &&
          !SameNumber(value.bytes, FormatReal(real).view())) {
        sink.NoteRounded();
      }
      return std::nullopt;
    default:
      return RejectClass(value, type);
  }
}

float NearestFloat(double real) {
  constexpr float kMax = std::numeric_limits<float>::max();
  // Beyond it the conversion is undefined; its shortest decimal is a little more than itself.
  if (std::isfinite(real) && std::fabs(real) > static_cast<double>(kMax)) {
    return std::signbit(real) ? -kMax : kMax;
  }
  return static_cast<float>(real);
}

// The same number, or the same shortest decimal: then both databases show the same digits, and the
// float is what a reader of these digits gets. The double 0.1 and the float 0.1 are two numbers,
// but nobody who wrote 0.1 meant the difference.
bool IsSameAsFloat(double real, float narrow) {
  if (std::isnan(real) || static_cast<double>(narrow) == real) return true;
  if (std::isinf(real)) return false;
  std::array<char, 32> text{};
  // Not the plain form: that has all digits of a large whole number.
  const auto written =
      std::to_chars(text.data(), text.data() + text.size(), narrow, std::chars_format::scientific);
  double shown = 0;
  std::from_chars(text.data(), written.ptr, shown);
  return shown == real;
}

// "d.ddde±xx" laid out again without an exponent.
NumberText Positional(bool negative, std::string_view digits, int exponent) {
  NumberText text;
  const auto put = [&text](std::string_view part) {
    std::memcpy(text.buffer.data() + text.size, part.data(), part.size());
    text.size += part.size();
  };
  constexpr std::string_view kZeros = "000000000000000";
  const auto count = static_cast<std::ptrdiff_t>(digits.size());
  const std::ptrdiff_t whole = exponent + std::ptrdiff_t{1};  // digits before the point
  if (negative) put("-");
  if (whole <= 0) {
    put("0.");
    put(kZeros.substr(0, static_cast<std::size_t>(-whole)));
    put(digits);
  } else if (whole >= count) {
    put(digits);
    put(kZeros.substr(0, static_cast<std::size_t>(whole - count)));
  } else {
    put(digits.substr(0, static_cast<std::size_t>(whole)));
    put(".");
    put(digits.substr(static_cast<std::size_t>(whole)));
  }
  return text;
}

template <typename Float>
NumberText FormatShortest(Float value, int positional_below) {
  NumberText text;
  const auto literal = [&text](std::string_view name) {
    std::memcpy(text.buffer.data(), name.data(), name.size());
    text.size = name.size();
    return text;
  };
  if (std::isnan(value)) return literal("NaN");
  if (std::isinf(value)) return literal(value < 0 ? "-Infinity" : "Infinity");
  char* const begin = text.buffer.data();
  const auto result =
      std::to_chars(begin, begin + text.buffer.size(), value, std::chars_format::scientific);
  text.size = static_cast<std::size_t>(result.ptr - begin);
  const std::string_view written = text.view();
  const std::size_t e = written.rfind('e');
  int exponent = 0;
  std::from_chars(begin + e + 2, result.ptr, exponent);
  if (written[e + 1] == '-') exponent = -exponent;
  if (exponent < -4 || exponent >= positional_below) return text;
  std::array<char, 24> digits{};
  std::size_t count = 0;
  for (const char c : written.substr(0, e)) {
    if (IsDigit(c)) digits[count++] = c;
  }
  return Positional(std::signbit(value), {digits.data(), count}, exponent);
}

}  // namespace

NumberText FormatInteger(std::int64_t value) {
  NumberText text;
  char* const begin = text.buffer.data();
  text.size =
      static_cast<std::size_t>(std::to_chars(begin, begin + text.buffer.size(), value).ptr - begin);
  return text;
}

NumberText FormatReal(double value) { return FormatShortest(value, 15); }

NumberText FormatFloat(float value) { return FormatShortest(value, 6); }

std::optional<Decimal> ParseDecimal(std::string_view text) {
  Decimal decimal;
  const auto take_digits = [&text] {
    std::size_t count = 0;
    while (count < text.size() && IsDigit(text[count])) ++count;
    const std::string_view digits = text.substr(0, count);
    text.remove_prefix(count);
    return digits;
  };
  if (text.starts_with('-') || text.starts_with('+')) {
    decimal.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  decimal.whole = take_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimal.fraction = take_digits();
  }
  if (decimal.whole.empty() && decimal.fraction.empty()) return std::nullopt;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const std::string_view digits = take_digits();
    if (digits.empty()) return std::nullopt;
    for (const char c : digits) {
      decimal.exponent = std::min<std::int64_t>(decimal.exponent * 10 + (c - '0'), 1'000'000'000);
    }
    if (negative) decimal.exponent = -decimal.exponent;
  }
  if (!text.empty()) return std::nullopt;
  return decimal;
}

Rejection ConvertBool(const Value& value, const TargetType& type, const Sink& sink) {
  bool truth = false;
  bool known = false;
  const auto is_any = [&value](std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return EqualsFolded(value.bytes, name); });
  };
  switch (value.storage) {
    case StorageClass::kInteger:
      truth = value.integer == 1;
      known = truth || value.integer == 0;
      break;
    case StorageClass::kReal:
      truth = value.real == 1;
      known = truth || value.real == 0;
      break;
    case StorageClass::kText:
      truth = is_any({"1", "t", "true", "y", "yes", "on"});
      known = truth || is_any({"0", "f", "false", "n", "no", "off"});
      break;
    default:
      return RejectClass(value, type);
  }
  if (!known) {
    return CellError{std::string(ToString(value.storage)) + " is neither true nor false"};
  }
  if (sink.binary) {
    sink.Big(static_cast<char>(truth ? 1 : 0));
  } else {
    sink.Bytes(truth ? "t" : "f");
  }
  return std::nullopt;
}

Rejection ConvertInteger(const Value& value, const TargetType& type, const Sink& sink) {
  std::int64_t integer = 0;
  if (auto rejection = ToInteger(value, type, integer)) return rejection;
  if (type.kind == TypeKind::kInt8) return PutInteger<std::int64_t>(value, type, integer, sink);
  if (type.kind == TypeKind::kInt4) return PutInteger<std::int32_t>(value, type, integer, sink);
  return PutInteger<std::int16_t>(value, type, integer, sink);
}

Rejection ConvertFloat(const Value& value, const TargetType& type, const Sink& sink) {
  double real = 0;
  if (auto rejection = ToDouble(value, type, sink, real)) return rejection;
  // One NaN for all of them, as PostgreSQL's input function makes it.
  if (std::isnan(real)) real = std::numeric_limits<double>::quiet_NaN();
  if (type.kind == TypeKind::kFloat8) {
    if (sink.binary) {
      sink.Big(std::bit_cast<std::uint64_t>(real));
    } else {
      sink.Bytes(FormatReal(real).view());
    }
    return std::nullopt;
  }
  const float narrow = NearestFloat(real);
  if (!IsSameAsFloat(real, narrow)) return Reject("number has no exact form in " + type.name);
  if (sink.binary) {
    sink.Big(std::bit_cast<std::uint32_t>(narrow));
  } else {
    sink.Bytes(FormatFloat(narrow).view());
  }
  return std::nullopt;
}

}  // namespace liteferry::target::internal
