#include "replication/target/held_constraints.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/target/pg_connection.h"
#include "replication/target/sql.h"

namespace liteferry::target {
namespace {

// Long enough for an ordinary statement that has the lock to end, short enough not to queue the
// application's readers behind us for long.
constexpr std::string_view kLockTimeout = "5s";
// Definitions are printed and read under the same settings, with every name qualified. Reading
// leaves search_path alone: a function of an index expression may need it.
constexpr std::string_view kPrintSettings =
    "SET LOCAL search_path = ''; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';"
    " SET LOCAL extra_float_digits = 3; SET LOCAL quote_all_identifiers = off";
constexpr std::string_view kReadSettings =
    "SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';"
    " SET LOCAL statement_timeout = 0";
// How the query that finds offending rows stands in front of the statements.
constexpr std::string_view kRowsInTheWay = "-- rows in its way: ";

constexpr std::array<std::pair<HeldKind, std::string_view>, 5> kKinds = {{
    {HeldKind::kForeignKey, "foreign key"},
    {HeldKind::kUnique, "unique key"},
    {HeldKind::kExclusion, "exclusion constraint"},
    {HeldKind::kIndex, "index"},
    {HeldKind::kTrigger, "trigger"},
}};

HeldKind KindFromText(std::string_view text) {
  for (const auto& [kind, name] : kKinds) {
    if (name == text) return kind;
  }
  throw Error(Disposition::kBug, Component::kTarget,
              "unknown kind of held object: " + std::string(text));
}

// A foreign key needs the unique key that it refers to; no row must fire a trigger before all is
// back.
int ReleaseOrder(HeldKind kind) {
  switch (kind) {
    case HeldKind::kForeignKey:
      return 2;
    case HeldKind::kTrigger:
      return 3;
    default:
      return 1;
  }
}

// Something found in the catalogs that can be held.
struct Holdable {
  HeldKind kind = HeldKind::kIndex;
  std::string table_oid;
  std::string table;
  std::string name;
  std::string drop_sql;
  std::string restore_sql;
};

std::string OidArray(const std::vector<std::uint32_t>& oids) {
  std::vector<std::string> texts;
  texts.reserve(oids.size());
  for (const std::uint32_t oid : oids) texts.push_back(std::to_string(oid));
  return "{" + Join(texts, ",") + "}";
}

std::string TextArray(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) {
    std::string element;
    for (const char c : text) {
      if (c == '"' || c == '\\') element.push_back('\\');
      element.push_back(c);
    }
    quoted.push_back("\"" + element + "\"");
  }
  return "{" + Join(quoted, ",") + "}";
}

PgResult Query(PgConnection& connection, std::string_view sql,
               std::initializer_list<std::string_view> arguments) {
  std::vector<PgParam> params;
  for (const std::string_view argument : arguments) params.push_back({.value = argument});
  return connection.ExecParams(sql, params);
}

void Append(std::vector<Holdable>& list, const PgResult& rows) {
  for (int i = 0; i < rows.rows(); ++i) {
    list.push_back({.kind = KindFromText(rows.Text(i, 0)),
                    .table_oid = rows.Text(i, 1),
                    .table = rows.Text(i, 2),
                    .name = rows.Text(i, 3),
                    .drop_sql = rows.Text(i, 4),
                    .restore_sql = rows.Text(i, 5)});
  }
}

struct Scope {
  std::vector<std::uint32_t> tables;
  std::vector<std::string> keep_indexes;
  std::uint32_t only_index = 0;       // with the foreign keys that need it; 0 for everything
  bool only_ties = false;             // foreign keys and triggers
  std::string only_foreign_key = {};  // by name; "" for everything
};

// In the order of dropping.
std::vector<Holdable> Find(PgConnection& connection, const Scope& scope) {
  const std::string tables = OidArray(scope.tables);
  const std::string only = std::to_string(scope.only_index);
  std::vector<Holdable> found;
  if (scope.only_index == 0 && scope.only_foreign_key.empty()) {
    Append(found, Query(connection, sql::kHeldTriggersSql, {tables}));
  }
  Append(found, Query(connection, sql::kHeldForeignKeysSql, {tables, only}));
  if (!scope.only_foreign_key.empty()) {
    std::erase_if(found, [&](const Holdable& one) { return one.name != scope.only_foreign_key; });
    return found;
  }
  if (scope.only_ties) return found;
  Append(found,
         Query(connection, sql::kHeldIndexesSql, {tables, TextArray(scope.keep_indexes), only}));
  return found;
}

std::vector<Holdable> FindWithDefinitions(PgConnection& connection, const Scope& scope) {
  // Going back to a savepoint takes the settings back too.
  connection.Exec("SAVEPOINT liteferry_print; " + std::string(kPrintSettings));
  std::vector<Holdable> found = Find(connection, scope);
  connection.Exec("ROLLBACK TO SAVEPOINT liteferry_print; RELEASE SAVEPOINT liteferry_print");
  return found;
}

// Locks what has something to hold before its definition is read, so that nobody changes it in
// between; all at once, so that two of us cannot deadlock.
void LockTables(PgConnection& connection, const std::vector<Holdable>& found) {
  std::set<std::string> tables;
  for (const Holdable& one : found) tables.insert("ONLY " + one.table);
  connection.Exec("LOCK TABLE " + Join({tables.begin(), tables.end()}, ", ") +
                  " IN ACCESS EXCLUSIVE MODE");
}

// The statement that validates a foreign key added before, or nothing.
std::string_view ValidateStep(const std::string& restore_sql, const std::string& table) {
  const auto at = restore_sql.rfind("\nALTER TABLE " + table + " VALIDATE CONSTRAINT ");
  return at == std::string::npos ? std::string_view()
                                 : std::string_view(restore_sql).substr(at + 1);
}

std::string RecordSql(const std::string& held_table, const Holdable& one) {
  const std::string kind = QuoteLiteral(ToString(one.kind));
  const std::string same = " WHERE kind = " + kind + " AND table_oid = " + one.table_oid +
                           " AND name = " + QuoteLiteral(one.name);
  std::string insert =
      "INSERT INTO " + held_table +
      " (kind, table_oid, table_name, name, restore_sql, problem, sort_order) SELECT " +
      Join({kind, one.table_oid, QuoteLiteral(one.table), QuoteLiteral(one.name),
            QuoteLiteral(one.restore_sql), "''", std::to_string(ReleaseOrder(one.kind))},
           ", ");
  // A foreign key that is not valid may be one whose release a crash cut in two: then the record
  // knows better. Anything else that is there though it is recorded was put there by somebody.
  const bool half_released =
      one.kind == HeldKind::kForeignKey && ValidateStep(one.restore_sql, one.table).empty();
  if (half_released) {
    return insert + " WHERE NOT EXISTS (SELECT FROM " + held_table + same + ")";
  }
  return "DELETE FROM " + held_table + same + "; " + insert;
}

// False when it had to stay because something depends on it.
bool TryHold(PgConnection& connection, const std::string& held_table, const Holdable& one) {
  try {
    connection.Exec("SAVEPOINT liteferry_hold; " + RecordSql(held_table, one) + "; " +
                    one.drop_sql + "; RELEASE SAVEPOINT liteferry_hold");
    return true;
  } catch (const Error& error) {
    if (error.sqlstate() != "2BP01") throw;
    connection.Exec("ROLLBACK TO SAVEPOINT liteferry_hold; RELEASE SAVEPOINT liteferry_hold");
    return false;
  }
}

// Holds what is in scope; returns what was found but had to stay.
std::vector<Holdable> Hold(PgConnection& connection, const std::string& held_table,
                           const Scope& scope) {
  const std::vector<Holdable> candidates = Find(connection, scope);
  if (candidates.empty()) return {};
  const std::string old_timeout =
      connection.Exec("SELECT current_setting('lock_timeout')").Text(0, 0);
  connection.Exec("SET LOCAL lock_timeout = " + QuoteLiteral(kLockTimeout));
  LockTables(connection, candidates);
  std::vector<Holdable> stayed;
  for (Holdable& one : FindWithDefinitions(connection, scope)) {
    if (!TryHold(connection, held_table, one)) stayed.push_back(std::move(one));
  }
  connection.Exec("SET LOCAL lock_timeout = " + QuoteLiteral(old_timeout));
  return stayed;
}

std::string Name(HeldKind kind, const std::string& name, const std::string& table) {
  return std::string(ToString(kind)) + " " + name + " on " + table;
}

// How many rows (or keys) are in the way; nothing when that takes too long to find out.
std::optional<std::int64_t> CountRowsInTheWay(PgConnection& connection, const std::string& query) {
  if (query.empty()) return std::nullopt;
  try {
    connection.Exec("BEGIN; SET LOCAL statement_timeout = '20s'");
    const std::int64_t rows =
        connection.Exec("SELECT count(*) FROM (" + query + ") AS found").Int(0, 0);
    connection.Rollback();
    return rows;
  } catch (const Error&) {
    connection.Rollback();
    return std::nullopt;
  }
}

// The problem in words, as a sentence part.
std::string DescribeProblem(PgConnection& connection, const Held& held, const Error& error) {
  const auto counted = [&](std::string_view one, std::string_view many) {
    const auto rows = CountRowsInTheWay(connection, held.RowsInTheWay());
    if (!rows) return "some " + std::string(many);
    return GroupDigits(*rows) + " " + std::string(*rows == 1 ? one : many);
  };
  if (error.sqlstate() == "23503") {
    return counted("row refers to one that is not there", "rows refer to one that is not there");
  }
  if (error.sqlstate() == "23505") {
    return counted("key occurs more than once", "keys occur more than once");
  }
  if (error.sqlstate() == "23P01") return "some rows exclude each other";
  return error.message();
}

std::string Advice(const Held& held, const Error& error, const std::string& held_table) {
  if (!error.sqlstate().starts_with("23")) {
    return "Its definition is kept in " + held_table +
           ": correct what the message names, or run the definition by hand and delete that row.";
  }
  const std::string query = held.RowsInTheWay();
  const std::string correct = "Correct the rows in the application, then try again.";
  return query.empty() ? correct : "List them on PostgreSQL with: " + query + "; " + correct;
}

}  // namespace

std::string_view ToString(HeldKind kind) {
  for (const auto& [known, name] : kKinds) {
    if (known == kind) return name;
  }
  return "index";
}

std::string Held::RowsInTheWay() const {
  if (!restore_sql.starts_with(kRowsInTheWay)) return "";
  return restore_sql.substr(kRowsInTheWay.size(), restore_sql.find('\n') - kRowsInTheWay.size());
}

HeldConstraints::HeldConstraints(PgConnection& connection, const std::string& state_schema)
    : connection_(connection), held_table_(QuoteQualified(state_schema, "held")) {}

void HeldConstraints::HoldAll(const std::vector<std::uint32_t>& tables,
                              const std::vector<std::string>& keep_indexes) {
  Hold(connection_, held_table_, {.tables = tables, .keep_indexes = keep_indexes});
}

void HeldConstraints::HoldUnique(std::uint32_t table_oid, const std::string& index_name) {
  const PgResult root =
      Query(connection_, sql::kHeldRootSql, {std::to_string(table_oid), index_name});
  if (root.rows() == 0) return;
  const Scope scope = {.tables = {static_cast<std::uint32_t>(root.Int(0, 1))},
                       .keep_indexes = {},
                       .only_index = static_cast<std::uint32_t>(root.Int(0, 0))};
  const std::vector<Holdable> found = Find(connection_, scope);
  const bool holdable = std::any_of(found.begin(), found.end(), [](const Holdable& one) {
    return one.kind != HeldKind::kForeignKey;
  });
  if (holdable && Hold(connection_, held_table_, scope).empty()) return;
  throw Error(Disposition::kStop, Component::kTarget,
              "cannot put aside index \"" + index_name + "\": " +
                  (holdable ? "something else depends on it"
                            : "it is a primary key, or this role could not put it back"))
      .Hint("Drop the index on PostgreSQL for the time of the migration.");
}

void HeldConstraints::HoldTies(const std::vector<std::uint32_t>& tables) {
  Hold(connection_, held_table_, {.tables = tables, .keep_indexes = {}, .only_ties = true});
}

bool HeldConstraints::HoldForeignKey(const std::vector<std::uint32_t>& tables,
                                     const std::string& name) {
  const Scope scope = {.tables = tables, .keep_indexes = {}, .only_foreign_key = name};
  return !Find(connection_, scope).empty() && Hold(connection_, held_table_, scope).empty();
}

std::vector<Held> HeldConstraints::List() {
  const PgResult rows =
      connection_.Exec("SELECT id, kind, table_name, name, restore_sql, problem FROM " +
                       held_table_ + " ORDER BY sort_order, id");
  std::vector<Held> list;
  list.reserve(static_cast<std::size_t>(rows.rows()));
  for (int i = 0; i < rows.rows(); ++i) {
    list.push_back({.id = rows.Int(i, 0),
                    .kind = KindFromText(rows.Text(i, 1)),
                    .table = rows.Text(i, 2),
                    .name = rows.Text(i, 3),
                    .restore_sql = rows.Text(i, 4),
                    .problem = rows.Text(i, 5)});
  }
  return list;
}

void HeldConstraints::Release(const Held& held) {
  bool half_done = false;
  try {
    PutBack(held, true, half_done);
  } catch (const Error& error) {
    connection_.Rollback();
    if (connection_.broken()) throw;
    if (error.disposition() == Disposition::kRetry) {
      NoteFailure(held, half_done, held.problem);
      throw;
    }
    const std::string problem = DescribeProblem(connection_, held, error);
    NoteFailure(held, half_done, problem);
    throw Error(Disposition::kStop, Component::kTarget,
                "cannot put back " + Name(held.kind, held.name, held.table) + ": " + problem)
        .Hint(Advice(held, error, held_table_))
        .Server(error.sqlstate(), held.name, error.column(), error.context());
  }
}

// Opens the transaction and locks the record; false when there is none any more.
bool HeldConstraints::BeginRelease(const Held& held, std::string& standing) {
  connection_.Exec("BEGIN; SET LOCAL lock_timeout = " + QuoteLiteral(kLockTimeout) + "; " +
                   std::string(kReadSettings));
  const std::string id = std::to_string(held.id);
  const PgResult record = connection_.Exec("SELECT table_oid FROM " + held_table_ +
                                           " WHERE id = " + id + " FOR UPDATE");
  if (record.rows() == 0) return false;
  standing =
      Query(connection_, sql::kHeldStandingSql, {ToString(held.kind), record.Text(0, 0), held.name})
          .Text(0, 0);
  return true;
}

void HeldConstraints::ReleaseTies() {
  connection_.Exec(kReadSettings);
  for (const Held& held : List()) {
    if (IsIndex(held.kind)) continue;
    const std::string id = std::to_string(held.id);
    const std::string standing =
        connection_
            .Exec("SELECT table_oid FROM " + held_table_ + " WHERE id = " + id + " FOR UPDATE")
            .Text(0, 0);
    const std::string now =
        Query(connection_, sql::kHeldStandingSql, {ToString(held.kind), standing, held.name})
            .Text(0, 0);
    const std::string_view validate = ValidateStep(held.restore_sql, held.table);
    if (now == "absent") {
      connection_.Exec(
          std::string_view(held.restore_sql).substr(0, held.restore_sql.size() - validate.size()));
    }
    const bool later = !validate.empty() && (now == "absent" || now == "not valid");
    if (!later) connection_.Exec("DELETE FROM " + held_table_ + " WHERE id = " + id);
  }
}

void HeldConstraints::ReleaseNotValid(const Held& foreign_key) {
  Require(foreign_key.kind == HeldKind::kForeignKey, "only a foreign key can be NOT VALID");
  bool half_done = false;
  try {
    PutBack(foreign_key, false, half_done);
  } catch (const Error& error) {
    connection_.Rollback();
    if (error.sqlstate() != "23503") throw;
    throw Error(Disposition::kStop, Component::kTarget,
                Name(foreign_key.kind, foreign_key.name, foreign_key.table) +
                    " cannot be NOT VALID: this version of PostgreSQL validates those of "
                    "partitioned tables at once")
        .Hint(Advice(foreign_key, error, held_table_))
        .Server(error.sqlstate(), foreign_key.name, error.column(), error.context());
  }
}

void HeldConstraints::PutBack(const Held& held, bool validate_now, bool& half_done) {
  const std::string_view validate = ValidateStep(held.restore_sql, held.table);
  const std::string_view add =
      std::string_view(held.restore_sql).substr(0, held.restore_sql.size() - validate.size());
  std::string standing;
  if (!BeginRelease(held, standing)) return connection_.Rollback();
  if (standing == "absent") connection_.Exec(add);
  const bool to_validate =
      validate_now && !validate.empty() && (standing == "absent" || standing == "not valid");
  if (to_validate) {
    connection_.Commit();
    half_done = true;
    if (!BeginRelease(held, standing)) return connection_.Rollback();
    if (standing == "not valid") connection_.Exec(validate);
    if (standing == "absent") {
      throw Error(Disposition::kRetry, Component::kTarget,
                  Name(held.kind, held.name, held.table) + " was dropped while it was put back");
    }
  }
  connection_.Exec("DELETE FROM " + held_table_ + " WHERE id = " + std::to_string(held.id));
  connection_.Commit();
}

// Best effort: whoever called is told the failure itself in any case, and HoldAll takes a foreign
// key away that stays behind unvalidated.
void HeldConstraints::NoteFailure(const Held& held, bool half_done, const std::string& problem) {
  try {
    std::string sql = "BEGIN; SET LOCAL lock_timeout = " + QuoteLiteral(kLockTimeout) + "; ";
    if (half_done) {
      sql += "ALTER TABLE " + held.table + " DROP CONSTRAINT IF EXISTS " +
             QuoteIdentifier(held.name) + "; ";
    }
    sql += "UPDATE " + held_table_ + " SET problem = " + QuoteLiteral(problem) +
           " WHERE id = " + std::to_string(held.id);
    connection_.Exec(sql);
    connection_.Commit();
  } catch (const Error&) {
    connection_.Rollback();
  }
}

std::vector<std::string> DescribeHoldable(PgConnection& connection,
                                          const std::vector<std::uint32_t>& tables,
                                          const std::vector<std::string>& keep_indexes) {
  const std::vector<Holdable> found =
      Find(connection, {.tables = tables, .keep_indexes = keep_indexes});
  std::vector<std::string> lines;
  lines.reserve(found.size());
  for (const Holdable& one : found) lines.push_back(Name(one.kind, one.name, one.table));
  return lines;
}

}  // namespace liteferry::target
