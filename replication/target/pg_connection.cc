#include "replication/target/pg_connection.h"
#include "config/url.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "replication/target/pg_error.h"
#include "replication/target/sql.h"

namespace liteferry::target {
namespace {

// A unix socket that poll(2) calls writable is three quarters empty and takes this much in one
// piece; with less, each piece would wait for the server once. Where a socket does not take all,
// libpq reads while it waits, and so may swallow an error of the server that ought to stop a COPY
// early: then it ends with its last piece.
constexpr std::size_t kCopyPiece = std::size_t{128} << 10;
// Pieces that still go out after the server has said something: a long notice arrives in parts.
constexpr int kPiecesAfterAnswer = 8;
// Statements that stay prepared on the server.
constexpr std::size_t kMostPrepared = 400;

struct ConnectionCloser {
  // The connection is non-blocking, so that its farewell is not waited for on a dead network.
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
struct CopyRowFreer {
  void operator()(char* row) const noexcept { PQfreemem(row); }
};
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionCloser>;

// NOTICEs are dropped, but counted: a notice is the one thing that the server may say in the middle
// of a COPY without having failed.
void CountNotice(void* counter, const PGresult* /*notice*/) {
  ++*static_cast<std::int64_t*>(counter);
}

ConnectionPtr StartConnecting(const PgConnection::Options& options, const HostChoice& choice) {
  // What stands before dbname are defaults that the URL may override; what stands after it is not
  // up to the URL. `options` is not used: poolers refuse or drop it.
  std::vector<std::pair<const char*, const char*>> parameters = {
      {"fallback_application_name", options.application_name.c_str()},
      {"target_session_attrs", options.writable ? "read-write" : "any"},
      {"keepalives", "1"},
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "20000"},
      {"dbname", options.url.c_str()},
      {"client_encoding", "UTF8"},
  };
  if (!choice.host.empty()) parameters.emplace_back("host", choice.host.c_str());
  if (!choice.address.empty()) parameters.emplace_back("hostaddr", choice.address.c_str());
  if (!choice.port.empty()) parameters.emplace_back("port", choice.port.c_str());
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword);
    values.push_back(value);
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  ConnectionPtr connection(PQconnectStartParams(keywords.data(), values.data(), 1));
  Require(connection != nullptr, "out of memory for a connection");
  return connection;
}

}  // namespace

// Members are the owner thread's only.
class PgConnection::Impl {
 public:
  Impl(const Options& options, const SignalEvent& stop)
      : stop_(&stop), timeout_(options.statement_timeout) {
    ConnectToAny(options);
    PQsetNoticeReceiver(connection_.get(), CountNotice, &notices_);
    Require(PQsetnonblocking(connection_.get(), 1) == 0, "cannot make a connection non-blocking");
    address_ = std::string(PQhost(connection_.get())) + ":" + PQport(connection_.get()) + "/" +
               PQdb(connection_.get()) + " as " + PQuser(connection_.get());
    // Literals are quoted for this setting; a role can have it switched off.
    const char* conforming = PQparameterStatus(connection_.get(), "standard_conforming_strings");
    if (conforming != nullptr && std::string_view(conforming) == "off") {
      throw Error(Disposition::kStop, Component::kTarget,
                  "standard_conforming_strings is off for " + address_)
          .Hint("Run ALTER ROLE … RESET standard_conforming_strings on PostgreSQL.");
    }
  }

  PgResult Exec(std::string_view sql) {
    Send(TakePending(sql));
    return Collect();
  }

  PgResult ExecParams(std::string_view sql, std::span<const PgParam> params) {
    if (!pending_.empty()) Exec("");
    SendParams(sql, params);
    return Collect();
  }

  void BeginCopy(std::string_view sql) {
    Send(TakePending(sql));
    const Deadline deadline = Deadline::In(timeout_);
    Flush(deadline);
    for (PgResult result = Next(deadline); result.get() != nullptr; result = Next(deadline)) {
      if (PQresultStatus(result.get()) == PGRES_COPY_IN) {
        heard_ = false;
        pieces_after_answer_ = 0;
        return;
      }
      if (IsError(result)) Fail(std::move(result));
    }
    throw Error(Disposition::kBug, Component::kTarget, "statement started no COPY");
  }

  void PutCopy(std::string_view bytes) {
    while (!bytes.empty()) {
      RequireConnection();
      const std::string_view piece = bytes.substr(0, kCopyPiece);
      const Deadline deadline = Deadline::In(timeout_);
      if (!Wait(POLLIN | POLLOUT, deadline) || AnsweredEarly()) {
        EndCopy("stopped early");
        throw Error(Disposition::kBug, Component::kTarget,
                    "COPY succeeded though it was cancelled");
      }
      for (;;) {
        const int sent =
            PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size()));
        if (sent > 0) break;
        if (sent < 0 || !Wait(POLLIN | POLLOUT, deadline)) FailUnsent();
      }
      // libpq would buffer without bound, so each piece goes out before the next comes in.
      Flush(deadline);
      bytes.remove_prefix(piece.size());
    }
  }

  std::int64_t EndCopy(const char* failure) {
    RequireConnection();
    const Deadline deadline = Deadline::In(timeout_);
    for (;;) {
      const int sent = PQputCopyEnd(connection_.get(), failure);
      if (sent > 0) break;
      if (sent < 0 || !Wait(POLLIN | POLLOUT, deadline)) FailUnsent();
    }
    return Collect().affected();
  }

  void CopyOut(std::string_view sql, const std::function<void(std::string_view)>& sink) {
    Send(TakePending(sql));
    Flush(Deadline::In(timeout_));
    const auto next = [this] { return Next(Deadline::In(timeout_)); };
    for (PgResult result = next(); result.get() != nullptr; result = next()) {
      if (IsError(result)) Fail(std::move(result));
      if (PQresultStatus(result.get()) == PGRES_COPY_OUT) ReadCopy(sink);
    }
  }

  void Commit() {
    RequireConnection();
    try {
      Send(TakePending("COMMIT"));
      RequireCommitted(Collect());
    } catch (const Error& error) {
      ThrowOutcome(error);
    }
  }

  std::vector<PgResult> RunPipeline(std::span<const PgStep> steps) {
    if (!pending_.empty()) Exec("");
    ForgetPrepared(steps.size());
    RequireConnection();
    try {
      if (PQenterPipelineMode(connection_.get()) == 0) FailUnsent();
      std::vector<PgResult> results = CollectPipeline(SendPipeline(steps));
      RequireCommitted(results.back());
      return results;
    } catch (const Error& error) {
      ThrowOutcome(error);
    }
  }

  void Rollback() noexcept {
    pending_.clear();
    if (broken()) return;
    switch (PQtransactionStatus(connection_.get())) {
      case PQTRANS_IDLE:
        return;
      case PQTRANS_INTRANS:
      case PQTRANS_INERROR:
        try {
          Exec("ROLLBACK");
        } catch (const std::exception&) {
          connection_.reset();
        }
        return;
      default:
        // In the middle of a statement or COPY: the server rolls back when the connection goes.
        connection_.reset();
    }
  }

  void ExecLater(std::string_view sql) { pending_.append(sql).append(";\n"); }
  bool broken() const {
    return connection_ == nullptr || PQstatus(connection_.get()) != CONNECTION_OK;
  }
  void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }
  const std::string& address() const { return address_; }
  PGconn* get() const { return connection_.get(); }

 private:
  // libpq knows no time-out for one host of several when it is not to block, so each is tried
  // alone.
  void ConnectToAny(const Options& options) {
    std::optional<Error> failure;
    for (const HostChoice& choice : HostChoices(options.url)) {
      try {
        Connect(options, choice);
        return;
      } catch (const Error& error) {
        if (stop_->IsSet()) throw;
        const bool better = failure && failure->disposition() == Disposition::kStop;
        if (!failure || (better && error.disposition() == Disposition::kRetry)) failure = error;
      }
    }
    throw Error(*failure);
  }

  void Connect(const Options& options, const HostChoice& choice) {
    connection_ = StartConnecting(options, choice);
    const Deadline deadline = Deadline::In(options.connect_timeout);
    auto state = PGRES_POLLING_WRITING;
    while (PQstatus(connection_.get()) != CONNECTION_BAD) {
      const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
      // Asked for anew each time: libpq opens another socket for each address it tries.
      if (WaitFor(PQsocket(connection_.get()), events, *stop_, nullptr, deadline) == 0) {
        if (!stop_->IsSet() && !deadline.Passed()) continue;
        throw Error(Disposition::kRetry, Component::kTarget,
                    stop_->IsSet()
                        ? "stopped while connecting to " + config::RedactUrl(options.url)
                        : "no answer from " + config::RedactUrl(options.url) + " in time");
      }
      state = PQconnectPoll(connection_.get());
      if (state == PGRES_POLLING_OK) return;
      if (state == PGRES_POLLING_FAILED) break;
    }
    throw ConnectError(PQerrorMessage(connection_.get()), options.url);
  }

  // Returns at the end of the rows, and when the connection is lost; the results tell.
  void ReadCopy(const std::function<void(std::string_view)>& sink) {
    for (;;) {
      char* bytes = nullptr;
      const int size = PQgetCopyData(connection_.get(), &bytes, 1);
      const std::unique_ptr<char, CopyRowFreer> row(bytes);
      if (size < 0) return;
      if (size > 0) sink(std::string_view(bytes, static_cast<std::size_t>(size)));
      if (size == 0 && !Wait(POLLIN, Deadline::In(timeout_))) return;
    }
  }

  std::string TakePending(std::string_view sql) {
    std::string message = std::exchange(pending_, {});
    message.append(sql);
    return message;
  }

  void Send(const std::string& sql) {
    RequireConnection();
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0) FailUnsent();
  }

  static void RequireCommitted(const PgResult& result) {
    const std::string_view tag = PQcmdStatus(result.get());
    if (tag == "COMMIT") return;
    throw Error(Disposition::kBug, Component::kTarget,
                "COMMIT of a transaction that had failed was answered by " + std::string(tag));
  }

  // What an error means that came while COMMIT was under way. One that the server answers, the
  // connection being whole, means rolled back. Anything else, a FATAL too (it can come after the
  // commit record), leaves the outcome open.
  [[noreturn]] void ThrowOutcome(const Error& error) const {
    if (!broken()) throw Error(error);
    throw Error(Disposition::kInDoubt, Component::kTarget,
                "outcome of COMMIT is unknown: " + error.message())
        .Server(error.sqlstate(), "", "", "");
  }

  // Each prepared statement takes memory of the server: begins anew before there are too many.
  void ForgetPrepared(std::size_t coming) {
    if (prepared_.size() + coming <= kMostPrepared || prepared_.empty()) return;
    Exec("DEALLOCATE ALL");
    prepared_.clear();
  }

  // The same text always has the same name, so that a pooler that was not recognised as one cannot
  // have a statement run for another.
  static std::string NameOf(const std::string& sql) {
    return "liteferry_" + std::to_string(std::hash<std::string>()(sql));
  }

  // Prepares what is new in front of all, so that nothing but the transaction stands between its
  // BEGIN and its COMMIT; gives the texts of that.
  std::vector<std::string> SendPipeline(std::span<const PgStep> steps) {
    std::vector<std::string> fresh;
    for (const PgStep& step : steps) {
      const bool known = prepared_.contains(step.sql) ||
                         std::find(fresh.begin(), fresh.end(), step.sql) != fresh.end();
      if (known) continue;
      fresh.push_back(step.sql);
      if (PQsendPrepare(connection_.get(), NameOf(step.sql).c_str(), step.sql.c_str(), 0,
                        nullptr) == 0) {
        FailUnsent();
      }
    }
    for (const PgStep& step : steps) SendStep(step);
    if (PQpipelineSync(connection_.get()) == 0) FailUnsent();
    return fresh;
  }

  void SendStep(const PgStep& step) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const std::optional<std::string>& value : step.values) {
      values.push_back(value ? value->c_str() : nullptr);
      lengths.push_back(value ? static_cast<int>(value->size()) : 0);
    }
    const std::vector<int> formats(values.size(), step.binary ? 1 : 0);
    if (PQsendQueryPrepared(connection_.get(), NameOf(step.sql).c_str(),
                            static_cast<int>(values.size()), values.data(), lengths.data(),
                            formats.data(), 0) == 0) {
      FailUnsent();
    }
  }

  // The results of the steps, behind those of what was prepared. Leaves pipeline mode; the first
  // error is then thrown.
  std::vector<PgResult> CollectPipeline(const std::vector<std::string>& fresh) {
    const Deadline deadline = Deadline::In(timeout_);
    Flush(deadline);
    std::vector<PgResult> results;
    PgResult failure;
    for (;;) {
      PgResult result = Next(deadline);
      const auto status = PQresultStatus(result.get());
      if (result.get() != nullptr && status == PGRES_PIPELINE_SYNC) break;
      if (result.get() != nullptr && status != PGRES_PIPELINE_ABORTED) {
        if (!IsError(result)) {
          results.push_back(std::move(result));
        } else if (failure.get() == nullptr) {
          failure = std::move(result);
        }
      }
      if (!broken()) continue;
      if (failure.get() == nullptr) FailUnsent();
      ThrowLost(ServerError(failure.get()));
    }
    if (PQexitPipelineMode(connection_.get()) == 0) FailUnsent();
    const auto done = static_cast<std::ptrdiff_t>(std::min(fresh.size(), results.size()));
    prepared_.insert(fresh.begin(), fresh.begin() + done);
    if (failure.get() != nullptr) {
      const Error error = ServerError(failure.get());
      if (error.sqlstate() == "26000") prepared_.clear();  // not known there any more
      throw error;
    }
    results.erase(results.begin(), results.begin() + done);
    return results;
  }

  void SendParams(std::string_view sql, std::span<const PgParam> params) {
    RequireConnection();
    std::vector<Oid> types;
    std::vector<std::string> texts(params.size());  // libpq wants texts to end in NUL
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
    for (std::size_t i = 0; i < params.size(); ++i) {
      const PgParam& param = params[i];
      const char* value = nullptr;
      if (param.value && param.binary) {
        value = param.value->data();
      } else if (param.value) {
        Require(param.value->find('\0') == std::string_view::npos, "text parameter holds a NUL");
        texts[i] = *param.value;
        value = texts[i].c_str();
      }
      types.push_back(param.type);
      values.push_back(value);
      lengths.push_back(param.value ? static_cast<int>(param.value->size()) : 0);
      formats.push_back(param.binary ? 1 : 0);
    }
    if (PQsendQueryParams(connection_.get(), std::string(sql).c_str(),
                          static_cast<int>(params.size()), types.data(), values.data(),
                          lengths.data(), formats.data(), 0) == 0) {
      FailUnsent();
    }
  }

  // The last result; the first error, once the others are read, is thrown.
  PgResult Collect() {
    const Deadline deadline = Deadline::In(timeout_);
    Flush(deadline);
    PgResult last;
    for (PgResult result = Next(deadline); result.get() != nullptr; result = Next(deadline)) {
      if (IsError(result)) Fail(std::move(result));
      const auto status = PQresultStatus(result.get());
      if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        connection_.reset();
        throw Error(Disposition::kBug, Component::kTarget, "COPY must go through BeginCopy");
      }
      last = std::move(result);
    }
    return last;
  }

  // Empty at the end of the message's results. A lost connection is a result too, made by libpq.
  PgResult Next(Deadline deadline) {
    while (PQisBusy(connection_.get()) != 0 && Wait(POLLIN, deadline)) {
    }
    return PgResult(PQgetResult(connection_.get()));
  }

  static bool IsError(const PgResult& result) {
    const auto status = PQresultStatus(result.get());
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
  }

  // Returns early when the connection is lost; the results tell.
  void Flush(Deadline deadline) {
    while (PQflush(connection_.get()) > 0 && Wait(POLLIN | POLLOUT, deadline)) {
    }
  }

  // False when the connection is lost. Also reads what has come: a server that waits to be read
  // would not read either.
  bool Wait(short events, Deadline deadline) {
    if (broken()) return false;
    const short ready = WaitFor(PQsocket(connection_.get()), events, *stop_, nullptr, deadline);
    if (ready == 0 && (stop_->IsSet() || deadline.Passed())) {
      connection_.reset();
      throw Error(Disposition::kRetry, Component::kTarget,
                  stop_->IsSet() ? "stopped while waiting for " + address_
                                 : "no answer from " + address_ + " in time");
    }
    if ((ready & ~POLLOUT) == 0) return true;
    heard_ = true;
    return PQconsumeInput(connection_.get()) != 0;
  }

  // Whether the server has ended a COPY by an error. libpq offers no look at it before the client
  // ends the COPY too, so what is not a notice counts as one.
  bool AnsweredEarly() {
    if (!std::exchange(heard_, false) && pieces_after_answer_ == 0) return false;
    const std::int64_t before = notices_;
    PQputCopyData(connection_.get(), "", 0);  // has libpq handle the notices
    pieces_after_answer_ = notices_ == before ? pieces_after_answer_ + 1 : 0;
    return pieces_after_answer_ > kPiecesAfterAnswer;
  }

  // Throws `error`, once all that follows it is read.
  [[noreturn]] void Fail(PgResult error) {
    const Deadline deadline = Deadline::In(timeout_);
    while (Next(deadline).get() != nullptr) {
    }
    if (!broken()) throw ServerError(error.get());
    ThrowLost(ServerError(error.get()));
  }

  // libpq would not take something.
  [[noreturn]] void FailUnsent() {
    const std::string reason = FirstLine(PQerrorMessage(connection_.get()));
    if (broken()) {
      ThrowLost(Error(Disposition::kRetry, Component::kTarget, reason));
    }
    connection_.reset();
    throw Error(Disposition::kBug, Component::kTarget, "libpq refused a call: " + reason);
  }

  [[noreturn]] void ThrowLost(const Error& cause) {
    connection_.reset();
    throw Error(Disposition::kRetry, Component::kTarget,
                "connection to " + address_ + " lost: " + cause.message())
        .Server(cause.sqlstate(), "", "", "");
  }

  void RequireConnection() {
    if (!broken()) return;
    if (connection_ != nullptr) FailUnsent();
    throw Error(Disposition::kRetry, Component::kTarget, "connection to " + address_ + " is lost");
  }

  const SignalEvent* const stop_;
  std::chrono::milliseconds timeout_;
  std::string address_;
  std::int64_t notices_ = 0;
  bool heard_ = false;           // something was read since AnsweredEarly() looked
  int pieces_after_answer_ = 0;  // sent in this COPY since
  std::string pending_;
  std::set<std::string> prepared_;  // texts
  ConnectionPtr connection_;        // null once lost
};

PgConnection::PgConnection(const Options& options, const SignalEvent& stop)
    : impl_(std::make_unique<Impl>(options, stop)) {
  impl_->set_timeout(options.connect_timeout);
  ReadServer(options.writable);
  impl_->set_timeout(options.statement_timeout);
}

PgConnection::~PgConnection() = default;
PgConnection::PgConnection(PgConnection&&) noexcept = default;
PgConnection& PgConnection::operator=(PgConnection&&) noexcept = default;

void PgConnection::ReadServer(bool writable) {
  const PgResult facts = Exec(sql::kServerFactsSql);
  const char* version = PQparameterStatus(impl_->get(), "server_version");
  server_.version = PQserverVersion(impl_->get());
  server_.version_text = version != nullptr ? version : "";
  server_.database = facts.Text(0, 0);
  server_.role = facts.Text(0, 1);
  server_.backend_pid = static_cast<int>(facts.Int(0, 2));
  server_.pooled = PQbackendPID(impl_->get()) != server_.backend_pid;
  server_.read_only = facts.Bool(0, 3);
  if (server_.read_only && writable) throw ReadOnlyError(Describe());
  try {
    const PgResult identity = Exec(sql::kServerIdentitySql);
    server_.system_identifier = identity.Text(0, 0);
    server_.timeline = identity.Int(0, 1);
  } catch (const Error&) {
    // Some hosted servers refuse these functions; a change of cluster is then not noticed by them.
    if (broken()) throw;
  }
}

PgResult PgConnection::Exec(std::string_view sql) { return impl_->Exec(sql); }
void PgConnection::Begin() { impl_->ExecLater(sql::kTransactionBeginSql); }
void PgConnection::ExecLater(std::string_view sql) { impl_->ExecLater(sql); }
PgResult PgConnection::ExecParams(std::string_view sql, std::span<const PgParam> params) {
  return impl_->ExecParams(sql, params);
}
std::vector<PgResult> PgConnection::RunPipeline(std::span<const PgStep> steps) {
  return impl_->RunPipeline(steps);
}
void PgConnection::BeginCopy(std::string_view sql) { impl_->BeginCopy(sql); }
void PgConnection::PutCopy(std::string_view bytes) { impl_->PutCopy(bytes); }
std::int64_t PgConnection::EndCopy() { return impl_->EndCopy(nullptr); }
void PgConnection::CopyOut(std::string_view sql,
                           const std::function<void(std::string_view)>& sink) {
  impl_->CopyOut(sql, sink);
}
void PgConnection::Commit() { impl_->Commit(); }
void PgConnection::Rollback() noexcept { impl_->Rollback(); }
bool PgConnection::broken() const { return impl_->broken(); }
void PgConnection::SetStatementTimeout(std::chrono::milliseconds timeout) {
  impl_->set_timeout(timeout);
}
std::string PgConnection::Describe() const { return impl_->address(); }

}  // namespace liteferry::target
