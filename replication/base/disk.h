#pragma once

#include <cstdint>
#include <string>

namespace liteferry {

struct DiskSpace {
  std::uint64_t free = 0;  // to ordinary users, in bytes
  std::uint64_t total = 0;
};

// Of the disk that `path` is on; zeros where that cannot be told.
DiskSpace DiskSpaceOf(const std::string& path);

}  // namespace liteferry
