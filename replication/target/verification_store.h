#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace liteferry::target {

class PgConnection;

// What one comparison of all tables found. Format: the table `verification` in STATE_FORMAT.md.
struct Verification {
  std::int64_t id = 0;
  std::chrono::system_clock::time_point finished_at{};  // by the server's clock
  std::string started_by;                               // "schedule", "command"
  std::chrono::milliseconds duration{0};
  std::int64_t tables = 0;
  std::int64_t rows = 0;
  std::int64_t differences = 0;
  std::int64_t rejected = 0;
  std::int64_t waiting = 0;
  bool complete = false;  // every table could be compared
  struct TableDifferences {
    std::string table;
    std::int64_t differences = 0;
  };
  std::vector<TableDifferences> by_table;  // those that were compared
  // Of the latest one that was complete and found none; only when read.
  std::optional<std::chrono::system_clock::time_point> last_success{};
};

// The results of comparisons, in the state schema, which must exist. Each method is a transaction
// of its own or part of the caller's.
class VerificationStore {
 public:
  VerificationStore(PgConnection& connection, std::string state_schema);

  // Writes it; id and time are the server's. Keeps the latest 1000.
  void Add(const Verification& verification);
  std::optional<Verification> ReadLatest();

 private:
  std::string Fill(std::string_view sql) const;

  PgConnection& connection_;
  const std::string schema_;
};

}  // namespace liteferry::target
