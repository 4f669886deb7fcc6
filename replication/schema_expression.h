#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "replication/schema_types.h"
#include "replication/source/ddl.h"
#include "replication/target/convert.h"

namespace liteferry {

// What an expression may need to know of a column of its table.
struct ExpressionColumn {
  std::string source;  // its name there
  std::string sql;     // its name here, in quotes where it needs them
  target::TargetType type;
  Affinity affinity = Affinity::kBlob;
  target::ConvertOptions options;
  std::string collation;  // BINARY, NOCASE, RTRIM or the application's, in upper case
  bool generated = false;
};

// What became of one of SQLite's expressions.
struct Translated {
  std::string sql;      // "" when there is none
  std::string problem;  // why it has no counterpart
  std::string note;     // a difference worth knowing
  // A CHECK that the column's type makes superfluous; sql is empty.
  bool said_by_type = false;

  bool ok() const { return !sql.empty(); }
};

// Each translates an expression to PostgreSQL, for a table whose columns are `columns`: so that it
// gives what SQLite gives for every value that fits the columns' types, or not at all. Pure.

// A condition that must not be false.
Translated TranslateCheck(const source::Expr& expr, const std::vector<ExpressionColumn>& columns);
// A condition that must be true, of a partial index.
Translated TranslateCondition(const source::Expr& expr,
                              const std::vector<ExpressionColumn>& columns);
// The value that `column` gets when none is given. An empty sql without a problem means NULL.
Translated TranslateDefault(const source::Expr& expr, const ExpressionColumn& column);
Translated TranslateGenerated(const source::Expr& expr,
                              const std::vector<ExpressionColumn>& columns,
                              const ExpressionColumn& column);
// A term of an index. A unique one keeps apart exactly what SQLite keeps apart; any other may be
// simpler.
Translated TranslateIndexTerm(const source::Expr& expr, const std::string& collation, bool unique,
                              const std::vector<ExpressionColumn>& columns);
// A column as a term of an index under `collation`: name itself, or what compares alike.
Translated TranslateIndexColumn(const ExpressionColumn& column, const std::string& collation);

}  // namespace liteferry
