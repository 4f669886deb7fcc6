#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "replication/source/row_reader.h"
#include "replication/verify/compare.h"
#include "replication/verify/grid.h"

namespace liteferry::verify {

// How long a comparison reads the source in one snapshot (P3), and how long it waits between two.
struct Slice {
  std::chrono::milliseconds most;
  std::chrono::milliseconds pause;
};
Slice SliceOf(const Sides& sides);

// Throws Error (retry) unless the source's schema is the one that the mapping was made of.
void RequireSchema(const Sides& sides);
// Throws Error (retry) when the comparison is to end.
void RequireRunning(const Sides& sides);

// Reads a table of the source from one end to the other, in pieces that are each one short
// snapshot.
class SourcePieces {
 public:
  SourcePieces(const Sides& sides, const TableMapping& table, const KeyRange& range);

  // Reads the next piece into `grid`, which it empties first; `key` gets the packed key of each
  // row, in their order. False when there was none left.
  bool Next(Grid& grid, const std::function<void(const PackedKey& key)>& key);
  // Whether the piece read last was the end.
  bool done() const { return done_; }

 private:
  const Sides& sides_;
  const TableMapping& table_;
  source::RowReader reader_;
  std::optional<PackedKey> after_;
  std::optional<PackedKey> up_to_;
  bool done_ = false;
};

// Waits so that of all the time only `share` is spent working. One thread.
class Pace {
 public:
  Pace(double share, const SignalEvent& stop)
      : share_(share), stop_(stop), worked_since_(Clock::now()) {}

  void Rest();

 private:
  using Clock = std::chrono::steady_clock;

  const double share_;
  const SignalEvent& stop_;
  Clock::time_point worked_since_;
};

}  // namespace liteferry::verify
