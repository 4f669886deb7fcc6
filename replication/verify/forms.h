#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "replication/base/value.h"
#include "replication/mapping.h"

// The form in which a value of the source and a value of the target are compared, by the rules of
// replication/VALUES.md, in code that shares nothing with the encoder that wrote the rows. For most
// types it is the text that PostgreSQL prints (settings: sql/verify_begin.sql); for double
// precision and real the bits, for bytea the bytes, for char(n) the text without the spaces at its
// end.
namespace liteferry::verify {

enum class Form : std::uint8_t {
  kNull,
  kText,   // what was appended is the form
  kUnfit,  // the column cannot hold the value: the row must be absent, and recorded as rejected
  kAsk,    // what was appended is text for the server, which alone knows its form (jsonb, kOther)
};

// The form that `value` must have in the column, appended to `out`.
Form ExpectedForm(const Value& value, const target::TargetType& type,
                  const target::ConvertOptions& options, std::string& out);

// The form of what the server printed for a value that is not NULL, appended to `out`.
void ObservedForm(const target::TargetType& type, std::string_view printed, std::string& out);

// A form of a key column as text for the server's input function.
std::string FormLiteral(const target::TargetType& type, std::string_view form);

// A value of the source that would have this form: for a key that only the target has. Points into
// `form` or `scratch`.
Value FormValue(const target::TargetType& type, std::string_view form, std::string& scratch);

}  // namespace liteferry::verify
