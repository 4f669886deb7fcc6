#include "replication/confirmation.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "config/url.h"
#include "replication/base/error.h"
#include "replication/base/log.h"

namespace liteferry {
namespace {

using config::Durability;
using std::chrono::milliseconds;

constexpr milliseconds kAskEvery{1000};
constexpr milliseconds kAskInAHurry{20};
constexpr milliseconds kAskAfterFault{5000};

std::unique_ptr<target::PgConnection> ConnectStandby(const config::Settings& settings,
                                                     const SignalEvent& stop) {
  std::string problem;
  const auto url = config::ReadConfirmUrl(settings, problem);
  if (!url) throw Error(Disposition::kRetry, Component::kTarget, problem);
  target::PgConnection::Options options;
  options.url = *url;
  options.application_name = "liteferry confirmation";
  options.connect_timeout = settings.target.connect_timeout;
  options.statement_timeout = std::chrono::seconds(10);
  options.writable = false;
  return std::make_unique<target::PgConnection>(options, stop);
}

// The position of our stream that the standby has replayed. Throws Error.
std::int64_t Ask(target::PgConnection& standby, const config::Settings& settings,
                 const ConfirmedStream& stream) {
  const auto refuse = [](const std::string& message) {
    return Error(Disposition::kRetry, Component::kTarget, "target.confirm_url " + message);
  };
  const std::string& system = standby.server().system_identifier;
  if (!system.empty() && !stream.system_identifier.empty() && system != stream.system_identifier) {
    throw refuse("leads to another cluster");
  }
  target::StateStore store(standby, settings.target.state_schema);
  const auto row = store.ReadStream(false);
  // Asked last: a server that is a standby now was one when it gave the row.
  if (!standby.Exec("SELECT pg_is_in_recovery()").Bool(0, 0)) {
    throw refuse("leads to a server that is no standby");
  }
  const bool ours = row && row->incarnation == stream.incarnation &&
                    row->owner_id == stream.owner.id && row->owner_epoch == stream.owner.epoch;
  // It has not replayed our taking over yet, or is of a timeline that was left.
  return ours ? row->applied_seq : 0;
}

// Why COMMIT waits for no standby, "" when it does.
std::string WaitProblem(target::PgConnection& target) {
  const target::PgResult result = target.Exec(
      "SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit')");
  if (result.Text(0, 0).empty()) {
    return "target.durability is sync, but synchronous_standby_names is empty on the target: no "
           "COMMIT waits for any standby";
  }
  const std::string level = result.Text(0, 1);
  if (level == "on" || level == "remote_apply") return "";
  return "target.durability is sync, but synchronous_commit is " + level +
         " for this role: no COMMIT waits for a standby's disk";
}

std::string Silent(const Error& error) {
  return "the standby confirms nothing: " + error.message();
}

}  // namespace

std::string DurabilityProblem(const config::Settings& settings, target::PgConnection& target,
                              const ConfirmedStream& stream, const SignalEvent& stop) {
  if (settings.target.durability == Durability::kLocal) return "";
  if (settings.target.durability == Durability::kSync) return WaitProblem(target);
  try {
    const auto standby = ConnectStandby(settings, stop);
    if (Ask(*standby, settings, stream) > 0 || stream.applied == 0) return "";
    return "the standby has not replayed the latest start of the daemon yet";
  } catch (const Error& error) {
    return Silent(error);
  }
}

Confirmation::Confirmation(EngineContext& context) : context_(context) {
  if (context.settings.target.durability == Durability::kStandby) {
    thread_ = std::thread([this] { Run(); });
  }
}

Confirmation::~Confirmation() {
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

void Confirmation::Attach(Session& session) {
  session_ = &session;
  waited_ = false;
  {
    const std::lock_guard lock(mutex_);
    stream_ = {session.owner, session.stream.incarnation,
               session.target->server().system_identifier, session.stream.applied_seq};
    confirmed_ = std::min(confirmed_, stream_.applied);
  }
  Committed();
}

void Confirmation::Detach() {
  session_ = nullptr;
  const std::lock_guard lock(mutex_);
  stream_.owner.epoch = 0;
}

void Confirmation::Committed() {
  if (session_ == nullptr) return;
  const Durability durability = context_.settings.target.durability;
  bool confirmed = durability == Durability::kLocal;
  if (durability == Durability::kSync) {
    // It waited before the COMMIT and it does now. What a session finds at its begin was perhaps
    // not waited for; its next COMMIT, a sign of life at the latest, vouches for all before.
    const bool before = waited_;
    waited_ = WaitsForStandby();
    confirmed = before && waited_;
  }
  std::int64_t now = 0;
  {
    const std::lock_guard lock(mutex_);
    stream_.applied = session_->stream.applied_seq;
    if (confirmed) confirmed_ = stream_.applied;
    now = confirmed_ = std::min(confirmed_, stream_.applied);
  }
  context_.board.Update([now](EngineStatus& status) { status.confirmed = now; });
  wake_.Set();
}

bool Confirmation::WaitsForStandby() {
  const std::string problem = WaitProblem(*session_->target);
  SetProblem(problem);
  return problem.empty();
}

std::int64_t Confirmation::Confirmed() const {
  const std::lock_guard lock(mutex_);
  return confirmed_;
}

std::string Confirmation::Problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void Confirmation::SetProblem(const std::string& problem) {
  {
    const std::lock_guard lock(mutex_);
    if (problem_ == problem) return;
    problem_ = problem;
  }
  if (problem.empty()) {
    context_.log->info("event=confirming");
  } else {
    context_.log->warn("event=not_confirmed reason=\"{}\"", problem);
  }
}

bool Confirmation::Await(std::int64_t seq, Deadline deadline) {
  while (!deadline.Passed() && !context_.abort.IsSet()) {
    if (Confirmed() >= seq) break;
    if (context_.settings.target.durability != Durability::kStandby) {
      if (session_ == nullptr) break;
      session_->store->Heartbeat(session_->owner, 0);
      Committed();
      if (Confirmed() >= seq) break;
    }
    std::unique_lock lock(mutex_);
    hurry_.Set();
    wake_.Set();
    changed_.wait_for(lock, std::min(deadline.Remaining(), milliseconds(100)),
                      [&] { return confirmed_ >= seq; });
  }
  hurry_.Clear();
  return Confirmed() >= seq;
}

void Confirmation::Run() {
  std::unique_ptr<target::PgConnection> standby;
  milliseconds rest = kAskEvery;
  while (!stop_.IsSet()) {
    WaitFor(-1, 0, stop_, &hurry_, Deadline::In(rest));
    if (hurry_.IsSet()) WaitFor(-1, 0, stop_, nullptr, Deadline::In(kAskInAHurry));
    rest = kAskEvery;
    ConfirmedStream stream;
    {
      const std::lock_guard lock(mutex_);
      stream = stream_;
    }
    if (stream.owner.epoch == 0 || Confirmed() >= stream.applied) {
      // Nothing to ask until the next commit.
      WaitFor(-1, 0, stop_, &wake_, Deadline::In(std::chrono::seconds(10)));
      wake_.Clear();
      rest = kAskInAHurry;
      continue;
    }
    try {
      if (!standby) standby = ConnectStandby(context_.settings, stop_);
      const std::int64_t seq = Ask(*standby, context_.settings, stream);
      SetProblem("");
      const std::lock_guard lock(mutex_);
      if (stream_.owner.epoch != stream.owner.epoch) continue;
      confirmed_ = std::max(confirmed_, std::min(seq, stream_.applied));
      context_.board.Update([now = confirmed_](EngineStatus& status) { status.confirmed = now; });
      changed_.notify_all();
    } catch (const Error& error) {
      standby.reset();
      rest = kAskAfterFault;
      if (!stop_.IsSet()) SetProblem(Silent(error));
    }
  }
}

}  // namespace liteferry
