#include "tests/harness/cut_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <stdexcept>
#include <utility>

namespace liteferry::testing {
namespace {

constexpr std::size_t kBufferLimit = std::size_t{1} << 20;
constexpr std::uint32_t kSslRequest = 80877103;
constexpr std::uint32_t kGssRequest = 80877104;

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("proxy: ") + what + ": " + std::strerror(errno));
}

std::uint32_t BigEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

template <typename Address>
const sockaddr* AsSockaddr(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Appends what there is to read; false at the end of the stream.
bool ReadInto(int fd, std::string& buffer) {
  char piece[65536];
  const ssize_t got = ::recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
  if (got > 0) buffer.append(piece, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool WriteFrom(int fd, std::string& buffer) {
  const ssize_t sent = ::send(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) buffer.erase(0, static_cast<std::size_t>(sent));
  return sent >= 0 || errno == EAGAIN || errno == EINTR;
}

}  // namespace

// One client and its connection to the server.
struct CutProxy::Link {
  UniqueFd client;
  UniqueFd server;
  std::string from_client;  // not yet a whole frame
  std::string to_server;
  std::string to_client;
  bool started = false;     // past the start-up packet, from where frames have a type
  bool cut = false;         // close it
  bool answer_cut = false;  // at the next byte from the server
  bool first_byte = false;  // pass that byte on
  bool cut_when_sent = false;
  short client_ready = 0;
  short server_ready = 0;
};

CutProxy::CutProxy(std::string server_socket) : server_socket_(std::move(server_socket)) {
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Check(::bind(listener_.get(), AsSockaddr(address), sizeof(address)) == 0, "bind");
  Check(::listen(listener_.get(), 64) == 0, "listen");
  socklen_t size = sizeof(address);
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

CutProxy::~CutProxy() {
  stop_.Set();
  thread_.join();
}

std::string CutProxy::Url(const std::string& url) const {
  // postgresql://app@/name?host=…
  const auto slash = url.find("@/") + 1;
  return url.substr(0, slash) + "127.0.0.1:" + std::to_string(port_) +
         url.substr(slash, url.find('?') - slash);
}

void CutProxy::CutAt(std::string text, Cut moment) {
  const std::lock_guard lock(mutex_);
  rules_.text = std::move(text);
  rules_.moment = moment;
}

void CutProxy::CutAfterBytes(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  rules_.bytes = bytes;
}

void CutProxy::CutAll() {
  {
    const std::lock_guard lock(mutex_);
    rules_.cut_all = true;
  }
  changed_.Set();
}

void CutProxy::Freeze(bool frozen) {
  {
    const std::lock_guard lock(mutex_);
    rules_.frozen = frozen;
  }
  changed_.Set();
}

int CutProxy::cuts() const {
  const std::lock_guard lock(mutex_);
  return rules_.cuts;
}

void CutProxy::Serve() {
  while (!stop_.IsSet()) {
    bool frozen = false;
    {
      const std::lock_guard lock(mutex_);
      frozen = rules_.frozen;
      if (std::exchange(rules_.cut_all, false)) links_.clear();
    }
    std::vector<pollfd> fds = {{stop_.fd(), POLLIN, 0}, {changed_.fd(), POLLIN, 0}};
    if (!frozen) {
      fds.push_back({listener_.get(), POLLIN, 0});
      for (const auto& link : links_) {
        const auto events = [](const std::string& from_other, const std::string& to_other) {
          return static_cast<short>((to_other.size() < kBufferLimit ? POLLIN : 0) |
                                    (from_other.empty() ? 0 : POLLOUT));
        };
        fds.push_back({link->client.get(), events(link->to_client, link->to_server), 0});
        fds.push_back({link->server.get(), events(link->to_server, link->to_client), 0});
      }
    }
    ::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents != 0) changed_.Clear();
    if (frozen) continue;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      links_[i]->client_ready = fds[3 + 2 * i].revents;
      links_[i]->server_ready = fds[4 + 2 * i].revents;
      Carry(*links_[i]);
    }
    std::erase_if(links_, [](const auto& link) { return link->cut; });
    if (fds[2].revents != 0) Accept();
  }
}

void CutProxy::Accept() {
  auto link = std::make_unique<Link>();
  link->client = UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  link->server = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, server_socket_.c_str(), sizeof(address.sun_path) - 1);
  // Without a server the client sees its connection closed.
  if (::connect(link->server.get(), AsSockaddr(address), sizeof(address)) != 0) return;
  links_.push_back(std::move(link));
}

void CutProxy::Carry(Link& link) {
  if ((link.client_ready & ~POLLOUT) != 0) CarryFromClient(link);
  if (!link.cut && (link.server_ready & ~POLLOUT) != 0) CarryFromServer(link);
  if (!link.cut && !link.to_server.empty())
    link.cut = !WriteFrom(link.server.get(), link.to_server);
  if (link.cut_when_sent && link.to_server.empty()) link.cut = true;
  if (!link.to_client.empty()) {
    const bool written = WriteFrom(link.client.get(), link.to_client);
    link.cut = link.cut || !written;
  }
}

void CutProxy::CarryFromClient(Link& link) {
  const std::size_t before = link.from_client.size();
  if (!ReadInto(link.client.get(), link.from_client)) {
    link.cut = true;
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (rules_.bytes >= 0) {
      rules_.bytes -= static_cast<std::int64_t>(link.from_client.size() - before);
      if (rules_.bytes < 0) {
        ++rules_.cuts;
        link.cut = true;
        return;
      }
    }
  }
  for (;;) {
    const std::size_t type = link.started ? 1 : 0;
    if (link.from_client.size() < type + 4) return;
    const std::size_t size = type + BigEndian(std::string_view(link.from_client).substr(type));
    if (link.from_client.size() < size) return;
    std::string frame = link.from_client.substr(0, size);
    link.from_client.erase(0, size);
    ForwardFrame(link, std::move(frame));
    if (link.cut) return;
  }
}

void CutProxy::ForwardFrame(Link& link, std::string frame) {
  if (!link.started) {
    const std::uint32_t code = BigEndian(std::string_view(frame).substr(4));
    if (code == kSslRequest || code == kGssRequest) {
      link.to_client.push_back('N');
      return;
    }
    link.started = true;
    link.to_server.append(frame);
    return;
  }
  const std::lock_guard lock(mutex_);
  const bool hit =
      frame[0] == 'Q' && !rules_.text.empty() && frame.find(rules_.text) != std::string::npos;
  if (!hit) {
    link.to_server.append(frame);
    return;
  }
  rules_.text.clear();
  ++rules_.cuts;
  if (rules_.moment == Cut::kBeforeQuery) {
    link.cut = true;
    return;
  }
  link.to_server.append(frame);
  link.cut_when_sent = rules_.moment == Cut::kAfterQuery;
  link.answer_cut = !link.cut_when_sent;
  link.first_byte = rules_.moment == Cut::kWithinAnswer;
}

void CutProxy::CarryFromServer(Link& link) {
  std::string answer;
  const bool open = ReadInto(link.server.get(), answer);
  if (link.answer_cut && !answer.empty()) {
    if (link.first_byte) link.to_client.push_back(answer[0]);
    link.cut = true;
    return;
  }
  link.to_client.append(answer);
  // The last words of a server that shuts down still reach the client.
  link.cut = !open;
}

}  // namespace liteferry::testing
