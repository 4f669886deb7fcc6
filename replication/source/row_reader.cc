#include "replication/source/row_reader.h"

#include <algorithm>
#include <utility>

#include "replication/base/text.h"

namespace liteferry::source {
namespace {

std::string Parameter(int number) { return "?" + std::to_string(number); }

}  // namespace

RowReader::RowReader(Database& database, const SourceTable& table, std::vector<int> columns)
    : database_(database), table_(table), columns_(std::move(columns)) {
  ChooseOrder();
  std::vector<std::string> list;
  for (const int column : columns_) {
    list.push_back(QuoteIdentifier(table_.columns[static_cast<std::size_t>(column)].name));
  }
  if (table_.key_kind == KeyKind::kRowid) list.push_back(table_.rowid_alias);
  if (list.empty()) list.emplace_back("NULL");
  width_ = columns_.size() + (table_.key_kind == KeyKind::kRowid ? 1 : 0);
  from_ = " FROM main." + QuoteIdentifier(table_.name);
  shown_ = Join(list, ", ");
  by_key_ = database_.Prepare(by_key_sql());
  for (ScanTerm& term : terms_) {
    const auto at = std::find(list.begin(), list.end(), term.name);
    term.position = static_cast<std::size_t>(at - list.begin());
    if (at == list.end()) list.push_back(term.name);
  }
  listed_ = Join(list, ", ");
}

void RowReader::ChooseOrder() {
  const bool integer_key = table_.integer_primary_key >= 0;
  if (!integer_key && !table_.without_rowid && !table_.rowid_alias.empty()) {
    order_ = ScanOrder::kRowid;
    volatile_ = true;
    terms_.push_back({table_.rowid_alias, "", false, false, 0});
    return;
  }
  Require(!table_.key_columns.empty(), "table " + table_.name + " has nothing to be read by");
  const SourceIndex* const index = KeyIndex(table_);
  for (std::size_t i = 0; i < table_.key_columns.size(); ++i) {
    const SourceColumn& column = table_.columns[static_cast<std::size_t>(table_.key_columns[i])];
    ScanTerm term{QuoteIdentifier(column.name), "", false, false, 0};
    if (!integer_key) {
      const std::string& collation =
          index != nullptr ? index->terms[i].collation : column.collation;
      term.collation = " COLLATE " + QuoteIdentifier(collation);
      term.descending = index != nullptr && index->terms[i].descending;
      term.nullable = !column.not_null && !table_.without_rowid;
    }
    terms_.push_back(std::move(term));
  }
}

// The index finds by its collation; the rest of the condition makes it exact: 'A' is not 'a', and 1
// is not 1.0.
std::string RowReader::ByKeyCondition() const {
  if (table_.key_kind == KeyKind::kRowid) return table_.rowid_alias + " = ?1";
  if (table_.integer_primary_key >= 0) return terms_.front().name + " = ?1";
  const SourceIndex* const index = KeyIndex(table_);
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < table_.key_columns.size(); ++i) {
    const SourceColumn& column = table_.columns[static_cast<std::size_t>(table_.key_columns[i])];
    const std::string name = QuoteIdentifier(column.name);
    const std::string parameter = Parameter(static_cast<int>(i) + 1);
    const std::string& collation = index != nullptr ? index->terms[i].collation : column.collation;
    parts.push_back(name + " COLLATE " + QuoteIdentifier(collation) + " IS " + parameter);
    parts.push_back(name + " COLLATE BINARY IS " + parameter);
    parts.push_back("typeof(" + name + ") = typeof(" + parameter + ")");
  }
  return Join(parts, " AND ");
}

bool RowReader::ReadByKey(std::string_view packed_key, std::vector<Value>& row) {
  by_key_.Reset();
  by_key_.BindAll(UnpackKey(packed_key));
  if (!by_key_.Step()) return false;
  row.clear();
  for (std::size_t i = 0; i < width_; ++i) row.push_back(by_key_.Column(static_cast<int>(i)));
  return true;
}

std::string RowReader::Bound(bool after, int first) const {
  const auto compare = [&](std::size_t i, const std::string& sign) {
    return terms_[i].name + terms_[i].collation + " " + sign + " " +
           Parameter(first + static_cast<int>(i));
  };
  const auto sign = [&](std::size_t i) {
    return std::string(after != terms_[i].descending ? ">" : "<");
  };
  const std::size_t last = terms_.size() - 1;
  std::string condition = compare(last, sign(last) + (after ? "" : "="));
  for (std::size_t i = last; i-- > 0;) {
    condition = "(" + compare(i, sign(i)) + " OR (" + compare(i, "=") + " AND " + condition + "))";
  }
  return condition;
}

std::string RowReader::OrderBy(bool reversed) const {
  std::vector<std::string> parts;
  for (const ScanTerm& term : terms_) {
    parts.push_back(term.name + term.collation + (term.descending != reversed ? " DESC" : ""));
  }
  return " ORDER BY " + Join(parts, ", ");
}

std::string RowReader::NotNull() const {
  std::string condition = "1";
  for (const ScanTerm& term : terms_) {
    if (term.nullable) condition += " AND " + term.name + " IS NOT NULL";
  }
  return condition;
}

PackedKey RowReader::ScanKey() const {
  std::vector<Value> key;
  for (const ScanTerm& term : terms_) key.push_back(row_[term.position]);
  return PackKey(key);
}

std::string RowReader::by_key_sql() const {
  return "SELECT " + shown_ + from_ + " WHERE " + ByKeyCondition();
}

std::vector<std::string> RowReader::scan_sql(bool after, bool up_to) const {
  // Whether the row still is within the scan: a result, not a condition, so that the first row that
  // is not ends it.
  const auto within = [&](int first) { return up_to ? Bound(false, first) : std::string("1"); };
  const auto statement = [&](int first, const std::string& condition) {
    return "SELECT " + listed_ + ", " + within(first) + from_ + " WHERE " + NotNull() + condition +
           OrderBy(false);
  };
  if (!after) return {statement(1, "")};
  std::vector<std::string> statements;
  for (std::size_t equal = terms_.size(); equal-- > 0;) {
    std::string condition;
    for (std::size_t i = 0; i <= equal; ++i) {
      const std::string sign = i < equal ? "=" : (terms_[i].descending ? "<" : ">");
      condition += " AND " + terms_[i].name + terms_[i].collation + " " + sign + " " +
                   Parameter(static_cast<int>(i) + 1);
    }
    statements.push_back(statement(static_cast<int>(equal) + 2, condition));
  }
  return statements;
}

void RowReader::Scan(const std::optional<PackedKey>& after, const std::optional<PackedKey>& up_to,
                     const Sink& sink) {
  // Copies: the sink may well be what moves the caller's bounds.
  const PackedKey low = after.value_or(PackedKey());
  const PackedKey high = up_to.value_or(PackedKey());
  const std::vector<Value> from = UnpackKey(low);
  const std::vector<Value> to = UnpackKey(high);
  for (const auto& [key, given] : {std::pair(&from, after.has_value()), {&to, up_to.has_value()}}) {
    Require(!given || key->size() == terms_.size(),
            "a scan key of table " + table_.name + " does not fit");
  }
  std::size_t shared = from.size();
  for (const std::string& sql : scan_sql(after.has_value(), up_to.has_value())) {
    std::vector<Value> binds(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(shared));
    if (shared > 0) --shared;
    binds.insert(binds.end(), to.begin(), to.end());
    Statement scan = database_.Prepare(sql);
    scan.BindAll(binds);
    while (scan.Step()) {
      scan.ReadRow(row_);
      if (row_.back().integer == 0) return;
      if (!sink(Row(row_).first(width_))) return;
    }
  }
}

void RowReader::ScanNullKeys(const Sink& sink) {
  if (table_.key_kind != KeyKind::kPrimaryKey || table_.integer_primary_key >= 0 ||
      table_.without_rowid) {
    return;
  }
  std::vector<std::string> nulls;
  for (const int column : table_.key_columns) {
    const SourceColumn& c = table_.columns[static_cast<std::size_t>(column)];
    if (!c.not_null) nulls.push_back(QuoteIdentifier(c.name) + " IS NULL");
  }
  if (nulls.empty()) return;
  Statement scan = database_.Prepare("SELECT " + listed_ + from_ + " WHERE " + Join(nulls, " OR "));
  while (scan.Step()) {
    scan.ReadRow(row_);
    if (!sink(Row(row_).first(width_))) return;
  }
}

}  // namespace liteferry::source
