#pragma once

#include <string>
#include <vector>

#include "replication/session.h"

namespace liteferry {

// Setting single tables up on the target. Functions of the engine thread over the session's
// connections; all but RestartTableCopy run in the caller's transaction.

// Puts aside what forbids loading `tables`, and adds their hidden columns where they need one.
void HoldTables(Session& session, const std::vector<const TableMapping*>& tables);

// Takes away what HoldTables added, from every table of the target that has it; also without a
// mapping.
std::vector<std::string> DropHiddenColumns(target::PgConnection& connection,
                                           const config::Settings& settings);

// Ranges of about equal size that together are the whole table, none copied yet.
std::vector<target::CopyRange> MakeCopyRanges(EngineContext& context, Session& session,
                                              const TableMapping& table);

// The row of source_table that stands for `table` as the session knows it.
target::SourceTableRow DescribeTable(const Session& session, const TableMapping& table);

// Marks `table` to be copied again from the start: empties it on the target, in the same
// transaction in which its copy ranges are reset and the stream goes back to copying.
void RestartTableCopy(EngineContext& context, Session& session, const TableMapping& table,
                      const std::string& why);

// Takes in a table that the stream has not known so far: as RestartTableCopy, but rows that the
// target has and the source has not are dealt with as target.existing_rows says. Throws Error
// (stop) when these forbid it.
void StartTableCopy(EngineContext& context, Session& session, const TableMapping& table);

}  // namespace liteferry
