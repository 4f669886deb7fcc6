#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct pg_result;

namespace liteferry::target {

// Rows that came back, in text format. Owns the PGresult; positions count from 0.
class PgResult {
 public:
  PgResult() = default;
  explicit PgResult(pg_result* result) : result_(result) {}

  int rows() const;
  int columns() const;
  bool IsNull(int row, int column) const;
  std::string Text(int row, int column) const;  // "" for NULL
  std::int64_t Int(int row, int column) const;
  bool Bool(int row, int column) const;
  // Rows changed by INSERT, UPDATE, DELETE; rows of COPY.
  std::int64_t affected() const;
  pg_result* get() const { return result_.get(); }

 private:
  struct Clearer {
    void operator()(pg_result* result) const noexcept;
  };
  std::unique_ptr<pg_result, Clearer> result_;
};

}  // namespace liteferry::target
