#include <algorithm>

#include "replication/base/text.h"
#include "replication/confirmation.h"
#include "replication/cutover/gates.h"
#include "replication/mapping.h"
#include "replication/session.h"
#include "replication/source/changelog.h"
#include "replication/target/sql.h"
#include "replication/target_tables.h"
#include "replication/verify/grid.h"
#include "replication/verify/look_around.h"
#include "replication/verify/schedule.h"

namespace liteferry::cutover {
namespace {

void ReadPairing(source::Database& source, target::PgConnection& target,
                 const config::Settings& settings, Facts& facts, Mapping& mapping,
                 target::TargetCatalog& catalog) {
  const source::SourceCatalog tables = source::ReadCatalog(source);
  catalog = ReadTargetTables(target, settings);
  mapping = BuildMapping(tables, catalog, settings);
  for (const MappingProblem& problem : mapping.problems) {
    facts.not_followed.push_back("table " + problem.table + " " + problem.message);
  }
  std::vector<source::SourceTable> captured;
  for (const TableMapping& table : mapping.tables) captured.push_back(table.source);
  source::Capture capture(source);
  const source::CaptureState state = capture.Read();
  if (!state.installed || state.released) {
    facts.not_followed.emplace_back(state.released
                                        ? "capture is taken away from the source for a migration"
                                        : "capture is not installed in the source");
  } else {
    facts.not_captured = capture.FindBroken(captured, state);
  }
}

void ReadDurability(target::PgConnection& target, const config::Settings& settings,
                    const target::StreamRow& stream, const SignalEvent& stop, Facts& facts) {
  ConfirmedStream ours;
  ours.owner = {stream.owner_id, stream.owner_epoch};
  ours.incarnation = stream.incarnation;
  ours.system_identifier = target.server().system_identifier;
  ours.applied = stream.applied_seq;
  facts.durability_problem = DurabilityProblem(settings, target, ours, stop);
}

void ReadStream(target::StateStore& store, const target::StreamRow& stream, const Mapping& mapping,
                Facts& facts) {
  facts.started = true;
  facts.following = stream.phase == target::Phase::kFollowing;
  facts.cut_over = stream.phase == target::Phase::kCutOver;
  facts.consistent = stream.consistent;
  facts.paused = stream.paused;
  facts.applied = stream.applied_seq;
  for (const target::RejectedCount& one : store.CountRejected()) facts.rejected += one.rows;
  for (const target::SourceTableRow& row : store.ReadSourceTables()) {
    const bool mapped =
        std::any_of(mapping.tables.begin(), mapping.tables.end(),
                    [&](const TableMapping& table) { return table.source.name == row.name; });
    if (mapped && row.signature.empty()) facts.in_doubt.push_back(row.name);
  }
}

void ReadVerify(target::PgConnection& target, const config::Settings& settings,
                const source::LogBounds& log, Facts& facts) {
  const VerifyStatus verify = verify::ReadLatest(target, settings.target.state_schema);
  facts.differences = verify.differences;
  facts.verify_complete = verify.complete;
  if (!verify.last_success) return;
  using std::chrono::milliseconds;
  const auto ago =
      std::chrono::floor<milliseconds>(std::chrono::system_clock::now() - *verify.last_success);
  facts.verified_ago = std::max(ago, milliseconds(0));
  const std::int64_t from = VerifiedUpTo(target, settings.target.state_schema);
  facts.verify_in_log = log.oldest <= from + 1 || log.oldest <= 1;
  facts.changes_since_verify = std::max<std::int64_t>(facts.captured - from, 0);
}

void ReadHeld(target::PgConnection& target, const config::Settings& settings, Facts& facts) {
  for (const target::Held& held :
       target::HeldConstraints(target, settings.target.state_schema).List()) {
    facts.foreign_keys += held.kind == target::HeldKind::kForeignKey ? 1 : 0;
    facts.indexes_held += IsIndex(held.kind) ? 1 : 0;
    if (!held.problem.empty()) {
      facts.held_problems.push_back(held.name + " on " + held.table + ": " + held.problem);
    }
  }
}

void ReadReferences(target::PgConnection& target, const config::Settings& settings,
                    const Mapping& mapping, const target::TargetCatalog& catalog, Facts& facts) {
  for (const verify::Finding& finding :
       verify::LookAround(target, settings.target.state_schema, mapping, catalog)) {
    if (finding.kind == verify::Finding::Kind::kOrphans) {
      // The message begins with the number.
      facts.orphans.emplace_back(finding.object,
                                 std::max<std::int64_t>(std::atoll(finding.message.c_str()), 1));
    }
  }
  std::vector<std::string> oids;
  for (const TableMapping& table : mapping.tables) oids.push_back(std::to_string(table.target.oid));
  const std::string list = "{" + Join(oids, ",") + "}";
  const target::PgParam param{list, 0, false};
  facts.sequences = target.ExecParams(sql::kVerifySequencesSql, {&param, 1}).rows();
}

}  // namespace

std::int64_t VerifiedUpTo(target::PgConnection& target, const std::string& state_schema) {
  // What was applied a moment before the comparison began was compared: history has a position a
  // minute, the earlier one does no harm.
  return target
      .Exec("SELECT coalesce(max(h.seq), 0) FROM " + QuoteQualified(state_schema, "history") +
            " AS h WHERE h.at <= (SELECT finished_at - duration_ms * interval '1 millisecond' - "
            "interval '1 second' FROM " +
            QuoteQualified(state_schema, "verification") +
            " WHERE complete AND differences = 0 ORDER BY id DESC LIMIT 1)")
      .Int(0, 0);
}

Plan MakePlan(const config::Settings& settings, const SignalEvent& stop) {
  Plan plan;
  Facts& facts = plan.facts;
  source::Database source(settings.source.path, source::OpenMode::kReadOnly,
                          settings.source.busy_timeout);
  const auto target = ConnectTarget(settings, stop, "liteferry cutover");
  target->SetStatementTimeout(std::chrono::hours(24));
  target::StateStore store(*target, settings.target.state_schema);
  Mapping mapping;
  target::TargetCatalog catalog;
  ReadPairing(source, *target, settings, facts, mapping, catalog);
  source::LogBounds log;
  if (source::Capture(source).Read().installed) log = source::Changelog(source).Bounds();
  facts.captured = log.newest;
  facts.missing_privileges = MissingTargetPrivileges(*target, settings);
  std::chrono::milliseconds round_trip{1};
  if (const auto stream = store.Exists() ? store.ReadStream(false) : std::nullopt) {
    ReadStream(store, *stream, mapping, facts);
    ReadVerify(*target, settings, log, facts);
    ReadHeld(*target, settings, facts);
    ReadDurability(*target, settings, *stream, stop, facts);
    if (facts.following) ReadReferences(*target, settings, mapping, catalog, facts);
    const auto start = std::chrono::steady_clock::now();
    target->Exec("SELECT 1");
    round_trip = std::max(round_trip, std::chrono::ceil<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now() - start));
  }
  plan.gates = JudgeGates(facts, settings.cutover.verify_max_age);
  plan.estimated_pause = EstimatePause(facts, round_trip);
  return plan;
}

}  // namespace liteferry::cutover
