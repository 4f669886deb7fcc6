#include "replication/verify/forms.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "replication/base/text.h"
#include "replication/verify/array_form.h"
#include "replication/verify/decimal.h"
#include "replication/verify/fits.h"

namespace liteferry::verify {
namespace {

using target::TargetType;
using target::TypeKind;

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// Text that PostgreSQL can hold: what becomes of any value in a column of characters or JSON.
Fitted Characters(const Value& value, const target::ConvertOptions& options, bool blobs) {
  std::string text;
  switch (value.storage) {
    case StorageClass::kInteger:
      return std::to_string(value.integer);
    case StorageClass::kReal:
      return PrintDouble(value.real);
    case StorageClass::kBlob:
      if (!blobs) return std::nullopt;
      text = value.bytes;
      break;
    case StorageClass::kText:
      text = value.bytes;
      break;
    case StorageClass::kNull:
      return std::nullopt;
  }
  if (!IsValidUtf8(text)) return std::nullopt;
  if (text.find('\0') == std::string::npos) return text;
  if (options.on_invalid != config::OnInvalid::kStripNul || value.storage != StorageClass::kText) {
    return std::nullopt;
  }
  std::erase(text, '\0');
  return text;
}

Fitted FitCharacters(const Value& value, const TargetType& type,
                     const target::ConvertOptions& options) {
  Fitted text = Characters(value, options, true);
  if (!text) return text;
  if (type.oid == 19 && text->size() > 63) return std::nullopt;  // name
  const auto limit = static_cast<std::size_t>(target::LengthLimit(type));
  if (limit > 0 && CountCharacters(*text) > limit) return std::nullopt;
  if (type.kind == TypeKind::kChar) text->erase(text->find_last_not_of(' ') + 1);
  return text;
}

Fitted FitJson(const Value& value, const target::ConvertOptions& options) {
  if (value.storage == StorageClass::kReal && !std::isfinite(value.real)) return std::nullopt;
  return Characters(value, options, true);
}

// What the server's input function makes of a text, and of numbers where that is what they mean.
Fitted FitOther(const Value& value, const TargetType& type, const target::ConvertOptions& options) {
  constexpr std::uint32_t kMoney = 790;
  // interval, timetz, bit, varbit, inet, cidr
  constexpr std::uint32_t kNoNumbers[] = {1186, 1266, 1560, 1562, 869, 650};
  if (type.oid == kMoney) return FitMoney(value);
  const bool texts =
      std::find(std::begin(kNoNumbers), std::end(kNoNumbers), type.oid) != std::end(kNoNumbers);
  if (texts && value.storage != StorageClass::kText) return std::nullopt;
  return Characters(value, options, false);
}

Fitted FitUuid(const Value& value) {
  std::string hex;
  if (value.storage == StorageClass::kBlob && value.bytes.size() == 16) {
    hex = ToHex(value.bytes);
  } else if (value.storage == StorageClass::kText) {
    std::string_view text = value.bytes;
    if (text.size() > 2 && text.front() == '{' && text.back() == '}') {
      text = text.substr(1, text.size() - 2);
    }
    const bool dashes = text.size() == 36;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
        if (text[i] != '-') return std::nullopt;
        continue;
      }
      hex.push_back(text[i]);
    }
    hex = ToLowerAscii(hex);
  }
  if (hex.size() != 32 || hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  for (const std::size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, "-");
  return hex;
}

Fitted FitEnum(const Value& value, const TargetType& type) {
  if (value.storage != StorageClass::kText) return std::nullopt;
  const auto& labels = type.enum_labels;
  const auto found = std::find(labels.begin(), labels.end(), value.bytes);
  return found == labels.end() ? std::nullopt : Fitted(*found);
}

Fitted FitArrayOf(const Value& value, const TargetType& type,
                  const target::ConvertOptions& options);

Fitted Fit(const Value& value, const TargetType& type, const target::ConvertOptions& options) {
  switch (type.kind) {
    case TypeKind::kBool:
      return FitBool(value);
    case TypeKind::kInt2:
      return FitInteger(value, -32'768, 32'767);
    case TypeKind::kInt4:
      return FitInteger(value, -2'147'483'648LL, 2'147'483'647LL);
    case TypeKind::kInt8:
      return FitInteger(value, std::numeric_limits<std::int64_t>::min(),
                        std::numeric_limits<std::int64_t>::max());
    case TypeKind::kFloat4:
      return FitFloat(value);
    case TypeKind::kFloat8:
      return FitDouble(value);
    case TypeKind::kNumeric:
      return FitNumeric(value, type);
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      return FitCharacters(value, type, options);
    case TypeKind::kBytea:
      if (value.storage != StorageClass::kText && value.storage != StorageClass::kBlob) return {};
      return std::string(value.bytes);
    case TypeKind::kDate:
      return FitDate(value, options.epoch);
    case TypeKind::kTime:
      return FitClock(value, type);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return FitTimestamp(value, type, options.epoch);
    case TypeKind::kUuid:
      return FitUuid(value);
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      return FitJson(value, options);
    case TypeKind::kEnum:
      return FitEnum(value, type);
    case TypeKind::kArray:
      return FitArrayOf(value, type, options);
    default:
      return FitOther(value, type, options);
  }
}

Fitted FitArrayOf(const Value& value, const TargetType& type,
                  const target::ConvertOptions& options) {
  if (value.storage != StorageClass::kText) return std::nullopt;
  const Fitted text = Characters(value, options, false);
  if (!text) return text;
  return FitArray(*text, type, [&](const Value& element) -> Fitted {
    const Fitted fitted = Fit(element, *type.element, options);
    return fitted ? Fitted(FormLiteral(*type.element, *fitted)) : std::nullopt;
  });
}

// The server alone knows what it makes of these.
bool AskServer(TypeKind kind) {
  return kind == TypeKind::kJsonb || kind == TypeKind::kArray || kind == TypeKind::kOther;
}

template <typename Number>
Number ReadNumber(std::string_view printed) {
  Number number{};
  std::from_chars(printed.data(), printed.data() + printed.size(), number);
  return number;
}

template <typename Number>
std::string ObservedBits(std::string_view printed) {
  if (printed == "NaN") return Bits(std::numeric_limits<Number>::quiet_NaN());
  return Bits(ReadNumber<Number>(printed));
}

bool IsInteger(TypeKind kind) {
  return kind == TypeKind::kInt2 || kind == TypeKind::kInt4 || kind == TypeKind::kInt8;
}

// The common cases, without an allocation.
std::optional<Form> QuickForm(const Value& value, const TargetType& type, std::string& out) {
  if (value.storage == StorageClass::kInteger && type.kind == TypeKind::kInt8) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value.integer).ptr;
    out.append(text, end);
    return Form::kText;
  }
  if (value.storage == StorageClass::kReal && type.kind == TypeKind::kFloat8) {
    char bits[sizeof value.real];
    std::memcpy(bits, &value.real, sizeof bits);
    out.append(bits, sizeof bits);
    return Form::kText;
  }
  const bool bytes = value.storage == StorageClass::kText || value.storage == StorageClass::kBlob;
  if (bytes && type.kind == TypeKind::kBytea) {
    out.append(value.bytes);
    return Form::kText;
  }
  const bool characters =
      type.kind == TypeKind::kJson || (type.kind == TypeKind::kText && type.oid != 19);
  if (bytes && characters && value.bytes.find('\0') == std::string_view::npos &&
      IsValidUtf8(value.bytes)) {
    out.append(value.bytes);
    return Form::kText;
  }
  return std::nullopt;
}

}  // namespace

Form ExpectedForm(const Value& value, const TargetType& type, const target::ConvertOptions& options,
                  std::string& out) {
  if (value.is_null()) return Form::kNull;
  if (const auto quick = QuickForm(value, type, out)) return *quick;
  const Fitted fitted = Fit(value, type, options);
  if (!fitted) {
    return options.on_invalid == config::OnInvalid::kNull ? Form::kNull : Form::kUnfit;
  }
  out.append(*fitted);
  return AskServer(type.kind) ? Form::kAsk : Form::kText;
}

void ObservedForm(const TargetType& type, std::string_view printed, std::string& out) {
  switch (type.kind) {
    case TypeKind::kFloat8:
      out.append(ObservedBits<double>(printed));
      return;
    case TypeKind::kFloat4:
      out.append(ObservedBits<float>(printed));
      return;
    case TypeKind::kBytea:
      out.append(FromHex(printed.substr(std::min<std::size_t>(2, printed.size()))));
      return;
    case TypeKind::kChar:
      out.append(printed.substr(0, printed.find_last_not_of(' ') + 1));
      return;
    default:
      out.append(printed);
  }
}

std::string FormLiteral(const TargetType& type, std::string_view form) {
  switch (type.kind) {
    case TypeKind::kFloat8:
      return PrintDouble(FromBits<double>(form));
    case TypeKind::kFloat4:
      return PrintFloat(FromBits<float>(form));
    case TypeKind::kBytea:
      return "\\x" + ToHex(form);
    default:
      return std::string(form);
  }
}

Value FormValue(const TargetType& type, std::string_view form, std::string& scratch) {
  if (IsInteger(type.kind)) return Value::Integer(ReadNumber<std::int64_t>(form));
  if (type.kind == TypeKind::kBool) return Value::Integer(form == "t" ? 1 : 0);
  if (type.kind == TypeKind::kBytea) return Value::Blob(form);
  scratch = FormLiteral(type, form);
  return Value::Text(scratch);
}

}  // namespace liteferry::verify
