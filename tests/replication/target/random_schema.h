#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "replication/base/text.h"

namespace liteferry::testing {

// Makes up a PostgreSQL schema, for tests that change one and put it back: tables with every kind
// of index, constraint and trigger, self and circular references, nested partitions, names that
// need quoting. The same seed gives the same schema. Needs the tablespace `elsewhere`. Rows are to
// be inserted with Row().
class RandomSchema {
 public:
  RandomSchema(unsigned seed, int server_version) : random_(seed), version_(server_version) {
    Add("CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
        " IF TG_LEVEL = 'ROW' AND NEW.code = 'bad' THEN RAISE EXCEPTION 'fired'; END IF;"
        " RETURN NEW; END$$");
    const int tables = Pick(2, 5);
    for (int i = 0; i < tables; ++i) AddTable();
    if (Chance(70)) AddPartitioned();
    for (const std::string& table : plain_) DecorateTable(table);
    for (const std::string& table : partitioned_) DecoratePartitioned(table);
    for (int i = Pick(2, 3 * tables); i > 0; --i) AddForeignKey();
    for (const std::string& table : all_) AddTriggers(table);
  }

  const std::vector<std::string>& statements() const { return statements_; }
  // Quoted; without partitions.
  std::vector<std::string> Tables() const {
    std::vector<std::string> tables = plain_;
    tables.insert(tables.end(), partitioned_.begin(), partitioned_.end());
    return tables;
  }
  // A row for any of the tables: good ones (different numbers up to 9) keep to all constraints, bad
  // ones break every one that is not a primary key.
  static std::string Row(const std::string& table, int number, bool good) {
    const std::string no = std::to_string(number);
    const std::string range = good ? "[" + no + "," + std::to_string(number + 1) + ")" : "[1,9)";
    return "INSERT INTO " + table + " (a, k, code, n, r, ref1, ref2) VALUES (" + no + ", 1, " +
           (good ? "'c" + no + "', " + no : std::string("'bad', 7")) + ", '" + range + "', " +
           (good ? "NULL, NULL" : "777, 777") + ")";
  }

 private:
  void Add(std::string sql) { statements_.push_back(std::move(sql)); }
  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Pick(1, 100) <= percent; }
  const std::string& OneOf(const std::vector<std::string>& list) {
    return list[static_cast<std::size_t>(Pick(0, static_cast<int>(list.size()) - 1))];
  }
  std::string Name(const std::string& stem) {
    static const std::vector<std::string> kStyles = {
        "", "", "select \"x\" ", "Mixed Case ", "it's;", "naïve_", "line\nbreak ", "back\\slash "};
    return QuoteIdentifier(OneOf(kStyles) + stem + std::to_string(++names_));
  }
  void Comment(const std::string& object) {
    if (!Chance(30)) return;
    Add("COMMENT ON " + object + " IS " +
        QuoteLiteral("it's \"a\" \\ comment; on\n" + std::to_string(++names_)));
  }
  std::string Parameters() {
    return Chance(30) ? " WITH (fillfactor=" + std::to_string(Pick(50, 90)) + ")" : "";
  }
  std::string Deferral() {
    return OneOf({"", "", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED"});
  }

  static std::string Columns() {
    return " (a int NOT NULL, k int NOT NULL, code text NOT NULL, n int, \"N \"\"q\" int, r "
           "int4range, at"
           " timestamptz, iv interval, ref1 int, ref2 int, PRIMARY KEY (a, k))";
  }
  void AddTable() {
    const std::string table = Name("t");
    Add("CREATE TABLE " + table + Columns());
    // Something for a foreign key of one column to refer to.
    Add("ALTER TABLE " + table + " ADD CONSTRAINT " + Name("one") + " UNIQUE (a)");
    plain_.push_back(table);
    all_.push_back(table);
  }

  // p: p_low; p_high: p_high_even, p_high_rest
  void AddPartitioned() {
    const std::string p = Name("p");
    Add("CREATE TABLE " + p + Columns() + " PARTITION BY RANGE (a)");
    const std::string low = Name("low");
    const std::string high = Name("high");
    const std::string even = Name("even");
    const std::string rest = Name("rest");
    Add("CREATE TABLE " + low + " PARTITION OF " + p + " FOR VALUES FROM (0) TO (5)");
    Add("CREATE TABLE " + high + " PARTITION OF " + p + " DEFAULT PARTITION BY LIST (k)");
    Add("CREATE TABLE " + even + " PARTITION OF " + high + " FOR VALUES IN (0, 2)");
    Add("CREATE TABLE " + rest + " PARTITION OF " + high + " DEFAULT");
    partitioned_.push_back(p);
    leaves_ = {low, even, rest};
    all_.insert(all_.end(), {p, low, high, even, rest});
  }

  void AddConstraint(const std::string& table, const std::string& name, const std::string& def) {
    Add("ALTER TABLE " + table + " ADD CONSTRAINT " + name + " " + def);
    Comment("CONSTRAINT " + name + " ON " + table);
    Comment("INDEX " + name);
  }
  void AddUniqueConstraint(const std::string& table, const std::string& columns) {
    const std::string nulls = version_ >= 150000 && Chance(30) ? "NULLS NOT DISTINCT " : "";
    const std::string place = Chance(20) ? " USING INDEX TABLESPACE elsewhere" : "";
    // The order of the grammar: storage parameters, tablespace, deferral.
    AddConstraint(table, Name("u"),
                  "UNIQUE " + nulls + "(" + columns + ")" + (Chance(30) ? " INCLUDE (n, iv)" : "") +
                      Parameters() + place + Deferral());
  }
  std::string AddIndex(const std::string& table, bool unique, const std::string& definition) {
    const std::string name = Name("i");
    Add("CREATE " + std::string(unique ? "UNIQUE " : "") + "INDEX " + name + " ON " + table + " " +
        definition);
    Comment("INDEX " + name);
    return name;
  }

  void DecorateTable(const std::string& table) {
    for (int i = Pick(0, 2); i > 0; --i) {
      AddUniqueConstraint(table, OneOf({"code", "n, code", "code, \"N \"\"q\""}));
    }
    if (Chance(50)) {
      AddConstraint(table, Name("x"),
                    "EXCLUDE USING gist (r WITH &&)" + Parameters() +
                        (Chance(50) ? " WHERE (n > 0)" : "") + Deferral());
    }
    if (Chance(50)) AddIndex(table, true, "(lower(code), n DESC NULLS LAST) INCLUDE (iv)");
    if (Chance(50)) {
      AddIndex(table, true,
               "(code COLLATE \"C\" text_pattern_ops)" + Parameters() + " WHERE n > 3");
    }
    if (Chance(50)) AddIndex(table, false, "(at) WHERE at > '2020-01-02 03:04:05+00'");
    if (Chance(50)) AddIndex(table, false, "(n) WHERE iv > '-1 mons +2 days -03:04:05.6'");
    if (Chance(30)) AddIndex(table, false, "USING hash (code) TABLESPACE elsewhere");
    if (Chance(30)) AddIndex(table, false, "USING brin (a, n) WITH (pages_per_range=4)");
    if (Chance(50)) {
      const std::string name = AddIndex(table, false, "((n + 1), code, (upper(code)), n)");
      Add("ALTER INDEX " + name + " ALTER COLUMN 1 SET STATISTICS 77");
      if (Chance(50)) Add("ALTER INDEX " + name + " ALTER COLUMN 3 SET STATISTICS 0");
      if (Chance(50)) Add("ALTER TABLE " + table + " CLUSTER ON " + name);
    }
    if (Chance(50)) {
      const std::string name = AddIndex(table, true, "(code, k)");
      if (Chance(70)) Add("ALTER TABLE " + table + " REPLICA IDENTITY USING INDEX " + name);
    } else if (Chance(30)) {
      Add("ALTER TABLE " + table + " REPLICA IDENTITY " + OneOf({"FULL", "NOTHING"}));
    }
  }

  void DecoratePartitioned(const std::string& p) {
    // Made first on partitions, under names and with details of their own; the parent's takes them
    // over.
    for (const std::string& leaf : leaves_) {
      if (Chance(50)) AddUniqueConstraint(leaf, "k, a, code");
      if (Chance(50)) AddIndex(leaf, false, "((n + 1), a)" + Parameters());
      if (Chance(50)) {
        const std::string name = AddIndex(leaf, true, "(a, k, code)");
        if (Chance(50)) Add("ALTER TABLE " + leaf + " REPLICA IDENTITY USING INDEX " + name);
        if (Chance(50)) Add("ALTER TABLE " + leaf + " CLUSTER ON " + name);
      }
    }
    if (Chance(70)) AddConstraint(p, Name("pu"), "UNIQUE (k, a, code)" + Parameters());
    if (Chance(70)) AddIndex(p, true, "(a, k, code)" + Parameters());
    if (Chance(70)) {
      const std::string name = AddIndex(p, false, "((n + 1), a)");
      if (Chance(50)) Add("ALTER INDEX " + name + " ALTER COLUMN 1 SET STATISTICS 55");
    }
    for (const std::string& leaf : leaves_) {
      if (Chance(30)) AddIndex(leaf, true, "(code)");
      if (Chance(30)) AddIndex(leaf, false, "(iv) WHERE n IS NOT NULL");
    }
  }

  void AddForeignKey() {
    const std::string& child = OneOf(all_);
    const bool plain_child = std::find(plain_.begin(), plain_.end(), child) != plain_.end();
    const bool to_partitioned = !partitioned_.empty() && Chance(20);
    const std::string& parent = to_partitioned ? partitioned_.front() : OneOf(plain_);
    const std::string def =
        std::string(to_partitioned || Chance(20)
                        ? "FOREIGN KEY (ref1, ref2) REFERENCES " + parent + " (a, k)" +
                              (Chance(30) ? " MATCH FULL" : "")
                        : "FOREIGN KEY (ref1) REFERENCES " + parent + " (a)") +
        OneOf({"", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE RESTRICT",
               " ON UPDATE CASCADE ON DELETE SET DEFAULT"}) +
        Deferral();
    const bool partitioned_child = !partitioned_.empty() && child == partitioned_.front();
    if (partitioned_child && Chance(50)) {  // taken over by the parent's, with its own name
      Add("ALTER TABLE " + OneOf(leaves_) + " ADD CONSTRAINT " + Name("pf") + " " + def);
    }
    const std::string name = Name("f");
    Add("ALTER TABLE " + child + " ADD CONSTRAINT " + name + " " + def +
        (plain_child && Chance(25) ? " NOT VALID" : ""));
    Comment("CONSTRAINT " + name + " ON " + child);
    if (partitioned_child && Chance(30)) {  // the same again, of a partition alone
      Add("ALTER TABLE " + OneOf(leaves_) + " ADD CONSTRAINT " + Name("pf") + " " + def);
    }
  }

  void AddTriggers(const std::string& table) {
    static const std::vector<std::string> kWhen = {
        "TRIGGER \x01 AFTER INSERT OR UPDATE OF n, code ON \x02 FOR EACH ROW WHEN (NEW.n > 0)",
        "TRIGGER \x01 AFTER INSERT ON \x02 FOR EACH STATEMENT",
        "CONSTRAINT TRIGGER \x01 AFTER INSERT ON \x02 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
        "TRIGGER \x01 AFTER INSERT ON \x02 FOR EACH ROW"};
    for (int i = Pick(0, 2); i > 0; --i) {
      const std::string name = Name("g");
      std::string sql = "CREATE " + OneOf(kWhen) + " EXECUTE FUNCTION refuse_bad()";
      const bool row = sql.find("EACH ROW") != std::string::npos;
      sql.replace(sql.find('\x01'), 1, name);
      sql.replace(sql.find('\x02'), 1, table);
      const bool partitioned = std::find(leaves_.begin(), leaves_.end(), table) == leaves_.end() &&
                               std::find(plain_.begin(), plain_.end(), table) == plain_.end();
      if (partitioned && sql.find("CONSTRAINT") != std::string::npos) continue;
      Add(sql);
      Comment("TRIGGER " + name + " ON " + table);
      // On 12 an owner cannot reach the copies on partitions: no state of their own there.
      if (partitioned && row && version_ < 130000) continue;
      if (Chance(60)) {
        Add("ALTER TABLE " + std::string(Chance(50) ? "ONLY " : "") + table + " " +
            OneOf({"DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS"}) + " TRIGGER " + name);
      }
      if (partitioned && row && table == partitioned_.front() && Chance(50)) {
        Add("ALTER TABLE " + OneOf(leaves_) + " " + OneOf({"DISABLE", "ENABLE ALWAYS"}) +
            " TRIGGER " + name);
      }
    }
  }

  std::mt19937 random_;
  int version_;
  int names_ = 0;
  std::vector<std::string> statements_;
  std::vector<std::string> plain_;
  std::vector<std::string> partitioned_;
  std::vector<std::string> leaves_;
  std::vector<std::string> all_;
};

}  // namespace liteferry::testing
