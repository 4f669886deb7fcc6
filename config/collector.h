#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "config/parser.h"

namespace liteferry::config {

// Where the value being read stands.
struct Place {
  Layer layer = Layer::kFile;
  std::string name;  // file, variable or flag
  int line = 0;      // from 1; 0 when there is none

  std::string Text() const { return line > 0 ? name + ":" + std::to_string(line) : name; }
};

// A value as it was written, before anybody knows whether it is valid.
struct RawValue {
  std::vector<std::string> items;  // exactly one unless is_list
  bool is_list = false;
  std::string shown;  // for messages: not expanded, as a variable may hold a secret

  static RawValue Text(const std::string& text) { return {{text}, false, text}; }
};

// What all layers write into: turns raw values into settings, with their origins, or into problems.
// The layers must come from the weakest to the strongest. Not a reader: it knows neither YAML nor
// where the environment comes from. Lives for one Load; one thread.
class Collector {
 public:
  void Report(const Place& place, const std::string& key, std::string message,
              std::string hint = {});

  // Stores the value of an option, or reports why it is not valid.
  void Assign(const Option<Settings>& option, const Place& place, const RawValue& raw);
  // The same for a value that could not even be read: it still replaces those of weaker layers.
  void AssignNothing(const Option<Settings>& option, const Place& place);
  // Only reads; for options that are not stored in Settings itself. `key` is the whole path.
  std::optional<OptionValue> Parse(const OptionSpec& spec, const std::string& key,
                                   const Place& place, const RawValue& raw);

  // The file cannot be read to its end.
  void MarkIncomplete() { result_.incomplete = true; }

  // A new or already known table of Settings::tables.
  TableSettings& Table(const std::string& name, const Place& place);

  // Whether a layer has given target.url or target.url_file, valid or not.
  bool HasTarget() const { return !target_layers_.empty(); }

  LoadResult Finish() { return std::move(result_); }

 private:
  // target.url and target.url_file are one setting in two forms.
  void NoteTarget(const Option<Settings>& option, const Place& place);

  LoadResult result_;
  std::map<std::string, Layer> target_layers_;
};

// The keys of the whole table of options.
std::vector<std::string> AllKeys();
// "a, b, c".
std::string JoinWords(const std::vector<std::string>& words);

}  // namespace liteferry::config
