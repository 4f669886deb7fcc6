#pragma once

#include "daemon/status_report.h"
#include "metrics/engine_probe.h"

namespace liteferry::daemon {

// What of the status is shown as metrics; asks the filesystem of the source for its free space.
metrics::Gauges MakeGauges(const StatusReport& report);

}  // namespace liteferry::daemon
