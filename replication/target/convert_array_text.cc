#include "replication/target/convert_array_text.h"

#include <charconv>
#include <cstdint>

#include "replication/target/convert_internal.h"

namespace liteferry::target::internal {
namespace {

bool IsBlank(char c, bool json) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || (!json && (c == '\v' || c == '\f'));
}

// "[1:2][0:1]={…": what array_out() writes where a lower bound is not 1. JSON has no "=" outside of
// strings.
bool HasBounds(std::string_view text) {
  const std::size_t at = text.find_first_not_of("[]+-:0123456789 \t\n\r\v\f");
  return at != std::string_view::npos && text[at] == '=';
}

std::string_view WithoutLeadingBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front(), false)) text.remove_prefix(1);
  return text;
}

bool HoldsDocuments(const TargetType& element) {
  return element.kind == TypeKind::kJson || element.kind == TypeKind::kJsonb;
}

bool TakesEpoch(const TargetType& element) {
  return element.kind == TypeKind::kDate || element.kind == TypeKind::kTimestamp ||
         element.kind == TypeKind::kTimestampTz;
}

// The length of the JSON number that `text` begins with; 0 where it begins with none.
std::size_t NumberLength(std::string_view text, bool& integer) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && IsDigit(text[at])) ++at;
    return at - from;
  };
  const bool zero = at < text.size() && text[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return 0;
  integer = true;
  if (at < text.size() && text[at] == '.') {
    integer = false;
    ++at;
    if (digits() == 0) return 0;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    integer = false;
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return 0;
  }
  return at;
}

void AppendUtf8(char32_t code, std::string& out) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0U | code >> 6U);
    put(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    put(0xe0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3fU));
    put(0x80U | (code & 0x3fU));
  } else {
    put(0xf0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3fU));
    put(0x80U | (code >> 6U & 0x3fU));
    put(0x80U | (code & 0x3fU));
  }
}

}  // namespace

ArrayText::ArrayText(std::string_view text, const TargetType& type)
    : text_(WithoutLeadingBlanks(text)),
      type_(type),
      json_(text_.starts_with('[') && !HasBounds(text_)),
      documents_(json_ && HoldsDocuments(*type.element)) {}

bool ArrayText::Take(char c) {
  if (!text_.starts_with(c)) return false;
  text_.remove_prefix(1);
  return true;
}

void ArrayText::SkipBlanks() {
  while (!text_.empty() && IsBlank(text_.front(), json_)) text_.remove_prefix(1);
}

ArrayText::Piece ArrayText::Wrong(Piece piece, std::string_view reason) {
  reason_ = reason;
  return piece;
}

ArrayText::Piece ArrayText::Malformed() {
  return Wrong(Piece::kWrong,
               json_ ? "text is not a JSON array" : "text is not an array in PostgreSQL's form");
}

ArrayText::Piece ArrayText::Next() {
  SkipBlanks();
  if (!began_) {
    began_ = true;
    if (!json_ && text_.starts_with('[')) return Wrong(Piece::kWrong, "array with bounds");
    if (!Take(json_ ? '[' : '{')) {
      return Wrong(Piece::kWrong, "text is neither a JSON array nor one in PostgreSQL's form");
    }
    depth_ = 1;
    just_opened_ = true;
    return Piece::kOpen;
  }
  if (depth_ == 0) return text_.empty() ? Piece::kEnd : Malformed();
  if ((just_opened_ || after_item_) && Take(json_ ? ']' : '}')) {
    --depth_;
    just_opened_ = false;
    after_item_ = true;
    return Piece::kClose;
  }
  if (after_item_) {
    if (!Take(json_ ? ',' : type_.delimiter)) return Malformed();
    SkipBlanks();
  }
  just_opened_ = false;
  after_item_ = false;
  if (!documents_ && Take(json_ ? '[' : '{')) {
    ++depth_;
    just_opened_ = true;
    return Piece::kOpen;
  }
  after_item_ = true;
  if (text_.empty()) return Malformed();
  if (json_) return documents_ ? ReadJsonDocument() : ReadJson();
  return Take('"') ? ReadQuoted() : ReadUnquoted();
}

ArrayText::Piece ArrayText::ReadJson() {
  const char first = text_.front();
  if (Take('"')) return ReadJsonString();
  if (first == '{')
    return Wrong(Piece::kWrongElement, "JSON object cannot become " + type_.element->name);
  if (first == '-' || IsDigit(first)) return ReadJsonNumber();
  return ReadJsonWord();
}

ArrayText::Piece ArrayText::ReadJsonWord() {
  const auto take = [this](std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  };
  if (take("null")) return Piece::kNull;
  const bool truth = take("true");
  if (!truth && !take("false")) return Malformed();
  if (type_.element->kind != TypeKind::kBool) {
    return Wrong(Piece::kWrongElement, "JSON boolean cannot become " + type_.element->name);
  }
  element_ = Value::Integer(truth ? 1 : 0);
  return Piece::kElement;
}

ArrayText::Piece ArrayText::ReadJsonNumber() {
  bool is_integer = false;
  const std::string_view number = text_.substr(0, NumberLength(text_, is_integer));
  if (number.empty()) return Malformed();
  text_.remove_prefix(number.size());
  const char* const end = number.data() + number.size();
  std::int64_t integer = 0;
  // -0 is a number of its own for double precision.
  if (is_integer && number != "-0" &&
      std::from_chars(number.data(), end, integer).ec == std::errc()) {
    element_ = Value::Integer(integer);
  } else if (double real = 0; !is_integer && TakesEpoch(*type_.element) &&
                              std::from_chars(number.data(), end, real).ec == std::errc()) {
    element_ = Value::Real(real);
  } else {
    element_ = Value::Text(number);
  }
  return Piece::kElement;
}

// Behind the opening quotation mark.
ArrayText::Piece ArrayText::ReadJsonString() {
  unescaped_.clear();
  for (;;) {
    std::size_t plain = 0;
    while (plain < text_.size() && text_[plain] != '"' && text_[plain] != '\\' &&
           static_cast<unsigned char>(text_[plain]) >= 0x20) {
      ++plain;
    }
    const std::string_view part = text_.substr(0, plain);
    text_.remove_prefix(plain);
    if (Take('"')) {
      if (!unescaped_.empty()) unescaped_.append(part);
      element_ = Value::Text(unescaped_.empty() ? part : unescaped_);
      return Piece::kElement;
    }
    unescaped_.append(part);
    if (!Take('\\') || text_.empty()) return Malformed();
    const char letter = text_.front();
    text_.remove_prefix(1);
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (letter == 'u') {
      if (!ReadUnicodeEscape()) return Malformed();
    } else if (const std::size_t at = kLetters.find(letter); at != std::string_view::npos) {
      unescaped_.push_back(kMeant[at]);
    } else {
      return Malformed();
    }
  }
}

bool ArrayText::ReadHex4(char32_t& unit) {
  if (text_.size() < 4) return false;
  std::uint16_t number = 0;
  const auto result = std::from_chars(text_.data(), text_.data() + 4, number, 16);
  if (result.ec != std::errc() || result.ptr != text_.data() + 4) return false;
  unit = number;
  text_.remove_prefix(4);
  return true;
}

// Behind "\u". Half of a surrogate pair is no character.
bool ArrayText::ReadUnicodeEscape() {
  char32_t code = 0;
  if (!ReadHex4(code) || (code >= 0xdc00 && code <= 0xdfff)) return false;
  if (code >= 0xd800 && code <= 0xdbff) {
    char32_t low = 0;
    if (!Take('\\') || !Take('u') || !ReadHex4(low) || low < 0xdc00 || low > 0xdfff) return false;
    code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
  }
  AppendUtf8(code, unescaped_);
  return true;
}

// Only far enough to find its end: the syntax of json is the server's to judge.
ArrayText::Piece ArrayText::ReadJsonDocument() {
  int depth = 0;
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text_.size(); ++at) {
    const char c = text_[at];
    if (quoted) {
      if (c == '\\') ++at;
      quoted = c != '"';
    } else if (depth == 0 && (c == ',' || c == ']')) {
      break;
    } else {
      quoted = c == '"';
      depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
      if (depth < 0) return Malformed();
    }
  }
  if (at >= text_.size()) return Malformed();
  std::string_view document = text_.substr(0, at);
  text_.remove_prefix(at);
  while (!document.empty() && IsBlank(document.back(), true)) document.remove_suffix(1);
  if (document.empty()) return Malformed();
  if (document == "null") return Piece::kNull;
  element_ = Value::Text(document);
  return Piece::kElement;
}

// Behind the opening quotation mark.
ArrayText::Piece ArrayText::ReadQuoted() {
  unescaped_.clear();
  while (!text_.empty()) {
    const char c = text_.front();
    text_.remove_prefix(1);
    if (c == '"') return PgElement(unescaped_);
    if (c != '\\') {
      unescaped_.push_back(c);
    } else if (!text_.empty()) {
      unescaped_.push_back(text_.front());
      text_.remove_prefix(1);
    }
  }
  return Malformed();
}

ArrayText::Piece ArrayText::ReadUnquoted() {
  unescaped_.clear();
  std::size_t kept = 0;  // blanks at the end do not count, unless escaped
  bool escaped = false;
  while (!text_.empty() && text_.front() != type_.delimiter && text_.front() != '}') {
    char c = text_.front();
    text_.remove_prefix(1);
    if (c == '"' || c == '{' || (c == '\\' && text_.empty())) return Malformed();
    const bool escape = c == '\\';
    if (escape) {
      c = text_.front();
      text_.remove_prefix(1);
      escaped = true;
    }
    unescaped_.push_back(c);
    if (escape || !IsBlank(c, false)) kept = unescaped_.size();
  }
  unescaped_.resize(kept);
  if (kept == 0) return Malformed();
  if (!escaped && EqualsFolded(unescaped_, "null")) return Piece::kNull;
  return PgElement(unescaped_);
}

ArrayText::Piece ArrayText::PgElement(std::string_view text) {
  if (type_.element->kind != TypeKind::kBytea) {
    element_ = Value::Text(text);
    return Piece::kElement;
  }
  if (!text.starts_with("\\x") || !HexToBytes(text.substr(2), bytes_)) {
    return Wrong(Piece::kWrongElement, "text is not bytea in hexadecimal form");
  }
  element_ = Value::Blob(bytes_);
  return Piece::kElement;
}

}  // namespace liteferry::target::internal
