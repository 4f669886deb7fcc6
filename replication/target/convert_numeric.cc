#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "replication/target/convert_internal.h"

namespace liteferry::target::internal {
namespace {

// PostgreSQL's limits of a numeric without precision.
constexpr std::int64_t kMaxWholeDigits = 131072;
constexpr std::int64_t kMaxFractionDigits = 16383;
constexpr std::uint16_t kPositive = 0x0000;
constexpr std::uint16_t kNegative = 0x4000;
constexpr std::uint16_t kNaN = 0xc000;

// A Decimal with its digits placed: digit i of whole and fraction put together stands for
// 10^(top - i). `first` and `last` are the powers of the outermost digits that are not zero.
class Placed {
 public:
  explicit Placed(const Decimal& decimal)
      : decimal_(decimal),
        top_(static_cast<std::int64_t>(decimal.whole.size()) - 1 + decimal.exponent),
        count_(static_cast<std::int64_t>(decimal.whole.size() + decimal.fraction.size())) {
    std::int64_t from = 0;
    while (from < count_ && At(from) == '0') ++from;
    std::int64_t to = count_ - 1;
    while (to > from && At(to) == '0') --to;
    zero_ = from == count_;
    first_ = top_ - from;
    last_ = top_ - to;
  }

  bool zero() const { return zero_; }
  bool negative() const { return decimal_.negative && !zero_; }
  std::int64_t first() const { return first_; }
  std::int64_t last() const { return last_; }
  // Fraction digits as written, which PostgreSQL keeps for display.
  std::int64_t written_scale() const {
    const auto written = static_cast<std::int64_t>(decimal_.fraction.size());
    return std::max<std::int64_t>(0, written - decimal_.exponent);
  }
  int Digit(std::int64_t power) const {
    const std::int64_t i = top_ - power;
    return i >= 0 && i < count_ ? At(i) - '0' : 0;
  }

 private:
  char At(std::int64_t i) const {
    const auto at = static_cast<std::size_t>(i);
    const std::size_t whole = decimal_.whole.size();
    return at < whole ? decimal_.whole[at] : decimal_.fraction[at - whole];
  }

  const Decimal& decimal_;
  const std::int64_t top_;
  const std::int64_t count_;
  bool zero_ = false;
  std::int64_t first_ = 0;
  std::int64_t last_ = 0;
};

std::int64_t FloorDiv4(std::int64_t n) { return n >= 0 ? n / 4 : -((3 - n) / 4); }

enum class Fit : std::uint8_t { kYes, kFractionTooLong, kWholeTooLong };

Fit FitOf(const Placed& placed, const NumericLimit& limit) {
  if (placed.written_scale() > kMaxFractionDigits) return Fit::kFractionTooLong;
  if (placed.zero()) return Fit::kYes;
  if (limit.precision > 0) {
    if (placed.last() < -limit.scale) return Fit::kFractionTooLong;
    const bool fits = placed.first() + 1 <= limit.precision - limit.scale;
    return fits ? Fit::kYes : Fit::kWholeTooLong;
  }
  return placed.first() + 1 <= kMaxWholeDigits ? Fit::kYes : Fit::kWholeTooLong;
}

void PutBinary(const Placed& placed, const NumericLimit& limit, const Sink& sink) {
  const std::int64_t scale =
      limit.precision > 0 ? std::max(limit.scale, 0) : placed.written_scale();
  const std::int64_t high = placed.zero() ? 0 : FloorDiv4(placed.first());
  const std::int64_t low = placed.zero() ? 1 : FloorDiv4(placed.last());
  sink.Big(static_cast<std::int16_t>(high - low + 1));
  sink.Big(static_cast<std::int16_t>(high));
  sink.Big(placed.negative() ? kNegative : kPositive);
  sink.Big(static_cast<std::int16_t>(scale));
  for (std::int64_t group = high; group >= low; --group) {
    int digits = 0;
    for (std::int64_t power = 4 * group + 3; power >= 4 * group; --power) {
      digits = digits * 10 + placed.Digit(power);
    }
    sink.Big(static_cast<std::int16_t>(digits));
  }
}

Fit Put(std::string_view text, const Decimal& decimal, const NumericLimit& limit,
        const Sink& sink) {
  const Placed placed(decimal);
  const Fit fit = FitOf(placed, limit);
  if (fit != Fit::kYes) return fit;
  if (sink.binary) {
    PutBinary(placed, limit, sink);
  } else {
    sink.Bytes(text);
  }
  return fit;
}

// What PostgreSQL makes of a double precision when it is cast to numeric: 15 significant digits.
NumberText FormatFifteen(double value) {
  NumberText text;
  char* const begin = text.buffer.data();
  text.size = static_cast<std::size_t>(
      std::to_chars(begin, begin + text.buffer.size(), value, std::chars_format::general, 15).ptr -
      begin);
  return text;
}

void PutNaN(const Sink& sink) {
  if (!sink.binary) {
    sink.Bytes("NaN");
    return;
  }
  sink.Big(std::int16_t{0});
  sink.Big(std::int16_t{0});
  sink.Big(kNaN);
  sink.Big(std::int16_t{0});
}

Fit PutNumber(std::string_view text, const NumericLimit& limit, const Sink& sink) {
  return Put(text, *ParseDecimal(text), limit, sink);
}

Fit PutReal(double real, const NumericLimit& limit, const Sink& sink) {
  const Fit fit = PutNumber(FormatReal(real).view(), limit, sink);
  if (fit != Fit::kFractionTooLong || limit.precision == 0) return fit;
  sink.NoteRounded();  // or it is refused
  return PutNumber(FormatFifteen(real).view(), limit, sink);
}

}  // namespace

bool SameNumber(std::string_view a, std::string_view b) {
  const Decimal first = *ParseDecimal(a);
  const Decimal second = *ParseDecimal(b);
  const Placed one(first);
  const Placed other(second);
  if (one.zero() || other.zero()) return one.zero() == other.zero();
  if (one.negative() != other.negative() || one.first() != other.first() ||
      one.last() != other.last()) {
    return false;
  }
  for (std::int64_t power = one.first(); power >= one.last(); --power) {
    if (one.Digit(power) != other.Digit(power)) return false;
  }
  return true;
}

Rejection ConvertNumeric(const Value& value, const TargetType& type, const Sink& sink) {
  const NumericLimit limit = NumericLimits(type);
  Fit fit = Fit::kYes;
  switch (value.storage) {
    case StorageClass::kInteger:
      fit = PutNumber(FormatInteger(value.integer).view(), limit, sink);
      break;
    case StorageClass::kReal:
      if (std::isinf(value.real)) return Reject("infinity cannot become " + type.name);
      if (std::isnan(value.real)) {
        PutNaN(sink);
        return std::nullopt;
      }
      fit = PutReal(value.real, limit, sink);
      break;
    case StorageClass::kText: {
      if (EqualsFolded(value.bytes, "nan")) {
        PutNaN(sink);
        return std::nullopt;
      }
      const auto decimal = ParseDecimal(value.bytes);
      if (!decimal) return Reject("text is not a decimal number");
      if (std::abs(decimal->exponent) > 1'000'000) {
        return Reject("exponent of the number in text is out of range");
      }
      fit = Put(value.bytes, *decimal, limit, sink);
      break;
    }
    default:
      return RejectClass(value, type);
  }
  if (fit == Fit::kFractionTooLong)
    return Reject("more fraction digits than " + type.name + " keeps");
  if (fit == Fit::kWholeTooLong)
    return Reject("more digits before the point than " + type.name + " holds");
  return std::nullopt;
}

}  // namespace liteferry::target::internal
