#include "config/collector.h"

#include "config/url.h"

namespace liteferry::config {
namespace {

constexpr const char* kUrl = "target.url";
constexpr const char* kUrlFile = "target.url_file";

// A value for a message: short, without control characters, and not when it may hold a password.
std::string Shown(const OptionSpec& spec, const std::string& text) {
  if (spec.secret || MayHoldSecret(text)) return "the value";
  constexpr std::size_t kLongest = 60;
  std::string shown = "\"";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return shown + (text.size() > kLongest ? "…\"" : "\"");
}

}  // namespace

void Collector::Report(const Place& place, const std::string& key, std::string message,
                       std::string hint) {
  // A URL that slipped in as a key is not named.
  result_.problems.push_back({place.name, place.line, MayHoldSecret(key) ? std::string() : key,
                              std::move(message), std::move(hint)});
}

void Collector::Assign(const Option<Settings>& option, const Place& place, const RawValue& raw) {
  if (raw.is_list || !raw.items.front().empty()) NoteTarget(option, place);
  const std::string key(option.spec.key);
  if (const auto value = Parse(option.spec, key, place, raw)) {
    option.set(result_.settings, *value);
    result_.origins[key] = {place.layer, place.Text()};
  }
}

void Collector::AssignNothing(const Option<Settings>& option, const Place& place) {
  NoteTarget(option, place);
}

std::optional<OptionValue> Collector::Parse(const OptionSpec& spec, const std::string& key,
                                            const Place& place, const RawValue& raw) {
  ParsedValue parsed =
      raw.is_list ? ParseItems(spec, raw.items) : ParseText(spec, raw.items.front());
  if (!parsed.value) {
    Report(place, key, Shown(spec, raw.shown) + " is not valid; " + parsed.problem);
  }
  return std::move(parsed.value);
}

TableSettings& Collector::Table(const std::string& name, const Place& place) {
  result_.origins["tables." + name] = {place.layer, place.Text()};
  return result_.settings.tables[name];
}

void Collector::NoteTarget(const Option<Settings>& option, const Place& place) {
  const std::string key(option.spec.key);
  if (key != kUrl && key != kUrlFile) return;
  const std::string other = key == kUrl ? kUrlFile : kUrl;
  target_layers_[key] = place.layer;
  const auto given = target_layers_.find(other);
  if (given == target_layers_.end()) return;
  if (given->second == place.layer) {
    Report(place, key, "target.url and target.url_file are both given", "Remove one of the two.");
    return;
  }
  FindOption(other)->set(result_.settings, std::string());
  result_.origins.erase(other);
}

std::vector<std::string> AllKeys() {
  std::vector<std::string> keys;
  for (const Option<Settings>& option : Options()) keys.emplace_back(option.spec.key);
  return keys;
}

std::string JoinWords(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace liteferry::config
