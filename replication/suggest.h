#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/settings.h"
#include "replication/scan.h"
#include "replication/source/catalog.h"
#include "replication/target/catalog.h"

namespace liteferry {

// One thing that would make more of a column arrive. Only as sure as its evidence; no value of a
// row is in it.
struct Suggestion {
  enum class Kind : std::uint8_t {
    kSetting,  // nothing else is plausible: stands in the configuration of `check --suggest`
    kOffer,    // helps, but has a price: stands there as a comment
    kType,     // the PostgreSQL column should have type `value`; or "" where the rows must change
  };
  Kind kind = Kind::kSetting;
  std::string key;    // of ColumnSettings: epoch, on_invalid, type
  std::string value;  // as the configuration file has it
  std::string evidence;
  std::string price;                           // of an offer
  config::Epoch epoch = config::Epoch::kNone;  // `value`, where that is an epoch
};

// What the scan of one column suggests; nothing where nothing is wrong with it. Pure.
std::vector<Suggestion> SuggestColumn(const ColumnScan& column);

// Names for what has no counterpart of its own name: CamelCase for snake_case and the other way,
// when letters and digits are the same and only one candidate is left.
struct NameSuggestions {
  config::Settings settings;  // with those names
  // Why, by "tables.<name>" and "tables.<name>.columns.<name>".
  std::map<std::string, std::string> evidence;
  std::vector<std::string> unpaired;  // tables without any counterpart
};

// Pure.
NameSuggestions SuggestNames(const source::SourceCatalog& source,
                             const target::TargetCatalog& target, const config::Settings& settings);

}  // namespace liteferry
