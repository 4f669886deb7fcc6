#pragma once

#include <string_view>

namespace liteferry::target {

// Which types other than text a TEXT value could be read as, each by the very rule by which it
// would be converted. A text may be of several forms: 20240105 is an integer, a decimal and no
// date.
struct TextForms {
  bool boolean = false;    // but not 0 and 1, which are integers
  bool integer = false;    // within 64 bits
  bool decimal = false;    // integers among them
  bool date = false;       // a date alone
  bool timestamp = false;  // date and time of day, without a zone
  bool zoned = false;      // date and time of day with a zone or an offset
  bool time = false;       // a time of day alone
  bool finer = false;      // one of these four with digits beyond the microsecond
  bool uuid = false;
};

// Whether PostgreSQL's real holds this number. Pure.
bool IsFloat(double real);

// Pure.
TextForms FormsOf(std::string_view text);

}  // namespace liteferry::target
