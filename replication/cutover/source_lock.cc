#include "replication/cutover/source_lock.h"

namespace liteferry::cutover {
namespace {

constexpr std::chrono::milliseconds kTry{20};

template <typename Work>
void Retry(const EngineContext& context, Deadline patience, const char* what, const Work& work) {
  for (;;) {
    try {
      return work();
    } catch (const Error& error) {
      if (error.disposition() != Disposition::kRetry) throw;
      if (patience.Passed()) {
        throw Error(Disposition::kRetry, Component::kSource, what)
            .Hint(
                "Try again when the application holds no long transaction, or raise "
                "cutover.max_pause.")
            .Exit(ExitCode::kTryAgain);
      }
    }
    WaitFor(-1, 0, context.abort, nullptr, Deadline::In(kTry));
  }
}

}  // namespace

SourceLock::SourceLock(const EngineContext& context, Deadline patience)
    : database_(context.settings.source.path, source::OpenMode::kReadWrite, kTry) {
  MeasureLocks(context, database_);
  Retry(context, patience, "the application kept the write lock of the source",
        [&] { transaction_.emplace(database_, source::Transaction::Kind::kWrite); });
}

void SourceLock::Commit(const EngineContext& context, Deadline patience) {
  Retry(context, patience, "readers of the source kept the fence from being committed",
        [&] { transaction_->Commit(); });
}

}  // namespace liteferry::cutover
