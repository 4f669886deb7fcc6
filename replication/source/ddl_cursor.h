#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "replication/source/ddl.h"
#include "replication/source/sql_tokenizer.h"

namespace liteferry::source {

// A place in a statement, for the parsers of SQLite's DDL. Internal to them. Looking past the end
// is allowed and finds nothing.
class DdlCursor {
 public:
  explicit DdlCursor(std::string_view sql) : sql_(sql), tokens_(Tokenize(sql)) {}

  bool AtEnd() const { return at_ >= tokens_.size(); }
  const Token& Peek(std::size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : kNothing;
  }
  bool Sees(std::string_view word, std::size_t ahead = 0) const { return Peek(ahead).Is(word); }
  bool SeesOperator(std::string_view op, std::size_t ahead = 0) const {
    return !Ended(ahead) && Peek(ahead).IsOperator(op);
  }
  const Token& Next();

  // Takes the word or operator when it comes next.
  bool Take(std::string_view word);
  bool TakeOperator(std::string_view op);
  // Takes all the words or none.
  bool TakeWords(std::initializer_list<std::string_view> words);
  void Expect(std::string_view word);
  void ExpectOperator(std::string_view op);
  // A name: quoted in any way, as a string, or a word.
  std::string ExpectName();

  std::size_t position() const { return at_; }
  // The text of the tokens from `from` up to here.
  std::string TextFrom(std::size_t from) const { return SliceText(sql_, tokens_, from, at_); }
  // Goes behind the ")" that closes the "(" which was just taken.
  void SkipToClose();
  [[noreturn]] void Fail(std::string_view wanted) const;

 private:
  static const Token kNothing;

  bool Ended(std::size_t ahead) const { return at_ + ahead >= tokens_.size(); }

  std::string_view sql_;
  Tokens tokens_;
  std::size_t at_ = 0;
};

// Reads one expression from `cursor`.
Expr ReadExpression(DdlCursor& cursor);
// What may stand behind DEFAULT without parentheses.
Expr ReadTerm(DdlCursor& cursor);
// A type: words and strings, perhaps with numbers in parentheses; "" when there is none.
std::string ReadTypeName(DdlCursor& cursor);
// [schema.]name, without the schema.
std::string QualifiedName(DdlCursor& cursor);
void SkipExistence(DdlCursor& cursor);
void SkipDirection(DdlCursor& cursor);
// One term of an index or a key; its collation is taken off the expression.
IndexTermDefinition ReadIndexTerm(DdlCursor& cursor);

}  // namespace liteferry::source
