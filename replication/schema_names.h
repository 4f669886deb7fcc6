#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace liteferry {

// How names of the source become names on PostgreSQL: as they are, or as snake_case that needs no
// quotes.
enum class NameStyle : std::uint8_t { kKeep, kFold };

// PostgreSQL's limit for a name, in bytes (NAMEDATALEN - 1).
inline constexpr std::size_t kMaxNameBytes = 63;

// `name` as SQL: in quotes where it needs them, as quote_ident() decides.
std::string QuoteIfNeeded(std::string_view name);

// CamelCase, "mixed Names" and HTTPServer as camel_case, mixed_names and http_server. Letters other
// than ASCII stay.
std::string SnakeCase(std::string_view name);

// `name` in the style asked for, of any length.
std::string NameOnTarget(std::string_view name, NameStyle style);
// The same for a column: PostgreSQL's own columns (xmin, ctid, …) keep their names for themselves.
std::string ColumnNameOnTarget(std::string_view name, NameStyle style);

// `name` as PostgreSQL cuts it: at a whole character within 63 bytes.
std::string CutToFit(std::string_view name);

// The names of one kind in one schema. Tables, indexes and sequences share one.
class NameSpace {
 public:
  void Reserve(const std::string& name) { taken_.insert(name); }
  bool Has(const std::string& name) const { return taken_.contains(name); }
  // `wanted`, or when that is taken the first of wanted_2, wanted_3, … that is free; it is then
  // taken.
  std::string Take(const std::string& wanted);

 private:
  std::set<std::string> taken_;
};

}  // namespace liteferry
