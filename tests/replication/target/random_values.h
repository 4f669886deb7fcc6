#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "replication/base/text.h"
#include "replication/base/value.h"
#include "replication/target/types.h"

namespace liteferry::testing {

// A Value that owns its bytes.
struct Sample {
  StorageClass storage = StorageClass::kNull;
  std::int64_t integer = 0;
  double real = 0;
  std::string bytes;
  // Where it is not empty: the text that the server's input function reads as the same value.
  std::string plain = {};

  Value value() const { return {storage, integer, real, bytes}; }
};

// Seeded values that SQLite may hold, for a column of a given PostgreSQL type: typical ones, ones
// that are a few characters off, edges, and anything else. The same seed gives the same values.
class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : random_(seed) {}

  // For json and types that only the server knows, text is always well-formed: their syntax is the
  // server's to judge.
  Sample For(const target::TargetType& type) {
    if (type.kind == Kind::kArray) return OneIn(10) ? Anything() : Array(type);
    if (type.kind == Kind::kOther) return Text(Typical(type));
    if (type.kind == Kind::kJson || type.kind == Kind::kJsonb) {
      if (OneIn(4)) return AnyNumber(OneIn(2) ? 1000 : 0);
      return OneIn(4) ? Blob(JsonText()) : Text(JsonText());
    }
    if (OneIn(6)) return Anything();
    if (type.kind == target::TypeKind::kBytea || IsCharacters(type.kind)) {
      return OneIn(4) ? Blob(Words()) : Text(OneIn(3) ? Bytes() : Words());
    }
    if (IsNumber(type.kind) && OneIn(2)) return AnyNumber(OneIn(2) ? 40 : 0);
    std::string text = Typical(type);
    if (OneIn(4)) text = Mutate(std::move(text));
    return Text(std::move(text));
  }

  std::uint64_t Below(std::uint64_t end) { return random_() % end; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }

  // From all bit patterns, from numbers with few digits, or from the edges.
  double Real() {
    if (OneIn(3)) return std::bit_cast<double>(FiniteBits());
    if (OneIn(12))
      return Pick<double>({0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e15, 1e22});
    if (OneIn(12)) return Pick<double>({HUGE_VAL, -HUGE_VAL});
    const double scale = Pick<double>({1, 10, 100, 1e3, 1e6, 1e12});
    return static_cast<double>(static_cast<std::int64_t>(Below(2'000'000'000)) - 1'000'000'000) /
           scale;
  }

  std::int64_t Integer() {
    if (OneIn(8)) {
      return Pick<std::int64_t>(
          {INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX, INT16_MIN, INT16_MAX, 0, 1});
    }
    return static_cast<std::int64_t>(random_()) >> Below(64);
  }

 private:
  using Kind = target::TypeKind;

  template <typename T>
  T Pick(std::initializer_list<T> choices) {
    return choices.begin()[Below(choices.size())];
  }

  static bool IsCharacters(Kind kind) {
    return kind == Kind::kText || kind == Kind::kVarchar || kind == Kind::kChar;
  }
  static bool ServerJudges(const target::TargetType& type) {
    return type.kind == Kind::kOther || type.kind == Kind::kJson || type.kind == Kind::kJsonb;
  }
  static bool IsNumber(Kind kind) { return kind <= Kind::kNumeric; }
  static Sample Text(std::string bytes) {
    return {StorageClass::kText, 0, 0, std::move(bytes), {}};
  }
  static Sample Blob(std::string bytes) {
    return {StorageClass::kBlob, 0, 0, std::move(bytes), {}};
  }

  std::uint64_t FiniteBits() {
    for (;;) {
      const std::uint64_t bits = random_();
      if ((bits & 0x7ff0000000000000) != 0x7ff0000000000000) return bits;
    }
  }

  // `bound` 0 for any.
  Sample AnyNumber(std::uint64_t bound) {
    if (bound == 0 && OneIn(2)) return {StorageClass::kReal, 0, Real(), {}, {}};
    if (bound == 0) return {StorageClass::kInteger, Integer(), 0, {}, {}};
    const auto whole =
        static_cast<std::int64_t>(Below(2 * bound)) - static_cast<std::int64_t>(bound);
    if (OneIn(2)) return {StorageClass::kInteger, whole, 0, {}, {}};
    const double part = Pick<double>({0, 0, 0.5, 0.25, 0.1, 0.01});
    return {StorageClass::kReal, 0, static_cast<double>(whole) + part, {}, {}};
  }

  Sample Anything() {
    switch (Below(5)) {
      case 0:
        return {};
      case 1:
        return AnyNumber(OneIn(2) ? 3 : 0);
      case 2:
        return Blob(OneIn(2) ? Bytes() : Digits(16));
      default:
        return Text(Pick<std::string>(
            {"",         " ",   "\\N", "\\.",      "\\",        "\n",   "NULL", "null",
             "0x10",     "1e3", "-",   "infinity", "-Infinity", "NaN",  "true", "0000-00-00",
             "24:00:00", "{}",  "٣",   "now",      "\xff",      "1_000"}));
    }
  }

  std::string Digits(std::size_t count) {
    std::string digits;
    while (digits.size() < count) digits += static_cast<char>('0' + Below(10));
    return digits;
  }

  std::string Bytes() {
    std::string bytes;
    for (std::size_t i = Below(12); i > 0; --i)
      bytes += static_cast<char>(OneIn(2) ? Below(256) : Below(32));
    return bytes;
  }

  std::string Words() {
    std::string words;
    for (std::size_t i = Below(4); i > 0; --i) {
      words += Pick<std::string>({"a",   "ab",   "naïve", "日本", "🚢",    "O'B", "\\",
                                  "\\n", "\t",   "\n",    "\r",   " ",    "\\.", "\\N",
                                  "\b",  "\v\f", ",",     "\"",   "\x01", "\x7f"});
    }
    return words;
  }

  std::string Mutate(std::string text) {
    constexpr std::string_view kAlphabet = "0019+-.: eETZzBC{}infty\\";
    for (std::size_t i = 1 + Below(2); i > 0; --i) {
      const std::size_t at = Below(text.size() + 1);
      const char c = kAlphabet[Below(kAlphabet.size())];
      if (at == text.size() || OneIn(3)) {
        text.insert(at, 1, c);
      } else if (OneIn(2)) {
        text[at] = c;
      } else {
        text.erase(at, 1);
      }
    }
    return text;
  }

  std::string Typical(const target::TargetType& type) {
    switch (type.kind) {
      case Kind::kBool:
        return Pick<std::string>(
            {"t", "f", "TRUE", "False", "0", "1", "y", "No", "on", "OFF", "yes"});
      case Kind::kInt2:
      case Kind::kInt4:
      case Kind::kInt8:
        return Pick<std::string>({"", "+", "-", "-00"}) + Digits(1 + Below(OneIn(4) ? 20 : 5));
      case Kind::kFloat4:
      case Kind::kFloat8:
      case Kind::kNumeric:
        return DecimalText();
      case Kind::kDate:
        return DateText();
      case Kind::kTime:
        return TimeText();
      case Kind::kTimestamp:
      case Kind::kTimestampTz:
        return TimestampText();
      case Kind::kUuid:
        return UuidText();
      case Kind::kEnum:
        return type.enum_labels[Below(type.enum_labels.size())];
      default:
        return OtherText(type.base_name);
    }
  }

  std::string DecimalText() {
    if (OneIn(20)) return Pick<std::string>({"NaN", "nan", "Infinity", "-inf", "+INFINITY"});
    std::string text = Pick<std::string>({"", "", "+", "-"});
    const std::size_t long_form = OneIn(10) ? 40 : 4;
    text += Digits(Below(long_form));
    if (OneIn(2)) text += "." + Digits(Below(long_form));
    if (OneIn(4)) {
      const std::uint64_t bound = OneIn(6) ? 131'080 : 12;
      text += Pick<std::string>({"e", "E"}) + Pick<std::string>({"", "+", "-"}) +
              std::to_string(Below(bound));
    }
    return text;
  }

  std::string Padded(std::uint64_t number, int width) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%0*llu", width,
                  static_cast<unsigned long long>(number));
    return text.data();
  }

  std::string DayText() {
    const std::uint64_t year =
        OneIn(4) ? Below(Pick<std::uint64_t>({300'000, 4'720, 6'000'000})) : 1900 + Below(200);
    return Padded(year, 4) + "-" + Padded(1 + Below(12), 2) + "-" +
           Padded(1 + Below(OneIn(9) ? 31 : 28), 2);
  }

  std::string TimeText() {
    std::string text = OneIn(15) ? "24:00" : Padded(Below(24), 2) + ":" + Padded(Below(60), 2);
    if (OneIn(6)) return text;
    text += text == "24:00" ? ":00" : ":" + (OneIn(15) ? "59" : Padded(Below(60), 2));
    if (OneIn(2))
      text += "." + (OneIn(5) ? "9999999" : OneIn(5) ? Padded(0, 6) + "5" : Digits(1 + Below(9)));
    return text;
  }

  std::string ZoneText() {
    if (OneIn(3)) return "";
    std::string zone = OneIn(3) ? " " : "";
    if (OneIn(3)) return zone + Pick<std::string>({"Z", "+00", "-00:00"});
    zone += Pick<std::string>({"+", "-"}) + Padded(Below(16), 2);
    if (OneIn(3)) return zone;
    const std::string minutes = Padded(Below(60), 2);
    if (OneIn(3)) return zone + minutes;
    return zone + ":" + minutes + (OneIn(3) ? ":" + Padded(Below(60), 2) : "");
  }

  std::string TimestampText() {
    if (OneIn(15)) return DateText();
    return DayText() + Pick<std::string>({" ", "T"}) + TimeText() + ZoneText() +
           (OneIn(8) ? " BC" : "");
  }

  std::string DateText() {
    if (OneIn(20)) return Pick<std::string>({"infinity", "-infinity"});
    return DayText() + (OneIn(6) ? Pick<std::string>({" 00:00:00", "T00:00:00Z", " 00:00"}) : "") +
           (OneIn(6) ? " BC" : "");
  }

  std::string UuidText() {
    std::string text;
    for (int i = 0; i < 32; ++i) {
      text += Pick<std::string>({"0", "1", "9", "a", "F", "c", "D"});
    }
    if (OneIn(2)) {
      for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
    }
    return OneIn(5) ? "{" + text + "}" : text;
  }

  std::string JsonText() {
    return Pick<std::string>({"null", "true", "1.50", "-0", "1e5", "\"\"", "[]", "{}", " [1, 2]\n",
                              "{\"b\": 1, \"a\": {\"x\": [null]}, \"b\": 2}", "\"\\u00e9\\n\"",
                              "\"naïve\\\\\"", "[\"tab\\there\", \"日本 🚢\"]",
                              "12345678901234567890.12345"});
  }

  // One element in both forms; a number in JSON has no text of its own on the server.
  void AppendElement(const target::TargetType& type, bool json, Sample& array) {
    Sample element = OneIn(8) ? Sample{} : For(type);
    const bool document = type.kind == Kind::kJson || type.kind == Kind::kJsonb;
    if (element.storage == StorageClass::kBlob || (document && !std::isfinite(element.real))) {
      element = Sample{};
    }
    if (element.storage == StorageClass::kInteger) {
      element.bytes = std::to_string(element.integer);
    } else if (element.storage == StorageClass::kReal) {
      element.bytes = ShortText(element.real);
    } else if (json && document) {
      element.bytes = Trimmed(element.bytes);
    }
    if (element.storage == StorageClass::kNull || (json && document && element.bytes == "null")) {
      array.bytes += json ? "null" : OneIn(2) ? "NULL" : " null ";
      array.plain += "NULL";
      return;
    }
    if (!json && type.kind == Kind::kBytea) element.bytes = "\\x" + ToHex(element.bytes);
    const bool in_quotes = json && !document && element.storage == StorageClass::kText;
    array.bytes += in_quotes ? JsonQuoted(element.bytes)
                   : json    ? element.bytes
                             : PgElement(element.bytes, type);
    array.plain +=
        PgQuoted(json && type.kind == Kind::kBytea ? "\\x" + ToHex(element.bytes) : element.bytes);
  }

  void AppendArray(const target::TargetType& type, const std::vector<std::uint64_t>& sizes,
                   std::size_t level, bool json, Sample& array) {
    array.bytes += json ? "[" : "{";
    array.plain += "{";
    // Now and then no rectangle, which nobody takes.
    const std::uint64_t size = sizes[level] + (level > 0 && OneIn(40) ? 1 : 0);
    for (std::uint64_t i = 0; i < size; ++i) {
      if (i > 0) {
        array.bytes += json ? "," : std::string(1, type.delimiter);
        array.plain += type.delimiter;
      }
      if (OneIn(5)) array.bytes += " ";
      if (level + 1 < sizes.size()) {
        AppendArray(type, sizes, level + 1, json, array);
      } else {
        AppendElement(*type.element, json, array);
      }
    }
    array.bytes += json ? "]" : "}";
    array.plain += "}";
  }

  // As JSON, or in PostgreSQL's own form, which is sometimes a few characters off.
  Sample Array(const target::TargetType& type) {
    const bool json = OneIn(2);
    const bool documents =
        json && (type.element->kind == Kind::kJson || type.element->kind == Kind::kJsonb);
    std::vector<std::uint64_t> sizes = {Below(4)};
    while (!documents && OneIn(3) && sizes.size() < 6) sizes.push_back(1 + Below(2));
    if (sizes.size() > 1 && sizes[0] == 0) sizes[0] = 1;
    Sample array = Text("");
    AppendArray(type, sizes, 0, json, array);
    if (json) return array;
    if (!ServerJudges(*type.element) && OneIn(6)) array.bytes = Mutate(std::move(array.bytes));
    array.plain = array.bytes;
    return array;
  }

  static std::string ShortText(double real) {
    std::array<char, 40> text{};
    for (int digits = 1; digits <= 17; ++digits) {
      std::snprintf(text.data(), text.size(), "%.*g", digits, real);
      if (std::strtod(text.data(), nullptr) == real) break;
    }
    return text.data();
  }

  static std::string Trimmed(std::string text) {
    text.erase(0, text.find_first_not_of(" \n"));
    text.erase(text.find_last_not_of(" \n") + 1);
    return text;
  }

  // Control characters, and sometimes others, as \u.
  std::string JsonQuoted(std::string_view text) {
    constexpr std::string_view kShip = "🚢";
    std::string quoted = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (text.substr(i).starts_with(kShip) && OneIn(2)) {
        quoted += OneIn(2) ? "\\ud83d\\uDEA2" : "\\uD83D\\udea2";
        i += kShip.size() - 1;
        continue;
      }
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || (byte < 0x80 && OneIn(10))) {
        std::array<char, 8> escape{};
        std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
        quoted += escape.data();
      } else {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
      }
    }
    return quoted + '"';
  }

  static std::string PgQuoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return quoted + '"';
  }

  // Without quotation marks where that is allowed, and now and then where it is not.
  std::string PgElement(const std::string& text, const target::TargetType& type) {
    const bool plain =
        text.find_first_not_of("0123456789abcdefghijklmnoprstuvwxyz+-.:") == std::string::npos;
    if (ServerJudges(type)) return PgQuoted(text);
    return (plain && OneIn(2)) || OneIn(40) ? text : PgQuoted(text);
  }

  std::string OtherText(std::string_view name) {
    if (name == "money") return Pick<std::string>({"0", "1.5", "-12.34", "007.10", "+3", ".25"});
    if (name == "box") return "(" + Digits(2) + ",1.5),(0,-" + Digits(1) + ")";
    if (name == "xml") return Pick<std::string>({"<a/>", "<a b='1'>é &amp; </a>", "text", " "});
    if (name == "tsvector") return Pick<std::string>({"fat cat", "'a b':1A c", "", "x:3,1"});
    if (name.ends_with("hstore"))
      return Pick<std::string>({"", "a=>1", "\"b c\"=>NULL, a=>\"x\\\"y\""});
    if (name == "int4range") return Pick<std::string>({"empty", "[1,5)", "(,7]", "[3,3]", "(,)"});
    if (name == "tstzrange") {
      return "[2024-01-01 00:00:00," + Pick<std::string>({"", "2025-06-01 10:00+02"}) + ")";
    }
    if (name.ends_with("pair")) return "(" + Digits(3) + "," + PgQuoted(Words()) + ")";
    if (name == "inet")
      return Digits(2) + ".0.0." + std::to_string(Below(256)) + (OneIn(2) ? "/8" : "");
    if (name.starts_with("interval")) {
      return std::to_string(Below(100)) +
             Pick<std::string>({" days", " mons", ":30:00", " years 2 mons", ":00:01.5"});
    }
    std::string bits;
    for (int i = 0; i < 3; ++i) bits += OneIn(2) ? '1' : '0';
    return bits;
  }

  std::mt19937_64 random_;
};

}  // namespace liteferry::testing
