#include "replication/schema_scan.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "replication/base/error.h"
#include "replication/mapping.h"
#include "replication/source/row_reader.h"
#include "replication/target/convert.h"

namespace liteferry {
namespace {

using Clock = std::chrono::steady_clock;

// As the copy: how long one snapshot may last. In rollback-journal mode a reader makes a writer's
// commit wait.
constexpr std::chrono::milliseconds kSliceWal{100};
constexpr std::chrono::milliseconds kSliceRollback{3};
constexpr std::chrono::milliseconds kPauseRollback{2};

// Judges the values of one column.
class ColumnJudge {
 public:
  ColumnJudge(const source::SourceColumn& column, bool strict,
              const config::ColumnSettings& settings) {
    options_.on_invalid = settings.on_invalid;
    options_.epoch = settings.epoch;
    candidates_ = SuggestedTypes(column, strict, settings);
    evidence_.misfits.assign(candidates_.size(), 0);
  }

  void Observe(const Value& value) {
    evidence_.profile.Observe(value);
    if (value.is_null()) return;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (!Fits(value, candidates_[i].type)) ++evidence_.misfits[i];
    }
  }

  ColumnEvidence Take() { return std::move(evidence_); }

 private:
  bool Fits(const Value& value, const target::TargetType& type) {
    buffer_.clear();
    bool is_null = false;
    if (target::ConvertText(value, type, options_, buffer_, is_null)) return false;
    const bool json = type.kind == target::TypeKind::kJson || type.kind == target::TypeKind::kJsonb;
    if (!json || is_null) return true;
    // The server judges the syntax; this reader is as strict, but would skip a byte order mark.
    return !buffer_.starts_with("\xEF\xBB\xBF") && nlohmann::json::accept(buffer_);
  }

  target::ConvertOptions options_;
  std::vector<TypeCandidate> candidates_;
  ColumnEvidence evidence_;
  std::string buffer_;
};

class SchemaScan {
 public:
  SchemaScan(source::Database& database, const SignalEvent& stop, const SchemaScanSink& sink,
             SchemaInput& input)
      : database_(database), stop_(stop), sink_(sink), input_(input) {
    slice_ = source::ReadInfo(database).journal_mode == "wal" ? kSliceWal : kSliceRollback;
  }

  void Run() {
    std::vector<const source::SourceTable*> tables;
    for (const source::SourceTable& table : input_.catalog.tables) {
      if (IsSelected(table.name, input_.settings)) tables.push_back(&table);
    }
    progress_.tables = static_cast<std::int64_t>(tables.size());
    for (const source::SourceTable* table : tables) {
      progress_.table = table->name;
      Table(*table);
      ++progress_.tables_done;
    }
    progress_.table.clear();
    sink_(progress_);
  }

 private:
  void Table(const source::SourceTable& table) {
    const auto configured = input_.settings.tables.find(table.name);
    std::vector<ColumnJudge> scans;
    std::vector<int> columns;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      config::ColumnSettings settings;
      if (configured != input_.settings.tables.end()) {
        const auto found = configured->second.columns.find(table.columns[i].name);
        if (found != configured->second.columns.end()) settings = found->second;
      }
      scans.emplace_back(table.columns[i], table.strict, settings);
      columns.push_back(static_cast<int>(i));
    }
    TableEvidence evidence;
    const auto observe = [&](Row row) {
      for (std::size_t i = 0; i < scans.size(); ++i) scans[i].Observe(row[i]);
      ++evidence.rows;
      ++progress_.rows;
    };
    source::RowReader reader(database_, table, columns);
    // Otherwise Scan gives these rows too.
    if (reader.order() == source::ScanOrder::kKey) {
      Snapshot();
      reader.ScanNullKeys([&](Row row, const PackedKey&) {
        observe(row);
        return true;
      });
      snapshot_.reset();
    }
    Rows(reader, observe);
    for (ColumnJudge& scan : scans) evidence.columns.push_back(scan.Take());
    input_.evidence[table.name] = std::move(evidence);
  }

  void Rows(source::RowReader& reader, const std::function<void(Row)>& observe) {
    std::optional<PackedKey> after;
    for (bool more = true; more;) {
      if (stop_.IsSet()) {
        throw Error(Disposition::kRetry, Component::kSource, "interrupted")
            .Exit(ExitCode::kTryAgain);
      }
      sink_(progress_);
      more = false;
      std::int64_t read = 0;
      Snapshot();
      const auto end = Clock::now() + slice_;
      reader.Scan(after, std::nullopt, [&](Row row, const PackedKey& scan_key) {
        observe(row);
        after = scan_key;
        more = (++read % 64) == 0 && Clock::now() >= end;
        return !more;
      });
      snapshot_.reset();
      // Leaves the lock to a writer that waits for it.
      if (more && slice_ == kSliceRollback) {
        WaitFor(-1, 0, stop_, nullptr, Deadline::In(kPauseRollback));
      }
    }
  }

  void Snapshot() {
    snapshot_.emplace(database_, source::Transaction::Kind::kRead);
    if (database_.QueryInt("PRAGMA main.schema_version") != input_.catalog.schema_version) {
      throw Error(Disposition::kRetry, Component::kSource, "the schema changed while it was read")
          .Hint("Run it again.")
          .Exit(ExitCode::kTryAgain);
    }
  }

  source::Database& database_;
  const SignalEvent& stop_;
  const SchemaScanSink& sink_;
  SchemaInput& input_;
  std::chrono::milliseconds slice_{0};
  std::optional<source::Transaction> snapshot_;
  SchemaScanProgress progress_;
};

}  // namespace

SchemaInput ReadSchemaInput(source::Database& database, const config::Settings& settings) {
  SchemaInput input;
  input.settings = settings;
  source::Transaction snapshot(database, source::Transaction::Kind::kRead);
  input.catalog = source::ReadCatalog(database);
  input.objects = source::ReadSchemaObjects(database);
  snapshot.Commit();
  return input;
}

void ScanForSchema(source::Database& database, const SignalEvent& stop, const SchemaScanSink& sink,
                   SchemaInput& input) {
  SchemaScan(database, stop, sink, input).Run();
}

}  // namespace liteferry
