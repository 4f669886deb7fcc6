#include "replication/target/text_forms.h"

#include <string>

#include "replication/target/convert.h"
#include "replication/target/iso_time.h"

namespace liteferry::target {
namespace {

bool Converts(std::string_view text, TypeKind kind) {
  TargetType type;
  type.kind = kind;
  std::string unused;
  bool is_null = false;
  return !ConvertText(Value::Text(text), type, {}, unused, is_null);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool MayBeNumber(std::string_view text) {
  return IsDigit(text[0]) || text[0] == '-' || text[0] == '+' || text[0] == '.';
}

bool MayBeTime(std::string_view text) {
  return text.size() >= 5 && IsDigit(text[0]) && text.find_first_of("-:") != text.npos;
}

void ReadTime(std::string_view text, TextForms& forms) {
  internal::IsoTime parsed;
  if (internal::ParseIsoTime(text, parsed) != nullptr) return;
  forms.date = parsed.has_date && !parsed.has_time;
  forms.timestamp = parsed.has_date && parsed.has_time && !parsed.has_zone;
  forms.zoned = parsed.has_date && parsed.has_zone;
  forms.time = !parsed.has_date;
  forms.finer = parsed.finer;
  // The first and the last years are not the same for each type; that is rare enough to ask.
  constexpr std::int64_t kSafeDays = 700'000;
  if (parsed.days > -kSafeDays && parsed.days < kSafeDays * 4) return;
  if (!Converts(text, forms.date ? TypeKind::kDate : TypeKind::kTimestampTz)) forms = {};
}

}  // namespace

bool IsFloat(double real) {
  TargetType type;
  type.kind = TypeKind::kFloat4;
  std::string unused;
  bool is_null = false;
  return !ConvertBinary(Value::Real(real), type, {}, unused, is_null);
}

// The first looks are only there for speed: most text is none of these.
TextForms FormsOf(std::string_view text) {
  TextForms forms;
  if (text.empty()) return forms;
  if (MayBeTime(text)) ReadTime(text, forms);
  if (MayBeNumber(text)) {
    forms.decimal = Converts(text, TypeKind::kNumeric);
    forms.integer = forms.decimal && Converts(text, TypeKind::kInt8);
  } else if (text.size() <= 5) {
    forms.boolean = Converts(text, TypeKind::kBool);
  }
  if (text.size() >= 32 && text.size() <= 38) forms.uuid = Converts(text, TypeKind::kUuid);
  return forms;
}

}  // namespace liteferry::target
