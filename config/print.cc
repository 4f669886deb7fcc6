#include "config/print.h"

#include "config/expand.h"
#include "config/url.h"

namespace liteferry::config {
namespace {

// In double quotes unless it is a word that YAML takes for nothing else.
std::string QuoteYaml(const std::string& text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kHex = "0123456789abcdef";
  const bool plain =
      text.size() > 5 &&
      text.find_first_not_of(std::string(kLetters) + "0123456789_./-") == std::string::npos &&
      (std::string(kLetters) + "_/").find(text.front()) != std::string::npos;
  const bool word = !text.empty() && text.size() <= 5 &&
                    text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
  const bool reserved = text == "y" || text == "n" || text == "yes" || text == "no" ||
                        text == "on" || text == "off" || text == "true" || text == "false" ||
                        text == "null";
  if (plain || (word && !reserved)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      quoted += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + "\"";
}

// No secret leaves by a key that it does not belong to.
std::string Redacted(const OptionSpec& spec, const std::string& text) {
  const bool is_url = spec.type == OptionType::kUrl && !text.empty();
  return is_url || MayHoldSecret(text) ? RedactUrl(text) : text;
}

OptionValue Redacted(const OptionSpec& spec, const OptionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return Redacted(spec, *text);
  if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    std::vector<std::string> redacted;
    for (const std::string& item : *items) redacted.push_back(Redacted(spec, item));
    return redacted;
  }
  return value;
}

// "  # liteferry.yaml:7", or nothing.
std::string OriginComment(const std::map<std::string, Origin>& origins, const std::string& key) {
  const auto found = origins.find(key);
  if (found == origins.end()) return {};
  std::string comment = "  # ";
  for (const char c : found->second.place) {
    comment += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  return comment;
}

// The options of `owner` that are not the default, one per line.
template <class Owner>
void PrintChanged(std::span<const Option<Owner>> options, const Owner& owner,
                  const std::string& indent, std::ostream& out) {
  for (const Option<Owner>& option : options) {
    const OptionValue value = option.get(owner);
    if (value == option.get(Owner{})) continue;
    out << indent << option.spec.key << ": " << YamlValue(option.spec, Redacted(option.spec, value))
        << "\n";
  }
}

void PrintTables(const Settings& settings, const std::map<std::string, Origin>& origins,
                 std::ostream& out) {
  if (settings.tables.empty()) return;
  out << "tables:\n";
  for (const auto& [name, table] : settings.tables) {
    out << "  " << QuoteYaml(name) << ":" << OriginComment(origins, "tables." + name) << "\n";
    PrintChanged(TableOptions(), table, "    ", out);
    if (table.columns.empty()) continue;
    out << "    columns:\n";
    for (const auto& [column_name, column] : table.columns) {
      out << "      " << QuoteYaml(column_name) << ":\n";
      PrintChanged(ColumnOptions(), column, "        ", out);
    }
  }
}

}  // namespace

std::string YamlValue(const OptionSpec& spec, const OptionValue& value) {
  if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    std::string list = "[";
    for (const std::string& item : *items) {
      if (list.size() > 1) list += ", ";
      list += QuoteYaml(EscapeExpansion(item));
    }
    return list + "]";
  }
  std::string text = ValueText(spec, value);
  switch (spec.type) {
    case OptionType::kText:
    case OptionType::kUrl:
    case OptionType::kMode:
    case OptionType::kChoice:
      return QuoteYaml(EscapeExpansion(text));
    default:
      return text;
  }
}

void PrintEffective(const Settings& settings, const std::map<std::string, Origin>& origins,
                    std::ostream& out) {
  std::string_view section;
  for (const Option<Settings>& option : Options()) {
    const OptionSpec& spec = option.spec;
    const OptionValue value = option.get(settings);
    const bool is_default = value == option.get(Settings{});
    if (section != SectionOf(spec.key)) {
      section = SectionOf(spec.key);
      out << section << ":\n";
    }
    out << "  " << LeafOf(spec.key) << ": " << YamlValue(spec, Redacted(spec, value))
        << (is_default ? std::string() : OriginComment(origins, std::string(spec.key))) << "\n";
  }
  PrintTables(settings, origins, out);
}

}  // namespace liteferry::config
