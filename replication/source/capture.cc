#include "replication/source/capture.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "replication/base/text.h"

namespace liteferry::source {
namespace {

constexpr int kFormat = 1;
constexpr std::string_view kPrefix = "_liteferry_";

struct StoredTrigger {
  std::int64_t rowid = 0;  // of sqlite_schema: the order of creation
  std::string name;
  std::string table;  // in lower case
  std::string table_name;
  std::string sql;
};

std::vector<StoredTrigger> ReadTriggers(Database& database) {
  Statement read = database.Prepare(
      "SELECT rowid, name, tbl_name, sql FROM main.sqlite_schema WHERE type = 'trigger'");
  std::vector<StoredTrigger> triggers;
  while (read.Step()) {
    triggers.push_back(
        {read.Int(0), read.Text(1), ToLowerAscii(read.Text(2)), read.Text(2), read.Text(3)});
  }
  return triggers;
}

bool IsOurs(std::string_view name) { return ToLowerAscii(name).starts_with(kPrefix); }

// The table number in _liteferry_<number>_<kind>, or 0 when it is not the name of a capture
// trigger.
int NumberIn(std::string_view name) {
  if (!IsOurs(name)) return 0;
  name.remove_prefix(kPrefix.size());
  const std::size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  if (digits == 0 || digits > 9 || digits == name.size() || name[digits] != '_') return 0;
  const std::string_view kind = name.substr(digits + 1);
  const bool known =
      kind == "ai" || kind == "au" || kind == "ad" || kind == "bi" || kind.starts_with("bu");
  return known ? std::stoi(std::string(name.substr(0, digits))) : 0;
}

// Whether `stored` holds, on this table, exactly the triggers `wanted` and none of the
// application's that was created later (SQLite runs the newest first, and one with RAISE(IGNORE)
// would end the row's turn before ours).
bool IsIntact(const std::vector<StoredTrigger>& stored, const std::string& table,
              const std::vector<Trigger>& wanted) {
  std::size_t found = 0;
  std::int64_t first_ours = 0;
  std::int64_t last_other = 0;
  const std::string lower = ToLowerAscii(table);
  for (const StoredTrigger& trigger : stored) {
    if (trigger.table != lower) continue;
    if (!IsOurs(trigger.name)) {
      last_other = std::max(last_other, trigger.rowid);
      continue;
    }
    if (NumberIn(trigger.name) == 0) continue;
    const bool as_wanted = std::any_of(wanted.begin(), wanted.end(), [&](const Trigger& t) {
      return t.name == trigger.name && t.sql == trigger.sql;
    });
    if (!as_wanted) return false;
    first_ours = found == 0 ? trigger.rowid : std::min(first_ours, trigger.rowid);
    ++found;
  }
  return found == wanted.size() && last_other < first_ours;
}

bool HasTable(Database& database, std::string_view name) {
  Statement find = database.Prepare(
      "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE");
  find.Bind(1, name);
  return find.Step();
}

bool IsReleased(Database& database) {
  return database.QueryInt("SELECT count(*) FROM main._liteferry_meta WHERE key = 'released'") > 0;
}

// The SQL that takes the capture from what stands in the database to what is wanted: empty when
// they are the same. Made within a transaction.
class Plan {
 public:
  Plan(Database& database, const std::vector<SourceTable>& tables)
      : database_(database), tables_(tables) {}

  std::vector<std::string> Make() {
    stored_ = ReadTriggers(database_);
    PlanState();
    PlanNumbers();
    PlanLog();
    PlanTriggers();
    return std::move(steps_);
  }

 private:
  void PlanState() {
    if (!HasTable(database_, "_liteferry_meta")) {
      steps_.emplace_back("CREATE TABLE _liteferry_meta(key PRIMARY KEY, value)");
    } else {
      const std::int64_t format =
          database_.QueryInt("SELECT value FROM main._liteferry_meta WHERE key = 'format'");
      if (format > kFormat) {
        throw Error(Disposition::kStop, Component::kCapture,
                    "the changelog in '" + database_.path() + "' has format " +
                        std::to_string(format) + ", this liteferry knows " +
                        std::to_string(kFormat))
            .Hint("Use the newer liteferry that made it, or run its cleanup first.");
      }
      known_ = database_.QueryText(
                   "SELECT value FROM main._liteferry_meta WHERE key = 'incarnation'") != "";
      released_ = IsReleased(database_);
    }
    if (!HasTable(database_, "_liteferry_table")) {
      steps_.emplace_back("CREATE TABLE _liteferry_table(number INTEGER PRIMARY KEY, name)");
      known_ = false;
      return;
    }
    Statement read = database_.Prepare("SELECT number, name FROM main._liteferry_table");
    while (read.Step()) {
      numbers_[ToLowerAscii(read.Text(1))] = {static_cast<int>(read.Int(0)), read.Text(1)};
      last_number_ = std::max(last_number_, static_cast<int>(read.Int(0)));
    }
  }

  void PlanNumbers() {
    PlanRenames();
    for (const SourceTable& table : tables_) {
      RequireUnchanged(table);
      const std::string obstacle = CaptureObstacle(table);
      if (!obstacle.empty()) {
        throw Error(Disposition::kStop, Component::kCapture,
                    "table " + QuoteIdentifier(table.name) + " cannot be captured: " + obstacle)
            .Hint("Exclude the table in source.exclude, or change it.");
      }
      std::string& name = numbers_[ToLowerAscii(table.name)].name;
      int& number = numbers_[ToLowerAscii(table.name)].number;
      const std::string quoted = QuoteLiteral(table.name);
      if (number == 0) {
        number = ++last_number_;
        fresh_.insert(number);
        steps_.push_back("INSERT INTO _liteferry_table(number, name) VALUES(" +
                         std::to_string(number) + ", " + quoted + ")");
      } else if (name != table.name) {
        steps_.push_back("UPDATE _liteferry_table SET name = " + quoted +
                         " WHERE number = " + std::to_string(number));
      }
      name = table.name;
    }
  }

  // Between reading the catalog and taking the lock the application may have changed the table.
  // SQLite does not check a trigger's columns when it is made, but when the application writes.
  void RequireUnchanged(const SourceTable& table) {
    Statement read = database_.Prepare(
        "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 AND sql = ?2");
    read.Bind(1, std::string_view(table.name));
    read.Bind(2, std::string_view(table.sql));
    if (read.Step()) return;
    throw Error(
        Disposition::kRetry, Component::kCapture,
        "table " + QuoteIdentifier(table.name) + " changed while capture was being installed");
  }

  // ALTER TABLE RENAME takes the triggers along: the table keeps its number, also when it is not
  // captured any more for now.
  void PlanRenames() {
    for (const StoredTrigger& trigger : stored_) {
      const int number = NumberIn(trigger.name);
      if (number == 0 || numbers_.contains(trigger.table)) continue;
      const auto before = std::find_if(numbers_.begin(), numbers_.end(), [&](const auto& entry) {
        return entry.second.number == number;
      });
      if (before == numbers_.end() || HasTable(database_, before->second.name)) continue;
      numbers_.erase(before);
      numbers_[trigger.table] = {number, trigger.table_name};
      steps_.push_back("UPDATE _liteferry_table SET name = " + QuoteLiteral(trigger.table_name) +
                       " WHERE number = " + std::to_string(number));
    }
  }

  void PlanLog() {
    int width = 1;
    for (const SourceTable& table : tables_) {
      width = std::max(width, static_cast<int>(table.key_columns.size()));
    }
    int present = 0;
    bool empty = true;
    if (HasTable(database_, "_liteferry_log")) {
      present = static_cast<int>(
          database_.QueryInt("SELECT count(*) FROM pragma_table_xinfo('_liteferry_log', 'main') "
                             "WHERE name GLOB 'k*'"));
      empty = database_.QueryInt(
                  "SELECT count(*) FROM (SELECT 1 FROM main._liteferry_log LIMIT 1)") == 0;
    } else {
      steps_.emplace_back("CREATE TABLE _liteferry_log(seq INTEGER PRIMARY KEY, t, n, k1)");
      present = 1;
    }
    for (int k = present + 1; k <= width; ++k) {
      steps_.push_back("ALTER TABLE _liteferry_log ADD COLUMN k" + std::to_string(k));
    }
    if (empty) {
      steps_.emplace_back("INSERT INTO _liteferry_log(t, n) VALUES(0, random())");
    }
    if (known_ && !empty) return;
    // Numbers begin anew in an empty log, so positions in the old one mean nothing any more.
    steps_.push_back("INSERT OR REPLACE INTO _liteferry_meta(key, value) VALUES('incarnation', " +
                     QuoteLiteral(RandomUuid()) + "), ('format', " + std::to_string(kFormat) + ")");
  }

  void PlanTriggers() {
    std::set<std::string> keep;
    std::vector<std::string> create;
    if (released_) steps_.emplace_back("DELETE FROM _liteferry_meta WHERE key = 'released'");
    for (const SourceTable& table : tables_) {
      const int number = numbers_[ToLowerAscii(table.name)].number;
      const std::vector<Trigger> wanted = BuildTriggers(table, number);
      const bool intact = IsIntact(stored_, table.name, wanted);
      if (!intact && !fresh_.contains(number)) {
        steps_.push_back("INSERT INTO _liteferry_log(t, n) VALUES(" + std::to_string(-number) +
                         ", random())");
      }
      for (const Trigger& trigger : wanted) {
        if (intact) {
          keep.insert(trigger.name);
        } else {
          create.push_back(trigger.sql);
        }
      }
    }
    for (const StoredTrigger& trigger : stored_) {
      if (NumberIn(trigger.name) == 0 || keep.contains(trigger.name)) continue;
      steps_.push_back("DROP TRIGGER main." + QuoteIdentifier(trigger.name));
    }
    steps_.insert(steps_.end(), create.begin(), create.end());
  }

  Database& database_;
  const std::vector<SourceTable>& tables_;
  std::vector<StoredTrigger> stored_;
  std::map<std::string, CapturedTable> numbers_;  // by name in lower case
  int last_number_ = 0;
  bool known_ = false;     // the incarnation stands and still holds
  bool released_ = false;  // by RemoveTriggers
  std::set<int> fresh_;    // numbers that are given now
  std::vector<std::string> steps_;
};

// Runs `work`; what SQLite refuses for good becomes exit 73.
template <typename Work>
void AsCapture(const Database& database, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    const bool ours = error.sqlite_code() == 0 || error.disposition() == Disposition::kRetry ||
                      error.exit_code() == ExitCode::kPermission;
    if (ours) throw;
    throw Error(
        Disposition::kStop, Component::kCapture,
        "cannot change the capture objects in '" + database.path() + "': " + error.message())
        .Sqlite(error.sqlite_code());
  }
}

CaptureState ReadState(Database& database) {
  CaptureState state;
  const bool complete = HasTable(database, "_liteferry_meta") &&
                        HasTable(database, "_liteferry_table") &&
                        HasTable(database, "_liteferry_log");
  if (!complete) return state;
  state.incarnation =
      database.QueryText("SELECT value FROM main._liteferry_meta WHERE key = 'incarnation'");
  state.format = static_cast<int>(
      database.QueryInt("SELECT value FROM main._liteferry_meta WHERE key = 'format'"));
  Statement read =
      database.Prepare("SELECT number, name FROM main._liteferry_table ORDER BY number");
  while (read.Step()) {
    state.tables.push_back({static_cast<int>(read.Int(0)), read.Text(1)});
  }
  state.installed = !state.incarnation.empty();
  state.released = IsReleased(database);
  return state;
}

}  // namespace

CaptureState Capture::Read() {
  if (database_.InTransaction()) return ReadState(database_);
  Transaction transaction(database_, Transaction::Kind::kRead);
  CaptureState state = ReadState(database_);
  transaction.Commit();
  return state;
}

CaptureState Capture::Install(const std::vector<SourceTable>& tables) {
  CaptureState state;
  AsCapture(database_, [&] {
    {
      // Nothing to do is the usual case, and needs no write lock.
      Transaction look(database_, Transaction::Kind::kRead);
      if (Plan(database_, tables).Make().empty()) {
        state = ReadState(database_);
        return;
      }
    }
    Transaction transaction(database_, Transaction::Kind::kWrite);
    for (const std::string& step : Plan(database_, tables).Make()) database_.Execute(step);
    state = ReadState(database_);
    transaction.Commit();
  });
  return state;
}

std::vector<std::string> Capture::FindBroken(const std::vector<SourceTable>& tables,
                                             const CaptureState& state) {
  const std::vector<StoredTrigger> stored = ReadTriggers(database_);
  const bool log = HasTable(database_, "_liteferry_log");
  std::map<std::string, int> numbers;
  for (const CapturedTable& table : state.tables) numbers[ToLowerAscii(table.name)] = table.number;
  std::vector<std::string> broken;
  for (const SourceTable& table : tables) {
    const auto number = numbers.find(ToLowerAscii(table.name));
    const bool intact = log && number != numbers.end() &&
                        IsIntact(stored, table.name, BuildTriggers(table, number->second));
    if (!intact) broken.push_back(table.name);
  }
  return broken;
}

void Capture::RemoveTriggers() {
  AsCapture(database_, [&] {
    if (!HasTable(database_, "_liteferry_meta")) return;
    Transaction transaction(database_, Transaction::Kind::kWrite);
    for (const StoredTrigger& trigger : ReadTriggers(database_)) {
      if (NumberIn(trigger.name) == 0) continue;
      database_.Execute("DROP TRIGGER main." + QuoteIdentifier(trigger.name));
    }
    database_.Execute("INSERT OR REPLACE INTO _liteferry_meta(key, value) VALUES('released', 1)");
    transaction.Commit();
  });
}

void Capture::Remove() {
  constexpr std::string_view kOurs =
      "SELECT name FROM main.sqlite_schema WHERE type = ?1 AND lower(substr(name, 1, 11)) = "
      "'_liteferry_'";
  AsCapture(database_, [&] {
    const auto names = [&](std::string_view type) {
      Statement read = database_.Prepare(kOurs);
      read.Bind(1, type);
      std::vector<std::string> found;
      while (read.Step()) found.push_back(QuoteIdentifier(read.Text(0)));
      return found;
    };
    if (names("trigger").empty() && names("table").empty()) return;
    Transaction transaction(database_, Transaction::Kind::kWrite);
    for (const std::string& name : names("trigger")) database_.Execute("DROP TRIGGER main." + name);
    for (const std::string& name : names("table")) database_.Execute("DROP TABLE main." + name);
    transaction.Commit();
  });
}

}  // namespace liteferry::source
