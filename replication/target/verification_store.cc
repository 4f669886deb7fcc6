#include "replication/target/verification_store.h"

#include <nlohmann/json.hpp>

#include "replication/base/text.h"
#include "replication/target/pg_connection.h"
#include "replication/target/sql.h"

namespace liteferry::target {
namespace {

using std::chrono::milliseconds;

std::chrono::system_clock::time_point FromMillis(std::int64_t millis) {
  return std::chrono::system_clock::time_point(milliseconds(millis));
}

std::string ToJson(const std::vector<Verification::TableDifferences>& tables) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& one : tables) object[one.table] = one.differences;
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<Verification::TableDifferences> FromJson(const std::string& text) {
  std::vector<Verification::TableDifferences> tables;
  const auto object = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!object.is_object()) return tables;
  for (const auto& [name, count] : object.items()) {
    if (count.is_number_integer()) tables.push_back({name, count.get<std::int64_t>()});
  }
  return tables;
}

}  // namespace

VerificationStore::VerificationStore(PgConnection& connection, std::string state_schema)
    : connection_(connection), schema_(std::move(state_schema)) {}

std::string VerificationStore::Fill(std::string_view sql) const {
  constexpr std::string_view kPlaceholder = ":\"schema\"";
  std::string out(sql);
  for (std::size_t at = out.find(kPlaceholder); at != std::string::npos;
       at = out.find(kPlaceholder, at)) {
    out.replace(at, kPlaceholder.size(), QuoteIdentifier(schema_));
  }
  return out;
}

void VerificationStore::Add(const Verification& verification) {
  // NOTICE of a table that is there already goes nowhere.
  connection_.Exec(Fill(sql::kVerificationCreateSql));
  const auto number = [](std::int64_t value) { return std::to_string(value) + ", "; };
  connection_.Exec("INSERT INTO " + QuoteQualified(schema_, "verification") +
                   " (started_by, duration_ms, tables, rows, differences, rejected, waiting, "
                   "complete, by_table) "
                   "VALUES (" +
                   QuoteLiteral(verification.started_by) + ", " +
                   number(verification.duration.count()) + number(verification.tables) +
                   number(verification.rows) + number(verification.differences) +
                   number(verification.rejected) + number(verification.waiting) +
                   (verification.complete ? "true, " : "false, ") +
                   QuoteLiteral(ToJson(verification.by_table)) + ")");
  connection_.Exec(
      Fill("DELETE FROM :\"schema\".verification WHERE id <= (SELECT max(id) - 1000 FROM "
           ":\"schema\".verification)"));
}

std::optional<Verification> VerificationStore::ReadLatest() {
  const std::string name = QuoteLiteral(QuoteQualified(schema_, "verification"));
  if (connection_.Exec("SELECT to_regclass(" + name + ") IS NULL").Bool(0, 0)) return std::nullopt;
  const PgResult found = connection_.Exec(Fill(sql::kVerificationReadSql));
  if (found.rows() == 0) return std::nullopt;
  Verification one;
  one.id = found.Int(0, 0);
  one.finished_at = FromMillis(found.Int(0, 1));
  one.started_by = found.Text(0, 2);
  one.duration = milliseconds(found.Int(0, 3));
  one.tables = found.Int(0, 4);
  one.rows = found.Int(0, 5);
  one.differences = found.Int(0, 6);
  one.rejected = found.Int(0, 7);
  one.waiting = found.Int(0, 8);
  one.complete = found.Bool(0, 9);
  one.by_table = FromJson(found.Text(0, 10));
  if (!found.IsNull(0, 11)) one.last_success = FromMillis(found.Int(0, 11));
  return one;
}

}  // namespace liteferry::target
