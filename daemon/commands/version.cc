#include <nlohmann/json.hpp>
#include <ostream>

#include "daemon/build_info.h"
#include "daemon/commands/commands.h"

namespace liteferry::daemon {
namespace {

ExitCode Run(const Invocation& invocation, Console& console) {
  const metrics::BuildInfo build = CurrentBuild();
  if (invocation.json) {
    const nlohmann::ordered_json json = {{"version", build.version},
                                         {"revision", build.revision},
                                         {"sqlite", build.sqlite},
                                         {"libpq", build.libpq}};
    console.out << json.dump() << "\n";
    return ExitCode::kOk;
  }
  console.out << "liteferry " << build.version;
  if (!build.revision.empty()) console.out << " (" << build.revision << ")";
  console.out << ", SQLite " << build.sqlite << ", libpq " << build.libpq << "\n";
  return ExitCode::kOk;
}

}  // namespace

CommandSpec VersionSpec() {
  CommandSpec spec;
  spec.name = "version";
  spec.summary = "the versions of liteferry, SQLite and libpq";
  spec.example = "liteferry version --json";
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
