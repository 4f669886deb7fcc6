#include "replication/check.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "replication/base/text.h"
#include "replication/create_tables.h"
#include "replication/mapping.h"
#include "replication/session.h"
#include "replication/source/catalog.h"
#include "replication/source/row_reader.h"
#include "replication/target/held_constraints.h"
#include "replication/target_tables.h"

namespace liteferry {
namespace {

class Preflight {
 public:
  Preflight(const config::Settings& settings, const CheckOptions& options, const SignalEvent& stop)
      : settings_(settings), options_(options), stop_(stop) {}

  CheckReport Run() {
    report_.source_path = settings_.source.path;
    const auto source = Try([&] { return ReadSource(); });
    const auto target = Try([&] { return ReadTarget(); });
    NameSuggestions names{settings_, {}, {}};
    if (options_.suggest && source && target) {
      names = SuggestNames(*source, *target, settings_);
      settings_ = names.settings;
    }
    if (source && target) Try([&] { return Pair(*source, *target), true; });
    if (source && (options_.scan || options_.suggest)) Try([&] { return Scan(*source), true; });
    std::erase_if(names.unpaired, [&](const std::string& table) {
      return std::find(created_.begin(), created_.end(), table) != created_.end();
    });
    if (options_.suggest) report_.suggested = SuggestConfig(names, report_.scans);
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
    for (const std::string& line : MissingTargetPrivileges(*target_, settings_)) {
      Find(Severity::kError, report_.target, line, "", ExitCode::kPermission);
    }
    return ReadTargetTables(*target_, settings_);
  }

  void Pair(const source::SourceCatalog& source, const target::TargetCatalog& target) {
    mapping_ = BuildMapping(source, target, settings_);
    created_ = TablesToCreate(source, target, settings_);
    const NameSuggestions names = SuggestNames(source, target, settings_);
    for (const MappingProblem& problem : mapping_.problems) {
      if (std::find(created_.begin(), created_.end(), problem.table) == created_.end()) {
        Find(Severity::kError, problem.table, problem.message, problem.hint);
      } else {
        Created(problem.table, names);
      }
    }
    for (const std::string& note : mapping_.notes) Find(Severity::kNote, "", note, "");
    NoteMigrations();
    std::vector<std::uint32_t> oids;
    std::vector<std::string> keys;
    for (const TableMapping& table : mapping_.tables) {
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

  // SQLite refuses to drop a column that a trigger names (docs/CAPTURE.md); ours name those of
  // unique indexes.
  void NoteMigrations() {
    std::vector<std::string> tables;
    for (const TableMapping& table : mapping_.tables) {
      const auto& indexes = table.source.indexes;
      const bool named = std::any_of(indexes.begin(), indexes.end(), [](const auto& index) {
        return index.unique && !index.primary_key;
      });
      if (named) tables.push_back(table.source.name);
    }
    if (tables.empty()) return;
    Find(Severity::kNote, "",
         "a migration of the source that drops a unique index and at once a column of it needs "
         "`liteferry pause --release-capture` before and `liteferry resume` after: " +
             Join(tables, ", "),
         "");
  }

  void Created(const std::string& table, const NameSuggestions& names) {
    const std::string message =
        "will be created by `liteferry run`, as `liteferry schema` prints it";
    if (!names.evidence.contains("tables." + table)) {
      Find(Severity::kNote, table, message, "");
      return;
    }
    Find(Severity::kWarning, table,
         message + ", although " + names.settings.tables.at(table).target +
             " on the target is written alike",
         "`liteferry check --suggest` prints a configuration that pairs them.");
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

  void Scan(const source::SourceCatalog& source) {
    std::vector<ScanTarget> targets;
    for (const source::SourceTable& table : source.tables) {
      if (!IsSelected(table.name, settings_)) continue;
      const auto mapped =
          std::find_if(mapping_.tables.begin(), mapping_.tables.end(),
                       [&](const TableMapping& one) { return one.source.name == table.name; });
      if (!CanBeScanned(table)) continue;
      const auto settings = settings_.tables.find(table.name);
      targets.push_back(
          {&table, mapped == mapping_.tables.end() ? nullptr : &*mapped,
           settings == settings_.tables.end() ? config::TableSettings{} : settings->second});
    }
    const auto start = std::chrono::steady_clock::now();
    report_.scans =
        RunScan(settings_, targets, source.schema_version, options_.scan_options, stop_);
    report_.scan_time = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    report_.scanned = true;
    for (const TableScan& scan : report_.scans) JudgeScan(scan);
  }

  void JudgeScan(const TableScan& scan) {
    if (scan.rejected_rows > 0) {
      Find(Severity::kError, scan.source,
           GroupDigits(scan.rejected_rows) + " of " + GroupDigits(scan.rows) +
               (scan.rows == 1 ? " row" : " rows") + " would be rejected",
           "");
    }
    for (const ColumnScan& column : scan.columns) {
      const std::string name = scan.source + "." + column.source;
      if (column.rounded > 0) {
        Find(Severity::kNote, name,
             GroupDigits(column.rounded) + (column.rounded == 1 ? " value has" : " values have") +
                 " more digits than " + column.type.name + " keeps, and would be rounded",
             "");
      }
      if (column.altered > 0) {
        Find(Severity::kNote, name,
             "on_invalid changes " + GroupDigits(column.altered) +
                 (column.altered == 1 ? " value" : " values"),
             "");
      }
      if (column.rejected > 0) continue;
      for (const Suggestion& one : SuggestColumn(column)) {
        if (one.kind == Suggestion::Kind::kSetting) {
          Find(Severity::kWarning, name, one.key + " should be " + one.value + ": " + one.evidence,
               "");
        }
      }
    }
  }

  config::Settings settings_;
  const CheckOptions& options_;
  const SignalEvent& stop_;
  Mapping mapping_;
  std::vector<std::string> created_;  // source tables that `run` would create
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

const TableScan* CheckReport::ScanOf(const std::string& source_table) const {
  for (const TableScan& scan : scans) {
    if (scan.source == source_table) return &scan;
  }
  return nullptr;
}

SuggestedConfig SuggestConfig(const NameSuggestions& names, const std::vector<TableScan>& scans) {
  SuggestedConfig config{names.settings, names.evidence, {}, names.unpaired};
  for (const TableScan& scan : scans) {
    for (const ColumnScan& column : scan.columns) {
      const std::string path = "tables." + scan.source + ".columns." + column.source;
      for (const Suggestion& one : SuggestColumn(column)) {
        if (one.kind == Suggestion::Kind::kSetting && one.key == "epoch") {
          config.settings.tables[scan.source].columns[column.source].epoch = one.epoch;
          config.evidence[path + ".epoch"] = one.evidence;
        } else {
          config.offers[path].push_back(one);
        }
      }
    }
  }
  return config;
}

CheckReport RunCheck(const config::Settings& settings, const CheckOptions& options,
                     const SignalEvent& stop) {
  return Preflight(settings, options, stop).Run();
}

}  // namespace liteferry
