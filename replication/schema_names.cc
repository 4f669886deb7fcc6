#include "replication/schema_names.h"

#include <algorithm>
#include <array>

#include "replication/base/text.h"

namespace liteferry {
namespace {

// pg_get_keywords() of 15 to 18, all but the unreserved.
constexpr std::array<std::string_view, 164> kKeywords = {"all",
                                                         "analyse",
                                                         "analyze",
                                                         "and",
                                                         "any",
                                                         "array",
                                                         "as",
                                                         "asc",
                                                         "asymmetric",
                                                         "authorization",
                                                         "between",
                                                         "bigint",
                                                         "binary",
                                                         "bit",
                                                         "boolean",
                                                         "both",
                                                         "case",
                                                         "cast",
                                                         "char",
                                                         "character",
                                                         "check",
                                                         "coalesce",
                                                         "collate",
                                                         "collation",
                                                         "column",
                                                         "concurrently",
                                                         "constraint",
                                                         "create",
                                                         "cross",
                                                         "current_catalog",
                                                         "current_date",
                                                         "current_role",
                                                         "current_schema",
                                                         "current_time",
                                                         "current_timestamp",
                                                         "current_user",
                                                         "dec",
                                                         "decimal",
                                                         "default",
                                                         "deferrable",
                                                         "desc",
                                                         "distinct",
                                                         "do",
                                                         "else",
                                                         "end",
                                                         "except",
                                                         "exists",
                                                         "extract",
                                                         "false",
                                                         "fetch",
                                                         "float",
                                                         "for",
                                                         "foreign",
                                                         "freeze",
                                                         "from",
                                                         "full",
                                                         "grant",
                                                         "greatest",
                                                         "group",
                                                         "grouping",
                                                         "having",
                                                         "ilike",
                                                         "in",
                                                         "initially",
                                                         "inner",
                                                         "inout",
                                                         "int",
                                                         "integer",
                                                         "intersect",
                                                         "interval",
                                                         "into",
                                                         "is",
                                                         "isnull",
                                                         "join",
                                                         "json",
                                                         "json_array",
                                                         "json_arrayagg",
                                                         "json_exists",
                                                         "json_object",
                                                         "json_objectagg",
                                                         "json_query",
                                                         "json_scalar",
                                                         "json_serialize",
                                                         "json_table",
                                                         "json_value",
                                                         "lateral",
                                                         "leading",
                                                         "least",
                                                         "left",
                                                         "like",
                                                         "limit",
                                                         "localtime",
                                                         "localtimestamp",
                                                         "merge_action",
                                                         "national",
                                                         "natural",
                                                         "nchar",
                                                         "none",
                                                         "normalize",
                                                         "not",
                                                         "notnull",
                                                         "null",
                                                         "nullif",
                                                         "numeric",
                                                         "offset",
                                                         "on",
                                                         "only",
                                                         "or",
                                                         "order",
                                                         "out",
                                                         "outer",
                                                         "overlaps",
                                                         "overlay",
                                                         "placing",
                                                         "position",
                                                         "precision",
                                                         "primary",
                                                         "real",
                                                         "references",
                                                         "returning",
                                                         "right",
                                                         "row",
                                                         "select",
                                                         "session_user",
                                                         "setof",
                                                         "similar",
                                                         "smallint",
                                                         "some",
                                                         "substring",
                                                         "symmetric",
                                                         "system_user",
                                                         "table",
                                                         "tablesample",
                                                         "then",
                                                         "time",
                                                         "timestamp",
                                                         "to",
                                                         "trailing",
                                                         "treat",
                                                         "trim",
                                                         "true",
                                                         "union",
                                                         "unique",
                                                         "user",
                                                         "using",
                                                         "values",
                                                         "varchar",
                                                         "variadic",
                                                         "verbose",
                                                         "when",
                                                         "where",
                                                         "window",
                                                         "with",
                                                         "xmlattributes",
                                                         "xmlconcat",
                                                         "xmlelement",
                                                         "xmlexists",
                                                         "xmlforest",
                                                         "xmlnamespaces",
                                                         "xmlparse",
                                                         "xmlpi",
                                                         "xmlroot",
                                                         "xmlserialize",
                                                         "xmltable"};

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The longest prefix of at most `bytes` bytes that ends with a whole character.
std::string_view CutAtCharacter(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::string Digest(std::string_view text) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(hash >> shift));
  return ToHex(bytes);
}

}  // namespace

std::string QuoteIfNeeded(std::string_view name) {
  const bool plain = !name.empty() && (IsLower(name.front()) || name.front() == '_') &&
                     std::all_of(name.begin(), name.end(),
                                 [](char c) { return IsLower(c) || IsDigit(c) || c == '_'; }) &&
                     !std::binary_search(kKeywords.begin(), kKeywords.end(), name);
  return plain ? std::string(name) : QuoteIdentifier(name);
}

std::string SnakeCase(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const char before = i > 0 ? name[i - 1] : '\0';
    const char after = i + 1 < name.size() ? name[i + 1] : '\0';
    if (IsUpper(c)) {
      const bool begins_word =
          IsLower(before) || IsDigit(before) || (IsUpper(before) && IsLower(after));
      if (begins_word) out.push_back('_');
      out.push_back(static_cast<char>(c - 'A' + 'a'));
    } else if (IsLower(c) || IsDigit(c) || static_cast<unsigned char>(c) >= 0x80) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != '_') {
      out.push_back('_');
    } else if (c == '_') {
      out.push_back(c);
    }
  }
  if (out.empty()) return std::string(name);
  return IsDigit(out.front()) ? "_" + out : out;
}

std::string NameOnTarget(std::string_view name, NameStyle style) {
  return style == NameStyle::kFold ? SnakeCase(name) : std::string(name);
}

std::string ColumnNameOnTarget(std::string_view name, NameStyle style) {
  constexpr std::array<std::string_view, 6> kSystem = {"cmax", "cmin",     "ctid",
                                                       "xmax", "tableoid", "xmin"};
  const std::string target = NameOnTarget(name, style);
  const bool taken = std::find(kSystem.begin(), kSystem.end(), target) != kSystem.end();
  return taken ? target + "_" : target;
}

std::string CutToFit(std::string_view name) {
  return std::string(CutAtCharacter(name, kMaxNameBytes));
}

std::string NameSpace::Take(const std::string& wanted) {
  std::string name = CutToFit(wanted);
  if (taken_.insert(name).second) return name;
  if (name != wanted) {
    const std::string digest = "_" + Digest(wanted);
    name = std::string(CutAtCharacter(wanted, kMaxNameBytes - digest.size())) + digest;
    if (taken_.insert(name).second) return name;
  }
  for (int i = 2;; ++i) {
    const std::string suffix = "_" + std::to_string(i);
    name = std::string(CutAtCharacter(wanted, kMaxNameBytes - suffix.size())) + suffix;
    if (taken_.insert(name).second) return name;
  }
}

}  // namespace liteferry
