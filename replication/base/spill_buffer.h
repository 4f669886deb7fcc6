#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "replication/base/unique_fd.h"

namespace liteferry {

// An append-only run of bytes that lives in memory up to a limit and beyond it in an unlinked
// temporary file: so a batch is read at SQLite's speed with bounded memory (P3). What is appended
// is read back by offset. Not a queue and not shared.
//
// Thread-safety: one thread. Lifetime: the file is gone when the buffer is, also after a crash.
class SpillBuffer {
 public:
  explicit SpillBuffer(std::size_t memory_limit) : memory_limit_(memory_limit) {}

  // Throws Error (stop, exit 74) when the temporary folder is full or not writable.
  void Append(std::string_view bytes);
  std::uint64_t size() const { return spilled_ + memory_.size(); }
  bool spilled() const { return spilled_ > 0; }

  // Calls `sink` with consecutive pieces of [from, to), each at most 1 MiB.
  void Read(std::uint64_t from, std::uint64_t to,
            const std::function<void(std::string_view)>& sink) const;
  // Empties it; keeps memory up to the limit for the next use.
  void Clear();

 private:
  void Spill();

  std::size_t memory_limit_;
  std::string memory_;         // the bytes from spilled_ on
  std::uint64_t spilled_ = 0;  // the bytes in the file
  UniqueFd file_;
};

}  // namespace liteferry
