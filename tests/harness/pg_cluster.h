#pragma once

#include <memory>
#include <string>

namespace liteferry::testing {

// A throw-away PostgreSQL server on a unix socket, one per test program: started at first use, gone
// when the program is, however that ends (a shell that waits for the end of a pipe stops it and
// removes its folder). LITEFERRY_TEST_PG_BIN names another version's folder of programs. As root
// the server runs as the user `postgres`.
//
// Not a server to measure speed on: fsync is off. Failures throw std::runtime_error.
// Thread-safety: none; use it from the test's main thread.
class PgCluster {
 public:
  static PgCluster& Get();
  ~PgCluster();

  // A new, empty database that belongs to the plain role `app`; the URI connects as app.
  std::string CreateDatabase();
  std::string SuperuserUrl(const std::string& database = "postgres");
  // pg_ctl's modes: "fast", "immediate".
  void Stop(const std::string& mode);
  // Starts it again after Stop(); returns when it takes connections.
  void Start();
  // What pg_dump writes for the database of `url`.
  std::string PgDump(const std::string& url, bool schema_only);

  // The server's unix socket, for proxies.
  std::string SocketPath() const;
  // The folder of initdb, postgres, pg_dump.
  const std::string& bin() const;

 private:
  PgCluster();

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace liteferry::testing
