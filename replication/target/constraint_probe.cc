#include "replication/target/constraint_probe.h"

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/target/pg_connection.h"
#include "replication/target/row_loader.h"
#include "replication/target/sql.h"

namespace liteferry::target {
namespace {

void AppendWord(std::string& out, std::uint32_t word) {
  for (std::uint32_t shift = 32; shift > 0; shift -= 8) {
    out.push_back(static_cast<char>(word >> (shift - 8) & 0xffU));
  }
}

// As in COPY's binary format.
void AppendField(std::string& out, std::optional<std::string_view> field) {
  AppendWord(out, field ? static_cast<std::uint32_t>(field->size()) : ~std::uint32_t{0});
  if (field) out.append(*field);
}

// What stands before the elements of an array in PostgreSQL's binary form; an element is as in
// COPY.
std::string ArrayHeader(std::uint32_t element_oid, std::size_t size) {
  std::string header;
  AppendWord(header, 1);  // dimensions
  AppendWord(header, 1);  // may hold NULL
  AppendWord(header, element_oid);
  AppendWord(header, static_cast<std::uint32_t>(size));
  AppendWord(header, 1);  // lower bound
  return header;
}

// An array as PostgreSQL reads it.
std::string ListText(const std::vector<std::string>& elements) {
  std::string out = "{";
  for (const std::string& element : elements) {
    out += out.size() > 1 ? ",\"" : "\"";
    for (const char c : element) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  return out + "}";
}

}  // namespace

ConstraintProbe::ConstraintProbe(PgConnection& connection, std::string_view schema,
                                 std::string_view table, std::string_view constraint,
                                 std::string_view column, const RowEncoder& encoder)
    : connection_(connection), encoder_(encoder), target_(QuoteQualified(schema, table)) {
  if (encoder.format() != CopyFormat::kBinary) return;
  std::vector<std::string> names;
  std::vector<std::string> types;
  for (const EncodedColumn& one : encoder.columns()) {
    names.push_back(one.name);
    types.push_back(std::to_string(one.type.oid));
  }
  const std::string name_list = ListText(names);
  const std::string type_list = ListText(types);
  const std::vector<PgParam> params = {{.value = schema},     {.value = table},
                                       {.value = constraint}, {.value = name_list},
                                       {.value = type_list},  {.value = column}};
  const PgResult found = connection.ExecParams(sql::kConstraintColumnsSql, params);
  if (found.rows() == 0 || found.Int(0, 1) != found.rows()) return;
  condition_ = found.Text(0, 0);
  for (int i = 0; i < found.rows(); ++i) {
    columns_.push_back({static_cast<std::size_t>(found.Int(i, 2)),
                        static_cast<std::uint32_t>(found.Int(i, 3)), found.Text(i, 4)});
  }
}

std::vector<std::string> ConstraintProbe::Arrays(const RowBatch& batch,
                                                 const std::vector<std::size_t>& rows) const {
  std::vector<std::string> arrays;
  for (const Column& column : columns_) {
    arrays.push_back(ArrayHeader(encoder_.columns()[column.place].type.oid, rows.size()));
  }
  std::string row;
  for (const std::size_t number : rows) {
    batch.ReadRow(number, row);
    const auto fields = encoder_.Fields(row);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      AppendField(arrays[i], fields.at(columns_[i].place));
    }
  }
  return arrays;
}

std::string ConstraintProbe::Query() const {
  std::vector<std::string> arrays;
  std::vector<std::string> names;
  std::vector<std::string> typed;
  std::vector<std::string> equal;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const EncodedColumn& column = encoder_.columns()[columns_[i].place];
    const std::string number = std::to_string(i + 1);
    arrays.push_back("$" + number);
    names.push_back("a" + number);
    // With the column's modifier: the server rounds before it checks.
    typed.push_back("a" + number + "::" + column.type.base_name + " AS " + columns_[i].alias);
    equal.push_back("t." + QuoteIdentifier(column.name) + " = d." + columns_[i].alias);
  }
  const std::string rows = "(SELECT a0 AS liteferry_no, " + Join(typed, ", ") + " FROM unnest(" +
                           Join(arrays, ", ") + ") WITH ORDINALITY AS u (" + Join(names, ", ") +
                           ", a0)) AS d";
  if (!condition_.empty()) {
    return "SELECT liteferry_no, true FROM " + rows + " WHERE NOT (" + condition_ +
           ") ORDER BY liteferry_no";
  }
  std::vector<std::string> aliases;
  for (const Column& column : columns_) aliases.push_back(column.alias);
  const std::string list = Join(aliases, ", ");
  // A subquery that gives a value is looked up by the index, row for row; EXISTS might read the
  // whole table, whose size nobody has analyzed yet.
  return "SELECT liteferry_no, coalesce(there, false) FROM (SELECT liteferry_no, row_number() OVER"
         " (PARTITION BY " +
         list + " ORDER BY liteferry_no) > 1 AS again, (SELECT true FROM " + target_ +
         " AS t WHERE " + Join(equal, " AND ") + " LIMIT 1) AS there FROM " + rows +
         " WHERE num_nulls(" + list + ") = 0) AS f WHERE again OR there ORDER BY liteferry_no";
}

std::vector<ConstraintProbe::Found> ConstraintProbe::Find(const RowBatch& batch,
                                                          const std::vector<std::size_t>& rows) {
  if (rows.empty() || !usable()) return {};
  const std::vector<std::string> arrays = Arrays(batch, rows);
  std::vector<PgParam> params;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    params.push_back({arrays[i], columns_[i].array_oid, true});
  }
  const PgResult answer = connection_.ExecParams(Query(), params);
  std::vector<Found> found;
  for (int i = 0; i < answer.rows(); ++i) {
    found.push_back({rows.at(static_cast<std::size_t>(answer.Int(i, 0) - 1)), answer.Bool(i, 1)});
  }
  return found;
}

}  // namespace liteferry::target
