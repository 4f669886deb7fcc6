#include "replication/target/copy_context.h"

#include <gtest/gtest.h>

namespace liteferry::target {
namespace {

std::vector<EncodedColumn> Named(const std::vector<std::string>& names) {
  std::vector<EncodedColumn> columns;
  for (const std::string& name : names) columns.push_back({name, {}, {}, false});
  return columns;
}

TEST(ParseCopyContext, ReadsLineAndColumnInEveryLanguage) {
  struct Case {
    const char* context;
    const char* table;
    std::int64_t line;
    bool certain;
    const char* column;
  };
  const Case cases[] = {
      {"COPY notes, line 3", "notes", 3, true, ""},
      {"COPY notes, line 3, column id: \"abc\"", "notes", 3, true, "id"},
      {"COPY notes, line 3, column id", "notes", 3, true, "id"},
      {"COPY notes, line 3, column id: null input", "notes", 3, true, "id"},
      {"COPY notes, line 3, column id: two: \"x\"", "notes", 3, true, "id: two"},
      {"COPY notes, line 3: \"5\tcolumn id\"", "notes", 3, true, ""},
      {"COPY t2, line 9, line 4, column id", "t2, line 9", 4, true, "id"},
      {"JSON data, line 1: {\"a\nCOPY notes, line 12, column id: \"{\"a\"", "notes", 12, true,
       "id"},
      {"COPY notes, line 5, column id: \"x\nCOPY notes, line 1", "notes", 5, true, "id"},
      {"COPY notes, Zeile 3, Spalte id: »abc«", "notes", 3, false, "id"},
      {"COPY notes, ligne 17, colonne id : « abc »", "notes", 17, false, ""},
      {"COPY notes, línea 2, columna id: «abc»", "notes", 2, false, "id"},
      {"notesのCOPY、行 8、列 id", "notes", 8, false, "id"},
      {"PL/pgSQL function f() line 3 at RAISE", "notes", 0, false, ""},
      {"COPY other, line 3", "notes", 0, false, ""},
      {"COPY notes, line 99999999999999999999", "notes", 0, true, ""},
      {"", "notes", 0, false, ""},
  };
  const auto columns = Named({"id", "id: two", "other"});
  for (const Case& test : cases) {
    const CopyPlace place = ParseCopyContext(test.context, test.table, columns);
    EXPECT_EQ(place.line, test.line) << test.context;
    EXPECT_EQ(place.certain, test.certain) << test.context;
    EXPECT_EQ(place.column, test.column) << test.context;
  }
}

}  // namespace
}  // namespace liteferry::target
