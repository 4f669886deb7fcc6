#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "replication/source/catalog.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry::source {

struct Trigger {
  std::string name;
  std::string sql;  // as SQLite keeps it in sqlite_schema
};

// The triggers that log every change of `table` under the number `table_no` in the changelog: AFTER
// INSERT, UPDATE and DELETE, and where a unique index lets REPLACE remove other rows, BEFORE
// triggers that log those rows first (SQLite fires no DELETE trigger for them). Pure.
std::vector<Trigger> BuildTriggers(const SourceTable& table, int table_no);

// Why `table` cannot be captured, or "" when it can: e.g. a unique index with a collation that only
// the application has (a lookup would make its writes fail elsewhere).
std::string CaptureObstacle(const SourceTable& table);

// A captured table as the state table _liteferry_table in SQLite holds it.
struct CapturedTable {
  int number = 0;  // stable for the life of the capture; `t` in the changelog
  std::string name;
};

// State of the capture as found within one snapshot.
struct CaptureState {
  bool installed = false;
  std::string incarnation;  // UUID made at the first install; another one is another database
  int format = 0;
  std::vector<CapturedTable> tables;  // by number; also those that lost their triggers since
  bool released = false;              // RemoveTriggers ran, and no Install since
};

// Installs, checks and removes everything that liteferry puts into SQLite: the tables
// _liteferry_meta, _liteferry_table and _liteferry_log and the triggers _liteferry_*. Format:
// source/CHANGELOG_FORMAT.md. Not a thread: runs on the caller's, over the caller's connection.
// Holds the write lock for one short transaction in Install and Remove only.
class Capture {
 public:
  explicit Capture(Database& database) : database_(database) {}

  CaptureState Read();

  // Creates or repairs the whole set for `tables` in one BEGIN IMMEDIATE: idempotent; triggers that
  // already are exactly right stay untouched, and where all are, no lock is taken. If any
  // application trigger was created after ours, ours are made again: SQLite runs the newest first,
  // and one with RAISE(IGNORE) must not run before them. Tables keep the number they had, also
  // dropped and made again, or renamed. Captured tables not among `tables` lose their triggers, not
  // their number. A log that was dropped or emptied by hand gets a new incarnation. For each table
  // that had a number before and whose triggers had to be made (again) the log gets an entry that
  // says so: its changes may have been missed. Returns the state after it. Must be called outside a
  // transaction. Throws Error (retry) when the application holds the lock or changed a table since
  // `tables` were read, (exit 73) when SQLite refuses or a table has an obstacle.
  CaptureState Install(const std::vector<SourceTable>& tables);

  // Names of tables among `tables` whose triggers are missing, altered or no longer the newest.
  // Cheap (one pass over sqlite_schema); meant for every snapshot.
  std::vector<std::string> FindBroken(const std::vector<SourceTable>& tables,
                                      const CaptureState& state);

  // Drops the triggers and notes that in _liteferry_meta, in one short transaction; the log and the
  // tables' numbers stay. For migrations of the application that a trigger would stand in the way
  // of. Idempotent; nothing when the capture is not installed.
  void RemoveTriggers();

  // Removes every trace in one transaction, triggers first. No error when there is none.
  void Remove();

 private:
  Database& database_;
};

}  // namespace liteferry::source
