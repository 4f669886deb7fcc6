#include "daemon/suggested_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/options.h"
#include "config/print.h"
#include "daemon/terminal.h"
#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

constexpr std::size_t kWidth = 96;

// A block of lines that all are comments unless one of them is a setting.
class Block {
 public:
  void Setting(const std::string& line) {
    lines_.push_back({line, false});
    real_ = true;
  }
  void Comment(const std::string& line) { lines_.push_back({line, true}); }
  // `head` above the lines of `inner`, which are two columns further in; nothing when it has none.
  void Nest(const std::string& head, const Block& inner) {
    if (inner.lines_.empty()) return;
    lines_.push_back({head, !inner.real_});
    for (const Line& line : inner.lines_) lines_.push_back({"  " + line.text, line.comment});
    real_ = real_ || inner.real_;
  }
  std::string Text() const {
    std::string text;
    for (const Line& line : lines_) {
      const std::size_t indent = std::min(line.text.find_first_not_of(' '), line.text.size());
      text +=
          line.comment ? line.text.substr(0, indent) + "# " + line.text.substr(indent) : line.text;
      text += "\n";
    }
    return text;
  }
  // Sentences above what they explain, in lines of readable length.
  void Explain(const std::string& words) {
    std::string line = words;
    while (line.size() > kWidth) {
      const std::size_t blank = line.rfind(' ', kWidth);
      if (blank == std::string::npos || blank == 0) break;
      Comment(line.substr(0, blank));
      line = line.substr(blank + 1);
    }
    Comment(line);
  }

 private:
  struct Line {
    std::string text;
    bool comment;
  };
  std::vector<Line> lines_;
  bool real_ = false;
};

// A name as a key of YAML. Names are not expanded, so `$` stays.
std::string YamlName(const std::string& name) {
  constexpr std::string_view kWords[] = {"y",   "n",    "yes",   "no",  "on",
                                         "off", "true", "false", "null"};
  const std::string lower = ToLowerAscii(name);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
  };
  const bool word = std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
  const bool digit = !name.empty() && name[0] >= '0' && name[0] <= '9';
  if (!name.empty() && !word && !digit && std::all_of(name.begin(), name.end(), plain)) return name;
  return nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string EvidenceOf(const SuggestedConfig& config, const std::string& path) {
  const auto found = config.evidence.find(path);
  return found == config.evidence.end() ? "" : Printable(found->second);
}

void AddOffers(const SuggestedConfig& config, const TableScan* scan, const std::string& column,
               const std::string& path, Block& block) {
  const auto found = config.offers.find(path);
  if (found == config.offers.end()) return;
  for (const Suggestion& one : found->second) {
    if (one.kind == Suggestion::Kind::kOffer) {
      block.Explain("An offer with a price: " + one.evidence + "; " + one.price + ".");
      // A bare null is YAML's own.
      block.Comment(one.key + ": " + (one.value == "null" ? "\"null\"" : one.value));
      continue;
    }
    block.Explain(Printable(one.evidence) + (one.value.empty() ? "." : "; on PostgreSQL:"));
    if (one.value.empty() || scan == nullptr) continue;
    for (const ColumnScan& scanned : scan->columns) {
      if (scanned.source != column) continue;
      block.Comment(Printable("ALTER TABLE " + scan->target + " ALTER COLUMN " +
                              QuoteIdentifier(scanned.target) + " TYPE " + one.value + ";"));
    }
  }
}

template <typename Owner>
void AddOptions(std::span<const config::Option<Owner>> options, const Owner& owner,
                const SuggestedConfig& config, const std::string& path, Block& block) {
  for (const config::Option<Owner>& option : options) {
    const config::OptionValue value = option.get(owner);
    if (value == option.get(Owner{})) continue;
    const std::string key(option.spec.key);
    std::string line = key + ": " + config::YamlValue(option.spec, value);
    const std::string long_reason = EvidenceOf(config, path + "." + key);
    if (!long_reason.empty()) block.Explain(long_reason);
    const std::string reason = key == "target" ? EvidenceOf(config, path) : "";
    block.Setting(line + (reason.empty() ? "" : "  # " + reason));
  }
}

Block TableBlock(const CheckReport& report, const std::string& name,
                 const config::TableSettings& settings) {
  const SuggestedConfig& config = *report.suggested;
  const std::string path = "tables." + name;
  Block block;
  AddOptions(config::TableOptions(), settings, config, path, block);
  const TableScan* scan = report.ScanOf(name);
  std::map<std::string, config::ColumnSettings> all = settings.columns;
  if (scan != nullptr) {
    for (const ColumnScan& column : scan->columns) all.try_emplace(column.source);
  }
  Block columns;
  for (const auto& [column, column_settings] : all) {
    const std::string column_path = path + ".columns." + column;
    Block inner;
    AddOptions(config::ColumnOptions(), column_settings, config, column_path, inner);
    AddOffers(config, scan, column, column_path, inner);
    columns.Nest(YamlName(column) + ":", inner);
  }
  block.Nest("columns:", columns);
  return block;
}

void AddUnpaired(const CheckReport& report, Block& block) {
  const std::vector<std::string>& unpaired = report.suggested->unpaired;
  if (unpaired.empty()) return;
  const std::string schema = Printable(report.suggested->settings.target.schema);
  block.Explain("No counterpart in schema " + schema + ": create them there, name them, or");
  std::vector<std::string> names = report.suggested->settings.source.exclude;
  for (const std::string& name : unpaired) names.push_back(name);
  const config::OptionSpec& spec = config::FindOption("source.exclude")->spec;
  block.Comment("exclude: " + config::YamlValue(spec, names));
}

}  // namespace

std::string SuggestedConfigYaml(const CheckReport& report) {
  const config::Settings& settings = report.suggested->settings;
  Block root;
  Block section;
  const auto& options = config::Options();
  for (std::size_t i = 0; i < options.size(); ++i) {
    const config::Option<config::Settings>& option = options[i];
    const config::OptionSpec& spec = option.spec;
    const config::OptionValue value = option.get(settings);
    const std::string leaf(config::LeafOf(spec.key));
    if (value != option.get(config::Settings{})) {
      if (spec.secret) {
        section.Explain(leaf + " may hold a password: give it by its flag, its variable, or " +
                        leaf + "_file.");
      } else {
        section.Setting(leaf + ": " + config::YamlValue(spec, value));
      }
    }
    const std::string_view name = config::SectionOf(spec.key);
    if (i + 1 < options.size() && config::SectionOf(options[i + 1].spec.key) == name) continue;
    if (name == "source") AddUnpaired(report, section);
    root.Nest(std::string(name) + ":", section);
    section = Block();
  }
  std::map<std::string, config::TableSettings> all = settings.tables;
  for (const TableScan& scan : report.scans) all.try_emplace(scan.source);
  Block tables;
  for (const auto& [name, table] : all) {
    tables.Nest(YamlName(name) + ":", TableBlock(report, name, table));
  }
  root.Nest("tables:", tables);
  return "# Made by `liteferry check --suggest`: all that is not the default.\n" + root.Text();
}

}  // namespace liteferry::daemon
