// CREATE TABLE, by the grammar of SQLite's parse.y.
#include <algorithm>
#include <array>
#include <utility>

#include "replication/source/ddl_cursor.h"

namespace liteferry::source {
namespace {

std::string TakeConflict(DdlCursor& cursor) {
  if (!cursor.TakeWords({"ON", "CONFLICT"})) return "";
  return UpperAscii(cursor.Next().text);
}

class TableParser {
 public:
  explicit TableParser(std::string_view sql) : cursor_(sql) {}

  TableDefinition Parse() {
    cursor_.Expect("CREATE");
    if (!cursor_.Take("TEMP")) cursor_.Take("TEMPORARY");
    cursor_.Expect("TABLE");
    SkipExistence(cursor_);
    table_.name = QualifiedName(cursor_);
    cursor_.ExpectOperator("(");
    do {
      if (BeginsTableConstraint()) break;
      Column();
    } while (cursor_.TakeOperator(","));
    // A comma between table constraints may be left out.
    while (!cursor_.SeesOperator(")")) {
      TableConstraint();
      cursor_.TakeOperator(",");
    }
    cursor_.ExpectOperator(")");
    Options();
    return std::move(table_);
  }

 private:
  bool BeginsTableConstraint() const {
    constexpr std::array<std::string_view, 5> kWords = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK",
                                                        "FOREIGN"};
    return std::any_of(kWords.begin(), kWords.end(),
                       [this](auto word) { return cursor_.Sees(word); });
  }

  void Options() {
    while (!cursor_.AtEnd() && !cursor_.SeesOperator(";")) {
      if (cursor_.TakeWords({"WITHOUT", "ROWID"})) {
        table_.without_rowid = true;
      } else if (cursor_.Take("STRICT")) {
        table_.strict = true;
      } else if (!cursor_.TakeOperator(",")) {
        cursor_.Fail("WITHOUT ROWID or STRICT");
      }
    }
  }

  void Column() {
    ColumnDefinition column;
    column.name = cursor_.ExpectName();
    column.type = ReadTypeName(cursor_);
    table_.columns.push_back(std::move(column));
    std::string name;
    while (!cursor_.SeesOperator(",") && !cursor_.SeesOperator(")")) {
      if (BeginsOwnConstraintOfTable()) break;
      if (cursor_.Take("CONSTRAINT")) {
        name = cursor_.ExpectName();
      } else {
        ColumnConstraint(table_.columns.back(), std::exchange(name, ""));
      }
    }
  }

  // After the last column a table constraint may follow without a comma.
  bool BeginsOwnConstraintOfTable() const {
    const std::size_t ahead = cursor_.Sees("CONSTRAINT") ? 2 : 0;
    return cursor_.Sees("FOREIGN", ahead) ||
           (cursor_.Sees("PRIMARY", ahead) && cursor_.SeesOperator("(", ahead + 2)) ||
           (cursor_.Sees("UNIQUE", ahead) && cursor_.SeesOperator("(", ahead + 1));
  }

  void ColumnConstraint(ColumnDefinition& column, std::string name) {
    if (cursor_.Take("DEFAULT")) {
      column.default_value = Default();
    } else if (cursor_.Take("NULL")) {
      TakeConflict(cursor_);
    } else if (cursor_.TakeWords({"NOT", "NULL"})) {
      column.not_null = true;
      column.not_null_conflict = TakeConflict(cursor_);
    } else if (cursor_.TakeWords({"PRIMARY", "KEY"})) {
      SkipDirection(cursor_);
      AddKey(std::move(name), true, {column.name});
      table_.autoincrement = cursor_.Take("AUTOINCREMENT") || table_.autoincrement;
    } else if (cursor_.Take("UNIQUE")) {
      AddKey(std::move(name), false, {column.name});
    } else if (cursor_.Take("CHECK")) {
      Check(std::move(name));
    } else if (cursor_.Take("REFERENCES")) {
      References(std::move(name), {column.name});
    } else if (cursor_.Take("COLLATE")) {
      column.collation = cursor_.ExpectName();
    } else if (cursor_.Sees("DEFERRABLE") || cursor_.Sees("NOT")) {
      Deferral();
    } else {
      Generated(column);
    }
  }

  Expr Default() {
    if (cursor_.TakeOperator("(")) {
      Expr expr = ReadExpression(cursor_);
      cursor_.ExpectOperator(")");
      return expr;
    }
    Expr term = ReadTerm(cursor_);
    if (term.kind == ExprKind::kName) term.kind = ExprKind::kString;
    return term;
  }

  void Generated(ColumnDefinition& column) {
    if (cursor_.Take("GENERATED")) cursor_.Expect("ALWAYS");
    cursor_.Expect("AS");
    cursor_.ExpectOperator("(");
    column.generated = ReadExpression(cursor_);
    cursor_.ExpectOperator(")");
    column.stored = cursor_.Take("STORED");
    if (!column.stored) cursor_.Take("VIRTUAL");
  }

  void AddKey(std::string name, bool primary, std::vector<std::string> columns) {
    table_.keys.push_back({std::move(name), primary, std::move(columns), TakeConflict(cursor_)});
  }

  void Check(std::string name) {
    cursor_.ExpectOperator("(");
    table_.checks.push_back({std::move(name), ReadExpression(cursor_)});
    cursor_.ExpectOperator(")");
    TakeConflict(cursor_);
  }

  std::vector<std::string> NameList() {
    std::vector<std::string> names;
    cursor_.ExpectOperator("(");
    do {
      names.push_back(cursor_.ExpectName());
      // Both have no meaning here, but the grammar of old files has them.
      if (cursor_.Take("COLLATE")) cursor_.ExpectName();
      SkipDirection(cursor_);
    } while (cursor_.TakeOperator(","));
    cursor_.ExpectOperator(")");
    return names;
  }

  void References(std::string name, std::vector<std::string> columns) {
    ForeignKeyDefinition key;
    key.name = std::move(name);
    key.columns = std::move(columns);
    key.parent = cursor_.ExpectName();
    if (cursor_.SeesOperator("(")) key.parent_columns = NameList();
    for (;;) {
      if (cursor_.Take("MATCH")) {
        cursor_.ExpectName();
      } else if (cursor_.Sees("ON") && cursor_.Sees("DELETE", 1)) {
        key.on_delete = Action();
      } else if (cursor_.Sees("ON") && cursor_.Sees("UPDATE", 1)) {
        key.on_update = Action();
      } else if (cursor_.TakeWords({"ON", "INSERT"})) {
        cursor_.Next();
      } else {
        break;
      }
    }
    table_.foreign_keys.push_back(std::move(key));
    if (cursor_.Sees("DEFERRABLE") || (cursor_.Sees("NOT") && cursor_.Sees("DEFERRABLE", 1))) {
      Deferral();
    }
  }

  std::string Action() {
    cursor_.Expect("ON");
    cursor_.Next();
    if (cursor_.TakeWords({"SET", "NULL"})) return "SET NULL";
    if (cursor_.TakeWords({"SET", "DEFAULT"})) return "SET DEFAULT";
    if (cursor_.Take("CASCADE")) return "CASCADE";
    if (cursor_.Take("RESTRICT")) return "RESTRICT";
    if (cursor_.TakeWords({"NO", "ACTION"})) return "";
    cursor_.Fail("an action");
  }

  // Belongs to the foreign key before it.
  void Deferral() {
    const bool never = cursor_.Take("NOT");
    cursor_.Expect("DEFERRABLE");
    bool deferred = false;
    if (cursor_.TakeWords({"INITIALLY", "DEFERRED"})) {
      deferred = true;
    } else {
      cursor_.TakeWords({"INITIALLY", "IMMEDIATE"});
    }
    if (table_.foreign_keys.empty()) return;
    table_.foreign_keys.back().deferrable = !never;
    table_.foreign_keys.back().initially_deferred = !never && deferred;
  }

  void TableConstraint() {
    std::string name;
    while (cursor_.Take("CONSTRAINT")) name = cursor_.ExpectName();
    if (cursor_.TakeWords({"PRIMARY", "KEY"})) {
      Key(std::move(name), true);
    } else if (cursor_.Take("UNIQUE")) {
      Key(std::move(name), false);
    } else if (cursor_.Take("CHECK")) {
      Check(std::move(name));
    } else if (cursor_.TakeWords({"FOREIGN", "KEY"})) {
      std::vector<std::string> columns = NameList();
      cursor_.Expect("REFERENCES");
      References(std::move(name), std::move(columns));
    } else if (!cursor_.SeesOperator(")") && !cursor_.SeesOperator(",")) {
      cursor_.Fail("a constraint");
    }
  }

  void Key(std::string name, bool primary) {
    std::vector<std::string> columns;
    bool plain = true;
    cursor_.ExpectOperator("(");
    do {
      const IndexTermDefinition term = ReadIndexTerm(cursor_);
      const ExprKind kind = term.expression.kind;
      plain = plain && (kind == ExprKind::kName || kind == ExprKind::kString);
      columns.push_back(term.expression.text);
      table_.autoincrement = cursor_.Take("AUTOINCREMENT") || table_.autoincrement;
    } while (cursor_.TakeOperator(","));
    cursor_.ExpectOperator(")");
    if (!plain) columns.clear();
    AddKey(std::move(name), primary, std::move(columns));
  }

  DdlCursor cursor_;
  TableDefinition table_;
};

}  // namespace

TableDefinition ParseTableDefinition(std::string_view sql) { return TableParser(sql).Parse(); }

}  // namespace liteferry::source
