#include <algorithm>
#include <charconv>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/source/capture.h"
#include "replication/source/changelog.h"
#include "replication/verify/judge.h"
#include "replication/verify/source_pieces.h"

// What a judgement is made of: both sides' rows, the position, and the log between.
namespace liteferry::verify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = std::size_t{8} << 20;
constexpr std::int64_t kLogPiece = 20'000;
constexpr std::int64_t kOwnerSilence = 30'000;  // ms; the lease of the stream

// The integer that `text` is the one way to write; NULL for other texts.
Value IntegerIn(const std::string& text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool all = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return all && std::to_string(number) == text ? Value::Integer(number) : Value::Null();
}

}  // namespace

// That what the target says of itself does not fit this source.
Error StreamElsewhere(const std::string& why) {
  return Error(Disposition::kStop, Component::kVerify,
               "the target does not follow this source: " + why)
      .Hint("`liteferry status` says what the daemon makes of it.")
      .Exit(ExitCode::kDataError);
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
    if (options_.judging == Judging::kProof)
      throw StreamElsewhere("no replication has been started");
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
  if (options_.judging == Judging::kProof) throw StreamElsewhere(why);
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

}  // namespace liteferry::verify
