#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.h"

namespace liteferry::config {

enum class OptionType : std::uint8_t {
  kText,
  kUrl,  // a target URL, normalised when parsed
  kList,
  kBool,
  kInteger,
  kSize,      // bytes
  kDuration,  // milliseconds
  kMode,      // file permissions
  kChoice,    // position in OptionSpec::choices
};

using OptionValue = std::variant<std::string, std::vector<std::string>, std::int64_t, bool>;

// One line of the table of options: everything that is known about a key but where it is stored.
// Parser, printer, reference and sample all read this, so that they cannot disagree.
struct OptionSpec {
  std::string_view key;  // copy.chunk_rows; within tables only the last part
  OptionType type = OptionType::kText;
  std::string_view description = {};  // sentences
  std::string_view unit = {};         // of a kInteger: rows
  std::int64_t min = 0;               // kInteger, kSize, kDuration: the range, both ends included
  std::int64_t max = 0;
  std::string_view zero = {};  // what zero or the empty text means, where that is not obvious
  std::vector<std::string_view> choices = {};   // of a kChoice, in the order of its enum
  bool (*valid)(const std::string&) = nullptr;  // of a non-empty text, or of each element of a list
  std::string_view allowed = {};                // what `valid` asks for, in words
  std::string_view empty_word = {};             // stands for the empty text: off
  std::string_view default_text = {};  // the default in words, where the empty text means something
  std::string_view example = {};       // for the sample, where there is no default
  std::string_view flag = {};          // on the command line, where it has a flag of its own
  bool secret = false;                 // never printed, neither in messages
};

// An option and where it is stored.
template <class Owner>
struct Option {
  OptionSpec spec;
  OptionValue (*get)(const Owner&);
  // `value` must be what ParseText or ParseItems gave for this option.
  void (*set)(Owner&, const OptionValue& value);
};

// All keys but those below tables, in the order in which they are documented.
std::span<const Option<Settings>> Options();
// tables.<name>.KEY and tables.<name>.columns.<name>.KEY.
std::span<const Option<TableSettings>> TableOptions();
std::span<const Option<ColumnSettings>> ColumnOptions();

// Nothing when there is no such key.
const Option<Settings>* FindOption(std::string_view key);

// copy.chunk_rows gives copy and chunk_rows.
std::string_view SectionOf(std::string_view key);
std::string_view LeafOf(std::string_view key);
// The sections in order, without tables.
std::vector<std::string> Sections();

// copy.chunk_rows gives LITEFERRY_COPY_CHUNK_ROWS.
std::string EnvironmentName(std::string_view key);

struct ParsedValue {
  std::optional<OptionValue> value;
  std::string problem;  // what is wrong or what is allowed; never the value itself
};

// From one text, as files, environment and flags have it; a list is comma separated there.
ParsedValue ParseText(const OptionSpec& spec, const std::string& text);
// From the elements of a list.
ParsedValue ParseItems(const OptionSpec& spec, const std::vector<std::string>& items);
// The text that ParseText reads back as `value`; lists need YamlValue (config/print.h).
std::string ValueText(const OptionSpec& spec, const OptionValue& value);

// "a whole number of connections from 1 to 64": what ParseText accepts.
std::string AllowedText(const OptionSpec& spec);

// The one of `known` that `name` was most probably meant to be; a key that is right but for its
// section is near. `known` must not be empty.
std::string Nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace liteferry::config
