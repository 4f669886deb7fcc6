#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replication/base/deadline.h"
#include "replication/base/error.h"
#include "replication/base/signal_event.h"
#include "replication/target/pg_result.h"

struct pg_conn;

namespace liteferry::target {

// One parameter of an extended query. `value` absent is NULL.
struct PgParam {
  std::optional<std::string_view> value;
  std::uint32_t type = 0;  // OID; 0 lets the server infer
  bool binary = false;
};

// One statement of a pipeline. Values stand for $1, $2, …; absent is NULL. All of them are texts or
// all of them binary; the server infers their types.
struct PgStep {
  std::string sql;
  std::vector<std::optional<std::string>> values;
  bool binary = false;
};

// What the connection is connected to.
struct PgServer {
  int version = 0;  // 150018
  std::string version_text;
  std::string database;
  std::string role;
  std::string system_identifier;
  std::int64_t timeline = 0;
  int backend_pid = 0;
  bool pooled = false;     // a transaction pooler answers: backend pid and cancel key differ
  bool read_only = false;  // standby, or default_transaction_read_only
};

// One connection to PostgreSQL. Synchronous to the caller, non-blocking underneath: every wait ends
// at the statement deadline or when `stop` is set, with Error (retry). A connection that has lost
// its server is closed for good (broken() is true); make a new one. No session state is kept
// between transactions, so a transaction pooler may stand between (P5); only RunPipeline() keeps
// some.
//
// A statement that overruns its deadline, or that `stop` cuts short, is abandoned by closing the
// socket, not cancelled: a cancel request is a second connection that can hang just as well. The
// server rolls the transaction back when it next tries to answer.
//
// Errors: server errors carry their SQLSTATE and the disposition of ClassifySqlstate(); messages
// have values cut off. A lost connection is kRetry, except in Commit() and RunPipeline(), where it
// is kInDoubt.
// Thread-safety: owned by one thread.
class PgConnection {
 public:
  struct Options {
    std::string url;  // libpq URI or keyword string; never logged
    std::string application_name = "liteferry";
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds statement_timeout{60'000};
    bool writable = true;  // refuse a standby
  };

  // Connects or throws: kRetry for what time may heal (refused, starting up, too many connections,
  // DNS), kStop for what it will not (authentication, unknown database) with exit 77 or 69. `stop`
  // must outlive it.
  PgConnection(const Options& options, const SignalEvent& stop);
  ~PgConnection();
  PgConnection(PgConnection&&) noexcept;
  PgConnection& operator=(PgConnection&&) noexcept;

  // Runs one or several statements by the simple protocol; gives the result of the last.
  PgResult Exec(std::string_view sql);
  // BEGIN, with the settings that every transaction of liteferry has (READ COMMITTED, no
  // server-side statement_timeout, UTC, ISO dates); goes out with the statement that follows.
  void Begin();
  // Puts `sql` in front of the next message (Exec, BeginCopy, Commit), so that it costs no round
  // trip. For statements that return nothing and cannot fail by themselves; Rollback() forgets it.
  void ExecLater(std::string_view sql);
  // One statement by the extended protocol, unnamed; results in text.
  PgResult ExecParams(std::string_view sql, std::span<const PgParam> params);

  // Runs statements in one round trip, a whole transaction from BEGIN to COMMIT; gives their
  // results. Each is prepared the first time and stays so while the connection lasts: not for
  // behind a transaction pooler, and where texts are few. On an error of the server, which is
  // thrown, the statements behind it have not run; the transaction is to be rolled back. They are
  // small: all are sent before the first answer is read.
  std::vector<PgResult> RunPipeline(std::span<const PgStep> steps);

  // Starts COPY … FROM STDIN. Statements may stand before it in `sql`: they go in the same message,
  // and so cost no round trip.
  void BeginCopy(std::string_view sql);
  // Sends a piece; row boundaries do not matter. Stops early with the server's error, if it has
  // one.
  void PutCopy(std::string_view bytes);
  // Ends it; the number of rows. On an error of the server throws it; the transaction is then to be
  // rolled back (to a savepoint), the connection is usable.
  std::int64_t EndCopy();

  // Runs COPY … TO STDOUT; statements may stand before it in `sql`. `sink` gets row after row, each
  // during the call, in text format with its newline at the end. When it throws, the connection is
  // to be given up with Rollback(), which closes it.
  void CopyOut(std::string_view sql, const std::function<void(std::string_view)>& sink);

  // COMMIT. Error (in doubt) when the connection is lost before the answer.
  void Commit();
  // ROLLBACK where a transaction is open; never throws (a broken connection has rolled back
  // anyway).
  void Rollback() noexcept;

  bool broken() const;
  // Waits longer than Options::statement_timeout for the statements that follow (index builds).
  void SetStatementTimeout(std::chrono::milliseconds timeout);
  // Facts about the other end, read once after connecting.
  const PgServer& server() const { return server_; }
  // host:port/database as role, for people; no secret.
  std::string Describe() const;

 private:
  void ReadServer(bool writable);

  class Impl;
  std::unique_ptr<Impl> impl_;
  PgServer server_;
};

// What to do about a SQLSTATE: class 08, 57P0x, 53, 40001, 40P01, 55P03, 25006 retry; class 22 and
// 23 reject the row; the others stop.
Disposition ClassifySqlstate(std::string_view sqlstate);

}  // namespace liteferry::target
