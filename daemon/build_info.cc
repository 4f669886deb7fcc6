#include "daemon/build_info.h"

#include <libpq-fe.h>
#include <sqlite3.h>

namespace liteferry::daemon {

metrics::BuildInfo CurrentBuild() {
  metrics::BuildInfo build;
  build.version = LITEFERRY_VERSION;
  build.revision = LITEFERRY_REVISION;
  build.sqlite = sqlite3_libversion();
  const int libpq = PQlibVersion();
  build.libpq = std::to_string(libpq / 10'000) + "." + std::to_string(libpq % 10'000);
  return build;
}

}  // namespace liteferry::daemon
