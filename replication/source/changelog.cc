#include "replication/source/changelog.h"

#include <algorithm>
#include <string>

namespace liteferry::source {
namespace {

// ", k1, k2, …"
std::string KeyList(int width) {
  std::string list;
  for (int k = 1; k <= width; ++k) list += ", k" + std::to_string(k);
  return list;
}

int ReadKeyWidth(Database& database) {
  return static_cast<int>(database.QueryInt(
      "SELECT count(*) FROM pragma_table_xinfo('_liteferry_log', 'main') WHERE name GLOB 'k*'"));
}

// Bytes of a value in SQLite's record format, without its type.
std::int64_t StoredBytes(const Value& value) {
  switch (value.storage) {
    case StorageClass::kNull:
      return 0;
    case StorageClass::kInteger: {
      const std::int64_t magnitude = value.integer < 0 ? ~value.integer : value.integer;
      for (const int bytes : {1, 2, 3, 4, 6}) {
        if (magnitude >> (bytes * 8 - 1) == 0) return bytes;
      }
      return 8;
    }
    case StorageClass::kReal:
      return 8;
    case StorageClass::kText:
    case StorageClass::kBlob:
      return static_cast<std::int64_t>(value.bytes.size());
  }
  return 0;
}

// No wait for the lock while it lives.
class NoWait {
 public:
  explicit NoWait(Database& database) : database_(database), before_(database.busy_timeout()) {
    database_.SetBusyTimeout(std::chrono::milliseconds(0));
  }
  ~NoWait() { database_.SetBusyTimeout(before_); }
  NoWait(const NoWait&) = delete;
  NoWait& operator=(const NoWait&) = delete;

 private:
  Database& database_;
  const std::chrono::milliseconds before_;
};

}  // namespace

Changelog::Changelog(Database& database)
    : database_(database),
      key_width_(0),
      bounds_(database.Prepare("SELECT (SELECT min(seq) FROM main._liteferry_log), "
                               "(SELECT max(seq) FROM main._liteferry_log)")),
      mark_(database.Prepare("SELECT n FROM main._liteferry_log WHERE seq = ?1")),
      trim_(database.Prepare(
          "DELETE FROM main._liteferry_log WHERE seq <= (SELECT max(seq) FROM (SELECT seq "
          "FROM main._liteferry_log WHERE seq < ?1 AND seq < (SELECT max(seq) "
          "FROM main._liteferry_log) ORDER BY seq LIMIT ?2))")) {
  SetKeyWidth(ReadKeyWidth(database));
}

void Changelog::SetKeyWidth(int width) {
  key_width_ = width;
  read_ = database_.Prepare("SELECT seq, t, n" + KeyList(width) +
                            " FROM main._liteferry_log WHERE seq > ?1 AND seq <= ?2 "
                            "ORDER BY seq LIMIT ?3");
}

LogBounds Changelog::Bounds() {
  bounds_.Reset();
  LogBounds bounds;
  if (bounds_.Step()) bounds = {bounds_.Int(0), bounds_.Int(1)};
  bounds_.Reset();
  return bounds;
}

std::optional<std::int64_t> Changelog::MarkAt(Seq seq) {
  mark_.Bind(1, seq);
  std::optional<std::int64_t> mark;
  if (mark_.Step()) mark = mark_.Int(0);
  mark_.Reset();
  return mark;
}

std::vector<LogEntry> Changelog::Read(Seq after, Seq up_to, std::int64_t limit,
                                      const std::vector<int>& widths) {
  // A table with a wider key was added since.
  const bool wider =
      std::any_of(widths.begin(), widths.end(), [&](int width) { return width > key_width_; });
  if (wider) SetKeyWidth(ReadKeyWidth(database_));
  read_.Bind(1, after);
  read_.Bind(2, up_to);
  read_.Bind(3, limit);
  std::vector<LogEntry> entries;
  std::vector<Value> key;
  while (read_.Step()) {
    LogEntry entry;
    entry.seq = read_.Int(0);
    entry.table_no = static_cast<int>(read_.Int(1));
    entry.mark = read_.Int(2);
    const auto number = static_cast<std::size_t>(entry.table_no);
    const int width = entry.table_no > 0 && number < widths.size() ? widths[number] : 0;
    key.clear();
    for (int k = 0; k < std::min(width, key_width_); ++k) key.push_back(read_.Column(3 + k));
    entry.key = PackKey(key);
    entries.push_back(std::move(entry));
  }
  return entries;
}

void Changelog::Touch(int table_no, const std::vector<PackedKey>& keys) {
  if (keys.empty()) return;
  Require(database_.InTransaction(), "keys are logged outside a transaction");
  const auto width = static_cast<int>(UnpackKey(keys.front()).size());
  std::string sql =
      "INSERT INTO main._liteferry_log(t, n" + KeyList(width) + ") VALUES(?1, random()";
  for (int k = 1; k <= width; ++k) sql += ", ?" + std::to_string(k + 1);
  Statement insert = database_.Prepare(sql + ")");
  insert.Bind(1, std::int64_t{table_no});
  for (const PackedKey& packed : keys) {
    const std::vector<Value> key = UnpackKey(packed);
    Require(key.size() == static_cast<std::size_t>(width), "keys of one table differ in width");
    for (int k = 0; k < width; ++k) insert.Bind(k + 2, key[static_cast<std::size_t>(k)]);
    insert.Run();
  }
}

std::int64_t Changelog::Trim(Seq before, std::int64_t limit) {
  // A DELETE takes the write lock even when it finds nothing.
  const LogBounds bounds = Bounds();
  if (bounds.oldest >= std::min(before, bounds.newest)) return 0;
  const NoWait no_wait(database_);
  Transaction transaction(database_, Transaction::Kind::kWrite);
  trim_.Bind(1, before);
  trim_.Bind(2, limit);
  trim_.Run();
  const std::int64_t gone = database_.Changes();
  transaction.Commit();
  return gone;
}

std::int64_t Changelog::SizeBytes() {
  constexpr int kSample = 64;
  constexpr std::int64_t kCellOverhead = 2 + 1 + 4;  // pointer, payload length, seq
  const LogBounds bounds = Bounds();
  if (bounds.newest == 0) return 0;
  Statement sample = database_.Prepare("SELECT t, n" + KeyList(key_width_) +
                                       " FROM main._liteferry_log WHERE seq >= ?1 LIMIT ?2");
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  // The oldest, and those that span the newest: keys of one time often are of one table.
  for (const Seq from : {bounds.oldest, std::max(bounds.oldest, bounds.newest - kSample + 1)}) {
    sample.Bind(1, from);
    sample.Bind(2, std::int64_t{kSample});
    while (sample.Step()) {
      ++rows;
      bytes += kCellOverhead + 2 + sample.column_count();  // seq and the types in the header
      for (int i = 0; i < sample.column_count(); ++i) bytes += StoredBytes(sample.Column(i));
    }
  }
  if (rows == 0) return 0;
  const double average = static_cast<double>(bytes) / static_cast<double>(rows);
  return static_cast<std::int64_t>(average *
                                   (static_cast<double>(bounds.newest - bounds.oldest) + 1));
}

}  // namespace liteferry::source
