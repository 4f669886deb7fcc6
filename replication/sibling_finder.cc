#include "replication/sibling_finder.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "replication/base/text.h"
#include "replication/rejections.h"

namespace liteferry {
namespace {

using target::TypeKind;

bool IsInteger(TypeKind kind) {
  return kind == TypeKind::kInt2 || kind == TypeKind::kInt4 || kind == TypeKind::kInt8;
}

// Digits that any numeric affinity makes an INTEGER or a REAL.
bool IsInt64(std::string_view text) {
  std::int64_t integer = 0;
  const auto end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, integer);
  return error == std::errc() && at == end;
}

// Whether a column may hold this value as it is: affinity turns numbers into text and text into
// numbers when they are stored. Where that is hard to tell it may.
bool CanHold(Affinity affinity, const Value& value) {
  switch (value.storage) {
    case StorageClass::kText:
      return affinity == Affinity::kText || affinity == Affinity::kBlob || !IsInt64(value.bytes);
    case StorageClass::kInteger:
      return affinity != Affinity::kText && affinity != Affinity::kReal;
    case StorageClass::kReal: {
      constexpr double kExact = 9007199254740992.0;
      const bool whole = std::fabs(value.real) < kExact && std::trunc(value.real) == value.real;
      const bool kept = affinity == Affinity::kReal || affinity == Affinity::kBlob;
      return affinity != Affinity::kText && (kept || !whole);
    }
    default:
      return true;
  }
}

}  // namespace

SiblingFinder::SiblingFinder(source::Database& database, const TableMapping& table)
    : database_(database), table_(table) {
  if (HasIntegerKey(table)) return;
  const source::SourceIndex* const index = source::KeyIndex(table.source);
  for (const std::size_t position : table.key) {
    Part& part = parts_.emplace_back();
    part.pair = &table.columns[position];
    if (part.pair->source < 0) {
      part.affinity = Affinity::kInteger;
      part.term = table.source.rowid_alias;
      continue;
    }
    const source::SourceColumn& column =
        table.source.columns[static_cast<std::size_t>(part.pair->source)];
    part.affinity = AffinityOf(column.declared_type);
    const std::string& collation =
        index != nullptr ? index->terms[parts_.size() - 1].collation : column.collation;
    part.term = QuoteIdentifier(column.name) + " COLLATE " + QuoteIdentifier(collation);
  }
}

void SiblingFinder::Find(std::string_view key, const Sink& sink) {
  if (parts_.empty()) return;
  const std::vector<Value> values = UnpackKey(key);
  bool others = false;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    others = List(parts_[i], values[i]) || others;
    if (parts_[i].candidates.empty()) return;  // no key on the target
  }
  if (!others) return;
  Prepare();
  while (statement_.Step()) {
    statement_.ReadRow(row_);
    if (!HasRow()) continue;
    PackedKey packed = PackKey(row_);
    if (packed != key) sink(packed);
  }
}

bool SiblingFinder::List(Part& part, const Value& key) {
  part.candidates.clear();
  const target::TargetType& type = part.pair->target.type;
  const bool numeric = part.affinity == Affinity::kInteger || part.affinity == Affinity::kNumeric;
  if (IsInteger(type.kind) && key.storage == StorageClass::kInteger && numeric) {
    part.candidates.push_back(key);
    return false;
  }
  target::ListWritings(key, type, part.pair->options, part.writings);
  bool others = false;
  for (const Value& value : part.writings.values) {
    if (!CanHold(part.affinity, value)) continue;
    part.candidates.push_back(value);
    others = others || !(value == key);
  }
  return others;
}

// One statement of so many parameters as the longest lists so far; what is left over is NULL, which
// nothing equals.
void SiblingFinder::Prepare() {
  bool fits = static_cast<bool>(statement_);
  for (Part& part : parts_) {
    fits = fits && part.candidates.size() <= part.places;
    part.places = std::max(part.places, part.candidates.size());
  }
  if (!fits) {
    std::vector<std::string> names;
    std::vector<std::string> conditions;
    for (const Part& part : parts_) {
      std::string places;
      for (std::size_t i = 0; i < part.places; ++i) places += i == 0 ? "?" : ", ?";
      names.push_back(part.term);
      conditions.push_back(part.term + " IN (" + places + ")");
    }
    statement_ = database_.Prepare("SELECT " + Join(names, ", ") + " FROM " +
                                   QuoteIdentifier(table_.source.name) + " WHERE " +
                                   Join(conditions, " AND "));
  }
  statement_.Reset();
  int place = 0;
  for (const Part& part : parts_) {
    for (std::size_t i = 0; i < part.places; ++i) {
      statement_.Bind(++place, i < part.candidates.size() ? part.candidates[i] : Value::Null());
    }
  }
}

// Whether the row is one of the candidates exactly: same storage class, same bytes.
bool SiblingFinder::HasRow() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::vector<Value>& candidates = parts_[i].candidates;
    if (std::find(candidates.begin(), candidates.end(), row_[i]) == candidates.end()) return false;
  }
  return true;
}

}  // namespace liteferry
