#include "replication/verify/array_form.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "replication/base/text.h"

namespace liteferry::verify {
namespace {

using target::TypeKind;

constexpr std::size_t kMostDimensions = 6;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsTime(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
}

// Puts an array together and watches its shape: brackets of one depth everywhere, and as many
// items in each of them as in its siblings.
class Builder {
 public:
  Builder(const target::TargetType& type, const FitElement& fit) : type_(type), fit_(fit) {}

  bool Open() {
    if (open_.size() == kMostDimensions || (leaf_ > 0 && open_.size() == leaf_)) return false;
    if (!open_.empty()) Item();
    open_.push_back(0);
    if (sizes_.size() < open_.size()) sizes_.push_back(-1);
    out_ += '{';
    return true;
  }
  bool Close() {
    if (open_.empty()) return false;
    std::int64_t& size = sizes_[open_.size() - 1];
    if (open_.back() == 0 && open_.size() > 1) return false;
    if (size >= 0 && size != open_.back()) return false;
    size = open_.back();
    open_.pop_back();
    out_ += '}';
    done_ = open_.empty();
    return true;
  }
  bool Element(const Value& value) {
    if (open_.empty() || done_) return false;
    if (leaf_ == 0) leaf_ = open_.size();
    if (open_.size() != leaf_) return false;
    Item();
    if (value.is_null()) {
      out_ += "NULL";
      return true;
    }
    const auto text = fit_(value);
    if (!text) return false;
    out_ += '"';
    for (const char c : *text) {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
    out_ += '"';
    return true;
  }
  const target::TargetType& type() const { return type_; }
  bool done() const { return done_; }
  std::string Take() { return std::move(out_); }

 private:
  void Item() {
    if (open_.back()++ > 0) out_ += type_.delimiter;
  }

  const target::TargetType& type_;
  const FitElement& fit_;
  std::string out_;
  std::vector<std::int64_t> open_;   // items so far, of each bracket that is open
  std::vector<std::int64_t> sizes_;  // of each dimension; -1 while unknown
  std::size_t leaf_ = 0;             // the depth at which elements stand; 0 while unknown
  bool done_ = false;
};

// A number of JSON: as INTEGER where it is one of 64 bits, else as it is written.
bool PutNumber(const std::string& token, Builder& builder) {
  std::string_view rest = token;
  if (rest.starts_with('-')) rest.remove_prefix(1);
  const auto digits = [&rest] {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const std::string_view found = rest.substr(0, end);
    rest.remove_prefix(end);
    return found;
  };
  const std::string_view whole = digits();
  if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return false;
  bool plain = rest.empty() && token != "-0";
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    if (digits().empty()) return false;
  }
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(rest.size() > 1 && (rest[1] == '+' || rest[1] == '-') ? 2 : 1);
    if (digits().empty()) return false;
  }
  if (!rest.empty()) return false;
  std::int64_t integer = 0;
  plain = plain &&
          std::from_chars(token.data(), token.data() + token.size(), integer).ec == std::errc();
  if (plain) return builder.Element(Value::Integer(integer));
  if (!IsTime(builder.type().element->kind)) return builder.Element(Value::Text(token));
  double real = 0;
  std::from_chars(token.data(), token.data() + token.size(), real);
  return builder.Element(Value::Real(real));
}

bool PutWord(const std::string& token, Builder& builder) {
  if (token == "null") return builder.Element(Value::Null());
  if (token != "true" && token != "false") return PutNumber(token, builder);
  return builder.type().element->kind == TypeKind::kBool &&
         builder.Element(Value::Integer(token == "true" ? 1 : 0));
}

// [1,"two",null,[3]]: brackets, strings, numbers and words; no objects.
bool ReadJson(std::string_view rest, Builder& builder) {
  bool wants_item = true;  // after [ and ,
  bool may_close = true;   // not after a comma
  while (!(rest = Trim(rest)).empty()) {
    const char c = rest[0];
    if (builder.done()) return false;
    if (c == ']' || c == ',') {
      if (c == ']' ? !may_close || !builder.Close() : wants_item) return false;
      wants_item = c == ',';
      may_close = c == ']';
      rest.remove_prefix(1);
      continue;
    }
    if (!wants_item) return false;
    may_close = true;
    wants_item = c == '[';
    if (c == '[') {
      if (!builder.Open()) return false;
      rest.remove_prefix(1);
      continue;
    }
    std::size_t end = 1;
    if (c == '"') {
      while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
      if (end >= rest.size()) return false;
      const auto text = nlohmann::json::parse(rest.substr(0, ++end), nullptr, false);
      if (!text.is_string()) return false;
      const auto decoded = text.get<std::string>();
      if (!builder.Element(Value::Text(decoded))) return false;
    } else {
      end = std::min(rest.find_first_of(" \t\n\r,]"), rest.size());
      if (!PutWord(std::string(rest.substr(0, end)), builder)) return false;
    }
    rest.remove_prefix(end);
  }
  return builder.done();
}

// [document, document, …]: each as it is written. Whether one is JSON is the server's to say: json
// takes "\ud83d" and 1e400, which other parsers do not.
bool ReadDocuments(std::string_view text, Builder& builder) {
  if (text.size() < 2 || text.back() != ']' || !builder.Open()) return false;
  text = text.substr(1, text.size() - 2);
  if (Trim(text).empty()) return builder.Close();
  int depth = 0;
  bool quoted = false;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (--depth < 0) return false;
    } else if (c == ',' && depth == 0) {
      const std::string_view document = Trim(text.substr(from, i - from));
      if (document.empty()) return false;
      if (!builder.Element(document == "null" ? Value::Null() : Value::Text(document)))
        return false;
      from = i + 1;
    }
  }
  return !quoted && depth == 0 && builder.Close();
}

// {a,"b c",NULL}
class OwnForm {
 public:
  OwnForm(std::string_view text, Builder& builder) : rest_(text), builder_(builder) {}

  bool Read() {
    if (!ReadBraces()) return false;
    Skip();
    return rest_.empty() && builder_.done();
  }

 private:
  void Skip() {
    while (!rest_.empty() && (IsBlank(rest_[0]) || rest_[0] == '\v' || rest_[0] == '\f')) {
      rest_.remove_prefix(1);
    }
  }
  bool Take(char c) {
    Skip();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool ReadBraces() {
    if (!Take('{') || !builder_.Open()) return false;
    if (Take('}')) return builder_.Close();
    do {
      Skip();
      const bool inner = !rest_.empty() && rest_[0] == '{';
      if (!(inner ? ReadBraces() : ReadElement())) return false;
    } while (Take(builder_.type().delimiter));
    return Take('}') && builder_.Close();
  }
  bool ReadElement() {
    std::string text;
    if (Take('"')) {
      while (!rest_.empty() && rest_[0] != '"') {
        if (rest_[0] == '\\') rest_.remove_prefix(1);
        if (rest_.empty()) return false;
        text += rest_[0];
        rest_.remove_prefix(1);
      }
      if (!Take('"')) return false;
      return Put(text);
    }
    std::size_t solid = 0;  // up to the last character that is no blank at the end
    while (!rest_.empty() && rest_[0] != builder_.type().delimiter && rest_[0] != '}') {
      if (rest_[0] == '"' || rest_[0] == '{') return false;
      const bool escaped = rest_[0] == '\\';
      if (escaped) rest_.remove_prefix(1);
      if (rest_.empty()) return false;
      text += rest_[0];
      if (escaped || !IsBlank(rest_[0])) solid = text.size();
      rest_.remove_prefix(1);
    }
    text.resize(solid);
    if (text.empty()) return false;
    if (ToLowerAscii(text) == "null") return builder_.Element(Value::Null());
    return Put(text);
  }
  bool Put(const std::string& text) {
    if (builder_.type().element->kind != TypeKind::kBytea)
      return builder_.Element(Value::Text(text));
    const bool hex = text.size() % 2 == 0 && text.starts_with("\\x") &&
                     text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos;
    if (!hex) return false;
    const std::string bytes = FromHex(text.substr(2));
    return builder_.Element(Value::Blob(bytes));
  }

  std::string_view rest_;
  Builder& builder_;
};

}  // namespace

std::optional<std::string> FitArray(std::string_view text, const target::TargetType& type,
                                    const FitElement& fit) {
  Builder builder(type, fit);
  const std::string_view trimmed = Trim(text);
  const TypeKind element = type.element->kind;
  bool read = false;
  if (!trimmed.starts_with('[')) {
    read = OwnForm(text, builder).Read();
  } else if (element == TypeKind::kJson || element == TypeKind::kJsonb) {
    read = ReadDocuments(trimmed, builder);
  } else {
    read = ReadJson(trimmed, builder);
  }
  return read ? std::optional(builder.Take()) : std::nullopt;
}

}  // namespace liteferry::verify
