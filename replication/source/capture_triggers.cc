#include <set>

#include "replication/base/text.h"
#include "replication/source/capture.h"
#include "replication/source/unique_lookup.h"

namespace liteferry::source {
namespace {

// The key of a row as expressions; `row` is "NEW.", "OLD." or "" for the row of a SELECT.
std::vector<std::string> KeyExpressions(const SourceTable& table, const std::string& row) {
  if (table.key_kind == KeyKind::kRowid) return {row + table.rowid_alias};
  std::vector<std::string> key;
  for (const int column : table.key_columns) {
    key.push_back(row + QuoteIdentifier(table.columns[static_cast<std::size_t>(column)].name));
  }
  return key;
}

class Builder {
 public:
  Builder(const SourceTable& table, int number)
      : table_(table),
        number_(std::to_string(number)),
        new_key_(KeyExpressions(table, "NEW.")),
        old_key_(KeyExpressions(table, "OLD.")) {
    insert_ = "INSERT INTO _liteferry_log(t,n";
    for (std::size_t i = 1; i <= new_key_.size(); ++i) insert_ += ",k" + std::to_string(i);
    insert_ += ") ";
  }

  std::vector<Trigger> Build() {
    const std::vector<UniqueLookup> lookups = BuildUniqueLookups(table_);
    AddLookups(lookups);
    Add("ai", "AFTER INSERT", "", Log(new_key_));
    // One statement: it opens the log once for the row.
    Add("au", "AFTER UPDATE", "",
        insert_ + "SELECT " + Entry(new_key_) + " UNION ALL SELECT " + Entry(old_key_) + " WHERE " +
            KeyDiffers() + "; ");
    Add("ad", "AFTER DELETE", "", Log(old_key_));
    return std::move(triggers_);
  }

 private:
  void AddLookups(const std::vector<UniqueLookup>& lookups) {
    std::string on_insert;
    std::vector<std::string> changes;
    for (const UniqueLookup& lookup : lookups) {
      on_insert += LogFound(lookup.condition);
      const bool said = !changes.empty() && changes.back() == lookup.changed;
      if (!lookup.changed.empty() && !said) changes.push_back(lookup.changed);
    }
    if (!on_insert.empty()) Add("bi", "BEFORE INSERT", "", on_insert);
    if (changes.empty()) return;
    std::string on_update;
    for (const UniqueLookup& lookup : lookups) {
      if (lookup.changed.empty()) continue;
      on_update +=
          LogFound(changes.size() == 1 ? lookup.condition
                                       : "(" + lookup.changed + ") AND (" + lookup.condition + ")");
    }
    // One trigger for all: each that runs costs a frame for the row.
    Add("bu", "BEFORE UPDATE" + OfColumns(lookups), JoinConditions(changes, " OR "), on_update);
  }

  // An UPDATE that names none of the columns then does not even look at the trigger. (The triggers
  // behind it that log keys have no such list: a key can change without being named.)
  std::string OfColumns(const std::vector<UniqueLookup>& lookups) const {
    std::set<int> columns;
    for (const UniqueLookup& lookup : lookups) {
      if (!lookup.columns) return "";
      columns.insert(lookup.columns->begin(), lookup.columns->end());
    }
    std::vector<std::string> names;
    for (const int column : columns) {
      names.push_back(QuoteIdentifier(table_.columns[static_cast<std::size_t>(column)].name));
    }
    return names.empty() ? "" : " OF " + Join(names, ",");
  }

  // The mark tells this entry from another that gets its seq after a restore (CHANGELOG_FORMAT.md).
  std::string Entry(const std::vector<std::string>& key) const {
    return number_ + ",random()>>32," + Join(key, ",");
  }
  std::string Log(const std::vector<std::string>& key) const {
    return insert_ + "VALUES(" + Entry(key) + "); ";
  }
  std::string LogFound(const std::string& condition) const {
    return insert_ + "SELECT " + Entry(KeyExpressions(table_, "")) + " FROM " +
           QuoteIdentifier(table_.name) + " WHERE " + condition + "; ";
  }

  // 'A' and 'a' are one key to NOCASE, 1 and 1.0 to BINARY: on the target they are two.
  std::string KeyDiffers() const {
    if (table_.key_kind == KeyKind::kRowid || table_.integer_primary_key >= 0) {
      return old_key_.front() + " IS NOT " + new_key_.front();
    }
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < new_key_.size(); ++i) {
      parts.push_back(ExactlyDiffers(table_, table_.key_columns[i], old_key_[i], new_key_[i]));
    }
    return JoinConditions(parts, " OR ");
  }

  void Add(const std::string& kind, const std::string& event, const std::string& when,
           const std::string& body) {
    Trigger trigger;
    trigger.name = "_liteferry_" + number_ + "_" + kind;
    trigger.sql = "CREATE TRIGGER " + trigger.name + " " + event + " ON " +
                  QuoteIdentifier(table_.name) + (when.empty() ? "" : " WHEN " + when) + " BEGIN " +
                  body + "END";
    triggers_.push_back(std::move(trigger));
  }

  const SourceTable& table_;
  const std::string number_;
  const std::vector<std::string> new_key_;
  const std::vector<std::string> old_key_;
  std::string insert_;
  std::vector<Trigger> triggers_;
};

}  // namespace

std::vector<Trigger> BuildTriggers(const SourceTable& table, int table_no) {
  return Builder(table, table_no).Build();
}

std::string CaptureObstacle(const SourceTable& table) {
  if (table.key_kind == KeyKind::kRowid && table.rowid_alias.empty()) {
    return "no primary key, and columns named rowid, _rowid_ and oid hide what else identifies a "
           "row";
  }
  return LookupObstacle(table);
}

}  // namespace liteferry::source
