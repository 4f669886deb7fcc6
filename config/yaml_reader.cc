#include "config/yaml_reader.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace liteferry::config {
namespace {

constexpr const char* kTables = "tables";
constexpr const char* kColumns = "columns";

template <class Owner>
std::vector<std::string> KeysOf(std::span<const Option<Owner>> options) {
  std::vector<std::string> keys;
  for (const Option<Owner>& option : options) keys.emplace_back(option.spec.key);
  return keys;
}

// Walks the document along the table of options; never deeper than that, whatever the file holds.
class YamlReader {
 public:
  YamlReader(std::string file, const Environment& environment, Collector& collector)
      : file_(std::move(file)), environment_(environment), collector_(collector) {}

  void Read(const std::string& text) {
    text_ = text;
    try {
      std::istringstream stream(text);
      const std::vector<YAML::Node> documents = YAML::LoadAll(stream);
      if (documents.empty()) return;
      ReadRoot(documents.front());
      if (documents.size() > 1) {
        collector_.Report(At(documents[1]), {}, "a second YAML document is not read",
                          "Keep one document per file.");
      }
    } catch (const YAML::Exception& error) {
      // yaml-cpp appends what it stumbled over behind a colon: it may be a piece of a secret.
      const std::string message = error.msg.substr(0, error.msg.find(": "));
      collector_.Report(At(error.mark), {}, "not valid YAML: " + message,
                        "Put a value with special characters in single quotes.");
      collector_.MarkIncomplete();
    }
  }

 private:
  Place At(const YAML::Mark& mark) const { return {Layer::kFile, file_, mark.line + 1}; }
  Place At(const YAML::Node& node) const { return At(node.Mark()); }

  // Calls use(key, place, node) for each entry of a map.
  template <class Use>
  void ForEach(const YAML::Node& map, const std::string& path, Use use) {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const Place place = At(entry.first);
      if (!entry.first.IsScalar()) {
        collector_.Report(place, path, "a key is not a plain text");
        continue;
      }
      const std::string key = entry.first.Scalar();
      if (seen.insert(key).second) {
        use(key, place, entry.second);
      } else {
        std::string full = path;
        if (!full.empty()) full += '.';
        collector_.Report(place, full.append(key), "this key is given twice",
                          "Remove one of the two.");
      }
    }
  }

  // True for a map; a section without content is fine, anything else is reported.
  bool IsSection(const YAML::Node& node, const Place& place, const std::string& path,
                 const std::string& inside) {
    if (node.IsMap()) return true;
    if (!node.IsNull()) {
      collector_.Report(place, path, "a map is expected here", "Inside stand " + inside + ".");
    }
    return false;
  }

  void ReadRoot(const YAML::Node& root) {
    std::vector<std::string> sections = Sections();
    sections.emplace_back(kTables);
    if (!IsSection(root, At(root), {}, "the sections " + JoinWords(sections))) return;
    ForEach(root, {}, [&](const std::string& key, const Place& place, const YAML::Node& node) {
      if (key == kTables) {
        ReadTables(place, node);
      } else if (std::count(sections.begin(), sections.end(), key) > 0) {
        ReadSection(key, place, node);
      } else {
        ReportUnknownSection(key, place, sections);
      }
    });
  }

  // Either a section's name is misspelt, or a key stands outside its section.
  void ReportUnknownSection(const std::string& key, const Place& place,
                            std::vector<std::string> known) {
    for (std::string& option : AllKeys()) known.push_back(std::move(option));
    const std::string nearest = Nearest(key, known);
    std::string hint;
    if (FindOption(nearest) != nullptr) {
      hint = "Write it as `" + std::string(SectionOf(nearest)) + ": {" +
             std::string(LeafOf(nearest)) + ": …}`.";
    }
    collector_.Report(place, key, "unknown key; the nearest known key is " + nearest,
                      std::move(hint));
  }

  void ReadSection(const std::string& section, const Place& section_place, const YAML::Node& node) {
    std::vector<std::string> keys;
    for (const Option<Settings>& option : Options()) {
      if (SectionOf(option.spec.key) == section) keys.emplace_back(LeafOf(option.spec.key));
    }
    if (!IsSection(node, section_place, section, JoinWords(keys))) return;
    ForEach(
        node, section, [&](const std::string& leaf, const Place& place, const YAML::Node& value) {
          const std::string key = section + "." + leaf;
          const Option<Settings>* option = FindOption(key);
          if (option == nullptr) {
            collector_.Report(place, key,
                              "unknown key; the nearest known key is " + Nearest(key, AllKeys()),
                              "Inside " + section + " stand " + JoinWords(keys) + ".");
          } else if (const auto raw = ReadValue(option->spec, key, place, value)) {
            collector_.Assign(*option, place, *raw);
          } else {
            collector_.AssignNothing(*option, place);
          }
        });
  }

  void ReadTables(const Place& place, const YAML::Node& tables) {
    if (!IsSection(tables, place, kTables, "the tables by name")) return;
    std::vector<std::string> known = KeysOf(TableOptions());
    known.emplace_back(kColumns);
    ForEach(tables, kTables, [&](const std::string& name, const Place& at, const YAML::Node& node) {
      const std::string path = std::string(kTables) + "." + name;
      TableSettings& table = collector_.Table(name, at);
      if (!IsSection(node, at, path, JoinWords(known))) return;
      ForEach(node, path,
              [&](const std::string& key, const Place& key_place, const YAML::Node& value) {
                if (key == kColumns) {
                  ReadColumns(path + "." + kColumns, key_place, value, table);
                } else {
                  ReadOption(TableOptions(), path, key, known, key_place, value, table);
                }
              });
    });
  }

  void ReadColumns(const std::string& path, const Place& place, const YAML::Node& columns,
                   TableSettings& table) {
    if (!IsSection(columns, place, path, "the columns by name")) return;
    const std::vector<std::string> known = KeysOf(ColumnOptions());
    ForEach(columns, path, [&](const std::string& name, const Place& at, const YAML::Node& node) {
      const std::string column_path = path + "." + name;
      ColumnSettings& column = table.columns[name];
      if (!IsSection(node, at, column_path, JoinWords(known))) return;
      ForEach(node, column_path,
              [&](const std::string& key, const Place& key_place, const YAML::Node& value) {
                ReadOption(ColumnOptions(), column_path, key, known, key_place, value, column);
              });
    });
  }

  template <class Owner>
  void ReadOption(std::span<const Option<Owner>> options, const std::string& path,
                  const std::string& key, const std::vector<std::string>& known, const Place& place,
                  const YAML::Node& node, Owner& owner) {
    const std::string full = path + "." + key;
    for (const Option<Owner>& option : options) {
      if (option.spec.key != key) continue;
      const auto raw = ReadValue(option.spec, full, place, node);
      const auto value = raw ? collector_.Parse(option.spec, full, place, *raw) : std::nullopt;
      if (value) option.set(owner, *value);
      return;
    }
    collector_.Report(place, full,
                      "unknown key; the nearest known key is " + path + "." + Nearest(key, known),
                      "Inside " + path + " stand " + JoinWords(known) + ".");
  }

  // The value with its variables expanded; nothing, and a problem, when it has not the right shape.
  std::optional<RawValue> ReadValue(const OptionSpec& spec, const std::string& key,
                                    const Place& place, const YAML::Node& node) {
    RawValue raw;
    raw.is_list = spec.type == OptionType::kList;
    if (node.IsNull() && IsWordNull(spec, place, node)) return RawValue::Text("null");
    if (node.IsNull()) {
      collector_.Report(place, key, "no value is given", "Remove the line to use the default.");
      return std::nullopt;
    }
    if (raw.is_list ? !node.IsSequence() : !node.IsScalar()) {
      const std::string shape = raw.is_list ? "a list" : "a single value";
      collector_.Report(place, key, shape + " is expected; allowed: " + AllowedText(spec));
      return std::nullopt;
    }
    if (!raw.is_list) return AddText(key, place, node, raw) ? std::optional(raw) : std::nullopt;
    bool complete = true;
    for (const YAML::Node& item : node) {
      // No && here: every wrong element is to be reported.
      if (!AddText(key, At(item), item, raw)) complete = false;
    }
    return complete ? std::optional(raw) : std::nullopt;
  }

  // Whether the choice `null` is written out. YAML takes the bare word for no value, as yaml-cpp
  // does, but leaving a value out must not choose anything.
  bool IsWordNull(const OptionSpec& spec, const Place& place, const YAML::Node& node) const {
    constexpr std::string_view kNull = "null";
    if (std::count(spec.choices.begin(), spec.choices.end(), kNull) == 0) return false;
    const YAML::Mark mark = node.Mark();
    // Of a value that is left out the mark is that of whatever follows.
    if (mark.is_null() || mark.line + 1 != place.line) return false;
    std::string_view line = text_;
    for (int i = 0; i < mark.line; ++i) line.remove_prefix(line.find('\n') + 1);
    return line.substr(static_cast<std::size_t>(mark.column), kNull.size()) == kNull;
  }

  bool AddText(const std::string& key, const Place& place, const YAML::Node& node, RawValue& raw) {
    if (!node.IsScalar()) {
      collector_.Report(place, key, "an element of the list is not a plain text");
      return false;
    }
    Expanded expanded = Expand(node.Scalar(), environment_);
    for (std::string& problem : expanded.problems) {
      collector_.Report(place, key, std::move(problem), "A default is given as ${NAME:-default}.");
    }
    raw.items.push_back(std::move(expanded.text));
    raw.shown += (raw.shown.empty() ? "" : ", ") + node.Scalar();
    return expanded.problems.empty();
  }

  const std::string file_;
  std::string_view text_;
  const Environment& environment_;
  Collector& collector_;
};

}  // namespace

void ReadYaml(const std::string& text, const std::string& file, const Environment& environment,
              Collector& collector) {
  YamlReader(file, environment, collector).Read(text);
}

}  // namespace liteferry::config
