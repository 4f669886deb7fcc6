#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/expand.h"
#include "config/settings.h"

namespace liteferry::config {

// One thing that is wrong with the configuration. No field ever holds a secret.
struct Problem {
  std::string file;  // the file, or the environment variable or flag where there is no file
  int line = 0;      // from 1; 0 when there is none
  std::string key;   // copy.jobs; empty when no key is concerned
  std::string message;
  std::string hint;  // a sentence, or empty
};

// "liteferry.yaml:7: copy.jobs: …" and the hint on a line of its own.
std::string Describe(const Problem& problem);

// From weak to strong.
enum class Layer : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };

// Where a value came from.
struct Origin {
  Layer layer = Layer::kDefault;
  std::string place;  // liteferry.yaml:7, LITEFERRY_COPY_JOBS, --source
};

struct LoadInput {
  std::optional<std::string> file = {};       // to read
  std::optional<std::string> file_text = {};  // taken instead of reading; `file` is its name then
  Environment environment = {};
  std::map<std::string, std::string> flags = {};  // by key: {"source.path", "app.db"}
};

struct LoadResult {
  Settings settings;                      // what could be read; a wrong value leaves the default
  std::map<std::string, Origin> origins;  // by key; tables.<name> for a table. Defaults have none
  bool incomplete = false;        // the file could not be read, so what is missing may stand in it
  std::vector<Problem> problems;  // the whole configuration's, not only the first
};

// Reads file, environment and flags; a flag beats the environment, that beats the file. An empty
// environment variable counts as not set. target.url and target.url_file are one setting in two
// forms: either in a stronger layer replaces both of a weaker one.
// Looks only at single values; see Validate (config/validate.h) for what must be present and fit
// together.
LoadResult Load(const LoadInput& input);

// The environment of this process.
Environment CurrentEnvironment();

}  // namespace liteferry::config
