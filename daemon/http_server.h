#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/http_routes.h"

namespace boost::asio {
class io_context;
}

namespace liteferry::daemon {

// A small read-only HTTP/1.1 server on TCP: what RouteHttp() says, with keep-alive. Not for the
// open internet: no TLS, no users; it guards only itself. Limits: 32 connections, 8 KiB of request
// header, no request body, 15 s for a client to send a request or to take an answer. Thread-safety:
// all on the io_context's thread. Lifetime: destroy it after the loop.
class HttpServer {
 public:
  // Listens on host:port, [ipv6]:port or :port (all interfaces); port 0 takes a free one. Throws
  // Error: 74 when the port is taken or the address is not of this machine, 78 when it is no
  // address.
  HttpServer(boost::asio::io_context& io, const std::string& listen, HttpHandlers handlers);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port it listens on.
  std::uint16_t port() const;
  // Refuses new connections; requests under way are answered.
  void Close() noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace liteferry::daemon
