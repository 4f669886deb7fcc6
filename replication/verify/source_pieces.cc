#include "replication/verify/source_pieces.h"

#include <algorithm>

#include "replication/base/error.h"

namespace liteferry::verify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceRows = 20'000;
constexpr std::size_t kPieceBytes = std::size_t{8} << 20;

std::optional<PackedKey> PackInteger(const std::optional<std::int64_t>& key) {
  if (!key) return std::nullopt;
  const Value value = Value::Integer(*key);
  return PackKey(Row(&value, 1));
}

}  // namespace

Slice SliceOf(const Sides& sides) {
  using std::chrono::milliseconds;
  return sides.rollback_journal ? Slice{milliseconds(3), milliseconds(2)}
                                : Slice{milliseconds(100), milliseconds(0)};
}

void RequireSchema(const Sides& sides) {
  if (sides.source.QueryInt("PRAGMA schema_version") == sides.schema_version) return;
  throw Error(Disposition::kRetry, Component::kVerify,
              "the schema of the source changed during the comparison");
}

void RequireRunning(const Sides& sides) {
  if (!sides.stop.IsSet()) return;
  throw Error(Disposition::kRetry, Component::kVerify, "the comparison was stopped")
      .Exit(ExitCode::kTryAgain);
}

SourcePieces::SourcePieces(const Sides& sides, const TableMapping& table, const KeyRange& range)
    : sides_(sides),
      table_(table),
      reader_(sides.source, table.source, table.SourceColumns()),
      after_(PackInteger(range.after)),
      up_to_(PackInteger(range.up_to)) {}

bool SourcePieces::Next(Grid& grid, const std::function<void(const PackedKey& key)>& key) {
  grid.Clear();
  if (done_) return false;
  RequireRunning(sides_);
  const Slice slice = SliceOf(sides_);
  bool more = false;
  {
    source::Transaction snapshot(sides_.source, source::Transaction::Kind::kRead);
    RequireSchema(sides_);
    const auto end = Clock::now() + slice.most;
    const std::size_t every = sides_.rollback_journal ? 16 : 64;
    reader_.Scan(after_, up_to_, [&](Row row) {
      grid.AddExpected(row);
      key(table_.KeyOf(row));
      more = grid.rows() >= kPieceRows || grid.bytes() >= kPieceBytes ||
             (grid.rows() % every == 0 && Clock::now() >= end);
      if (more) after_ = reader_.ScanKey();
      return !more;
    });
    snapshot.Commit();
  }
  done_ = !more;
  if (more && slice.pause.count() > 0) {
    // Leaves the lock to a writer that waits for it.
    WaitFor(-1, 0, sides_.stop, nullptr, Deadline::In(slice.pause));
  }
  return true;
}

void Pace::Rest() {
  if (share_ >= 1) return;
  const std::chrono::duration<double> worked = Clock::now() - worked_since_;
  const auto rest =
      std::chrono::duration_cast<std::chrono::milliseconds>(worked * (1 / share_ - 1));
  WaitFor(-1, 0, stop_, nullptr, Deadline::In(std::min(rest, std::chrono::milliseconds(60'000))));
  worked_since_ = Clock::now();
}

}  // namespace liteferry::verify
