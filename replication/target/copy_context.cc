#include "replication/target/copy_context.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace liteferry::target {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads the number at `at` and moves `at` behind it; 0 when there is none.
std::int64_t ReadNumber(std::string_view text, std::size_t& at) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data() + at, text.data() + text.size(), number);
  if (read.ec != std::errc()) return 0;
  at = static_cast<std::size_t>(read.ptr - text.data());
  return number;
}

// Where "COPY <table>, line " ends. Only at the start of a line: what stands further on may be a
// value.
std::optional<std::size_t> FindOwnWords(std::string_view context, std::string_view table) {
  const std::string words = "COPY " + std::string(table) + ", line ";
  for (std::size_t at = 0; at < context.size();) {
    if (context.substr(at).starts_with(words)) return at + words.size();
    const auto line_end = context.find('\n', at);
    if (line_end == std::string_view::npos) break;
    at = line_end + 1;
  }
  return std::nullopt;
}

// In another language: the first number that follows the table's name closely.
std::optional<std::size_t> FindTranslated(std::string_view context, std::string_view table) {
  constexpr std::size_t kClosely = 32;
  for (auto at = context.find(table); at != std::string_view::npos;
       at = context.find(table, at + 1)) {
    const std::size_t begin = at + table.size();
    const std::size_t end = std::min(context.size(), begin + kClosely);
    for (std::size_t i = begin; i < end && context[i] != '\n'; ++i) {
      if (IsDigit(context[i])) return i;
    }
  }
  return std::nullopt;
}

// `rest` follows the line's number: `, column qty: "…"`, with another word for "column" in other
// languages.
std::string FindColumn(std::string_view rest, const std::vector<EncodedColumn>& columns) {
  if (rest.empty() || rest.front() == ':' || rest.front() == '\n') return "";
  const auto blank = rest.find(' ', rest.starts_with(", ") ? 2 : 0);
  if (blank == std::string_view::npos) return "";
  rest.remove_prefix(blank + 1);
  std::string found;
  for (const EncodedColumn& column : columns) {
    if (!rest.starts_with(column.name) || column.name.size() < found.size()) continue;
    const std::string_view after = rest.substr(column.name.size());
    if (after.empty() || after.front() == ':' || after.front() == '\n') found = column.name;
  }
  return found;
}

}  // namespace

CopyPlace ParseCopyContext(std::string_view context, std::string_view table,
                           const std::vector<EncodedColumn>& columns) {
  CopyPlace place;
  auto number = FindOwnWords(context, table);
  place.certain = number.has_value();
  if (!number) number = FindTranslated(context, table);
  if (!number) return place;
  std::size_t at = *number;
  place.line = ReadNumber(context, at);
  place.column = FindColumn(context.substr(at), columns);
  return place;
}

}  // namespace liteferry::target
