#pragma once

#include <optional>

#include "replication/base/deadline.h"
#include "replication/session.h"

namespace liteferry::cutover {

// The source's write lock, over a connection of its own: writers of the application wait, readers
// and the session's connection go on. Rolled back by the destructor unless Commit() was called.
class SourceLock {
 public:
  // Tries for a few milliseconds at a time until `patience`. Throws Error (75) when the application
  // keeps it.
  SourceLock(const EngineContext& context, Deadline patience);

  // Tries until `patience`: in rollback-journal mode it has to wait for readers.
  void Commit(const EngineContext& context, Deadline patience);
  source::Database& database() { return database_; }

 private:
  source::Database database_;
  std::optional<source::Transaction> transaction_;
};

}  // namespace liteferry::cutover
