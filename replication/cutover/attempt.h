#pragma once

#include <optional>
#include <string>

#include "replication/lifecycle.h"
#include "replication/session.h"

namespace liteferry::cutover {

// Leads the engine through a cutover and back, and tells the board what comes of it: what was asked
// for is answered only when both sides are known to stand where the answer says, however often the
// connection was lost in between. Engine thread only; `context` must outlive it.
class EngineAttempt {
 public:
  explicit EngineAttempt(EngineContext& context) : context_(context) {}

  // Commands. Refused at once where the state does not allow it.
  Event Begin(State state, bool settled);
  Event BeginToGoBack(State state);

  // Actions of the lifecycle.
  Event CutOver(Session& session);
  Event Finish(Session& session);
  Event GoBack(Session& session);

  // The engine knows anew where the stream stands.
  void Prepared(target::Phase phase);
  // The engine waits for a person.
  void Halted(const Error& error);

 private:
  void Open(const std::string& step);
  void Close(const std::string& result, const std::string& message, const std::string& hint,
             int exit_code);
  void CloseWith(const Error& error);
  void Say(const std::string& step);
  void RunHook(const Session& session);

  EngineContext& context_;
  bool running_ = false;
  bool going_back_ = false;
  bool hook_due_ = false;
  bool refused_ = false;  // `failure_` is a refusal: nothing was begun
  std::optional<Error> failure_;
};

}  // namespace liteferry::cutover
