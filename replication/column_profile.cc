#include "replication/column_profile.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "replication/target/text_forms.h"

namespace liteferry {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

std::int64_t CountCharacters(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; });
}

bool IsJsonDocument(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  return nlohmann::json::accept(text);
}

void ObserveInteger(std::int64_t value, ColumnProfile& profile) {
  const bool first = profile.integers++ == 0;
  profile.smallest_integer = first ? value : std::min(profile.smallest_integer, value);
  profile.largest_integer = first ? value : std::max(profile.largest_integer, value);
}

void ObserveReal(double value, ColumnProfile& profile) {
  const bool first = profile.reals++ == profile.nonfinite_reals;
  if (!std::isfinite(value)) {
    ++profile.nonfinite_reals;
    return;
  }
  profile.smallest_real = first ? value : std::min(profile.smallest_real, value);
  profile.largest_real = first ? value : std::max(profile.largest_real, value);
  if (std::trunc(value) == value && value >= -kTwoTo63 && value < kTwoTo63) ++profile.whole_reals;
  if (!target::IsFloat(value)) ++profile.inexact_floats;
}

void ObserveText(std::string_view text, ColumnProfile& profile) {
  ++profile.texts;
  profile.longest_text = std::max(profile.longest_text, CountCharacters(text));
  if (text.empty()) {
    ++profile.empty_texts;
    return;
  }
  if (text.find('\0') != std::string_view::npos) ++profile.nul_texts;
  if (!IsValidUtf8(text)) ++profile.invalid_texts;
  const target::TextForms forms = target::FormsOf(text);
  profile.boolean_texts += forms.boolean;
  profile.integer_texts += forms.integer;
  profile.decimal_texts += forms.decimal;
  profile.date_texts += forms.date;
  profile.timestamp_texts += forms.timestamp;
  profile.zoned_texts += forms.zoned;
  profile.time_texts += forms.time;
  profile.finer_times += forms.finer;
  profile.uuid_texts += forms.uuid;
  profile.json_texts += IsJsonDocument(text);
}

void ObserveBlob(std::string_view blob, ColumnProfile& profile) {
  ++profile.blobs;
  profile.longest_blob = std::max(profile.longest_blob, static_cast<std::int64_t>(blob.size()));
  profile.uuid_blobs += blob.size() == 16;
  profile.text_blobs += blob.find('\0') == std::string_view::npos && IsValidUtf8(blob);
}

// The bounds of the values that are of one side or of both.
template <typename T>
void MergeBounds(T& smallest, T& largest, bool any, const T& other_smallest, const T& other_largest,
                 bool other_any) {
  if (!other_any) return;
  smallest = any ? std::min(smallest, other_smallest) : other_smallest;
  largest = any ? std::max(largest, other_largest) : other_largest;
}

}  // namespace

void ColumnProfile::Observe(const Value& value) {
  switch (value.storage) {
    case StorageClass::kNull:
      ++nulls;
      return;
    case StorageClass::kInteger:
      return ObserveInteger(value.integer, *this);
    case StorageClass::kReal:
      return ObserveReal(value.real, *this);
    case StorageClass::kText:
      return ObserveText(value.bytes, *this);
    case StorageClass::kBlob:
      return ObserveBlob(value.bytes, *this);
  }
}

void ColumnProfile::Merge(const ColumnProfile& other) {
  MergeBounds(smallest_integer, largest_integer, integers > 0, other.smallest_integer,
              other.largest_integer, other.integers > 0);
  MergeBounds(smallest_real, largest_real, reals > nonfinite_reals, other.smallest_real,
              other.largest_real, other.reals > other.nonfinite_reals);
  for (std::int64_t ColumnProfile::*const count :
       {&ColumnProfile::nulls,         &ColumnProfile::integers,
        &ColumnProfile::reals,         &ColumnProfile::texts,
        &ColumnProfile::blobs,         &ColumnProfile::nonfinite_reals,
        &ColumnProfile::whole_reals,   &ColumnProfile::inexact_floats,
        &ColumnProfile::empty_texts,   &ColumnProfile::boolean_texts,
        &ColumnProfile::integer_texts, &ColumnProfile::decimal_texts,
        &ColumnProfile::date_texts,    &ColumnProfile::timestamp_texts,
        &ColumnProfile::zoned_texts,   &ColumnProfile::time_texts,
        &ColumnProfile::finer_times,   &ColumnProfile::uuid_texts,
        &ColumnProfile::json_texts,    &ColumnProfile::nul_texts,
        &ColumnProfile::invalid_texts, &ColumnProfile::uuid_blobs,
        &ColumnProfile::text_blobs}) {
    this->*count += other.*count;
  }
  longest_text = std::max(longest_text, other.longest_text);
  longest_blob = std::max(longest_blob, other.longest_blob);
}

}  // namespace liteferry
