#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace liteferry::daemon {

// What the control socket can ask for. Called on the io_context's thread; must not block. An Error
// that is thrown becomes the answer.
struct ControlHandlers {
  std::function<std::string()> status_json;
  std::function<void(bool release_capture)> pause;
  std::function<void(bool reconcile)> resume;
  std::function<void(bool abort)> cutover;
};

// The daemon's command channel: a unix socket. One line of JSON asks, one line answers, as often as
// the client likes:
//
//   {"command":"ping"}   {"ok":true,"result":{"pid":1234}}
//   {"command":"stauts"} {"ok":false,"error":"…","hint":"…","exit_code":64}
//
// Commands: ping, version, status, pause, pause-release, resume, resume-reconcile, cutover,
// cutover-abort. Unknown fields are ignored. A line beyond 64 KiB, a client that is silent for a
// minute, and clients beyond 16 are cut off. Thread-safety: all on the io_context's thread.
// Lifetime: the destructor removes the file; `io` must not run afterwards with this object's
// handlers, so destroy it after the loop.
class ControlSocket {
 public:
  // Listens. Throws Error as ListenUnix() does.
  ControlSocket(boost::asio::io_context& io, std::string path, std::uint32_t mode,
                ControlHandlers handlers);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  // Refuses new clients and removes the file; those connected may finish.
  void Close() noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace liteferry::daemon
