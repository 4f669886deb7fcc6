#include <cctype>

#include "tests/fuzz/encoder_oracle.h"

namespace liteferry::fuzz {
namespace {

// % is the name of a type, @ a storage class.
constexpr std::string_view kSentences[] = {
    "@ cannot become %",
    "@ cannot become % unless the column's epoch is configured",
    "@ holds a NUL byte",
    "@ is neither true nor false",
    "@ is not valid UTF-8",
    "@ out of range for %",
    "JSON boolean cannot become %",
    "JSON object cannot become %",
    "array in the place of an element",
    "array of more than 6 dimensions",
    "array with an empty array in it",
    "array with bounds",
    "array with parts of different lengths",
    "blob is not 16 bytes long, as a UUID is",
    "element in the place of an array",
    "exponent of the number in text is out of range",
    "infinity cannot become %",
    "integer has no exact form in %",
    "leap second",
    "more bytes than % holds",
    "more characters than % holds",
    "more digits before the point than % holds",
    "more fraction digits than % keeps",
    "more than 9 fraction digits in the seconds",
    "no such date in the calendar",
    "no such time of day",
    "no such time zone offset",
    "number has no exact form in %",
    "number in text out of range for %",
    "number in text out of range for double precision",
    "number is not written with digits and a point alone",
    "out of range for %",
    "real out of range for %",
    "real with a fraction cannot become %",
    "text has no date",
    "text is empty",
    "text is neither a JSON array nor one in PostgreSQL's form",
    "text is no label of %",
    "text is not a JSON array",
    "text is not a UUID",
    "text is not a decimal number",
    "text is not a number",
    "text is not a time of day alone",
    "text is not a whole number",
    "text is not an ISO date or time",
    "text is not an array in PostgreSQL's form",
    "text is not bytea in hexadecimal form",
    "time of day would be lost in %",
    "time zone offset would be lost in %",
};

std::string Filled(std::string_view sentence, const std::string& storage, const std::string& type) {
  std::string filled;
  for (const char c : sentence) {
    if (c == '@') {
      filled += storage;
    } else if (c == '%') {
      filled += type;
    } else {
      filled += c;
    }
  }
  return filled;
}

}  // namespace

std::string CheckReason(const Input& input, std::string_view reason) {
  std::string type = input.type->name;
  std::string_view rest = reason;
  if (rest.starts_with("element ") && input.type->element) {
    std::size_t at = 8;
    while (at < rest.size() && std::isdigit(static_cast<unsigned char>(rest[at])) != 0) ++at;
    if (at > 8 && at < 18 && rest.substr(at).starts_with(": ")) {
      rest.remove_prefix(at + 2);
      type = input.type->element->name;
    }
  }
  for (const std::string_view sentence : kSentences) {
    for (const char* storage : {"integer", "real", "text", "blob"}) {
      if (rest == Filled(sentence, storage, type)) return "";
    }
  }
  return "reason that is not known here: " + std::string(reason);
}

}  // namespace liteferry::fuzz
