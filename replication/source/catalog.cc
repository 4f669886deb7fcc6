#include "replication/source/catalog.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>

#include "replication/base/text.h"
#include "replication/source/sql_tokenizer.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry::source {
namespace {

bool IsOurs(std::string_view name) {
  const std::string lower = ToLowerAscii(name);
  return lower.starts_with("sqlite_") || lower.starts_with("_liteferry_") ||
         lower.starts_with("_litestream_");
}

bool SameName(std::string_view a, std::string_view b) { return ToLowerAscii(a) == ToLowerAscii(b); }

// The collation of a column, which no pragma shows.
std::string CollationOf(Database& database, const std::string& table, const std::string& column) {
  const char* collation = nullptr;
  sqlite3_table_column_metadata(database.handle(), "main", table.c_str(), column.c_str(), nullptr,
                                &collation, nullptr, nullptr, nullptr);
  return collation == nullptr ? "BINARY" : collation;
}

// Prepared once and used for every table.
class Reader {
 public:
  explicit Reader(Database& database)
      : database_(database),
        sql_(database.Prepare(
            "SELECT sql FROM main.sqlite_schema WHERE type = ?1 AND name = ?2 COLLATE NOCASE")),
        columns_(database.Prepare("SELECT name, type, \"notnull\", dflt_value, pk, hidden "
                                  "FROM pragma_table_xinfo(?1, 'main') ORDER BY cid")),
        indexes_(database.Prepare("SELECT name, \"unique\", origin, partial "
                                  "FROM pragma_index_list(?1, 'main') ORDER BY name")),
        terms_(database.Prepare("SELECT cid, coll, \"desc\" FROM pragma_index_xinfo(?1, 'main') "
                                "WHERE key ORDER BY seqno")) {}

  SourceTable Read(const std::string& name, bool without_rowid, bool strict) {
    SourceTable table;
    table.name = name;
    table.without_rowid = without_rowid;
    table.strict = strict;
    table.sql = SqlOf("table", name);
    ReadColumns(table);
    ReadIndexes(table);
    FindIntegerPrimaryKey(table);
    ChooseKey(table);
    table.autoincrement =
        table.integer_primary_key >= 0 && HasWord(Tokenize(table.sql), "AUTOINCREMENT");
    return table;
  }

 private:
  std::string SqlOf(std::string_view type, const std::string& name) {
    sql_.Bind(1, type);
    sql_.Bind(2, std::string_view(name));
    std::string sql = sql_.Step() ? sql_.Text(0) : "";
    sql_.Reset();
    return sql;
  }

  void ReadColumns(SourceTable& table) {
    std::map<int, int> primary_key;  // place in the key to column
    columns_.Bind(1, std::string_view(table.name));
    while (columns_.Step()) {
      SourceColumn column;
      column.name = columns_.Text(0);
      column.declared_type = columns_.Text(1);
      column.not_null = columns_.Int(2) != 0;
      if (!columns_.IsNull(3)) column.default_sql = columns_.Text(3);
      const auto place = static_cast<int>(columns_.Int(4));
      if (place > 0) primary_key[place] = static_cast<int>(table.columns.size());
      const std::int64_t hidden = columns_.Int(5);
      column.hidden = hidden == 1;
      column.generated = hidden == 2 || hidden == 3;
      table.columns.push_back(std::move(column));
    }
    for (const auto& [place, column] : primary_key) table.key_columns.push_back(column);
    const std::vector<ColumnText> texts = ParseCreateTable(table.sql);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      SourceColumn& column = table.columns[i];
      column.collation = CollationOf(database_, table.name, column.name);
      if (i < texts.size() && column.generated && SameName(texts[i].name, column.name)) {
        column.generated_sql = texts[i].generated;
      }
    }
  }

  void ReadIndexes(SourceTable& table) {
    indexes_.Bind(1, std::string_view(table.name));
    while (indexes_.Step()) {
      SourceIndex index;
      index.name = indexes_.Text(0);
      index.unique = indexes_.Int(1) != 0;
      index.primary_key = indexes_.Text(2) == "pk";
      index.partial = indexes_.Int(3) != 0;
      table.indexes.push_back(std::move(index));
    }
    for (SourceIndex& index : table.indexes) ReadTerms(index);
  }

  void ReadTerms(SourceIndex& index) {
    bool expressions = index.partial;
    terms_.Bind(1, std::string_view(index.name));
    while (terms_.Step()) {
      IndexTerm term;
      term.column = static_cast<int>(terms_.Int(0));
      term.collation = terms_.Text(1);
      term.descending = terms_.Int(2) != 0;
      expressions = expressions || term.column == -2;
      index.terms.push_back(std::move(term));
    }
    if (!expressions) return;
    const IndexText text = ParseCreateIndex(SqlOf("index", index.name));
    index.where = text.where;
    Require(text.terms.size() == index.terms.size() && index.partial == !index.where.empty(),
            "cannot read the definition of index " + index.name);
    for (std::size_t i = 0; i < index.terms.size(); ++i) {
      if (index.terms[i].column == -2) index.terms[i].expression = text.terms[i];
    }
  }

  // A rowid by another name is the one primary key that has no index of its own. (Its declaration
  // does not tell: INTEGER PRIMARY KEY DESC is none, PRIMARY KEY(id DESC) is one.)
  static void FindIntegerPrimaryKey(SourceTable& table) {
    if (table.without_rowid || table.key_columns.size() != 1) return;
    const bool has_index = std::any_of(table.indexes.begin(), table.indexes.end(),
                                       [](const SourceIndex& i) { return i.primary_key; });
    if (!has_index) table.integer_primary_key = table.key_columns.front();
  }

  static bool CanBeKey(const SourceTable& table, const SourceIndex& index) {
    if (!index.unique || index.partial) return false;
    return std::all_of(index.terms.begin(), index.terms.end(), [&](const IndexTerm& term) {
      if (term.column < 0 || !IsBuiltInCollation(term.collation)) return false;
      const SourceColumn& column = table.columns[static_cast<std::size_t>(term.column)];
      return column.not_null && !column.generated;
    });
  }

  static void ChooseKey(SourceTable& table) {
    if (!table.without_rowid) {
      for (const char* alias : {"rowid", "_rowid_", "oid"}) {
        const bool hidden =
            std::any_of(table.columns.begin(), table.columns.end(),
                        [&](const SourceColumn& c) { return SameName(c.name, alias); });
        if (hidden) continue;
        table.rowid_alias = alias;
        break;
      }
    }
    if (!table.key_columns.empty()) {
      table.key_kind = KeyKind::kPrimaryKey;
      return;
    }
    const SourceIndex* best = nullptr;
    for (const SourceIndex& index : table.indexes) {
      if (!CanBeKey(table, index)) continue;
      if (best == nullptr || index.terms.size() < best->terms.size()) best = &index;
    }
    if (best == nullptr) return;
    table.key_kind = KeyKind::kUnique;
    for (const IndexTerm& term : best->terms) table.key_columns.push_back(term.column);
  }

  Database& database_;
  Statement sql_;
  Statement columns_;
  Statement indexes_;
  Statement terms_;
};

// The virtual table to which the shadow table `name` belongs.
std::string OwnerOf(const std::string& name, const std::vector<std::string>& virtual_tables) {
  std::string owner = "a virtual table";
  for (const std::string& candidate : virtual_tables) {
    if (ToLowerAscii(name).starts_with(ToLowerAscii(candidate) + "_")) owner = candidate;
  }
  return owner;
}

struct Listed {
  std::string name;
  std::string type;
  bool without_rowid = false;
  bool strict = false;
};

std::vector<Listed> ListTables(Database& database) {
  Statement list = database.Prepare(
      "SELECT name, type, wr, strict FROM pragma_table_list "
      "WHERE schema = 'main' AND type IN ('table', 'virtual', 'shadow') ORDER BY name");
  std::vector<Listed> tables;
  while (list.Step()) {
    std::string name = list.Text(0);
    if (IsOurs(name)) continue;
    tables.push_back({std::move(name), list.Text(1), list.Int(2) != 0, list.Int(3) != 0});
  }
  return tables;
}

SourceCatalog ReadWithin(Database& database) {
  SourceCatalog catalog;
  catalog.schema_version = database.QueryInt("PRAGMA main.schema_version");
  const std::vector<Listed> listed = ListTables(database);
  std::vector<std::string> virtual_tables;
  for (const Listed& table : listed) {
    if (table.type == "virtual") virtual_tables.push_back(table.name);
  }
  Reader reader(database);
  for (const Listed& table : listed) {
    if (table.type == "table") {
      catalog.tables.push_back(reader.Read(table.name, table.without_rowid, table.strict));
    } else if (table.type == "virtual") {
      catalog.skipped.push_back({table.name, "virtual table"});
    } else {
      catalog.skipped.push_back(
          {table.name, "shadow table of " + OwnerOf(table.name, virtual_tables)});
    }
  }
  return catalog;
}

}  // namespace

bool IsBuiltInCollation(std::string_view collation) {
  return SameName(collation, "BINARY") || SameName(collation, "NOCASE") ||
         SameName(collation, "RTRIM");
}

const SourceIndex* KeyIndex(const SourceTable& table) {
  if (table.integer_primary_key >= 0 || table.key_columns.empty()) return nullptr;
  const bool primary = table.key_kind == KeyKind::kPrimaryKey;
  for (const SourceIndex& index : table.indexes) {
    if (index.primary_key != primary || !index.unique || index.partial) continue;
    const bool same = std::equal(
        index.terms.begin(), index.terms.end(), table.key_columns.begin(), table.key_columns.end(),
        [](const IndexTerm& term, int column) { return term.column == column; });
    if (same) return &index;
  }
  return nullptr;
}

SourceCatalog ReadCatalog(Database& database) {
  if (database.InTransaction()) return ReadWithin(database);
  Transaction transaction(database, Transaction::Kind::kRead);
  SourceCatalog catalog = ReadWithin(database);
  transaction.Commit();
  return catalog;
}

SourceInfo ReadInfo(Database& database) {
  SourceInfo info;
  info.page_count = database.QueryInt("PRAGMA main.page_count");
  info.page_size = database.QueryInt("PRAGMA main.page_size");
  info.journal_mode = ToLowerAscii(database.QueryText("PRAGMA main.journal_mode"));
  info.encoding = database.QueryText("PRAGMA main.encoding");
  info.sqlite_version = sqlite3_libversion();
  return info;
}

}  // namespace liteferry::source
