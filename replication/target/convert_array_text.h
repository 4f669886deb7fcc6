#pragma once

#include <string>
#include <string_view>

#include "replication/base/value.h"
#include "replication/target/types.h"

// The two ways in which an array is written as text. Not for use outside of replication/target.
namespace liteferry::target::internal {

// Reads an array's text piece by piece. It knows where elements begin and end, and checks brackets
// and separators; how deep they lie and what becomes of an element is its user's business.
// JSON (RFC 8259): an integer of 64 bits is an INTEGER, any other number and each string a TEXT
// (where the element type is a date or timestamp such a number is a REAL); true and false are 1 and
// 0 for boolean only. For elements of json and jsonb each value is one element, as it is written:
// there are no arrays in arrays.
// PostgreSQL's form ({a,"b c",NULL}, chapter "Arrays" of its manual): elements are TEXT, for bytea
// its hexadecimal form. Without bounds ("[2:3]=").
// Values live until the next call.
class ArrayText {
 public:
  enum class Piece { kOpen, kClose, kElement, kNull, kEnd, kWrongElement, kWrong };

  // `text` must outlive this; `type` is of kind kArray.
  ArrayText(std::string_view text, const TargetType& type);

  Piece Next();
  // After kElement.
  const Value& element() const { return element_; }
  // After kWrong, and kWrongElement, which is about the element alone.
  const std::string& reason() const { return reason_; }

 private:
  bool Take(char c);
  void SkipBlanks();
  Piece Wrong(Piece piece, std::string_view reason);
  Piece Malformed();
  Piece ReadJson();
  Piece ReadJsonString();
  Piece ReadJsonNumber();
  Piece ReadJsonWord();
  // Of an element of json or jsonb.
  Piece ReadJsonDocument();
  bool ReadUnicodeEscape();
  bool ReadHex4(char32_t& unit);
  Piece ReadQuoted();
  Piece ReadUnquoted();
  Piece PgElement(std::string_view text);

  std::string_view text_;
  const TargetType& type_;
  const bool json_;
  const bool documents_;  // elements are JSON documents
  bool began_ = false;
  int depth_ = 0;
  bool just_opened_ = false;
  bool after_item_ = false;
  Value element_;
  std::string unescaped_;
  std::string bytes_;
  std::string reason_;
};

}  // namespace liteferry::target::internal
