#pragma once

#include "metrics/engine_probe.h"

namespace liteferry::daemon {

// Version and revision of this program, versions of the libraries it runs with.
metrics::BuildInfo CurrentBuild();

}  // namespace liteferry::daemon
