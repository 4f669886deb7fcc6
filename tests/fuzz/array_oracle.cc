#include "tests/fuzz/array_oracle.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "tests/fuzz/big_endian.h"
#include "tests/fuzz/encoder_oracle.h"

namespace liteferry::fuzz {
namespace {

using target::TypeKind;

struct Array {
  std::vector<std::int64_t> sizes;
  std::vector<std::optional<std::string_view>> elements;  // nothing for NULL
};

// array_send()'s form. Nothing where it is not that.
std::optional<Array> Decode(std::string_view binary, std::uint32_t element_oid) {
  const auto take = [&binary](std::size_t size) {
    const std::string_view taken = binary.substr(0, size);
    binary.remove_prefix(std::min(size, binary.size()));
    return taken;
  };
  if (binary.size() < 12) return std::nullopt;
  Array array;
  const std::int64_t dimensions = SignedBig(take(4));
  const std::int64_t nulls = SignedBig(take(4));
  if (SignedBig(take(4)) != element_oid || dimensions < 0 || dimensions > 6) return std::nullopt;
  std::int64_t count = dimensions > 0 ? 1 : 0;
  for (std::int64_t i = 0; i < dimensions; ++i) {
    if (binary.size() < 8) return std::nullopt;
    array.sizes.push_back(SignedBig(take(4)));
    count *= array.sizes.back();
    if (SignedBig(take(4)) != 1 || array.sizes.back() < 1) return std::nullopt;
  }
  bool has_null = false;
  for (std::int64_t i = 0; i < count; ++i) {
    if (binary.size() < 4) return std::nullopt;
    const std::int64_t length = SignedBig(take(4));
    has_null = has_null || length == -1;
    if (length < -1 || (length > 0 && binary.size() < static_cast<std::size_t>(length))) {
      return std::nullopt;
    }
    array.elements.emplace_back();
    if (length >= 0) array.elements.back() = take(static_cast<std::size_t>(length));
  }
  if (!binary.empty() || nulls != (has_null ? 1 : 0)) return std::nullopt;
  return array;
}

// The elements of a JSON array as they are to be taken, one after the other, and the number of
// brackets opened at each depth.
class Elements : public nlohmann::json_sax<nlohmann::json> {
 public:
  struct Element {
    Value value;
    std::string text;
  };
  std::vector<Element> elements;
  std::vector<std::int64_t> opened;
  bool failed = false;

  bool null() override { return Add(Value::Null(), ""); }
  bool boolean(bool truth) override { return Add(Value::Integer(truth ? 1 : 0), ""); }
  bool number_integer(std::int64_t number) override { return Add(Value::Integer(number), ""); }
  bool number_unsigned(std::uint64_t number) override {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (number > kMax) return Add(Value::Text({}), std::to_string(number));
    return Add(Value::Integer(static_cast<std::int64_t>(number)), "");
  }
  bool number_float(double number, const std::string& text) override {
    return times_ ? Add(Value::Real(number), "") : Add(Value::Text({}), text);
  }
  bool string(std::string& text) override { return Add(Value::Text({}), text); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return false; }
  bool key(std::string&) override { return false; }
  bool end_object() override { return false; }
  bool start_array(std::size_t) override {
    if (opened.size() <= depth_) opened.push_back(0);
    ++opened[depth_++];
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    failed = true;
    return false;
  }

  explicit Elements(bool times) : times_(times) {}

 private:
  bool Add(Value value, std::string text) {
    elements.push_back({value, std::move(text)});
    return true;
  }

  bool times_;
  std::size_t depth_ = 0;
};

std::string CheckElement(const Input& input, const Elements::Element& element,
                         const std::optional<std::string_view>& stored) {
  if (element.value.is_null() || !stored) {
    return element.value.is_null() && !stored ? "" : "NULL in another place";
  }
  Input inner = input;
  inner.type = input.type->element.get();
  inner.value = element.value;
  if (inner.value.storage == StorageClass::kText) inner.value.bytes = element.text;
  // The other parser has no -0.
  if (inner.value.storage == StorageClass::kInteger && inner.value.integer == 0) {
    inner.value = Value::Text("-0");
    if (CheckBinary(inner, *stored).empty()) return "";
    inner.value = element.value;
  }
  return CheckBinary(inner, *stored);
}

// Elements that are JSON documents themselves: of equal value. Nothing is said of what is no JSON:
// there the server will refuse.
std::string CheckDocuments(const Input& input, const std::string& text, const Array& array) {
  const auto whole = nlohmann::json::parse(text, nullptr, false);
  if (whole.is_discarded()) return "";
  if (!whole.is_array() || whole.size() != array.elements.size())
    return "another number of elements";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (whole[i].is_null() != !array.elements[i]) return "NULL in another place";
    if (!array.elements[i]) continue;
    std::string_view stored = *array.elements[i];
    if (input.type->element->kind == TypeKind::kJsonb) stored.remove_prefix(1);
    if (nlohmann::json::parse(stored, nullptr, false) != whole[i]) return "another document";
  }
  return "";
}

std::string CheckJson(const Input& input, const std::string& text, const Array& array) {
  const TypeKind kind = input.type->element->kind;
  if (kind == TypeKind::kJson || kind == TypeKind::kJsonb) {
    return CheckDocuments(input, text, array);
  }
  Elements meant(kind == TypeKind::kDate || kind == TypeKind::kTimestamp ||
                 kind == TypeKind::kTimestampTz);
  nlohmann::json::sax_parse(text, &meant);
  if (meant.failed) {
    // Numbers that no double holds are errors for the other parser.
    return text.find_first_of("eE") == std::string::npos && text.size() < 300 ? "no JSON" : "";
  }
  if (meant.elements.size() != array.elements.size()) return "another number of elements";
  std::int64_t parts = 1;
  for (std::size_t i = 0; i < array.sizes.size(); ++i) {
    if (meant.opened.size() != array.sizes.size() || meant.opened[i] != parts) {
      return "another shape";
    }
    parts *= array.sizes[i];
  }
  for (std::size_t i = 0; i < meant.elements.size(); ++i) {
    const std::string problem = CheckElement(input, meant.elements[i], array.elements[i]);
    if (!problem.empty()) return "element " + std::to_string(i + 1) + ": " + problem;
  }
  return "";
}

}  // namespace

std::string CheckArray(const Input& input, std::string_view binary) {
  // Sent as text; the round trip of the fuzz target looks at it.
  if (!target::HasBinaryForm(*input.type)) return "";
  if (input.value.storage != StorageClass::kText) return "array from something else than text";
  const auto array = Decode(binary, input.type->element->oid);
  if (!array) return "not an array";
  std::string text(input.value.bytes);
  if (input.options.on_invalid == target::OnInvalid::kStripNul) {
    text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
  }
  const std::size_t first = text.find_first_not_of(" \t\n\r\v\f");
  if (first == std::string::npos) return "array from nothing";
  return text[first] == '[' ? CheckJson(input, text.substr(first), *array) : "";
}

}  // namespace liteferry::fuzz
