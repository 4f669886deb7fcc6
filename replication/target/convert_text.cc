#include <algorithm>
#include <array>
#include <cmath>

#include "replication/target/convert_internal.h"

namespace liteferry::target::internal {
namespace {

constexpr std::uint32_t kNameOid = 19;
constexpr std::size_t kMaxNameBytes = 63;

std::size_t CountCharacters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
  }));
}

enum class Wrong : std::uint8_t { kNothing, kSize, kNotUtf8, kNul };

bool StripsNul(const Value& value, const ConvertOptions& options) {
  return options.on_invalid == OnInvalid::kStripNul && value.storage == StorageClass::kText;
}

Wrong WrongCharacters(const Value& value, const ConvertOptions& options) {
  if (value.bytes.size() > kMaxFieldBytes) return Wrong::kSize;
  // Before NULs are taken out: what stood apart must not join to a character.
  if (!IsValidUtf8(value.bytes)) return Wrong::kNotUtf8;
  const bool wrong = !StripsNul(value, options) && value.bytes.find('\0') != std::string_view::npos;
  return wrong ? Wrong::kNul : Wrong::kNothing;
}

Rejection RejectCharacters(const Value& value, Wrong wrong) {
  if (wrong == Wrong::kSize) return CheckSize(value.bytes.size());
  return CellError{std::string(ToString(value.storage)) +
                   (wrong == Wrong::kNul ? " holds a NUL byte" : " is not valid UTF-8")};
}

// Text or a blob as characters: valid UTF-8 without NUL, which PostgreSQL has no room for. NULs are
// left out where the options say so, from text only: a blob that has some is no text.
Rejection PutCharacters(const Value& value, const ConvertOptions& options, const Sink& sink) {
  const Wrong wrong = WrongCharacters(value, options);
  if (wrong != Wrong::kNothing) return RejectCharacters(value, wrong);
  std::string_view rest = value.bytes;
  if (StripsNul(value, options)) {
    for (std::size_t nul = rest.find('\0'); nul != std::string_view::npos; nul = rest.find('\0')) {
      sink.Bytes(rest.substr(0, nul));
      rest.remove_prefix(nul + 1);
    }
  }
  sink.Bytes(rest);
  return std::nullopt;
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void PutHex(std::string_view bytes, const Sink& sink) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    sink.out.push_back(kDigits[byte >> 4U]);
    sink.out.push_back(kDigits[byte & 15U]);
  }
}

using UuidBytes = std::array<char, 16>;

std::optional<UuidBytes> ParseUuid(std::string_view text) {
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') {
    text = text.substr(1, text.size() - 2);
  }
  const bool dashes = text.size() == 36;
  if (!dashes && text.size() != 32) return std::nullopt;
  UuidBytes bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = HexDigit(text[at]);
    const int low = HexDigit(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<char>(high << 4 | low);
    at += 2;
  }
  return bytes;
}

}  // namespace

Rejection CheckCharacters(const Value& value, const ConvertOptions& options) {
  const Wrong wrong = WrongCharacters(value, options);
  if (wrong == Wrong::kNothing) return std::nullopt;
  return RejectCharacters(value, wrong);
}

bool HexToBytes(std::string_view hex, std::string& bytes) {
  bytes.clear();
  if (hex.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexDigit(hex[i]);
    const int low = HexDigit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

Rejection ConvertCharacters(const Value& value, const TargetType& type,
                            const ConvertOptions& options, const Sink& sink) {
  const std::size_t before = sink.out.size();
  if (value.storage == StorageClass::kInteger) {
    sink.Bytes(FormatInteger(value.integer).view());
  } else if (value.storage == StorageClass::kReal) {
    sink.Bytes(FormatReal(value.real).view());
  } else if (auto rejection = PutCharacters(value, options, sink)) {
    return rejection;
  }
  const std::string_view put = std::string_view(sink.out).substr(before);
  const auto limit = static_cast<std::size_t>(LengthLimit(type));
  // Spaces at the end count too: PostgreSQL would cut them off without a word.
  if (limit > 0 && put.size() > limit && CountCharacters(put) > limit) {
    return Reject("more characters than " + type.name + " holds");
  }
  if (type.oid == kNameOid && put.size() > kMaxNameBytes) {
    return Reject("more bytes than " + type.name + " holds");
  }
  return std::nullopt;
}

Rejection ConvertBytea(const Value& value, const TargetType& type, const Sink& sink) {
  if (value.storage != StorageClass::kBlob && value.storage != StorageClass::kText) {
    return RejectClass(value, type);
  }
  const std::uint64_t size = value.bytes.size();
  if (auto rejection = CheckSize(sink.binary ? size : 2 * size + 2)) return rejection;
  if (sink.binary) {
    sink.Bytes(value.bytes);
  } else {
    sink.Bytes("\\x");
    PutHex(value.bytes, sink);
  }
  return std::nullopt;
}

Rejection ConvertUuid(const Value& value, const TargetType& type, const Sink& sink) {
  std::optional<UuidBytes> parsed;
  std::string_view bytes = value.bytes;
  if (value.storage == StorageClass::kText) {
    parsed = ParseUuid(value.bytes);
    if (!parsed) return Reject("text is not a UUID");
    bytes = {parsed->data(), parsed->size()};
  } else if (value.storage != StorageClass::kBlob) {
    return RejectClass(value, type);
  } else if (bytes.size() != 16) {
    return Reject("blob is not 16 bytes long, as a UUID is");
  }
  if (sink.binary) {
    sink.Bytes(bytes);
  } else {
    PutHex(bytes, sink);
  }
  return std::nullopt;
}

Rejection ConvertJson(const Value& value, const TargetType& type, const ConvertOptions& options,
                      const Sink& sink) {
  // jsonb_recv() reads a version number first.
  if (sink.binary && type.kind == TypeKind::kJsonb) sink.Big(char{1});
  if (value.storage == StorageClass::kInteger) {
    sink.Bytes(FormatInteger(value.integer).view());
    return std::nullopt;
  }
  if (value.storage == StorageClass::kReal) {
    if (!std::isfinite(value.real)) return Reject("infinity cannot become " + type.name);
    sink.Bytes(FormatReal(value.real).view());
    return std::nullopt;
  }
  return PutCharacters(value, options, sink);
}

Rejection ConvertEnum(const Value& value, const TargetType& type, const Sink& sink) {
  if (value.storage != StorageClass::kText) return RejectClass(value, type);
  const auto& labels = type.enum_labels;
  if (std::find(labels.begin(), labels.end(), value.bytes) == labels.end()) {
    return Reject("text is no label of " + type.name);
  }
  sink.Bytes(value.bytes);
  return std::nullopt;
}

namespace {

// Types of which digits alone would be a guess: 5 is no interval, but PostgreSQL reads 5 seconds;
// 101 is no bit string; 10 is no network; 405 is no time of day.
bool TakesNoNumber(std::uint32_t oid) {
  constexpr std::array<std::uint32_t, 6> kOids = {1186, 1266, 1560, 1562, 869, 650};
  return std::find(kOids.begin(), kOids.end(), oid) != kOids.end();
}

// money reads a decimal number by lc_monetary, which is "C" in our transactions: two fraction
// digits. It would round more, and takes no exponent.
Rejection ConvertMoney(const Value& value, const TargetType& type, const Sink& sink) {
  constexpr std::int32_t kTwoOfNineteenDigits = (19 << 16 | 2) + 4;
  TargetType number;
  number.kind = TypeKind::kNumeric;
  number.typmod = kTwoOfNineteenDigits;
  number.name = type.name;
  const std::size_t before = sink.out.size();
  if (auto rejection = ConvertNumeric(value, number, Sink{sink.out, false, sink.rounded})) {
    return rejection;
  }
  const std::string_view put = std::string_view(sink.out).substr(before);
  if (put.find_first_of("eEnN") != std::string_view::npos) {
    return Reject("number is not written with digits and a point alone");
  }
  return std::nullopt;
}

}  // namespace

Rejection ConvertOther(const Value& value, const TargetType& type, const ConvertOptions& options,
                       const Sink& sink) {
  constexpr std::uint32_t kMoneyOid = 790;
  if (type.oid == kMoneyOid) return ConvertMoney(value, type, sink);
  switch (value.storage) {
    case StorageClass::kInteger:
    case StorageClass::kReal:
      if (TakesNoNumber(type.oid)) return RejectClass(value, type);
      sink.Bytes(value.storage == StorageClass::kReal ? FormatReal(value.real).view()
                                                      : FormatInteger(value.integer).view());
      return std::nullopt;
    case StorageClass::kText:
      return PutCharacters(value, options, sink);
    default:
      return RejectClass(value, type);
  }
}

}  // namespace liteferry::target::internal
