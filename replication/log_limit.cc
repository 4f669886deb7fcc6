#include "replication/log_limit.h"

#include "replication/base/disk.h"
#include "replication/base/log.h"

namespace liteferry {

bool MustRelease(LogLimit& limit, const EngineStatus& status, const EngineContext& context) {
  const auto& changelog = context.settings.changelog;
  const std::int64_t bytes = status.UnappliedBytes();
  const DiskSpace disk = DiskSpaceOf(context.settings.source.path);
  const bool passed = limit.Passed(bytes);
  const bool fills_disk =
      disk.total > 0 && limit.FillsDisk(bytes, static_cast<std::int64_t>(disk.free));
  if (!passed && !fills_disk) return false;
  // On a full disk the application stops, and the log cannot even be trimmed any more.
  const bool release = fills_disk || changelog.when_full == config::WhenFull::kRelease;
  context.log->error("event=changelog_full unapplied_bytes={} max_size={} disk_free={} log={}",
                     bytes, changelog.max_size, disk.free, release ? "released" : "kept");
  return release;
}

std::string OutgrownNote(const EngineStatus& status, std::int64_t limit) {
  if (status.UnappliedBytes() <= limit) return "";
  return "the changes that wait have outgrown changelog.max_size (" + std::to_string(limit >> 20) +
         " MiB): the application's database file grows with them";
}

}  // namespace liteferry
