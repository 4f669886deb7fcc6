#pragma once

#include <cstdint>

#include "replication/base/value.h"

namespace liteferry {

// What one column of a SQLite table was found to hold, value by value: how often each storage
// class, and of which forms all the values of a class are. It says what the data are, not what they
// should become; that is decided by SuggestColumn (settings) and by the schema translation (types).
// Keeps no value. Single-threaded; two profiles of parts of a table can be merged.
struct ColumnProfile {
  std::int64_t nulls = 0;
  std::int64_t integers = 0;
  std::int64_t reals = 0;
  std::int64_t texts = 0;
  std::int64_t blobs = 0;

  // Of the INTEGER values; meaningful when integers > 0.
  std::int64_t smallest_integer = 0;
  std::int64_t largest_integer = 0;

  // Of the REAL values; the bounds only of finite ones, meaningful when reals > nonfinite_reals.
  std::int64_t nonfinite_reals = 0;
  std::int64_t whole_reals = 0;     // no fraction, and exactly some 64-bit integer
  std::int64_t inexact_floats = 0;  // not the same number as a four-byte float
  double smallest_real = 0;
  double largest_real = 0;

  // Of the TEXT values: how many are of each form (a value may be of several). The forms are those
  // that VALUES.md takes for the type.
  std::int64_t empty_texts = 0;
  std::int64_t boolean_texts = 0;    // t true y yes on f false n no off, not 0 and 1
  std::int64_t integer_texts = 0;    // within 64 bits
  std::int64_t decimal_texts = 0;    // integers among them
  std::int64_t date_texts = 0;       // a date alone
  std::int64_t timestamp_texts = 0;  // date and time of day, without a zone
  std::int64_t zoned_texts = 0;      // date and time of day with a zone or an offset
  std::int64_t time_texts = 0;       // a time of day alone
  std::int64_t finer_times = 0;      // any of these with digits finer than a microsecond
  std::int64_t uuid_texts = 0;       // with dashes or without
  std::int64_t json_texts = 0;       // objects and arrays only: `1` and `"a"` are JSON by accident
  std::int64_t nul_texts = 0;        // hold a NUL character
  std::int64_t invalid_texts = 0;    // are no UTF-8
  std::int64_t longest_text = 0;     // in characters

  // Of the BLOB values.
  std::int64_t uuid_blobs = 0;  // of 16 bytes
  std::int64_t text_blobs = 0;  // UTF-8 without NUL
  std::int64_t longest_blob = 0;

  std::int64_t values() const { return integers + reals + texts + blobs; }

  void Observe(const Value& value);
  void Merge(const ColumnProfile& other);
};

}  // namespace liteferry
