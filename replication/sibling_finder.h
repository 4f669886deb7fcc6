#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "replication/mapping.h"
#include "replication/schema_types.h"
#include "replication/source/sqlite_handle.h"
#include "replication/target/key_writing.h"

namespace liteferry {

// Finds the rows of one table of the source whose keys are another key there and the same one on
// the target, by looking up every usual way to write it. Looks within whatever transaction is open
// on the source, and never at the target. One thread, that of the database; must die before it.
class SiblingFinder {
 public:
  SiblingFinder(source::Database& database, const TableMapping& table);

  // Calls `sink` with the packed key of each row that is there now and a sibling of `key` (packed),
  // not with `key` itself. No look-up where the source cannot hold a sibling.
  using Sink = std::function<void(const PackedKey&)>;
  void Find(std::string_view key, const Sink& sink);

 private:
  // One column of the key.
  struct Part {
    const ColumnPair* pair = nullptr;
    Affinity affinity = Affinity::kBlob;
    std::string term;  // the column as the statement names it, with the index's collation
    target::KeyWritings writings;
    std::vector<Value> candidates;  // those of the writings that the column can hold
    std::size_t places = 0;         // parameters in the statement
  };

  // Fills the candidates; false where no other key than `key` is among them.
  static bool List(Part& part, const Value& key);
  void Prepare();
  bool HasRow();

  source::Database& database_;
  const TableMapping& table_;
  std::vector<Part> parts_;  // none where two keys here are two keys there
  source::Statement statement_;
  std::vector<Value> row_;
};

}  // namespace liteferry
