#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "replication/session.h"

namespace liteferry {

// What a standby must have of us before its answer counts.
struct ConfirmedStream {
  target::Owner owner;
  std::string incarnation;
  std::string system_identifier;
  std::int64_t applied = 0;
};

// Why target.durability could not be kept by a commit on `target` at this moment, "" when it could.
// For `standby` asks it over a connection of its own. Throws nothing for a standby that is away.
std::string DurabilityProblem(const config::Settings& settings, target::PgConnection& target,
                              const ConfirmedStream& stream, const SignalEvent& stop);

// Up to which change the target keeps what it was given, whatever happens to one of its machines
// (target.durability): the changelog is kept at least that far, and a cutover waits for it.
// Applying never waits for it.
//
//   local    what the primary has committed
//   sync     the same, while the primary's COMMIT waits for a standby; else nothing new
//   standby  what a standby, asked by a connection of its own, has replayed
//
// A standby's answer counts only when its stream row bears our owner and epoch: each session takes
// the stream over with the next epoch, so a row of an abandoned timeline cannot have it.
//
// Threads: the methods are the engine thread's, but for Confirmed() and Problem(), which any may
// call. `standby` has a thread of its own, which owns that connection. Lifetime: one per engine;
// the destructor stops and joins; `context` must outlive it.
class Confirmation {
 public:
  explicit Confirmation(EngineContext& context);
  ~Confirmation();
  Confirmation(const Confirmation&) = delete;
  Confirmation& operator=(const Confirmation&) = delete;

  // A session begins. It must live until Detach().
  void Attach(Session& session);
  void Detach();
  // The position of the session, or its sign of life, has been committed.
  void Committed();

  // The newest seq that is known to be safe; never above the applied position.
  std::int64_t Confirmed() const;
  // Why nothing more is confirmed, "" when all is well.
  std::string Problem() const;
  // Waits until `seq` is confirmed. False when the deadline passes first, or the
  // engine is aborted; a daemon that is asked to stop may still wait.
  bool Await(std::int64_t seq, Deadline deadline);

 private:
  bool WaitsForStandby();  // sync: whether COMMIT waits at this moment; sets the problem
  void Run();
  void SetProblem(const std::string& problem);

  EngineContext& context_;
  Session* session_ = nullptr;  // engine thread only
  bool waited_ = false;         // sync: COMMIT waited when we looked last; engine thread only

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // confirmed_ has grown
  ConfirmedStream stream_;           // epoch 0 while there is no session
  std::int64_t confirmed_ = 0;
  std::string problem_;

  SignalEvent stop_;
  SignalEvent wake_;   // there is something to confirm
  SignalEvent hurry_;  // somebody waits for it
  std::thread thread_;
};

}  // namespace liteferry
