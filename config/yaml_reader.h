#pragma once

#include <string>

#include "config/collector.h"
#include "config/expand.h"

namespace liteferry::config {

// Reads the YAML text of a configuration file into `collector`, with the line of each key.
// `file` is its name in messages; variables in values are taken from `environment`.
void ReadYaml(const std::string& text, const std::string& file, const Environment& environment,
              Collector& collector);

}  // namespace liteferry::config
