#include "daemon/control_socket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "daemon/control_protocol.h"
#include "daemon/unix_socket.h"
#include "replication/base/error.h"

namespace liteferry::daemon {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Protocol = asio::local::stream_protocol;

constexpr std::size_t kLongestLine = 64 * 1024;
constexpr int kMostClients = 16;
constexpr auto kSilence = std::chrono::minutes(1);

// One client. Keeps itself alive by its pending operations; a timer cuts off the silent and the
// slow.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Protocol::socket socket, std::shared_ptr<const ControlHandlers> handlers,
         std::shared_ptr<int> count)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        handlers_(std::move(handlers)),
        count_(std::move(count)) {
    ++*count_;
  }
  ~Client() { --*count_; }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Read() {
    Arm();
    asio::async_read_until(socket_, asio::dynamic_buffer(input_, kLongestLine), '\n',
                           [self = shared_from_this()](error_code error, std::size_t length) {
                             self->OnLine(error, length);
                           });
  }

 private:
  void OnLine(error_code error, std::size_t length) {
    if (error == asio::error::not_found) {  // the buffer is full and holds no line feed
      Write(ControlFailure("the request is longer than 64 KiB", "",
                           static_cast<int>(ExitCode::kUsage)),
            false);
      return;
    }
    if (error) return Close();
    const std::string line = input_.substr(0, length - 1);
    input_.erase(0, length);
    Write(AnswerControlRequest(line, *handlers_), true);
  }

  void Write(std::string answer, bool go_on) {
    Arm();
    output_ = std::move(answer) + "\n";
    asio::async_write(socket_, asio::buffer(output_),
                      [self = shared_from_this(), go_on](error_code error, std::size_t) {
                        if (error || !go_on) return self->Close();
                        self->Read();
                      });
  }

  void Arm() {
    timer_.expires_after(kSilence);
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!error && self) self->Close();
    });
  }

  void Close() {
    error_code ignored;
    socket_.shutdown(Protocol::socket::shutdown_both, ignored);
    socket_.close(ignored);
    timer_.cancel();
  }

  Protocol::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<const ControlHandlers> handlers_;
  std::shared_ptr<int> count_;
  std::string input_;
  std::string output_;
};

}  // namespace

class ControlSocket::Impl : public std::enable_shared_from_this<ControlSocket::Impl> {
 public:
  Impl(asio::io_context& io, std::string path, ControlHandlers handlers)
      : path_(std::move(path)),
        handlers_(std::make_shared<const ControlHandlers>(std::move(handlers))),
        acceptor_(io),
        pause_(io) {}

  void Listen(std::uint32_t mode) {
    const SignalEvent never;
    UniqueFd fd = ListenUnix(path_, mode, Deadline::In(std::chrono::seconds(5)), never);
    struct stat made {};
    if (::stat(path_.c_str(), &made) == 0) inode_ = made.st_ino;
    acceptor_.assign(Protocol(), ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    Accept();
  }

  void Close() noexcept {
    error_code ignored;
    if (!acceptor_.is_open()) return;
    acceptor_.close(ignored);
    pause_.cancel(ignored);
    // Only what is ours: someone may have removed the file and another daemon made its own.
    struct stat found {};
    if (::stat(path_.c_str(), &found) == 0 && found.st_ino == inode_) ::unlink(path_.c_str());
  }

 private:
  void Accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code error, Protocol::socket socket) {
      if (!self->acceptor_.is_open() || error == asio::error::operation_aborted) return;
      if (error) return self->AcceptLater();
      if (*self->clients_ < kMostClients) {
        std::make_shared<Client>(std::move(socket), self->handlers_, self->clients_)->Read();
      }
      self->Accept();
    });
  }

  // Out of descriptors or the like: not at once again, that would spin.
  void AcceptLater() {
    pause_.expires_after(std::chrono::seconds(1));
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && self->acceptor_.is_open()) self->Accept();
    });
  }

  const std::string path_;
  const std::shared_ptr<const ControlHandlers> handlers_;
  const std::shared_ptr<int> clients_ = std::make_shared<int>(0);
  Protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  ino_t inode_ = 0;
};

ControlSocket::ControlSocket(asio::io_context& io, std::string path, std::uint32_t mode,
                             ControlHandlers handlers)
    : impl_(std::make_shared<Impl>(io, std::move(path), std::move(handlers))) {
  impl_->Listen(mode);
}

ControlSocket::~ControlSocket() { Close(); }

void ControlSocket::Close() noexcept { impl_->Close(); }

}  // namespace liteferry::daemon
