#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "replication/base/signal_event.h"
#include "replication/base/unique_fd.h"

namespace liteferry::testing {

// When a rule cuts, seen from the query it waits for.
enum class Cut : std::uint8_t {
  kBeforeQuery,   // the server never gets it
  kAfterQuery,    // the server gets it; the cut comes before it can have answered
  kBeforeAnswer,  // the server has answered; nothing of the answer comes back
  kWithinAnswer,  // the first byte of the answer comes back
};

// A proxy between libpq and a PostgreSQL server's unix socket that loses connections on demand. It
// reads the frontend protocol as far as it must to see queries; TLS is refused, as the server
// would. Not for measuring.
//
// Threads: one of its own, which carries all connections; the methods may be called from any other.
class CutProxy {
 public:
  // Listens on a free port of 127.0.0.1.
  explicit CutProxy(std::string server_socket);
  ~CutProxy();
  CutProxy(const CutProxy&) = delete;
  CutProxy& operator=(const CutProxy&) = delete;

  // `url` (of PgCluster) with the proxy in the server's place.
  std::string Url(const std::string& url) const;

  // At the next simple query that holds `text`: cuts its connection, once.
  void CutAt(std::string text, Cut moment);
  // Cuts the connection that next gets so many bytes from its client, counted from now, once.
  void CutAfterBytes(std::int64_t bytes);
  // Cuts all connections now.
  void CutAll();
  // While frozen nothing is carried, and nothing is closed either.
  void Freeze(bool frozen);
  // Cuts made by rules so far.
  int cuts() const;

 private:
  struct Link;
  struct Rules {
    std::string text;
    Cut moment = Cut::kBeforeQuery;
    std::int64_t bytes = -1;
    bool cut_all = false;
    bool frozen = false;
    int cuts = 0;
  };

  void Serve();
  void Accept();
  void Carry(Link& link);
  void CarryFromClient(Link& link);
  void CarryFromServer(Link& link);
  void ForwardFrame(Link& link, std::string frame);

  const std::string server_socket_;
  UniqueFd listener_;
  int port_ = 0;
  SignalEvent stop_;
  SignalEvent changed_;
  mutable std::mutex mutex_;
  Rules rules_;                               // guarded by mutex_
  std::vector<std::unique_ptr<Link>> links_;  // the thread's only
  std::thread thread_;
};

}  // namespace liteferry::testing
