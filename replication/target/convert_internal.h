#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "replication/target/convert.h"

// What the parts of the value conversion share. Not for use outside of replication/target.
namespace liteferry::target::internal {

// Nothing where the value was converted.
using Rejection = std::optional<CellError>;

// PostgreSQL allocates at most 1 GiB - 1 for one value and for one line of COPY; the rest is room
// for its own headers.
inline constexpr std::size_t kMaxFieldBytes = 0x3fffffff - 256;

// Where a converted value goes, and in which of the two forms.
struct Sink {
  std::string& out;
  bool binary = true;
  bool* rounded = nullptr;  // where asked for: set when digits are dropped

  void Bytes(std::string_view bytes) const { out.append(bytes); }

  // In network byte order.
  template <std::integral Int>
  void Big(Int value) const {
    auto bits = static_cast<std::make_unsigned_t<Int>>(value);
    std::array<char, sizeof(Int)> bytes{};
    for (std::size_t i = sizeof(Int); i-- > 0;) {
      bytes[i] = static_cast<char>(bits & 0xffU);
      if constexpr (sizeof(Int) > 1) bits = static_cast<decltype(bits)>(bits >> 8);
    }
    out.append(bytes.data(), bytes.size());
  }

  void NoteRounded() const {
    if (rounded != nullptr) *rounded = true;
  }
};

// Puts the number of bytes behind out[at..at + 4) there, in network byte order.
inline void StoreLength(std::string& out, std::size_t at) {
  auto length = static_cast<std::uint32_t>(out.size() - at - 4);
  for (std::size_t i = 4; i-- > 0; length >>= 8U) out[at + i] = static_cast<char>(length & 0xffU);
}

// A number's text on the stack.
struct NumberText {
  std::array<char, 32> buffer{};
  std::size_t size = 0;
  std::string_view view() const { return {buffer.data(), size}; }
};

NumberText FormatInteger(std::int64_t value);
// The shortest decimal that gives the same double again, laid out as PostgreSQL prints a double
// precision: 100000, 0.0001, 1e+15, Infinity, NaN.
NumberText FormatReal(double value);
NumberText FormatFloat(float value);

Rejection Reject(std::string_view reason);
// "blob cannot become boolean".
Rejection RejectClass(const Value& value, const TargetType& type);
// "value of N bytes exceeds PostgreSQL's limit" where `bytes` is too much.
Rejection CheckSize(std::uint64_t bytes);

// ASCII case-insensitive; `lower` is in lower case.
bool EqualsFolded(std::string_view text, std::string_view lower);
inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A decimal or scientific number as written: [+-] whole [. fraction] [e exponent].
struct Decimal {
  bool negative = false;
  std::string_view whole;     // may be empty when fraction is not
  std::string_view fraction;  // without the point
  std::int64_t exponent = 0;  // cut to ±1e9
};
// Nothing unless all of `text` is such a number.
std::optional<Decimal> ParseDecimal(std::string_view text);

// Whether both, which must be decimal numbers, are the same number.
bool SameNumber(std::string_view a, std::string_view b);

// Pairs of hexadecimal digits; false, with `bytes` in any state, unless all of `hex` is such.
bool HexToBytes(std::string_view hex, std::string& bytes);

// What PostgreSQL's characters cannot be: too many bytes, not UTF-8, or NUL where `options` do not
// have it taken out.
Rejection CheckCharacters(const Value& value, const ConvertOptions& options);

// Any value but NULL to any type; `out` is in any state after a rejection, and on_invalid: null is
// not looked at.
Rejection ConvertCell(const Value& value, const TargetType& type, const ConvertOptions& options,
                      const Sink& sink);

Rejection ConvertBool(const Value& value, const TargetType& type, const Sink& sink);
Rejection ConvertInteger(const Value& value, const TargetType& type, const Sink& sink);
Rejection ConvertFloat(const Value& value, const TargetType& type, const Sink& sink);
Rejection ConvertNumeric(const Value& value, const TargetType& type, const Sink& sink);
Rejection ConvertCharacters(const Value& value, const TargetType& type,
                            const ConvertOptions& options, const Sink& sink);
Rejection ConvertBytea(const Value& value, const TargetType& type, const Sink& sink);
Rejection ConvertUuid(const Value& value, const TargetType& type, const Sink& sink);
Rejection ConvertJson(const Value& value, const TargetType& type, const ConvertOptions& options,
                      const Sink& sink);
Rejection ConvertEnum(const Value& value, const TargetType& type, const Sink& sink);
Rejection ConvertArray(const Value& value, const TargetType& type, const ConvertOptions& options,
                       const Sink& sink);
Rejection ConvertOther(const Value& value, const TargetType& type, const ConvertOptions& options,
                       const Sink& sink);
Rejection ConvertTime(const Value& value, const TargetType& type, const Sink& sink);
Rejection ConvertDate(const Value& value, const TargetType& type, const ConvertOptions& options,
                      const Sink& sink);
// timestamp and timestamptz.
Rejection ConvertTimestamp(const Value& value, const TargetType& type,
                           const ConvertOptions& options, const Sink& sink);

}  // namespace liteferry::target::internal
