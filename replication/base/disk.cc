#include "replication/base/disk.h"

#include <sys/statvfs.h>

namespace liteferry {

DiskSpace DiskSpaceOf(const std::string& path) {
  struct statvfs filesystem {};
  if (statvfs(path.c_str(), &filesystem) != 0) return {};
  return {std::uint64_t{filesystem.f_bavail} * filesystem.f_frsize,
          std::uint64_t{filesystem.f_blocks} * filesystem.f_frsize};
}

}  // namespace liteferry
