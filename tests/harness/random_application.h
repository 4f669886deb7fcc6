#pragma once

#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace liteferry::testing {

// The random choices of one test; the same seed makes the same choices.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(engine_); }
  bool Chance(int percent) { return Below(100) < percent; }
  std::string Of(std::initializer_list<const char*> choices) {
    return choices.begin()[static_cast<std::ptrdiff_t>(Below(static_cast<int>(choices.size())))];
  }

 private:
  std::mt19937 engine_;
};

// Makes up an application: a schema of three tables (p, c that may be a child of p, and x) with
// keys, unique indexes, collations, conflict clauses, generated columns, foreign keys and triggers
// of every kind SQLite has, and the statements it runs. Values are few, so that they collide, and
// many are equal under some collation or affinity without being the same. It does not look at the
// database: many statements fail there, which is part of the test.
//
// Left out are what capture is known not to see (docs/CAPTURE.md): a BEFORE UPDATE trigger that
// changes the row being updated, and a column that is dropped and added again before anybody looks.
class RandomApplication {
 public:
  explicit RandomApplication(unsigned seed);

  // Statements that make the schema; may turn out not to be valid in SQLite.
  const std::string& schema() const { return schema_; }
  // One statement that changes rows.
  std::string Change();
  // One transaction: statements that change rows among BEGIN, SAVEPOINT, ROLLBACK TO, COMMIT …,
  // each without its semicolon. Ends outside a transaction, whatever fails.
  std::vector<std::string> TransactionOfChanges();
  // What a migration runs: one or more statements, perhaps a transaction.
  std::vector<std::string> SchemaChange();

 private:
  std::string Name(const std::string& logical) const;
  std::string Table();
  std::string Column();
  std::string Literal();
  std::string Expression();
  std::string Collation(int percent = 30);
  std::string OnConflict();
  std::string Type(bool strict);

  std::string ColumnDefinition(const std::string& logical, bool strict);
  std::string TableDefinition(const std::string& table, const std::string& name);
  std::string Generated(bool strict);
  std::string IndexDefinition(const std::string& table);
  std::string TriggerDefinition(const std::string& table);
  std::string TriggerBody(const std::string& row, const std::string& when,
                          const std::string& event);

  std::string Insert(const std::string& table, const std::string& policy);
  std::string Update(const std::string& table, const std::string& policy);
  std::string Policy();
  std::string Where();
  std::vector<std::string> Rebuild(const std::string& table);

  Dice dice_;
  int naming_ = 0;  // which names the tables and columns have
  int numbers_ = 0;
  std::string schema_;
};

}  // namespace liteferry::testing
