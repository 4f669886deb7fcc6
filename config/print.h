#pragma once

#include <map>
#include <ostream>
#include <string>

#include "config/options.h"
#include "config/parser.h"

namespace liteferry::config {

// YAML that loads to the same settings, but for secrets, which are ***. Behind each value that is
// not the default a comment says where it came from.
void PrintEffective(const Settings& settings, const std::map<std::string, Origin>& origins,
                    std::ostream& out);

// The reference of all keys in Markdown: docs/CONFIGURATION.md.
void PrintReference(std::ostream& out);

// A configuration file with every key commented out, that is with the defaults:
// deploy/liteferry.yaml.
void PrintSample(std::ostream& out);

// The value as it stands in the file: quoted where YAML needs it, lists in brackets, $ as $$.
std::string YamlValue(const OptionSpec& spec, const OptionValue& value);

}  // namespace liteferry::config
