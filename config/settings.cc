#include "config/settings.h"

namespace liteferry::config {

std::string SocketPath(const Settings& settings) {
  if (!settings.socket.path.empty()) return settings.socket.path;
  return settings.source.path + "-liteferry.sock";
}

}  // namespace liteferry::config
