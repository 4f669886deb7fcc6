#include "replication/base/unique_fd.h"

#include <unistd.h>

namespace liteferry {

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace liteferry
