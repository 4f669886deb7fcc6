#include "replication/verify/judge.h"

#include <algorithm>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/source/changelog.h"
#include "replication/verify/source_pieces.h"

namespace liteferry::verify {
namespace {

constexpr std::size_t kLot = 16'384;
// Keys that wait for the daemon; beyond these they are only counted.
constexpr std::size_t kMostWaiting = 200'000;
// A key that is written all the time may wait each time it is looked at.
constexpr int kMostRounds = 20;
constexpr std::chrono::milliseconds kAskPosition{50};
constexpr std::chrono::seconds kTrimPatience{60};

Error TrimmedTooFast() {
  return Error(Disposition::kRetry, Component::kVerify,
               "the changelog is trimmed faster than rows can be compared")
      .Hint("Set changelog.retention to some minutes.")
      .Exit(ExitCode::kTryAgain);
}

void AddUnique(std::vector<PackedKey>& keys, const PackedKey& key) {
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
}

}  // namespace

Judge::Judge(const Sides& sides, const TableMapping& table, int table_no,
             const CompareOptions& options, const DifferenceSink& sink, TableOutcome& outcome)
    : sides_(sides),
      table_(table),
      table_no_(table_no),
      options_(options),
      sink_(sink),
      outcome_(outcome),
      store_(sides.target, sides.state_schema),
      reader_(sides.source, table.source, table.SourceColumns()) {}

void Judge::Add(Candidate candidate) {
  lot_.push_back(std::move(candidate));
  if (lot_.size() >= kLot) JudgeLot(std::exchange(lot_, {}), 0);
}

void Judge::Finish() {
  JudgeLot(std::exchange(lot_, {}), 0);
  for (int round = 0; !waiting_.empty() && round < kMostRounds && !over(); ++round) {
    if (!AwaitPosition(waiting_until_)) break;
    std::vector<Candidate> again = std::exchange(waiting_, {});
    outcome_.waiting -= static_cast<std::int64_t>(again.size());
    for (std::size_t at = 0; at < again.size(); at += kLot) {
      const auto from = again.begin() + static_cast<std::ptrdiff_t>(at);
      const auto to =
          again.begin() + static_cast<std::ptrdiff_t>(std::min(again.size(), at + kLot));
      JudgeLot({from, to}, 0);
    }
  }
  waiting_.clear();
}

void Judge::AddRejected() {
  constexpr int kMost = 100'000;
  if (over()) return;
  const std::string from = " FROM " + QuoteQualified(sides_.state_schema, "rejected_row") +
                           " WHERE table_no = " + std::to_string(table_no_);
  if (!store_.Exists()) return;
  outcome_.rejected = sides_.target.Exec("SELECT count(*)" + from).Int(0, 0);
  if (outcome_.rejected == 0) return;
  const target::PgResult found =
      sides_.target.Exec("SELECT row_key" + from + " LIMIT " + std::to_string(kMost));
  std::vector<PackedKey> keys;
  for (int i = 0; i < found.rows(); ++i) keys.push_back(KeyFromJson(found.Text(i, 0)));
  AddKeys(keys);
}

void Judge::AddKeys(const std::vector<PackedKey>& keys) {
  const std::vector<std::string> forms = FormsOf(keys);
  for (std::size_t i = 0; i < keys.size(); ++i) Add({forms[i], keys[i]});
}

Judge::Groups Judge::MakeGroups(const std::vector<Candidate>& lot) const {
  Groups groups;
  std::unordered_map<std::string, std::size_t> by_form;
  for (const Candidate& candidate : lot) {
    // A key without a form is a group of its own: nothing on the target can share it.
    const std::string name = candidate.form.empty() ? "-" + candidate.packed : "+" + candidate.form;
    const auto [at, fresh] = by_form.emplace(name, groups.size());
    if (fresh) {
      groups.emplace_back();
      groups.back().form = candidate.form;
    }
    if (!candidate.packed.empty()) AddUnique(groups[at->second].packed, candidate.packed);
  }
  for (Group& group : groups) {
    if (group.packed.empty()) group.packed = Probes(group.form);
  }
  return groups;
}

void Judge::JudgeLot(std::vector<Candidate> lot, int depth) {
  if (lot.empty() || over()) return;
  Groups groups;
  Position position;
  const Deadline patience = Deadline::In(kTrimPatience);
  for (;;) {
    RequireRunning(sides_);
    groups = MakeGroups(lot);
    if (Observe(groups, position)) break;
    if (patience.Passed()) throw TrimmedTooFast();
    if (lot.size() > 16) {
      // Fewer are read in less time.
      const auto middle = lot.begin() + static_cast<std::ptrdiff_t>(lot.size() / 2);
      JudgeLot({lot.begin(), middle}, depth);
      JudgeLot({middle, lot.end()}, depth);
      return;
    }
  }
  if (over()) return;
  std::vector<const Group*> extras;
  for (const Group& group : groups) {
    if (!group.logged) Decide(group, extras);
  }
  if (extras.empty()) return;
  std::unordered_set<std::string> forms;
  for (const Group* group : extras) forms.insert(group->form);
  std::vector<Candidate> found;
  if (depth < 3) found = Search(forms);
  for (const Candidate& candidate : found) forms.erase(candidate.form);
  for (const Group* group : extras) {
    if (forms.contains(group->form)) ReportExtra(*group);
  }
  // Together with the keys known before: of several rows of the source with one form, one is on the
  // target and the others are rejected.
  for (const Group* group : extras) {
    if (forms.contains(group->form)) continue;
    for (const SourceRow& row : group->source) {
      if (row.found) found.push_back({group->form, row.packed});
    }
  }
  JudgeLot(std::move(found), depth + 1);
}

bool Judge::Observe(Groups& groups, Position& position) {
  ReadTarget(groups, position);
  if (over()) return true;
  const std::int64_t up_to = ReadSource(groups);
  RequireSource(position);
  if (!position.known) return true;
  if (up_to < position.seq) {
    if (options_.judging == Judging::kReconcile) return true;
    throw StreamElsewhere("the changelog ends before the position applied last");
  }
  if (!ReadLog(groups, position, up_to)) return options_.judging == Judging::kReconcile;
  for (const Group& group : groups) {
    if (group.logged) Wait(group, up_to);
  }
  return true;
}

std::vector<Candidate> Judge::Search(const std::unordered_set<std::string>& forms) {
  std::vector<Candidate> found;
  // A rowid has one form and one key: it was looked for already.
  if (HasIntegerKey(table_)) return found;
  SourcePieces pieces(sides_, table_, {});
  Grid grid(table_);
  std::vector<PackedKey> keys;
  while (pieces.Next(grid, [&](const PackedKey& key) { keys.push_back(key); })) {
    const std::vector<std::string> here = FormsOf(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (forms.contains(here[i])) found.push_back({here[i], keys[i]});
    }
    keys.clear();
  }
  return found;
}

// A row that is recorded as rejected is not expected on the target. Where both sides are to be
// brought right it is tried again, unless its values leave no hope.
bool Judge::Excused(const SourceRow& row) const {
  return rejected_.contains(row.packed) && (row.unfit || options_.judging == Judging::kProof);
}

void Judge::Decide(const Group& group, std::vector<const Group*>& extras) {
  std::vector<const SourceRow*> fit;
  const SourceRow* unfit = nullptr;
  for (const SourceRow& row : group.source) {
    if (!row.found) {
      if (rejected_.contains(row.packed)) Report(DifferenceKind::kStaleRejection, group, &row);
    } else if (!Excused(row)) {
      if (!row.unfit) fit.push_back(&row);
      if (row.unfit) unfit = &row;
    }
  }
  if (group.target.empty()) {
    if (unfit != nullptr) Report(DifferenceKind::kMissing, group, unfit);
    for (const SourceRow* row : fit) Report(DifferenceKind::kMissing, group, row);
    return;
  }
  if (fit.empty()) {
    extras.push_back(&group);
    return;
  }
  if (group.target.size() > 1) {
    Report(DifferenceKind::kExtra, group, fit.front());
    return;
  }
  const auto equal = std::find_if(fit.begin(), fit.end(), [&](const SourceRow* row) {
    return row->cells == group.target.front();
  });
  for (auto one = fit.begin(); one != fit.end(); ++one) {
    if (one == equal) continue;
    const bool different = equal == fit.end() && one == fit.begin();
    Report(different ? DifferenceKind::kDifferent : DifferenceKind::kMissing, group, *one);
  }
}

void Judge::ReportExtra(const Group& group) {
  const auto known = std::find_if(group.source.begin(), group.source.end(),
                                  [](const SourceRow& row) { return row.found; });
  Report(DifferenceKind::kExtra, group, known == group.source.end() ? nullptr : &*known);
}

void Judge::Report(DifferenceKind kind, const Group& group, const SourceRow* row) {
  Difference difference;
  difference.kind = kind;
  std::vector<std::string> owned;
  if (row != nullptr) {
    difference.key = row->packed;
    difference.shown = KeyToJson(UnpackKey(row->packed));
  } else {
    const auto parts = SplitKey(group.form);
    owned.reserve(parts.size());
    std::vector<Value> key;
    bool null = false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      null = null || !parts[i];
      const target::TargetType& type = table_.columns[table_.key[i]].target.type;
      key.push_back(parts[i] ? FormValue(type, *parts[i], owned.emplace_back()) : Value::Null());
    }
    if (!null) difference.key = PackKey(key);
    difference.shown = KeyToJson(key);
  }
  if (kind == DifferenceKind::kDifferent) {
    for (std::size_t i = 0; i < row->cells.size(); ++i) {
      if (row->cells[i] != group.target.front()[i]) {
        difference.columns.push_back(table_.columns[i].target.name);
      }
    }
  }
  outcome_.missing += kind == DifferenceKind::kMissing ? 1 : 0;
  outcome_.extra += kind == DifferenceKind::kExtra ? 1 : 0;
  outcome_.different += kind == DifferenceKind::kDifferent ? 1 : 0;
  outcome_.stale_rejections += kind == DifferenceKind::kStaleRejection ? 1 : 0;
  sink_(difference);
}

void Judge::Wait(const Group& group, std::int64_t until) {
  ++outcome_.waiting;
  if (options_.judging == Judging::kReconcile || waiting_.size() >= kMostWaiting) return;
  waiting_until_ = std::max(waiting_until_, until);
  waiting_.push_back(
      {group.form, group.source.empty() ? PackedKey() : group.source.front().packed});
}

bool Judge::AwaitPosition(std::int64_t until) {
  std::int64_t last = -1;
  Deadline patience = Deadline::In(options_.settle);
  for (;;) {
    RequireRunning(sides_);
    const Position position = ReadPosition();
    if (position.seq >= until) return true;
    if (position.seq != last) patience = Deadline::In(options_.settle);
    last = position.seq;
    if (patience.Passed() || !position.owner_alive || position.paused) return false;
    WaitFor(-1, 0, sides_.stop, nullptr, Deadline::In(kAskPosition));
  }
}

}  // namespace liteferry::verify
