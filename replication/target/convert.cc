#include "replication/target/convert.h"

#include "replication/target/convert_internal.h"

namespace liteferry::target {
namespace {

using internal::Rejection;
using internal::Sink;

Rejection Dispatch(const Value& value, const TargetType& type, const ConvertOptions& options,
                   const Sink& sink) {
  switch (type.kind) {
    case TypeKind::kBool:
      return internal::ConvertBool(value, type, sink);
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
      return internal::ConvertInteger(value, type, sink);
    case TypeKind::kFloat4:
    case TypeKind::kFloat8:
      return internal::ConvertFloat(value, type, sink);
    case TypeKind::kNumeric:
      return internal::ConvertNumeric(value, type, sink);
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      return internal::ConvertCharacters(value, type, options, sink);
    case TypeKind::kBytea:
      return internal::ConvertBytea(value, type, sink);
    case TypeKind::kDate:
      return internal::ConvertDate(value, type, options, sink);
    case TypeKind::kTime:
      return internal::ConvertTime(value, type, sink);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return internal::ConvertTimestamp(value, type, options, sink);
    case TypeKind::kUuid:
      return internal::ConvertUuid(value, type, sink);
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      return internal::ConvertJson(value, type, options, sink);
    case TypeKind::kEnum:
      return internal::ConvertEnum(value, type, sink);
    case TypeKind::kArray:
      return internal::ConvertArray(value, type, options, sink);
    case TypeKind::kOther:
      break;
  }
  return internal::ConvertOther(value, type, options, sink);
}

std::optional<CellError> Convert(const Value& value, const TargetType& type,
                                 const ConvertOptions& options, const Sink& sink, bool& is_null) {
  is_null = value.is_null();
  if (is_null) return std::nullopt;
  const std::size_t before = sink.out.size();
  Rejection rejection = Dispatch(value, type, options, sink);
  if (!rejection) return std::nullopt;
  sink.out.resize(before);
  if (options.on_invalid != OnInvalid::kNull) return rejection;
  is_null = true;
  return std::nullopt;
}

}  // namespace

std::optional<CellError> ConvertBinary(const Value& value, const TargetType& type,
                                       const ConvertOptions& options, std::string& out,
                                       bool& is_null, bool* rounded) {
  return Convert(value, type, options, Sink{out, true, rounded}, is_null);
}

std::optional<CellError> ConvertText(const Value& value, const TargetType& type,
                                     const ConvertOptions& options, std::string& out, bool& is_null,
                                     bool* rounded) {
  return Convert(value, type, options, Sink{out, false, rounded}, is_null);
}

namespace internal {

Rejection ConvertCell(const Value& value, const TargetType& type, const ConvertOptions& options,
                      const Sink& sink) {
  return Dispatch(value, type, options, sink);
}

Rejection Reject(std::string_view reason) { return CellError{std::string(reason)}; }

Rejection RejectClass(const Value& value, const TargetType& type) {
  return CellError{std::string(ToString(value.storage)) + " cannot become " + type.name};
}

Rejection CheckSize(std::uint64_t bytes) {
  if (bytes <= kMaxFieldBytes) return std::nullopt;
  return CellError{"value of " + std::to_string(bytes) + " bytes exceeds PostgreSQL's limit"};
}

bool EqualsFolded(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
  }
  return true;
}

}  // namespace internal
}  // namespace liteferry::target
