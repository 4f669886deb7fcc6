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
    if (!lookups.empty()) {
      std::string all;
      for (const UniqueLookup& lookup : lookups) all += LogFound(lookup);
      Add("bi", "BEFORE INSERT", "", all);
    }
    for (std::size_t i = 0; i < lookups.size(); ++i) {
      Add("bu" + std::to_string(i), "BEFORE UPDATE", lookups[i].changed, LogFound(lookups[i]));
    }
    Add("ai", "AFTER INSERT", "", Log(new_key_));
    Add("au", "AFTER UPDATE", "",
        Log(new_key_) + insert_ + "SELECT " + Entry(old_key_) + " WHERE " + KeyDiffers() + "; ");
    Add("ad", "AFTER DELETE", "", Log(old_key_));
    return std::move(triggers_);
  }

 private:
  // random() tells this entry from another that gets its seq after a restore (CHANGELOG_FORMAT.md).
  std::string Entry(const std::vector<std::string>& key) const {
    return number_ + ",random()," + Join(key, ",");
  }
  std::string Log(const std::vector<std::string>& key) const {
    return insert_ + "VALUES(" + Entry(key) + "); ";
  }
  std::string LogFound(const UniqueLookup& lookup) const {
    return insert_ + "SELECT " + Entry(KeyExpressions(table_, "")) + " FROM " +
           QuoteIdentifier(table_.name) + " WHERE " + lookup.condition + "; ";
  }

  // 'A' and 'a' are one key to NOCASE, 1 and 1.0 to BINARY: on the target they are two.
  std::string KeyDiffers() const {
    const bool integer = table_.key_kind == KeyKind::kRowid || table_.integer_primary_key >= 0;
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < new_key_.size(); ++i) {
      const std::string& before = old_key_[i];
      const std::string& after = new_key_[i];
      if (integer) {
        parts.push_back(before + " IS NOT " + after);
      } else {
        parts.push_back(before + " COLLATE BINARY IS NOT " + after + " OR typeof(" + before +
                        ")<>typeof(" + after + ")");
      }
    }
    return Join(parts, " OR ");
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
