#include "replication/target/row_loader.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "replication/base/error.h"
#include "replication/target/pg_connection.h"

namespace liteferry::target {
namespace {

// After a refused row the next attempt takes this many times the rows that went before it, at least
// kLeastRows: so that where bad rows stand close together, the good ones are not sent over and
// over.
constexpr std::size_t kGrowth = 16;
constexpr std::size_t kLeastRows = 64;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads the number at `at` and moves `at` behind it; 0 when there is none.
std::int64_t ReadNumber(std::string_view text, std::size_t& at) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data() + at, text.data() + text.size(), number);
  if (read.ec != std::errc()) return 0;
  at = static_cast<std::size_t>(read.ptr - text.data());
  return number;
}

// Where "COPY <table>, line " ends. Only at the start of a line: what stands further on may be a
// value.
std::optional<std::size_t> FindOwnWords(std::string_view context, std::string_view table) {
  const std::string words = "COPY " + std::string(table) + ", line ";
  for (std::size_t at = 0; at < context.size();) {
    if (context.substr(at).starts_with(words)) return at + words.size();
    const auto line_end = context.find('\n', at);
    if (line_end == std::string_view::npos) break;
    at = line_end + 1;
  }
  return std::nullopt;
}

// In another language: the first number that follows the table's name closely.
std::optional<std::size_t> FindTranslated(std::string_view context, std::string_view table) {
  constexpr std::size_t kClosely = 32;
  for (auto at = context.find(table); at != std::string_view::npos;
       at = context.find(table, at + 1)) {
    const std::size_t begin = at + table.size();
    const std::size_t end = std::min(context.size(), begin + kClosely);
    for (std::size_t i = begin; i < end && context[i] != '\n'; ++i) {
      if (IsDigit(context[i])) return i;
    }
  }
  return std::nullopt;
}

// `rest` follows the line's number: `, column qty: "…"`, with another word for "column" in other
// languages.
std::string FindColumn(std::string_view rest, const std::vector<EncodedColumn>& columns) {
  if (rest.empty() || rest.front() == ':' || rest.front() == '\n') return "";
  const auto blank = rest.find(' ', rest.starts_with(", ") ? 2 : 0);
  if (blank == std::string_view::npos) return "";
  rest.remove_prefix(blank + 1);
  std::string found;
  for (const EncodedColumn& column : columns) {
    if (!rest.starts_with(column.name) || column.name.size() < found.size()) continue;
    const std::string_view after = rest.substr(column.name.size());
    if (after.empty() || after.front() == ':' || after.front() == '\n') found = column.name;
  }
  return found;
}

bool IsUniqueViolation(const Error& error) {
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

void RowBatch::Clear() {
  data_.Clear();
  ends_.clear();
  keys_.clear();
}

CopyPlace ParseCopyContext(std::string_view context, std::string_view table,
                           const std::vector<EncodedColumn>& columns) {
  CopyPlace place;
  auto number = FindOwnWords(context, table);
  place.certain = number.has_value();
  if (!number) number = FindTranslated(context, table);
  if (!number) return place;
  std::size_t at = *number;
  place.line = ReadNumber(context, at);
  place.column = FindColumn(context.substr(at), columns);
  return place;
}

// One Load(). The first COPY stands behind the savepoint liteferry, each later one behind
// liteferry_part within it, so that a unique violation can still undo them all.
class RowLoader::Attempt {
 public:
  Attempt(RowLoader& loader, const RowBatch& batch, std::string_view schema, std::string_view table,
          bool stop_at_unique)
      : loader_(loader),
        batch_(batch),
        copy_(batch.encoder_.CopyStatement(schema, table)),
        table_(table),
        stop_at_unique_(stop_at_unique) {}

  std::vector<ServerRejection> Run() {
    if (batch_.rows() == 0) return {};
    LoadRange(0, batch_.rows());
    Finish();
    return std::move(rejections_);
  }

 private:
  enum class Last : std::uint8_t { kNone, kFirstLoaded, kFirstRefused, kLoaded, kRefused };

  // What makes the transaction ready for the next COPY, in front of it in the same message.
  std::string_view Prelude() const {
    switch (last_) {
      case Last::kNone:
      case Last::kFirstLoaded:
        break;
      case Last::kFirstRefused:
        return "ROLLBACK TO SAVEPOINT liteferry; SAVEPOINT liteferry_part; ";
      case Last::kLoaded:
        return "RELEASE SAVEPOINT liteferry_part; SAVEPOINT liteferry_part; ";
      case Last::kRefused:
        return "ROLLBACK TO SAVEPOINT liteferry_part; ";
    }
    return "SAVEPOINT liteferry; ";
  }

  // Loads rows [from, to), or gives the error by which the server refused one of them.
  std::optional<Error> Copy(std::size_t from, std::size_t to) {
    PgConnection& connection = loader_.connection_;
    const bool first = last_ == Last::kNone;
    ++loader_.copies_;
    try {
      connection.BeginCopy(std::string(Prelude()) + copy_);
      connection.PutCopy(batch_.encoder_.header());
      batch_.data_.Read(from == 0 ? 0 : batch_.ends_[from - 1], batch_.ends_[to - 1],
                        [&connection](std::string_view bytes) { connection.PutCopy(bytes); });
      connection.PutCopy(batch_.encoder_.trailer());
      connection.EndCopy();
    } catch (const Error& error) {
      if (error.disposition() != Disposition::kRejectRow) throw;
      last_ = first ? Last::kFirstRefused : Last::kRefused;
      if (!stop_at_unique_ || !IsUniqueViolation(error)) return error;
      connection.Exec("ROLLBACK TO SAVEPOINT liteferry; RELEASE SAVEPOINT liteferry");
      throw;
    }
    last_ = first ? Last::kFirstLoaded : Last::kLoaded;
    return std::nullopt;
  }

  void LoadRange(std::size_t from, std::size_t end) {
    std::size_t limit = end - from;
    while (from < end) {
      const std::size_t to = from + std::min(limit, end - from);
      const auto error = Copy(from, to);
      const std::size_t next = error ? PassRefusedRow(from, to, *error) : to;
      limit = error ? std::max(kLeastRows, (next - from) * kGrowth) : limit * kGrowth;
      from = next;
    }
  }

  // A COPY of [from, to) was refused: loads what stands before the guilty row and rejects that.
  // Gives the row to go on with.
  std::size_t PassRefusedRow(std::size_t from, std::size_t to, const Error& error) {
    const CopyPlace place = ParseCopyContext(error.context(), table_, batch_.encoder_.columns());
    if (place.line < 1 || place.line > static_cast<std::int64_t>(to - from)) {
      Halve(from, to, error);
      return to;
    }
    const std::size_t row = from + static_cast<std::size_t>(place.line) - 1;
    bool certain = place.certain;
    if (row > from) {
      if (const auto before = Copy(from, row)) {
        // The server looks at indexes a thousand rows later than at all else, so an earlier row can
        // come to light only now. Without it, this one may be unique.
        LoadRange(PassRefusedRow(from, row, *before), row);
        certain = certain && !IsUniqueViolation(error);
      }
    }
    if (certain) {
      Reject(row, error, place.column);
    } else if (const auto alone = Copy(row, row + 1)) {
      RejectAlone(row, *alone);
    }
    return row + 1;
  }

  // The same for an error that names no line.
  void Halve(std::size_t from, std::size_t to, const Error& error) {
    if (to - from == 1) {
      RejectAlone(from, error);
      return;
    }
    const std::size_t middle = from + (to - from) / 2;
    if (const auto first = Copy(from, middle)) Halve(from, middle, *first);
    if (const auto second = Copy(middle, to)) Halve(middle, to, *second);
  }

  void RejectAlone(std::size_t row, const Error& error) {
    Reject(row, error, ParseCopyContext(error.context(), table_, batch_.encoder_.columns()).column);
  }

  void Reject(std::size_t row, const Error& error, const std::string& column) {
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
  const std::string table_;
  const bool stop_at_unique_;
  Last last_ = Last::kNone;
  std::vector<ServerRejection> rejections_;
};

std::vector<ServerRejection> RowLoader::Load(const RowBatch& batch, std::string_view schema,
                                             std::string_view table, bool stop_at_unique) {
  return Attempt(*this, batch, schema, table, stop_at_unique).Run();
}

}  // namespace liteferry::target
