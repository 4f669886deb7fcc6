#include "replication/target/json_syntax.h"

#include <string>

namespace liteferry::target {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Takes one token after the other from the text.
class Lexer {
 public:
  Lexer(std::string_view text, bool jsonb) : text_(text), jsonb_(jsonb) {}

  char Peek() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != text_.npos) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Take(char c) {
    if (Peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  bool AtEnd() {
    Peek();
    return at_ == text_.size();
  }
  // A string, a number, true, false or null.
  bool Scalar() {
    const char c = Peek();
    if (c == '"') return String();
    if (c == '-' || IsDigit(c)) return Number();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return true;
    }
    return false;
  }
  bool String() {
    if (!Take('"')) return false;
    int high = 0;  // a surrogate that waits for its second half
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return high == 0;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\' || text_.substr(at_, 1) != "u") {
        if (high != 0 || (c == '\\' && !Escape())) return false;
      } else if (!Unicode(high)) {
        return false;
      }
    }
    return false;
  }

 private:
  bool Escape() {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    return at_ < text_.size() && kEscapes.find(text_[at_++]) != kEscapes.npos;
  }
  bool Unicode(int& high) {
    int code = 0;
    if (text_.size() - at_ < 5) return false;
    for (std::size_t i = 1; i <= 4; ++i) {
      const int digit = HexDigit(text_[at_ + i]);
      if (digit < 0) return false;
      code = code * 16 + digit;
    }
    at_ += 5;
    if (!jsonb_) return true;
    const bool is_high = code >= 0xd800 && code < 0xdc00;
    const bool is_low = code >= 0xdc00 && code < 0xe000;
    if (code == 0 || (high != 0) != is_low) return false;
    high = is_high ? code : 0;
    return true;
  }
  std::size_t Digits() {
    const std::size_t from = at_;
    while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
    return at_ - from;
  }
  bool Next(char a, char b) {
    if (at_ >= text_.size() || (text_[at_] != a && text_[at_] != b)) return false;
    ++at_;
    return true;
  }
  bool Number() {
    Next('-', '-');
    const bool zero = at_ < text_.size() && text_[at_] == '0';
    const std::size_t whole = Digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (Next('.', '.') && Digits() == 0) return false;
    if (Next('e', 'E')) {
      Next('+', '-');
      if (Digits() == 0) return false;
    }
    return true;
  }

  const std::string_view text_;
  const bool jsonb_;
  std::size_t at_ = 0;
};

}  // namespace

bool IsJson(std::string_view text, bool jsonb) {
  Lexer in(text, jsonb);
  std::string open;  // the brackets that are not closed yet
  for (;;) {
    // A value begins here.
    bool value = true;
    if (in.Take('{')) {
      value = in.Take('}');
      if (!value) open.push_back('}');
    } else if (in.Take('[')) {
      value = in.Take(']');
      if (!value) open.push_back(']');
    } else if (!in.Scalar()) {
      return false;
    }
    // What may follow a value, up to the next one.
    while (value && !open.empty() && in.Take(open.back())) open.pop_back();
    if (value && open.empty()) return in.AtEnd();
    if (value && !in.Take(',')) return false;
    if (open.back() == '}' && (!in.String() || !in.Take(':'))) return false;
  }
}

}  // namespace liteferry::target
