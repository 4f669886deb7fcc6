// CREATE INDEX, VIEW and TRIGGER, by the grammar of SQLite's parse.y.
#include "replication/source/ddl.h"

#include "replication/base/text.h"
#include "replication/source/ddl_cursor.h"

namespace liteferry::source {
namespace {

// The text from here to the end of the statement.
std::string Rest(DdlCursor& cursor) {
  const std::size_t from = cursor.position();
  while (!cursor.AtEnd() && !(cursor.SeesOperator(";") && cursor.Peek(1).text.empty())) {
    cursor.Next();
  }
  return cursor.TextFrom(from);
}

}  // namespace

IndexDefinition ParseIndexDefinition(std::string_view sql) {
  DdlCursor cursor(sql);
  IndexDefinition index;
  cursor.Expect("CREATE");
  index.unique = cursor.Take("UNIQUE");
  cursor.Expect("INDEX");
  SkipExistence(cursor);
  index.name = QualifiedName(cursor);
  cursor.Expect("ON");
  index.table = cursor.ExpectName();
  cursor.ExpectOperator("(");
  do {
    index.terms.push_back(ReadIndexTerm(cursor));
  } while (cursor.TakeOperator(","));
  cursor.ExpectOperator(")");
  if (cursor.Take("WHERE")) index.where = ReadExpression(cursor);
  return index;
}

ViewDefinition ParseViewDefinition(std::string_view sql) {
  DdlCursor cursor(sql);
  ViewDefinition view;
  cursor.Expect("CREATE");
  if (!cursor.Take("TEMP")) cursor.Take("TEMPORARY");
  cursor.Expect("VIEW");
  SkipExistence(cursor);
  view.name = QualifiedName(cursor);
  if (cursor.TakeOperator("(")) {
    do {
      view.columns.push_back(cursor.ExpectName());
    } while (cursor.TakeOperator(","));
    cursor.ExpectOperator(")");
  }
  cursor.Expect("AS");
  view.select = Rest(cursor);
  return view;
}

TriggerDefinition ParseTriggerDefinition(std::string_view sql) {
  DdlCursor cursor(sql);
  TriggerDefinition trigger;
  cursor.Expect("CREATE");
  if (!cursor.Take("TEMP")) cursor.Take("TEMPORARY");
  cursor.Expect("TRIGGER");
  SkipExistence(cursor);
  trigger.name = QualifiedName(cursor);
  trigger.timing = cursor.TakeWords({"INSTEAD", "OF"}) ? "INSTEAD OF"
                   : cursor.Take("AFTER")              ? "AFTER"
                                                       : (cursor.Take("BEFORE"), "BEFORE");
  trigger.event = UpperAscii(cursor.Next().text);
  if (cursor.Take("OF")) {
    do {
      trigger.columns.push_back(cursor.ExpectName());
    } while (cursor.TakeOperator(","));
  }
  cursor.Expect("ON");
  trigger.table = QualifiedName(cursor);
  cursor.TakeWords({"FOR", "EACH", "ROW"});
  if (cursor.Take("WHEN")) trigger.when = ReadExpression(cursor).source;
  cursor.Expect("BEGIN");
  trigger.body = Rest(cursor);
  if (ToLowerAscii(trigger.body).ends_with("end")) trigger.body.resize(trigger.body.size() - 3);
  while (!trigger.body.empty() && trigger.body.back() <= ' ') trigger.body.pop_back();
  return trigger;
}

}  // namespace liteferry::source
