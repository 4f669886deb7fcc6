#include "daemon/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <charconv>
#include <chrono>
#include <optional>

#include "replication/base/error.h"

namespace liteferry::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kMostConnections = 32;
constexpr std::uint32_t kLongestHeader = 8 * 1024;
constexpr auto kPatience = std::chrono::seconds(15);

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<const HttpHandlers> handlers,
             std::shared_ptr<int> count)
      : stream_(std::move(socket)), handlers_(std::move(handlers)), count_(std::move(count)) {
    ++*count_;
  }
  ~Connection() { --*count_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Read() {
    parser_.emplace();
    parser_->header_limit(kLongestHeader);
    stream_.expires_after(kPatience);  // for the whole request: dribbling does not prolong it
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->OnRequest(error); });
  }

 private:
  void OnRequest(error_code error) {
    if (error == http::error::header_limit) {
      return Send({431, "text/plain; charset=utf-8", "the request header is too long\n"}, false,
                  false);
    }
    if (error == http::error::unexpected_body || error == http::error::body_limit) {
      return Send({413, "text/plain; charset=utf-8", "no body is taken\n"}, false, false);
    }
    // The rest of Beast's own errors are malformed requests; others are the connection's.
    if (error && error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return Send({400, "text/plain; charset=utf-8", "bad request\n"}, false, false);
    }
    if (error) return Close();
    const auto& request = parser_->get();
    const auto method = request.method_string();
    const auto target = request.target();
    Send(RouteHttp({method.data(), method.size()}, {target.data(), target.size()}, *handlers_),
         request.keep_alive(), request.method() == http::verb::head);
  }

  void Send(HttpReply reply, bool keep_alive, bool head) {
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(reply.status));
    response_.keep_alive(keep_alive);
    response_.set(http::field::content_type, reply.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    response_.set("Content-Security-Policy", reply.content_policy);
    response_.set("Referrer-Policy", "no-referrer");
    if (reply.status == 405) response_.set(http::field::allow, "GET, HEAD");
    response_.content_length(reply.body.size());
    if (!head) response_.body() = std::move(reply.body);
    stream_.expires_after(kPatience);
    http::async_write(stream_, response_,
                      [self = shared_from_this(), keep_alive](error_code error, std::size_t) {
                        if (error || !keep_alive) return self->Close();
                        self->Read();
                      });
  }

  void Close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.close();
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  std::shared_ptr<const HttpHandlers> handlers_;
  std::shared_ptr<int> count_;
};

// "" for every interface.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

HostPort ParseListen(const std::string& listen) {
  HostPort result;
  const std::size_t colon = listen.rfind(':');
  bool fits = colon != std::string::npos;
  if (fits) {
    const char* const end = listen.data() + listen.size();
    const auto read = std::from_chars(listen.data() + colon + 1, end, result.port);
    fits = read.ec == std::errc() && read.ptr == end;
    result.host = listen.substr(0, colon);
    if (result.host.starts_with('[') && result.host.ends_with(']')) {
      result.host = result.host.substr(1, result.host.size() - 2);
    }
  }
  if (fits) return result;
  throw Error(Disposition::kStop, Component::kConfig, "http.listen is not host:port: " + listen)
      .Exit(ExitCode::kConfig);
}

tcp::endpoint Resolve(asio::io_context& io, const std::string& listen) {
  const HostPort address = ParseListen(listen);
  if (address.host.empty()) return {tcp::v6(), address.port};
  error_code failed;
  const auto numeric = asio::ip::make_address(address.host, failed);
  if (!failed) return {numeric, address.port};
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(address.host, "", failed);
  if (failed || found.empty()) {
    throw Error(Disposition::kStop, Component::kConfig,
                "http.listen names an unknown host: " + address.host)
        .Exit(ExitCode::kConfig);
  }
  return {found.begin()->endpoint().address(), address.port};
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
 public:
  Impl(asio::io_context& io, HttpHandlers handlers)
      : io_(io),
        handlers_(std::make_shared<const HttpHandlers>(std::move(handlers))),
        acceptor_(io),
        pause_(io) {}

  void Listen(const std::string& listen) {
    tcp::endpoint endpoint = Resolve(io_, listen);
    error_code failed;
    acceptor_.open(endpoint.protocol(), failed);
    if (failed && listen.starts_with(':')) {  // a machine without IPv6
      endpoint = tcp::endpoint(tcp::v4(), endpoint.port());
      failed.clear();
      acceptor_.open(endpoint.protocol(), failed);
    }
    if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed && listen.starts_with(':') && endpoint.address().is_v6()) {
      error_code ignored;
      acceptor_.set_option(asio::ip::v6_only(false), ignored);
    }
    if (!failed) acceptor_.bind(endpoint, failed);
    if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) {
      throw Error(Disposition::kStop, Component::kControl,
                  "cannot serve HTTP on " + listen + ": " + failed.message())
          .Hint(
              "Another program, perhaps another liteferry, has the port: set http.listen (--set "
              "http.listen=127.0.0.1:PORT) to a free one.")
          .Exit(ExitCode::kIo);
    }
    port_ = acceptor_.local_endpoint().port();
    Accept();
  }

  std::uint16_t port() const { return port_; }

  void Close() noexcept {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel(ignored);
  }

 private:
  void Accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
      if (!self->acceptor_.is_open() || error == asio::error::operation_aborted) return;
      if (error) return self->AcceptLater();
      if (*self->connections_ < kMostConnections) {
        std::make_shared<Connection>(std::move(socket), self->handlers_, self->connections_)
            ->Read();
      } else if (self->handlers_->failed) {
        self->handlers_->failed(true);
      }
      self->Accept();
    });
  }

  // Out of descriptors or the like: not at once again, that would spin.
  void AcceptLater() {
    if (handlers_->failed) handlers_->failed(true);
    pause_.expires_after(std::chrono::seconds(1));
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && self->acceptor_.is_open()) self->Accept();
    });
  }

  asio::io_context& io_;
  const std::shared_ptr<const HttpHandlers> handlers_;
  const std::shared_ptr<int> connections_ = std::make_shared<int>(0);
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
};

HttpServer::HttpServer(asio::io_context& io, const std::string& listen, HttpHandlers handlers)
    : impl_(std::make_shared<Impl>(io, std::move(handlers))) {
  impl_->Listen(listen);
}

HttpServer::~HttpServer() { Close(); }

std::uint16_t HttpServer::port() const { return impl_->port(); }

void HttpServer::Close() noexcept { impl_->Close(); }

}  // namespace liteferry::daemon
