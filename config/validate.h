#pragma once

#include <cstdint>
#include <vector>

#include "config/parser.h"
#include "config/settings.h"

namespace liteferry::config {

// What a command needs.
enum class Purpose : std::uint8_t {
  kNothing,  // print the configuration
  kControl,  // talk to the daemon: socket.path, or source.path to derive it from
  kSource,
  kTarget,
  kBoth,
};

// What is missing for `purpose` or does not fit together; also values that Load would have refused.
std::vector<Problem> Validate(const Settings& settings, Purpose purpose);

// All there is to say to a person: the problems of `load`, and those of Validate that are not
// merely their consequence.
std::vector<Problem> AllProblems(const LoadResult& load, Purpose purpose);

}  // namespace liteferry::config
