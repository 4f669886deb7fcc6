// libFuzzer's entry point for the value encoder: scripts/fuzz.sh runs it, encoder_fuzz_test.cc
// calls it with random inputs.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "replication/base/text.h"
#include "replication/target/row_encoder.h"
#include "tests/fuzz/encoder_input.h"
#include "tests/fuzz/encoder_oracle.h"

namespace liteferry::fuzz {
namespace {

constexpr std::string_view kBefore = "before";

struct Result {
  std::string reason;  // empty where the value was taken
  bool is_null = false;
  bool rounded = false;
  std::string bytes;
};

// Goes on after a failure only where it must not: libFuzzer and the unit test both want the abort.
[[noreturn]] void Fail(std::string_view input, const std::string& problem) {
  const Input unpacked = Unpack(input);
  std::fprintf(stderr, "encoder_fuzz: %s from %s: %s\ninput: %s\n", unpacked.type->name.c_str(),
               std::string(ToString(unpacked.value.storage)).c_str(), problem.c_str(),
               ToHex(input).c_str());
  std::abort();
}

Result Convert(const Input& input, bool binary) {
  const auto convert = binary ? target::ConvertBinary : target::ConvertText;
  Result result;
  std::string out(kBefore);
  const auto error =
      convert(input.value, *input.type, input.options, out, result.is_null, &result.rounded);
  if (error) result.reason = error->reason.empty() ? "(empty)" : error->reason;
  if (out.starts_with(kBefore)) result.bytes = out.substr(kBefore.size());
  if (!out.starts_with(kBefore) || ((error || result.is_null) && out != kBefore)) {
    result.reason = "(buffer not as before)";
  }
  return result;
}

std::string CheckRefused(const Input& input, const Result& result) {
  if (input.value.is_null()) return "NULL refused";
  if (input.options.on_invalid == target::OnInvalid::kNull) return "refused, not made NULL";
  return CheckReason(input, result.reason);
}

// What the text form says is the same value again, by the same rules.
std::string CheckTextForm(const Input& input, const Result& text, const Result& binary) {
  // In bytea's text form, text is not what it is as a value.
  if (input.type->kind == target::TypeKind::kBytea) return "";
  Input again = input;
  again.value = Value::Text(text.bytes);
  const Result read = Convert(again, target::HasBinaryForm(*input.type));
  if (!read.reason.empty()) return "text form is refused: " + read.reason;
  if (read.is_null) return "text form is NULL";
  if (read.rounded) return "text form is rounded";
  if (read.bytes != (target::HasBinaryForm(*input.type) ? binary.bytes : text.bytes)) {
    return "text form is another value";
  }
  return "";
}

// COPY's text format, read back.
std::string Unescape(std::string_view field) {
  constexpr std::string_view kLetters = "bfnrtv\\";
  constexpr std::string_view kMeant = "\b\f\n\r\t\v\\";
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\t' || field[i] == '\n') return "(not escaped)";
    const std::size_t letter =
        field[i] == '\\' && i + 1 < field.size() ? kLetters.find(field[++i]) : std::string::npos;
    text += letter == std::string::npos ? field[i] : kMeant[letter];
  }
  return text;
}

std::string CheckCopyLine(const Input& input, const Result& text) {
  target::EncodedColumn filler;
  filler.name = "filler";  // of a type that goes as text
  const target::RowEncoder encoder({{"v", *input.type, input.options, false}, filler});
  const Value row[] = {input.value, Value::Null()};
  std::string out(kBefore);
  const auto rejection = encoder.AppendRow(row, out);
  if (rejection.has_value() != !text.reason.empty()) return "row and value are judged differently";
  if (rejection) return out == kBefore ? "" : "rejected row left something";
  std::string_view line = std::string_view(out).substr(kBefore.size());
  if (!line.ends_with("\t\\N\n")) return "line does not end as it should";
  line.remove_suffix(4);
  if (text.is_null) return line == "\\N" ? "" : "NULL is another text";
  return line != "\\N" && Unescape(line) == text.bytes ? "" : "line holds another text";
}

std::string Check(const Input& input) {
  const Result binary = Convert(input, true);
  const Result text = Convert(input, false);
  if (binary.reason != text.reason || binary.is_null != text.is_null ||
      binary.rounded != text.rounded) {
    return "binary and text disagree: " + binary.reason + " / " + text.reason;
  }
  if (std::string problem = CheckCopyLine(input, text); !problem.empty()) return problem;
  if (!binary.reason.empty()) return CheckRefused(input, binary);
  if (binary.is_null) {
    const bool may = input.options.on_invalid == target::OnInvalid::kNull;
    return input.value.is_null() || may ? "" : "NULL from a value";
  }
  if (input.value.is_null()) return "value from NULL";
  if (std::string problem = CheckBinary(input, binary.bytes); !problem.empty()) return problem;
  return CheckTextForm(input, text, binary);
}

}  // namespace
}  // namespace liteferry::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = liteferry::fuzz;
  const std::string_view bytes(size == 0 ? "" : reinterpret_cast<const char*>(data), size);
  const std::string problem = fuzz::Check(fuzz::Unpack(bytes));
  if (!problem.empty()) fuzz::Fail(bytes, problem);
  return 0;
}
