#include "replication/check.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "replication/base/text.h"
#include "replication/mapping.h"
#include "replication/session.h"
#include "replication/source/catalog.h"
#include "replication/source/row_reader.h"
#include "replication/target/catalog.h"
#include "replication/target/held_constraints.h"

namespace liteferry {
namespace {

class Preflight {
 public:
  Preflight(const config::Settings& settings, const SignalEvent& stop)
      : settings_(settings), stop_(stop) {}

  CheckReport Run() {
    report_.source_path = settings_.source.path;
    const auto source = Try([&] { return ReadSource(); });
    const auto target = Try([&] { return ReadTarget(); });
    if (source && target) Pair(*source, *target);
    return std::move(report_);
  }

 private:
  template <typename F>
  auto Try(F read) -> std::optional<decltype(read())> {
    try {
      return read();
    } catch (const Error& error) {
      if (error.disposition() == Disposition::kBug) throw;
      report_.findings.push_back(
          {Severity::kError, "", error.message(), error.hint(), error.exit_code()});
      return std::nullopt;
    }
  }

  void Find(Severity severity, std::string object, std::string message, std::string hint,
            ExitCode code = ExitCode::kDataError) {
    report_.findings.push_back(
        {severity, std::move(object), std::move(message), std::move(hint), code});
  }

  source::SourceCatalog ReadSource() {
    source_ = std::make_unique<source::Database>(settings_.source.path, source::OpenMode::kReadOnly,
                                                 settings_.source.busy_timeout);
    const source::SourceInfo info = source::ReadInfo(*source_);
    report_.journal_mode = info.journal_mode;
    report_.sqlite_version = info.sqlite_version;
    if (info.journal_mode != "wal") {
      Find(Severity::kWarning, settings_.source.path,
           "journal mode is " + info.journal_mode + ": readers and writers wait for each other",
           "Switch the application to WAL (PRAGMA journal_mode = WAL) if it can; liteferry reads "
           "in slices of "
           "milliseconds otherwise.");
    }
    if (::access(settings_.source.path.c_str(), W_OK) != 0) {
      Find(Severity::kError, settings_.source.path, "this user may not write the database",
           "Run liteferry as the application's own user: triggers and the changelog are written "
           "there.",
           ExitCode::kPermission);
    }
    source::SourceCatalog catalog = source::ReadCatalog(*source_);
    for (const source::SkippedTable& skipped : catalog.skipped) {
      report_.skipped.push_back(skipped.name + ": " + skipped.reason);
    }
    return catalog;
  }

  target::TargetCatalog ReadTarget() {
    target_ = ConnectTarget(settings_, stop_, "liteferry check");
    report_.target = target_->Describe();
    report_.server_version = target_->server().version_text;
    report_.pooled = target_->server().pooled;
    if (report_.pooled) {
      Find(Severity::kWarning, report_.target, "a transaction pooler stands before the server",
           "A direct connection is faster and recovers sooner.");
    }
    for (const std::string& line : target::MissingPrivileges(*target_, settings_.target.schema,
                                                             settings_.target.state_schema)) {
      Find(Severity::kError, report_.target, line, "", ExitCode::kPermission);
    }
    return target::ReadCatalog(*target_, settings_.target.schema);
  }

  void Pair(const source::SourceCatalog& source, const target::TargetCatalog& target) {
    const Mapping mapping = BuildMapping(source, target, settings_);
    for (const MappingProblem& problem : mapping.problems) {
      Find(Severity::kError, problem.table, problem.message, problem.hint);
    }
    for (const std::string& note : mapping.notes) Find(Severity::kNote, "", note, "");
    std::vector<std::uint32_t> oids;
    std::vector<std::string> keys;
    for (const TableMapping& table : mapping.tables) {
      report_.tables.push_back(Describe(table));
      oids.push_back(table.target.oid);
      keys.push_back(table.key_index);
    }
    for (const source::SourceTable& table : source.tables) {
      if (!IsSelected(table.name, settings_))
        report_.skipped.push_back(table.name + ": excluded by configuration");
    }
    report_.held = target::DescribeHoldable(*target_, oids, keys);
  }

  PairedTable Describe(const TableMapping& table) {
    PairedTable pair;
    pair.source = table.source.name;
    pair.target = table.target.schema + "." + table.target.name;
    source::RowReader reader(*source_, table.source, table.SourceColumns());
    pair.rows = reader.EstimateRows();
    std::vector<std::string> key;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const ColumnPair& column = table.columns[i];
      if (column.source < 0) continue;
      const auto& source = table.source.columns[static_cast<std::size_t>(column.source)];
      const bool in_key = std::find(table.key.begin(), table.key.end(), i) != table.key.end();
      if (in_key) key.push_back(source.name);
      pair.columns.push_back(
          {source.name, source.declared_type, column.target.name, column.target.type.name, in_key});
    }
    pair.key =
        table.hidden_rowid
            ? std::string("rowid (hidden column ") + kHiddenRowidColumn + ")"
            : (table.source.key_kind == source::KeyKind::kUnique ? "unique (" : "primary key (") +
                  Join(key, ", ") + ")";
    pair.target_only = table.target_only;
    return pair;
  }

  const config::Settings& settings_;
  const SignalEvent& stop_;
  CheckReport report_;
  std::unique_ptr<source::Database> source_;
  std::unique_ptr<target::PgConnection> target_;
};

}  // namespace

bool CheckReport::ok() const { return exit_code() == ExitCode::kOk; }

ExitCode CheckReport::exit_code() const {
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::kError) return finding.exit_code;
  }
  return ExitCode::kOk;
}

CheckReport RunCheck(const config::Settings& settings, const SignalEvent& stop) {
  return Preflight(settings, stop).Run();
}

}  // namespace liteferry
