#include "replication/verify/judge.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/source/capture.h"
#include "replication/source/changelog.h"
#include "replication/verify/source_pieces.h"

namespace liteferry::verify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLot = 16'384;
constexpr std::size_t kPieceBytes = std::size_t{8} << 20;
// Keys that wait for the daemon; beyond these they are only counted.
constexpr std::size_t kMostWaiting = 200'000;
constexpr std::int64_t kLogPiece = 20'000;
// A key that is written all the time may wait each time it is looked at.
constexpr int kMostRounds = 20;
constexpr std::chrono::milliseconds kAskPosition{50};
constexpr std::chrono::seconds kTrimPatience{60};
constexpr std::int64_t kOwnerSilence = 30'000;  // ms; the lease of the stream

Error TrimmedTooFast() {
  return Error(Disposition::kRetry, Component::kVerify,
               "the changelog is trimmed faster than rows can be compared")
      .Hint("Set changelog.retention to some minutes.")
      .Exit(ExitCode::kTryAgain);
}

Error NotFollowed(const std::string& why) {
  return Error(Disposition::kStop, Component::kVerify,
               "the target does not follow this source: " + why)
      .Hint("`liteferry status` says what the daemon makes of it.")
      .Exit(ExitCode::kDataError);
}

// The integer that `text` is the one way to write; NULL for other texts.
Value IntegerIn(const std::string& text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool all = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return all && std::to_string(number) == text ? Value::Integer(number) : Value::Null();
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
    throw NotFollowed("the changelog ends before the position applied last");
  }
  if (!ReadLog(groups, position, up_to)) return options_.judging == Judging::kReconcile;
  for (const Group& group : groups) {
    if (group.logged) Wait(group, up_to);
  }
  return true;
}

// Whether rows of this table can be judged, by the state in the target's snapshot.
bool Judge::Comparable(target::StateStore& store) {
  for (const target::CopyRange& range : store.ReadCopyRanges()) {
    if (range.table_no != table_no_ || range.done) continue;
    outcome_.state = TableOutcome::State::kCopying;
    return false;
  }
  for (const target::SourceTableRow& row : store.ReadSourceTables()) {
    if (row.number != table_no_) continue;
    if (row.signature == table_.Signature()) return true;
    break;
  }
  outcome_.state = TableOutcome::State::kInDoubt;
  return false;
}

Judge::Position Judge::ReadPosition() {
  Position position;
  const auto stream = store_.Exists() ? store_.ReadStream(false) : std::nullopt;
  if (!stream) {
    if (options_.judging == Judging::kProof) throw NotFollowed("no replication has been started");
    return position;
  }
  position.known = true;
  position.seq = stream->applied_seq;
  position.mark = stream->applied_mark;
  position.incarnation = stream->incarnation;
  position.owner_alive = !stream->owner_id.empty() &&
                         (stream->owner_backend_alive || stream->owner_age_ms < kOwnerSilence);
  position.paused = stream->paused;
  return position;
}

void Judge::ReadTarget(Groups& groups, Position& position) {
  struct Ended {
    target::PgConnection& connection;
    ~Ended() { connection.Rollback(); }
  };
  BeginReading(sides_.target);
  const Ended ended{sides_.target};
  position = ReadPosition();
  if (options_.judging == Judging::kProof && !Comparable(store_)) return;
  if (position.known) ReadRejected(groups);
  // One query for each pattern of NULLs: an index finds NULL by IS NULL only.
  std::map<std::vector<bool>, std::vector<Group*>> patterns;
  std::unordered_map<std::string, Group*> by_form;
  for (Group& group : groups) {
    if (group.form.empty()) continue;
    by_form.emplace(group.form, &group);
    std::vector<bool> nulls;
    for (const auto& part : SplitKey(group.form)) nulls.push_back(!part);
    patterns[nulls].push_back(&group);
  }
  for (const auto& [nulls, members] : patterns) FetchRows(members, nulls, by_form);
}

void Judge::ReadRejected(const Groups& groups) {
  rejected_.clear();
  std::vector<std::string> keys;
  for (const Group& group : groups) {
    for (const PackedKey& packed : group.packed) keys.push_back(KeyToJson(UnpackKey(packed)));
  }
  if (keys.empty()) return;
  const target::PgResult found = sides_.target.Exec(
      "SELECT row_key FROM " + QuoteQualified(sides_.state_schema, "rejected_row") +
      " WHERE table_no = " + std::to_string(table_no_) +
      " AND row_key_digest IN (SELECT sha256(convert_to(key, 'UTF8')) FROM unnest(" +
      QuoteLiteral(ArrayLiteral({keys.begin(), keys.end()})) + "::text[]) AS key)");
  for (int i = 0; i < found.rows(); ++i) rejected_.insert(KeyFromJson(found.Text(i, 0)));
}

void Judge::FetchRows(const std::vector<Group*>& groups, const std::vector<bool>& nulls,
                      std::unordered_map<std::string, Group*>& by_form) {
  std::vector<std::string> left;
  std::vector<std::string> right;
  std::vector<std::string> arrays;
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < table_.key.size(); ++i) {
    const target::TargetColumn& column = table_.columns[table_.key[i]].target;
    const std::string name = "t." + QuoteIdentifier(column.name);
    if (nulls[i]) {
      conditions.push_back(name + " IS NULL");
      continue;
    }
    std::vector<std::string> literals;
    for (const Group* group : groups) {
      literals.push_back(FormLiteral(column.type, *SplitKey(group->form)[i]));
    }
    arrays.push_back(QuoteLiteral(ArrayLiteral({literals.begin(), literals.end()})) +
                     "::text[]::" + column.type.base_name + "[]");
    left.push_back(name);
    right.push_back("k.k" + std::to_string(i));
  }
  if (!left.empty()) {
    std::vector<std::string> names;
    for (const std::string& one : right) names.push_back(one.substr(2));
    conditions.push_back("(" + Join(left, ", ") + ") IN (SELECT " + Join(right, ", ") +
                         " FROM unnest(" + Join(arrays, ", ") + ") AS k(" + Join(names, ", ") +
                         "))");
  }
  Grid grid(table_);
  sides_.target.CopyOut("COPY (SELECT " + ColumnList(table_) + " FROM " + table_.QualifiedTarget() +
                            " AS t WHERE " + Join(conditions, " AND ") + ") TO STDOUT",
                        [&](std::string_view line) {
                          grid.Clear();
                          grid.AddObserved(line);
                          // Equal to the server, but not to us: 1.0 and 1.00, 'A' and 'a'.
                          const auto group = by_form.find(grid.Key(0));
                          if (group == by_form.end()) return;
                          group->second->target.push_back(grid.CellDigests(0));
                        });
}

// Returns the newest entry of the log in the last snapshot.
std::int64_t Judge::ReadSource(Groups& groups) {
  std::int64_t newest = 0;
  for (std::size_t group = 0; group < groups.size();) newest = ReadSourcePiece(groups, group);
  return newest;
}

// Goes on with groups[group] as long as one snapshot and the memory for it may last.
std::int64_t Judge::ReadSourcePiece(Groups& groups, std::size_t& group) {
  RequireRunning(sides_);
  const Slice slice = SliceOf(sides_);
  Grid grid(table_);
  std::vector<SourceRow*> found;
  std::vector<Value> row;
  std::int64_t newest = 0;
  {
    source::Transaction snapshot(sides_.source, source::Transaction::Kind::kRead);
    RequireSchema(sides_);
    const auto end = Clock::now() + slice.most;
    while (group < groups.size() && Clock::now() < end && grid.bytes() < kPieceBytes) {
      Group& one = groups[group++];
      one.source.resize(one.packed.size());
      for (std::size_t i = 0; i < one.packed.size(); ++i) {
        one.source[i].packed = one.packed[i];
        one.source[i].found = reader_.ReadByKey(one.packed[i], row);
        if (!one.source[i].found) continue;
        grid.AddExpected(row);
        found.push_back(&one.source[i]);
      }
    }
    newest = source::Changelog(sides_.source).Bounds().newest;
    snapshot.Commit();
  }
  if (slice.pause.count() > 0) WaitFor(-1, 0, sides_.stop, nullptr, Deadline::In(slice.pause));
  ResolveAlone(grid, sides_.target);
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i]->unfit = grid.Unfit(i);
    found[i]->form = grid.Key(i);
    found[i]->cells = grid.CellDigests(i);
  }
  return newest;
}

// The keys under which the source would most likely hold a row with this form.
std::vector<PackedKey> Judge::Probes(const std::string& form) const {
  constexpr std::size_t kMost = 32;
  using target::TypeKind;
  const auto parts = SplitKey(form);
  std::vector<std::vector<Value>> combined{{}};
  std::vector<std::string> scratch;
  scratch.reserve(4 * parts.size());  // values point into it
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const target::TargetType& type = table_.columns[table_.key[i]].target.type;
    std::vector<Value> choices;
    if (!parts[i]) {
      choices.push_back(Value::Null());
    } else {
      choices.push_back(FormValue(type, *parts[i], scratch.emplace_back()));
      const std::string& text = scratch.emplace_back(FormLiteral(type, *parts[i]));
      if (type.kind == TypeKind::kUuid) {
        std::string hex = text;
        std::erase(hex, '-');
        choices.push_back(Value::Blob(scratch.emplace_back(FromHex(hex))));
        choices.push_back(Value::Text(scratch.emplace_back(std::move(hex))));
      } else if (type.kind == TypeKind::kText || type.kind == TypeKind::kVarchar) {
        choices.push_back(Value::Blob(text));
        const Value number = IntegerIn(text);
        if (!number.is_null()) choices.push_back(number);
      } else if (choices[0].storage != StorageClass::kText) {
        choices.push_back(Value::Text(type.kind == TypeKind::kBytea ? *parts[i] : text));
      }
    }
    std::vector<std::vector<Value>> next;
    for (const auto& prefix : combined) {
      for (const Value& choice : choices) {
        if (next.size() >= kMost) break;
        next.push_back(prefix);
        next.back().push_back(choice);
      }
    }
    combined = std::move(next);
  }
  std::vector<PackedKey> keys;
  for (const auto& key : combined) keys.push_back(PackKey(key));
  return keys;
}

// That the log of the source goes on from the position; where that need not be, that it does not is
// noted.
void Judge::RequireSource(Position& position) {
  if (!position.known) return;
  const source::CaptureState capture = source::Capture(sides_.source).Read();
  std::string why;
  if (!capture.installed) {
    why = "the source has lost liteferry's tables";
  } else if (capture.incarnation != position.incarnation) {
    why = "the source is another database";
  } else if (position.seq > 0) {
    const auto mark = source::Changelog(sides_.source).MarkAt(position.seq);
    if (mark && *mark != position.mark) why = "the changelog has another entry at the position";
  }
  if (why.empty()) return;
  if (options_.judging == Judging::kProof) throw NotFollowed(why);
  position.known = false;
}

bool Judge::ReadLog(Groups& groups, const Position& position, std::int64_t up_to) {
  std::vector<int> widths(static_cast<std::size_t>(table_no_) + 1, 0);
  widths.back() = static_cast<int>(table_.key.size());
  std::unordered_set<PackedKey> keys;
  const Slice slice = SliceOf(sides_);
  std::int64_t after = position.seq;
  while (after < up_to) {
    RequireRunning(sides_);
    {
      source::Transaction snapshot(sides_.source, source::Transaction::Kind::kRead);
      source::Changelog log(sides_.source);
      if (log.Bounds().oldest > position.seq + 1) return false;
      const auto entries =
          log.Read(after, up_to, sides_.rollback_journal ? kLogPiece / 20 : kLogPiece, widths);
      snapshot.Commit();
      if (entries.empty()) break;
      after = entries.back().seq;
      for (const source::LogEntry& entry : entries) {
        if (entry.table_no == table_no_) keys.insert(entry.key);
      }
    }
    MarkLogged(groups, keys);
    keys.clear();
    if (slice.pause.count() > 0) WaitFor(-1, 0, sides_.stop, nullptr, Deadline::In(slice.pause));
  }
  return true;
}

std::vector<std::string> Judge::FormsOf(const std::vector<PackedKey>& keys) {
  std::vector<std::string> forms;
  bool ask = false;
  for (const PackedKey& key : keys) forms.push_back(KeyForm(table_, UnpackKey(key), ask));
  if (!ask) return forms;
  // Through rows whose other columns are NULL: what becomes of these does not matter.
  Grid grid(table_);
  for (const PackedKey& key : keys) {
    const std::vector<Value> values = UnpackKey(key);
    std::vector<Value> row(table_.columns.size());
    for (std::size_t i = 0; i < values.size(); ++i) row[table_.key[i]] = values[i];
    grid.AddExpected(row);
  }
  ResolveAlone(grid, sides_.target);
  for (std::size_t i = 0; i < keys.size(); ++i) forms[i] = grid.Key(i);
  return forms;
}

void Judge::MarkLogged(Groups& groups, const std::unordered_set<PackedKey>& keys) {
  if (keys.empty()) return;
  const std::vector<PackedKey> list(keys.begin(), keys.end());
  const std::vector<std::string> forms = FormsOf(list);
  const std::unordered_set<std::string> named(forms.begin(), forms.end());
  for (Group& group : groups) {
    if (group.logged) continue;
    group.logged = (!group.form.empty() && named.contains(group.form)) ||
                   std::any_of(group.packed.begin(), group.packed.end(),
                               [&](const PackedKey& key) { return keys.contains(key); });
  }
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
