#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replication/session.h"
#include "replication/target/row_loader.h"

namespace liteferry {

// What rejected_row says of a row that liteferry, or the server, refused. `key` is packed.
target::RejectedRow DescribeRejection(const Session& session, const TableMapping& table,
                                      const std::string& key,
                                      const target::RowRejection& rejection);
target::RejectedRow DescribeRejection(const Session& session, const TableMapping& table,
                                      const std::string& key,
                                      const target::ServerRejection& rejection);

// Whether the key is the rowid and an integer on the target too: then two rows of the source are
// never one there, not even where the source holds values of other storage classes.
bool HasIntegerKey(const TableMapping& table);

// What status says of rejected rows.
struct RejectionReport {
  std::vector<target::RejectedCount> counts;
  std::vector<target::RejectedRow> samples;  // a few of each table
  std::string query;                         // lists them all
};
RejectionReport ReadRejections(target::StateStore& store);
// Replaces what `status`, with its tables, said of rejected rows.
void ShowRejections(const RejectionReport& report, EngineStatus& status);

// Deletes the rows of these packed keys from the target table, in the caller's transaction; of keys
// that are known by their print (target/key_writing.h) those that print as they were written. Keys
// that have no form in the target's types are passed over: no row there can have them. Returns the
// number of rows deleted.
std::int64_t DeleteKeys(target::PgConnection& connection, const TableMapping& table,
                        const std::vector<std::string_view>& keys);

// Behind RowLoader::Load of `batch`, for tables whose keys are known by their print: deletes the
// rows just loaded that the server prints otherwise than they were written, and adds them to
// `refused`, which stays in row order.
void RejectMisprinted(target::PgConnection& connection, const TableMapping& table,
                      const target::RowBatch& batch, std::vector<target::ServerRejection>& refused);

}  // namespace liteferry
