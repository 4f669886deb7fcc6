#pragma once

#include <csignal>
#include <cstdlib>
#include <string_view>

namespace liteferry::cutover {

// Test seam: TEST_LITEFERRY_KILL_AT=NAME kills the process at the step of that name as `kill -9`
// would, so that tests can prove the recovery from each. Without the variable nothing.
inline void Seam(std::string_view name) {
  const char* at = std::getenv("TEST_LITEFERRY_KILL_AT");
  if (at != nullptr && name == at) std::raise(SIGKILL);
}

}  // namespace liteferry::cutover
