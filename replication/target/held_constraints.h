#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry::target {

class PgConnection;

enum class HeldKind : std::uint8_t { kForeignKey, kUnique, kExclusion, kIndex, kTrigger };
// "foreign key", "unique key", …: for people, and as it stands in the state table.
std::string_view ToString(HeldKind kind);
// Whether it is an index or rests on one: these are put back at the first consistent point.
constexpr bool IsIndex(HeldKind kind) {
  return kind == HeldKind::kUnique || kind == HeldKind::kExclusion || kind == HeldKind::kIndex;
}

// One constraint, index or trigger that stands aside while liteferry loads (P5).
struct Held {
  std::int64_t id = 0;
  HeldKind kind = HeldKind::kIndex;
  std::string table;  // schema-qualified and quoted
  std::string name;
  // One or more statements, as PostgreSQL itself prints them. A comment in front may hold the query
  // that finds the rows in its way.
  std::string restore_sql;
  std::string problem;  // why it could not be put back the last time, or ""

  // The query that finds the rows in its way; "" where the comment has none.
  std::string RowsInTheWay() const;
};

// Puts aside what forbids loading in parts, and puts it back exactly as it was: definition,
// validity, deferrability, comment, CLUSTER mark, replica identity, statistics targets, trigger
// state; with partitions. The definitions live in <state_schema>.held in the same transaction as
// the drop, so a crash leaves either the constraint or its definition. Primary keys, NOT NULL and
// CHECK are never touched. What the role could not put back (see MissingPrivileges) and what others
// depend on is left in place.
//
// Every method runs statements on `connection`; HoldX must be called inside a transaction of the
// caller, which holds the tables' ACCESS EXCLUSIVE locks until it ends. A lock that does not come
// within seconds is Error (retry).
class HeldConstraints {
 public:
  HeldConstraints(PgConnection& connection, const std::string& state_schema);

  // Holds, for the tables given by OID and their partitions: foreign keys from and to them,
  // secondary unique and exclusion constraints, every secondary index except those named in
  // `keep_indexes` (a key of the replication itself), and user triggers. Idempotent: what is held
  // stays held.
  void HoldAll(const std::vector<std::uint32_t>& tables,
               const std::vector<std::string>& keep_indexes);
  // Holds one unique index or constraint again (a window broke it), and the foreign keys that need
  // it; by index name within `table_oid` or its partitions. Nothing when there is no such index
  // (any more). Throws Error (stop) when it cannot be held.
  void HoldUnique(std::uint32_t table_oid, const std::string& index_name);

  // Holds foreign keys from and to the tables, and user triggers on them, that were made since
  // HoldAll: a foreign key's ON DELETE would take rows away that only change. Nothing is locked
  // where there are none.
  void HoldTies(const std::vector<std::uint32_t>& tables);
  // Holds the foreign keys of that name from and to the tables (an error named it). False when
  // there is none that this role could put back.
  bool HoldForeignKey(const std::vector<std::uint32_t>& tables, const std::string& name);

  // In the order in which they are to be released: indexes and keys, foreign keys, triggers.
  std::vector<Held> List();

  // Puts one back in transactions of its own and forgets its record there; nothing when another has
  // done so. A foreign key is added first and validated then, so that its long part blocks no
  // writer; when validation does not succeed it is taken away again. Throws Error (stop, with
  // SQLSTATE and a hint) when the data forbid it (23505, 23503, …): the record then carries the
  // problem and stays. An index takes as long as it takes: the connection's statement timeout is
  // the caller's business.
  void Release(const Held& held);
  // Puts back all foreign keys, without validating them, and triggers, in the caller's transaction.
  // A foreign key that is to be validated keeps its record, so that Release() does that later; the
  // others forget theirs.
  void ReleaseTies();
  // Puts a foreign key back as NOT VALID: rows that violate it stay, new ones are checked. Throws
  // Error (stop) where the server knows no such state: on a partitioned table before 18.
  void ReleaseNotValid(const Held& foreign_key);

 private:
  bool BeginRelease(const Held& held, std::string& standing);
  void PutBack(const Held& held, bool validate_now, bool& half_done);
  void NoteFailure(const Held& held, bool half_done, const std::string& problem);

  PgConnection& connection_;
  const std::string held_table_;  // quoted
};

// What HoldAll would hold, without changing anything: lines such as
// "foreign key notes_project_id_fkey on public.notes".
std::vector<std::string> DescribeHoldable(PgConnection& connection,
                                          const std::vector<std::uint32_t>& tables,
                                          const std::vector<std::string>& keep_indexes);

}  // namespace liteferry::target
