#pragma once

#include "replication/verify/compare.h"
#include "replication/verify/judge.h"

// The two ways to read both sides of a table and find the keys that look different. What they find
// goes to the judge; what they pass over was seen to be equal.
namespace liteferry::verify {

// Both sides in the order of one integer, piece by piece; for tables with HasIntegerKey.
void ScanOrdered(const Sides& sides, const TableMapping& table, const CompareOptions& options,
                 Judge& judge, TableOutcome& outcome);

// Each side in the order in which it reads fastest; keys and digests are matched afterwards. For
// any key; the options' range must be empty.
void ScanHashed(const Sides& sides, const TableMapping& table, const CompareOptions& options,
                Judge& judge, TableOutcome& outcome);

}  // namespace liteferry::verify
