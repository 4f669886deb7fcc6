#include <charconv>
#include <optional>

#include "replication/base/text.h"
#include "replication/verify/grid.h"
#include "replication/verify/scan.h"
#include "replication/verify/source_pieces.h"

namespace liteferry::verify {
namespace {

// More rows of the target than of the source in one range are read in steps of this size.
constexpr std::size_t kSurplus = 20'000;

std::string Literal(std::int64_t key) { return "'" + std::to_string(key) + "'::bigint"; }

// Both sides in the order of one integer, piece by piece.
class OrderedScan {
 public:
  OrderedScan(const Sides& sides, const TableMapping& table, const CompareOptions& options,
              Judge& judge, TableOutcome& outcome)
      : sides_(sides),
        table_(table),
        options_(options),
        judge_(judge),
        outcome_(outcome),
        pieces_(sides, table, options.range),
        pace_(options.share, sides.stop),
        expected_(table),
        observed_(table),
        key_(table.columns[table.key[0]]) {}

  void Run() {
    if (!options_.range.after) LookForNullKeys();
    low_ = options_.range.after;
    while (!judge_.over() && pieces_.Next(expected_, [&](const PackedKey& packed) {
      keys_.push_back(UnpackKey(packed)[0].integer);
    })) {
      outcome_.source_rows += static_cast<std::int64_t>(keys_.size());
      Match();
      if (options_.progress) options_.progress(static_cast<std::int64_t>(keys_.size()));
      keys_.clear();
      // The transaction on the target ends with the next message; a rest is too long to wait for
      // it.
      if (options_.share < 1) sides_.target.Exec("");
      pace_.Rest();
    }
  }

 private:
  // Where nobody forbids them, rows without a rowid.
  void LookForNullKeys() {
    if (key_.target.not_null) return;
    const target::PgResult found =
        sides_.target.Exec("SELECT FROM " + table_.QualifiedTarget() + " WHERE " +
                           QuoteIdentifier(key_.target.name) + " IS NULL LIMIT 1");
    if (found.rows() > 0) judge_.Add({"n", ""});
  }

  // Compares the piece with the rows of the target up to its last key; the last piece with all.
  void Match() {
    std::optional<std::int64_t> high = options_.range.up_to;
    if (!pieces_.done()) high = keys_.back();
    next_ = 0;
    while (!MatchUpTo(high)) {
    }
    for (; next_ < keys_.size(); ++next_) Suspect(keys_[next_]);
    if (high) low_ = high;
    JudgeSuspects();
  }

  // False when there is more on the target than was asked for.
  bool MatchUpTo(const std::optional<std::int64_t>& high) {
    const std::string name = "t." + QuoteIdentifier(key_.target.name);
    const std::size_t most = keys_.size() - next_ + kSurplus;
    std::size_t read = 0;
    std::int64_t last = 0;
    BeginReading(sides_.target);
    // The index has the order already; without statistics the server may think otherwise.
    sides_.target.ExecLater("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off");
    expected_.Resolve(sides_.target);
    sides_.target.CopyOut("COPY (SELECT " + ColumnList(table_) + " FROM " +
                              table_.QualifiedTarget() + " AS t WHERE " + name + " IS NOT NULL" +
                              (low_ ? " AND " + name + " > " + Literal(*low_) : "") +
                              (high ? " AND " + name + " <= " + Literal(*high) : "") +
                              " ORDER BY " + name + " LIMIT " + std::to_string(most) +
                              ") TO STDOUT",
                          [&](std::string_view line) {
                            if (++read % 1024 == 0) RequireRunning(sides_);
                            last = Compare(line);
                          });
    sides_.target.ExecLater("COMMIT");
    outcome_.target_rows += static_cast<std::int64_t>(read);
    if (read < most) return true;
    low_ = last;
    JudgeSuspects();
    return false;
  }

  std::int64_t Compare(std::string_view line) {
    observed_.Clear();
    observed_.AddObserved(line);
    const std::string_view text = observed_.text(0, table_.key[0]);
    std::int64_t key = 0;
    std::from_chars(text.data(), text.data() + text.size(), key);
    while (next_ < keys_.size() && keys_[next_] < key) Suspect(keys_[next_++]);
    if (next_ < keys_.size() && keys_[next_] == key) {
      if (!SameRow(expected_, next_, observed_, 0)) Suspect(key);
      ++next_;
    } else {
      Suspect(key);
    }
    return key;
  }

  void Suspect(std::int64_t key) { suspects_.push_back(key); }

  void JudgeSuspects() {
    if (suspects_.empty()) return;
    sides_.target.Exec("");  // ends the transaction
    for (const std::int64_t key : suspects_) {
      const Value value = Value::Integer(key);
      bool ask = false;
      const Row row(&value, 1);
      judge_.Add({KeyForm(table_, row, ask), PackKey(row)});
    }
    suspects_.clear();
  }

  const Sides& sides_;
  const TableMapping& table_;
  const CompareOptions& options_;
  Judge& judge_;
  TableOutcome& outcome_;
  SourcePieces pieces_;
  Pace pace_;
  Grid expected_;
  Grid observed_;
  const ColumnPair& key_;
  std::vector<std::int64_t> keys_;  // of the piece
  std::size_t next_ = 0;            // of these, not met on the target yet
  std::optional<std::int64_t> low_;
  std::vector<std::int64_t> suspects_;
};

}  // namespace

void ScanOrdered(const Sides& sides, const TableMapping& table, const CompareOptions& options,
                 Judge& judge, TableOutcome& outcome) {
  OrderedScan(sides, table, options, judge, outcome).Run();
}

}  // namespace liteferry::verify
