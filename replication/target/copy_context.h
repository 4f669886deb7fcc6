#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "replication/target/row_encoder.h"

namespace liteferry::target {

// The line that the context of a failed COPY names, counted from 1, and where it says so, the
// column.
struct CopyPlace {
  std::int64_t line = 0;  // 0: it names none
  bool certain = false;   // in the server's untranslated words
  std::string column;
};

// `columns` are the names to look for: only one of them can be the column.
CopyPlace ParseCopyContext(std::string_view context, std::string_view table,
                           const std::vector<EncodedColumn>& columns);

}  // namespace liteferry::target
