#include "replication/quick_apply.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/base/error.h"
#include "replication/target/row_encoder.h"
#include "replication/target/sql.h"

namespace liteferry {
namespace {

// Beyond these COPY is faster.
constexpr std::size_t kMostKeys = 32;
constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 10;
// After the n-th refusal in a row 2^n batches are left alone, up to this n.
constexpr std::int64_t kMostRefusals = 10;

// Planned once for all. Keys are looked up one by one whatever the planner thinks of it then: the
// table may have been empty.
constexpr std::string_view kPlanning =
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), "
    "set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), "
    "set_config('enable_mergejoin', 'off', true)";

bool IsPlain(const TableChanges& changes) {
  return changes.rejected.empty() && !changes.table.target.insert_rule &&
         changes.encoder.format() == target::CopyFormat::kBinary &&
         !target::KeyArrays(changes.table.KeyColumns()).known_by_print();
}

// The statements of transaction_begin.sql, each of which ends its line.
std::vector<target::PgStep> BeginSteps() {
  constexpr std::string_view kEnd = ";\n";
  std::vector<target::PgStep> steps;
  std::string_view rest = sql::kTransactionBeginSql;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(kEnd), rest.size());
    steps.push_back({std::string(rest.substr(0, end)), {}});
    rest.remove_prefix(std::min(end + kEnd.size(), rest.size()));
  }
  steps.push_back({std::string(kPlanning), {}});
  return steps;
}

std::optional<target::PgStep> DeleteStep(const TableChanges& changes) {
  const target::TargetTable& table = changes.table.target;
  target::KeyArrays keys(changes.table.KeyColumns());
  for (const std::string_view key : changes.ordered) keys.Add(UnpackKey(key));
  if (keys.size() == 0) return std::nullopt;
  target::PgStep step{keys.DeleteStatement(table.schema, table.name), {}, true};
  for (std::size_t i = 0; i < keys.columns(); ++i) step.values.emplace_back(keys.BinaryArray(i));
  return step;
}

void AddInserts(const TableChanges& changes, std::vector<target::PgStep>& steps) {
  const target::TargetTable& table = changes.table.target;
  const std::string insert = changes.encoder.InsertStatement(table.schema, table.name);
  std::string bytes;
  for (std::size_t row = 0; row < changes.rows.rows(); ++row) {
    changes.rows.ReadRow(row, bytes);
    const auto fields = changes.encoder.Fields(bytes);
    steps.push_back({insert, {fields.begin(), fields.end()}, true});
  }
}

}  // namespace

bool QuickApply::Fits(const Session& session, const Gathered& batch) {
  std::size_t keys = 0;
  std::uint64_t bytes = 0;
  for (const auto& [number, changes] : batch.tables) {
    keys += changes->keys.size();
    bytes += changes->rows.bytes();
    if (keys > kMostKeys || bytes > kMostBytes || !IsPlain(*changes)) return false;
  }
  // A pooler's next connection does not know what was prepared, and only COPY's way retries rows.
  if (session.target->server().pooled || !session.rejected.empty() || !batch.unwatched.empty() ||
      session.store->HistoryIsDue()) {
    return false;
  }
  if (pass_ == 0) return true;
  --pass_;
  return false;
}

std::optional<std::int64_t> QuickApply::Apply(Session& session, const Gathered& batch,
                                              bool consistent) {
  static const std::vector<target::PgStep> kBegin = BeginSteps();
  std::vector<target::PgStep> steps = kBegin;
  steps.push_back(session.store->MoveStep(
      session.owner, {batch.from, batch.to, batch.mark, session.stream.phase, consistent}));
  const std::size_t first_delete = steps.size();
  for (const auto& [number, changes] : batch.tables) {
    if (auto step = DeleteStep(*changes)) steps.push_back(*std::move(step));
  }
  const std::size_t first_insert = steps.size();
  for (const auto& [number, changes] : batch.tables) AddInserts(*changes, steps);
  steps.push_back({"COMMIT", {}});
  try {
    const auto results = session.target->RunPipeline(steps);
    refusals_ = 0;
    std::int64_t deleted = 0;
    for (std::size_t i = first_delete; i < first_insert; ++i) deleted += results[i].affected();
    return deleted;
  } catch (const Error& error) {
    session.target->Rollback();
    if (error.disposition() == Disposition::kRetry ||
        error.disposition() == Disposition::kInDoubt) {
      throw;
    }
    refusals_ = std::min(refusals_ + 1, kMostRefusals);
    pass_ = std::int64_t{1} << refusals_;
    return std::nullopt;
  }
}

}  // namespace liteferry
