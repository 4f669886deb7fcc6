#include "replication/target/row_loader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "replication/base/error.h"
#include "replication/target/constraint_probe.h"
#include "replication/target/pg_connection.h"
#include "replication/target/pg_error.h"

namespace liteferry::target {
namespace {

constexpr double kRefusalsPerSegment = 2;
constexpr std::size_t kLeastRows = 16;

// Whether another row, here or elsewhere, makes this one wrong. What names a foreign key only at
// the end of the statement is one; a CHECK that raises the same code is not.
bool IsAboutOtherRows(const Error& error, const CopyPlace& place) {
  if (error.sqlstate() == "23503") return place.line == 0 && !error.constraint().empty();
  return error.sqlstate() == "23505" || error.sqlstate() == "23P01";
}

std::string ReasonOf(const Error& error) {
  const std::string suffix = " (SQLSTATE " + error.sqlstate() + ")";
  std::string reason = error.message();
  if (reason.ends_with(suffix)) reason.resize(reason.size() - suffix.size());
  return reason;
}

}  // namespace

RowBatch::RowBatch(const RowEncoder& encoder, std::size_t memory_limit)
    : encoder_(encoder), data_(memory_limit) {}

std::optional<RowRejection> RowBatch::Add(Row row, std::string key) {
  constexpr std::size_t kScratchKept = std::size_t{1} << 20;
  scratch_.clear();
  if (scratch_.capacity() > kScratchKept) scratch_.shrink_to_fit();
  if (auto rejection = encoder_.AppendRow(row, scratch_)) return rejection;
  data_.Append(scratch_);
  ends_.push_back(data_.size());
  keys_.push_back(std::move(key));
  return std::nullopt;
}

void RowBatch::ReadRow(std::size_t row, std::string& bytes) const {
  bytes.clear();
  data_.Read(row == 0 ? 0 : ends_[row - 1], ends_[row],
             [&bytes](std::string_view piece) { bytes.append(piece); });
}

void RowBatch::Clear() {
  data_.Clear();
  ends_.clear();
  keys_.clear();
}

// One Load(). The first COPY stands behind the savepoint liteferry, each later one behind
// liteferry_part within it, so that a violation the caller wants to see can still undo them all.
class RowLoader::Attempt {
 public:
  Attempt(RowLoader& loader, const RowBatch& batch, std::string_view schema, std::string_view table,
          const StopAt& stop_at)
      : loader_(loader),
        batch_(batch),
        copy_(batch.encoder_.CopyStatement(schema, table)),
        schema_(schema),
        table_(table),
        stop_at_(stop_at),
        settled_(batch.rows(), false) {}

  // Leaves out all rows but these.
  void Only(const std::vector<std::size_t>& rows) {
    settled_.assign(batch_.rows(), true);
    for (const std::size_t row : rows) settled_[row] = false;
  }

  std::vector<ServerRejection> Run() {
    if (RowAt(0, batch_.rows(), 1) == batch_.rows()) return {};
    do {
      for (std::size_t from = 0; from < batch_.rows();) from = LoadSegment(from);
    } while (SettlePostponed());
    Finish();
    const auto by_row = [](const auto& a, const auto& b) { return a.row < b.row; };
    std::sort(rejections_.begin(), rejections_.end(), by_row);
    return std::move(rejections_);
  }

 private:
  enum class Last : std::uint8_t { kNone, kFirstLoaded, kFirstRefused, kLoaded, kRefused };

  // Rows that a unique constraint refuses unless the ones they equal are refused themselves, with
  // its words about one.
  struct Postponed {
    Error error;
    std::vector<std::size_t> rows;
  };

  // What makes the transaction ready for the next COPY, in front of it in the same message.
  std::string_view Prelude() const {
    switch (last_) {
      case Last::kNone:
        break;
      case Last::kFirstLoaded:
        return "SAVEPOINT liteferry_part; ";
      case Last::kFirstRefused:
        return "ROLLBACK TO SAVEPOINT liteferry; SAVEPOINT liteferry_part; ";
      case Last::kLoaded:
        return "RELEASE SAVEPOINT liteferry_part; SAVEPOINT liteferry_part; ";
      case Last::kRefused:
        return "ROLLBACK TO SAVEPOINT liteferry_part; ";
    }
    return "SAVEPOINT liteferry; ";
  }

  // Sends the rows of [from, to) that are not settled; gives the error by which the server refused
  // one of them.
  std::optional<Error> Copy(std::size_t from, std::size_t to) {
    PgConnection& connection = loader_.connection_;
    const bool first = last_ == Last::kNone;
    ++loader_.copies_;
    // What fails here is the statement, not a row.
    connection.BeginCopy(std::string(Prelude()) + copy_);
    try {
      Send(batch_.encoder_.header());
      SendRows(from, to);
      Send(batch_.encoder_.trailer());
      connection.PutCopy(unsent_);
      connection.EndCopy();
    } catch (const Error& error) {
      unsent_.clear();
      const CopyPlace place = PlaceOf(error);
      if (connection.broken() || !BlamesRow(error, !place.column.empty())) throw;
      last_ = first ? Last::kFirstRefused : Last::kRefused;
      if (!stop_at_ || !IsAboutOtherRows(error, place) || !stop_at_(error)) return error;
      connection.Exec("ROLLBACK TO SAVEPOINT liteferry; RELEASE SAVEPOINT liteferry");
      throw;
    }
    unsent_.clear();
    last_ = first ? Last::kFirstLoaded : Last::kLoaded;
    for (std::size_t row = from; row < to; ++row) settled_[row] = true;
    return std::nullopt;
  }

  // Small pieces go out together: the server wakes up for each.
  void Send(std::string_view bytes) {
    constexpr std::size_t kTogether = std::size_t{64} << 10;
    if (unsent_.size() + bytes.size() > kTogether) {
      loader_.connection_.PutCopy(unsent_);
      unsent_.clear();
    }
    if (bytes.size() > kTogether) return loader_.connection_.PutCopy(bytes);
    unsent_.append(bytes);
  }

  void SendRows(std::size_t from, std::size_t to) {
    while (from < to) {
      if (settled_[from]) {
        ++from;
        continue;
      }
      std::size_t end = from + 1;
      while (end < to && !settled_[end]) ++end;
      batch_.data_.Read(from == 0 ? 0 : batch_.ends_[from - 1], batch_.ends_[end - 1],
                        [this](std::string_view bytes) { Send(bytes); });
      from = end;
    }
  }

  // Loads rows from `from` on; gives the row behind the last one. Each refusal settles a row and
  // has the others sent again, so the segment is as long as about two refusals are apart.
  std::size_t LoadSegment(std::size_t from) {
    std::size_t to = from + std::min(loader_.SegmentRows(), batch_.rows() - from);
    if (RowAt(from, to, 1) == to) return to;
    bool clean = true;
    while (const auto error = Copy(from, to)) {
      clean = false;
      if (AskAbout(from, *error)) {
        if (RowAt(from, to, 1) == to) return to;
        continue;
      }
      const CopyPlace place = PlaceOf(*error);
      const std::size_t row = RowAt(from, to, place.line);
      if (row == to || (!place.certain && !RefusesAlone(row))) {
        Halve(from, to, *error);
        return to;
      }
      if (place.certain) Reject(row, *error, place.column);
      loader_.NoteRefusal(row - std::min(row, after_last_refused_));
      after_last_refused_ = row + 1;
      to = std::min(to, std::max(row + 1, from + loader_.SegmentRows()));
      if (RowAt(from, to, 1) == to) return to;
    }
    if (clean) loader_.NoteCleanSegment();
    return to;
  }

  // Where one constraint refuses again: finds all rows from `from` on that it refuses, rejects
  // those and puts aside the ones that depend on others. False when there are none, or when it
  // cannot be asked (again).
  bool AskAbout(std::size_t from, const Error& error) {
    constexpr std::size_t kWorthAsking = 100;
    constexpr int kAskWhenAgain = 2;
    if (error.constraint().empty() || batch_.rows() - from < kWorthAsking) return false;
    if (++refusals_[error.constraint()] != kAskWhenAgain) return false;
    std::vector<std::size_t> rows;
    for (std::size_t row = from; row < batch_.rows(); ++row) {
      if (!settled_[row]) rows.push_back(row);
    }
    Postponed postponed = {error, {}};
    const auto found = Ask(error, rows);
    for (const ConstraintProbe::Found& one : found) {
      if (one.certain) {
        Reject(one.row, error, PlaceOf(error).column);
      } else {
        settled_[one.row] = true;
        postponed.rows.push_back(one.row);
      }
    }
    if (!postponed.rows.empty()) postponed_.push_back(std::move(postponed));
    if (!found.empty()) loader_.apart_ = kFarApart;
    return !found.empty();
  }

  // Once all others are loaded: rejects what is refused for sure. True when some are left to load,
  // because the rows that they were equal to were refused themselves.
  bool SettlePostponed() {
    bool left = false;
    for (const Postponed& postponed : std::exchange(postponed_, {})) {
      for (const std::size_t row : postponed.rows) settled_[row] = false;
      for (const ConstraintProbe::Found& one : Ask(postponed.error, postponed.rows)) {
        if (one.certain) Reject(one.row, postponed.error, "");
      }
      left = left || std::any_of(postponed.rows.begin(), postponed.rows.end(),
                                 [this](std::size_t row) { return !settled_[row]; });
    }
    return left;
  }

  // What ConstraintProbe says, nothing where it cannot be asked.
  std::vector<ConstraintProbe::Found> Ask(const Error& error,
                                          const std::vector<std::size_t>& rows) {
    PgConnection& connection = loader_.connection_;
    connection.Exec(Prelude());
    last_ = Last::kRefused;  // as after a COPY that left nothing behind
    try {
      return ConstraintProbe(connection, schema_, table_, error.constraint(), PlaceOf(error).column,
                             batch_.encoder_)
          .Find(batch_, rows);
    } catch (const Error& failure) {
      if (connection.broken() || !BlamesRow(failure, true)) throw;
      return {};
    }
  }

  // The row that stands on this line, counted from 1, of what Copy(from, to) sends; `to` for none.
  std::size_t RowAt(std::size_t from, std::size_t to, std::int64_t line) const {
    if (line < 1) return to;
    while (from < to && (settled_[from] || --line > 0)) ++from;
    return from;
  }

  // Settles one row, by loading it or by rejecting it (then true).
  bool RefusesAlone(std::size_t row) {
    const auto alone = Copy(row, row + 1);
    if (alone) Reject(row, *alone, PlaceOf(*alone).column);
    return alone.has_value();
  }

  // For an error that names no line, or a wrong one.
  void Halve(std::size_t from, std::size_t to, const Error& error) {
    const std::size_t first = RowAt(from, to, 1);
    if (first == to) return;
    if (RowAt(first, to, 2) == to) {
      Reject(first, error, PlaceOf(error).column);
      return;
    }
    const std::size_t middle = first + (to - first) / 2;
    if (const auto refused = Copy(first, middle)) Halve(first, middle, *refused);
    if (RowAt(middle, to, 1) == to) return;
    if (const auto refused = Copy(middle, to)) Halve(middle, to, *refused);
  }

  CopyPlace PlaceOf(const Error& error) const {
    return ParseCopyContext(error.context(), table_, batch_.encoder_.columns());
  }

  void Reject(std::size_t row, const Error& error, const std::string& column) {
    settled_[row] = true;
    rejections_.push_back({row, error.column().empty() ? column : error.column(),
                           error.constraint(), error.sqlstate(), ReasonOf(error)});
  }

  void Finish() {
    if (last_ == Last::kFirstRefused || last_ == Last::kRefused) {
      const std::string name = last_ == Last::kRefused ? "liteferry_part" : "liteferry";
      loader_.connection_.Exec("ROLLBACK TO SAVEPOINT " + name + "; RELEASE SAVEPOINT liteferry");
    } else {
      loader_.connection_.ExecLater("RELEASE SAVEPOINT liteferry");
    }
  }

  RowLoader& loader_;
  const RowBatch& batch_;
  const std::string copy_;
  const std::string schema_;
  const std::string table_;
  const StopAt& stop_at_;
  Last last_ = Last::kNone;
  std::string unsent_;
  std::vector<bool> settled_;  // loaded, rejected or postponed: sent no more
  std::size_t after_last_refused_ = 0;
  std::map<std::string, int> refusals_;  // by constraint
  std::vector<Postponed> postponed_;
  std::vector<ServerRejection> rejections_;
};

std::size_t RowLoader::SegmentRows() const {
  return std::max(kLeastRows, static_cast<std::size_t>(apart_ * kRefusalsPerSegment));
}

void RowLoader::NoteRefusal(std::size_t rows_before) {
  const auto apart = static_cast<double>(rows_before + 1);
  apart_ = apart_ >= kFarApart ? apart : 0.75 * apart_ + 0.25 * apart;
}

void RowLoader::NoteCleanSegment() { apart_ = std::min(apart_ * 1.5, kFarApart); }

std::vector<ServerRejection> RowLoader::Load(const RowBatch& batch, std::string_view schema,
                                             std::string_view table, const StopAt& stop_at) {
  return Attempt(*this, batch, schema, table, stop_at).Run();
}

std::vector<ServerRejection> RowLoader::Load(const RowBatch& batch, std::string_view schema,
                                             std::string_view table, bool stop_at_unique) {
  const StopAt at_unique = [](const Error& error) { return error.sqlstate() != "23503"; };
  return Load(batch, schema, table, stop_at_unique ? at_unique : StopAt());
}

std::vector<ServerRejection> RowLoader::LoadAgain(const RowBatch& batch,
                                                  const std::vector<std::size_t>& rows,
                                                  std::string_view schema, std::string_view table) {
  const StopAt never;
  Attempt attempt(*this, batch, schema, table, never);
  attempt.Only(rows);
  return attempt.Run();
}

}  // namespace liteferry::target
