#include "replication/target/pg_result.h"

#include <libpq-fe.h>

#include <charconv>
#include <string_view>

#include "replication/base/error.h"

namespace liteferry::target {

void PgResult::Clearer::operator()(pg_result* result) const noexcept { PQclear(result); }

int PgResult::rows() const { return PQntuples(get()); }
int PgResult::columns() const { return PQnfields(get()); }

bool PgResult::IsNull(int row, int column) const {
  Require(row < rows() && column < columns(), "result has no such field");
  return PQgetisnull(get(), row, column) != 0;
}

std::string PgResult::Text(int row, int column) const {
  if (IsNull(row, column)) return "";
  return std::string(PQgetvalue(get(), row, column),
                     static_cast<std::size_t>(PQgetlength(get(), row, column)));
}

std::int64_t PgResult::Int(int row, int column) const {
  const std::string text = Text(row, column);
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  Require(parsed.ec == std::errc() && parsed.ptr == text.data() + text.size(),
          "result field is not an integer");
  return number;
}

bool PgResult::Bool(int row, int column) const { return Text(row, column) == "t"; }

std::int64_t PgResult::affected() const {
  const std::string_view text = PQcmdTuples(get());
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace liteferry::target
