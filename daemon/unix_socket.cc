#include "daemon/unix_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "replication/base/error.h"

namespace liteferry::daemon {
namespace {

std::string Reason(int error) { return std::generic_category().message(error); }

Error SocketError(const std::string& what, const std::string& path, int error) {
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  return Error(Disposition::kStop, Component::kControl,
               "cannot " + what + " the control socket " + path + ": " + Reason(error))
      .Hint(denied
                ? "The control socket needs the user that runs the daemon and a directory it may "
                  "write; set socket.path to change the place."
                : "Set socket.path to change the place.")
      .Exit(denied ? ExitCode::kPermission : ExitCode::kIo);
}

sockaddr_un Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    throw Error(Disposition::kStop, Component::kConfig,
                "the path of the control socket is too long: " + path + " has " +
                    std::to_string(path.size()) + " bytes, the system allows " +
                    std::to_string(sizeof address.sun_path - 1))
        .Hint(
            "Set socket.path (or --socket) to a shorter one, for example "
            "/run/liteferry/liteferry.sock.")
        .Exit(ExitCode::kConfig);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

UniqueFd NewSocket(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) throw SocketError("open", path, errno);
  return fd;
}

// Two daemons that start together take turns: the directory is locked, so that no file need be
// left.
UniqueFd LockDirectory(const std::string& path, Deadline deadline, const SignalEvent& stop) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) throw SocketError("make", path, errno);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    // Filesystems without flock: the position's compare-and-swap keeps two daemons apart all the
    // same.
    if (errno != EWOULDBLOCK) break;
    if (deadline.Passed() || stop.IsSet()) {
      throw Error(Disposition::kRetry, Component::kControl,
                  "another process holds a lock on the directory " + directory)
          .Hint("Another daemon may be starting; try again.")
          .Exit(ExitCode::kTryAgain);
    }
    WaitFor(-1, 0, stop, nullptr, deadline.Earlier(Deadline::In(std::chrono::milliseconds(20))));
  }
  return fd;
}

// The process that listens on the other side.
std::string PeerPid(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return "";
  return " (pid " + std::to_string(peer.pid) + ")";
}

void RemoveStale(const std::string& path, Deadline deadline, const SignalEvent& stop) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return;
    throw SocketError("make", path, errno);
  }
  if (!S_ISSOCK(found.st_mode)) {
    throw Error(Disposition::kStop, Component::kConfig,
                "the path of the control socket is taken by another kind of file: " + path)
        .Hint("Set socket.path to another place.")
        .Exit(ExitCode::kConfig);
  }
  const UniqueFd live = ConnectUnix(path, deadline, stop);
  if (live.valid()) {
    throw Error(Disposition::kStop, Component::kControl,
                "another daemon" + PeerPid(live.get()) + " runs for this database, at " + path)
        .Hint("'liteferry status' shows how it is.")
        .Exit(ExitCode::kTryAgain);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw SocketError("replace", path, errno);
}

}  // namespace

UniqueFd ConnectUnix(const std::string& path, Deadline deadline, const SignalEvent& stop) {
  const sockaddr_un address = Address(path);
  UniqueFd fd = NewSocket(path);
  for (;;) {
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return fd;
    }
    if (errno == EINTR) continue;
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return UniqueFd();
    if (errno != EAGAIN) throw SocketError("connect to", path, errno);
    // The daemon's queue is full.
    if (deadline.Passed() || stop.IsSet()) {
      throw Error(Disposition::kRetry, Component::kControl, "the daemon does not answer on " + path)
          .Exit(ExitCode::kTryAgain);
    }
    WaitFor(-1, 0, stop, nullptr, deadline.Earlier(Deadline::In(std::chrono::milliseconds(20))));
  }
}

UniqueFd ListenUnix(const std::string& path, std::uint32_t mode, Deadline deadline,
                    const SignalEvent& stop) {
  const sockaddr_un address = Address(path);
  const UniqueFd lock = LockDirectory(path, deadline, stop);
  RemoveStale(path, deadline, stop);
  UniqueFd fd = NewSocket(path);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw SocketError("make", path, errno);
  }
  // Until listen() every connect is refused, whatever the umask left open.
  if (::chmod(path.c_str(), mode) != 0 || ::listen(fd.get(), 16) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    throw SocketError("make", path, error);
  }
  return fd;
}

}  // namespace liteferry::daemon
