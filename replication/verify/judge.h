#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "replication/base/error.h"
#include "replication/source/row_reader.h"
#include "replication/target/state_store.h"
#include "replication/verify/compare.h"
#include "replication/verify/grid.h"

namespace liteferry::verify {

// A key that looked different when both sides were read.
struct Candidate {
  std::string form;  // Grid::Key; empty where the target's columns cannot hold the key
  PackedKey packed;  // of the source's row; empty where only the target was seen to have it
};

// That what the target says of itself does not fit this source: an Error to throw.
Error StreamElsewhere(const std::string& why);

// Decides which candidates really differ. For each lot of them: first the rows on the target,
// the position and the rejections in one snapshot there, then the rows of the source in snapshots
// that are later, then the log between the position and the last of these. A key that the log does
// not name there was the same on the source at the position and later, so the target must agree.
// One that it does name says nothing yet: it waits (kProof) until it is applied, and is judged
// anew.
//
// Bound to one table and the connections of `sides`; one thread. Memory: one lot, and some of the
// keys that wait.
class Judge {
 public:
  Judge(const Sides& sides, const TableMapping& table, int table_no, const CompareOptions& options,
        const DifferenceSink& sink, TableOutcome& outcome);

  // Judges at once when enough have come together. The connections must be outside transactions.
  void Add(Candidate candidate);
  // Keys as the changelog has them, whatever is thought of them.
  void AddKeys(const std::vector<PackedKey>& keys);
  // Judges the rest, and waits for the daemon as the options say.
  void Finish();
  // Counts what the target has recorded as rejected, and judges each: the row must still be there.
  void AddRejected();
  // Whether the table turned out not to be comparable now: the outcome says why.
  bool over() const { return outcome_.state != TableOutcome::State::kCompared; }

 private:
  // What is known of the source's row of one packed key.
  struct SourceRow {
    PackedKey packed;
    bool found = false;
    bool unfit = false;
    std::string form;
    std::vector<Digest> cells;
  };
  // All that shares one form of the key.
  struct Group {
    std::string form;
    std::vector<PackedKey> packed;
    std::vector<SourceRow> source;
    std::vector<std::vector<Digest>> target;
    bool logged = false;
  };
  using Groups = std::vector<Group>;
  // The moment on the target.
  struct Position {
    bool known = false;  // the log can tell what happened since
    std::int64_t seq = 0;
    std::int64_t mark = 0;
    std::string incarnation;
    bool owner_alive = false;
    bool paused = false;
  };

  Groups MakeGroups(const std::vector<Candidate>& lot) const;
  void JudgeLot(std::vector<Candidate> lot, int depth);
  // False when the log was trimmed beyond the position meanwhile.
  bool Observe(Groups& groups, Position& position);

  void ReadTarget(Groups& groups, Position& position);
  Position ReadPosition();
  bool Comparable(target::StateStore& store);
  void FetchRows(const std::vector<Group*>& groups, const std::vector<bool>& nulls,
                 std::unordered_map<std::string, Group*>& by_form);
  void ReadRejected(const Groups& groups);

  std::int64_t ReadSource(Groups& groups);
  std::int64_t ReadSourcePiece(Groups& groups, std::size_t& group);
  std::vector<PackedKey> Probes(const std::string& form) const;
  void RequireSource(Position& position);
  bool ReadLog(Groups& groups, const Position& position, std::int64_t up_to);
  void MarkLogged(Groups& groups, const std::unordered_set<PackedKey>& keys);
  std::vector<std::string> FormsOf(const std::vector<PackedKey>& keys);

  // Keys among `forms` that the source has after all, under a storage class nobody thought of.
  std::vector<Candidate> Search(const std::unordered_set<std::string>& forms);

  void Decide(const Group& group, std::vector<const Group*>& extras);
  bool Excused(const SourceRow& row) const;
  void ReportExtra(const Group& group);
  void Report(DifferenceKind kind, const Group& group, const SourceRow* row);
  void Wait(const Group& group, std::int64_t until);
  bool AwaitPosition(std::int64_t until);

  const Sides& sides_;
  const TableMapping& table_;
  const int table_no_;
  const CompareOptions& options_;
  const DifferenceSink& sink_;
  TableOutcome& outcome_;
  target::StateStore store_;
  source::RowReader reader_;
  std::vector<Candidate> lot_;
  std::vector<Candidate> waiting_;
  std::int64_t waiting_until_ = 0;
  std::unordered_set<PackedKey> rejected_;
};

}  // namespace liteferry::verify
