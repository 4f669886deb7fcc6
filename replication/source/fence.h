#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "replication/source/sqlite_handle.h"

namespace liteferry::source {

enum class FenceMark : std::uint8_t {
  kNone,
  kUp,       // the database has moved
  kLeaving,  // `cutover abort` is at work: it may go as soon as the target agrees
};

// What stands in the source of the fence: triggers _liteferry_fence_* that make every write to a
// replicated table fail, and the mark that says so in _liteferry_meta. The capture's triggers stay
// below it. It cannot forbid DDL; a table that is rebuilt loses its part (see Damaged).
//
// Not a thread; the caller's connection and, for what writes, the caller's write transaction.
class Fence {
 public:
  explicit Fence(Database& database) : database_(database) {}

  FenceMark Read();
  // Puts the triggers up where they are missing, on every table that is captured, and marks it.
  void Install();
  // Names of captured tables that the fence does not cover.
  std::vector<std::string> Damaged();
  void SetMark(FenceMark mark);
  void Remove();

 private:
  Database& database_;
};

}  // namespace liteferry::source
