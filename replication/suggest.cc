#include "replication/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "replication/base/text.h"

namespace liteferry {
namespace {

using config::Epoch;
using config::OnInvalid;
using target::TypeKind;

using Kind = Suggestion::Kind;

// What share of a column's numbers must point to one unit.
constexpr double kSure = 0.9;

struct Unit {
  Epoch epoch;
  const char* value;
  const char* name;
  double per_second;  // not for Julian days
};

constexpr Unit kUnits[] = {
    {Epoch::kSeconds, "s", "seconds", 1},
    {Epoch::kMilliseconds, "ms", "milliseconds", 1e3},
    {Epoch::kMicroseconds, "us", "microseconds", 1e6},
    {Epoch::kJulian, "julian", "Julian days", 0},
};

const Unit* UnitOf(Epoch epoch) {
  for (const Unit& unit : kUnits) {
    if (unit.epoch == epoch) return &unit;
  }
  return nullptr;
}

int YearOf(double number, const Unit& unit) {
  constexpr double kJulianDayOf1970 = 2'440'587.5;
  const double seconds = unit.epoch == Epoch::kJulian ? (number - kJulianDayOf1970) * 86'400
                                                      : number / unit.per_second;
  const std::chrono::sys_seconds at(
      std::chrono::seconds(static_cast<std::int64_t>(std::floor(seconds))));
  return static_cast<int>(
      std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(at)).year());
}

// Two significant digits, downwards or upwards: enough to see, too little to tell a value.
std::string Coarse(double number, bool up) {
  const double unit = std::pow(10, std::floor(std::log10(number)) - 1);
  const double coarse = (up ? std::ceil(number / unit) : std::floor(number / unit)) * unit;
  std::string text = fmt::format("{:.1e}", coarse);
  text.erase(text.find("e+") + 1, text[text.find("e+") + 2] == '0' ? 2 : 1);
  return text;
}

std::string Count(std::int64_t count, const char* one, const char* many) {
  return GroupDigits(count) + " " + (count == 1 ? one : many);
}

bool HasReason(const ColumnScan& column, std::string_view part) {
  return std::any_of(column.reasons.begin(), column.reasons.end(), [&](const ScanReason& reason) {
    return reason.reason.find(part) != std::string::npos;
  });
}

std::string EpochEvidence(const ColumnScan& column, const EpochBand& band, const Unit& unit) {
  const int first = YearOf(band.smallest, unit);
  const int last = YearOf(band.largest, unit);
  const std::int64_t others = column.numbers() - band.count;
  std::string text =
      GroupDigits(band.count) + " of " + GroupDigits(column.numbers()) + " numbers lie";
  if (others == 0) text = "all " + GroupDigits(band.count) + " numbers lie";
  if (column.numbers() == 1) text = "the only number lies";
  text += " between " + Coarse(band.smallest, false) + " and " + Coarse(band.largest, true) + ": " +
          std::to_string(first) + (first == last ? "" : " to " + std::to_string(last)) + " in " +
          unit.name;
  const std::int64_t refused = column.numbers() - band.accepted;
  if (refused > 0) {
    text += "; " + GroupDigits(refused) + " would still be rejected";
  } else if (others > 0) {
    text += "; " + Count(others, "other would be far from that", "others would be far from that");
  }
  if (const Unit* configured = UnitOf(column.options.epoch)) {
    text += std::string("; configured as ") + configured->value;
  }
  return text;
}

void SuggestEpoch(const ColumnScan& column, std::vector<Suggestion>& suggestions) {
  if (column.numbers() == 0 || column.epochs.empty()) return;
  const auto best =
      std::max_element(column.epochs.begin(), column.epochs.end(),
                       [](const EpochBand& a, const EpochBand& b) { return a.count < b.count; });
  const double enough = kSure * static_cast<double>(column.numbers());
  const Unit* unit = UnitOf(best->epoch);
  if (unit == nullptr || best->epoch == column.options.epoch ||
      static_cast<double>(best->count) < enough) {
    return;
  }
  if (static_cast<double>(best->accepted) >= enough) {
    suggestions.push_back({Kind::kSetting, "epoch", unit->value,
                           EpochEvidence(column, *best, *unit), "", unit->epoch});
  } else if (column.type.kind == TypeKind::kDate) {
    suggestions.push_back({Kind::kType, "type", "timestamp with time zone",
                           std::string("its numbers are ") + unit->name +
                               " since 1970 with a time of day, which a date loses",
                           ""});
  }
}

bool IsTextual(TypeKind kind) {
  return kind == TypeKind::kText || kind == TypeKind::kVarchar || kind == TypeKind::kChar ||
         kind == TypeKind::kJson || kind == TypeKind::kJsonb || kind == TypeKind::kOther;
}

void SuggestOnInvalid(const ColumnScan& column, std::vector<Suggestion>& suggestions) {
  if (column.options.on_invalid != OnInvalid::kReject) return;
  const ColumnProfile& profile = column.profile;
  if (profile.nul_texts > 0 && HasReason(column, "NUL byte") && IsTextual(column.type.kind)) {
    suggestions.push_back({Kind::kOffer, "on_invalid", "strip_nul",
                           Count(profile.nul_texts, "text holds", "texts hold") +
                               " NUL characters, which PostgreSQL has no room for",
                           "they are taken out, so these values are not those of SQLite"});
  }
  const bool takes_empty = IsTextual(column.type.kind) || column.type.kind == TypeKind::kBytea;
  if (profile.empty_texts == 0 || takes_empty) return;
  const std::string empty = Count(profile.empty_texts, "text is", "texts are") + " empty";
  if (column.not_null) {
    suggestions.push_back({Kind::kType, "type", "",
                           empty + ", and the column is NOT NULL: correct the rows in SQLite", ""});
    return;
  }
  const std::int64_t others = column.rejected - profile.empty_texts;
  suggestions.push_back({Kind::kOffer, "on_invalid", "null", empty,
                         "every value that does not fit becomes NULL" +
                             (others > 0 ? ", also " + GroupDigits(others) + " that " +
                                               (others == 1 ? "is" : "are") + " not empty"
                                         : std::string())});
}

// The type that would take what this one refuses, and why; empty when there is none to name.
std::pair<std::string, std::string> BetterType(const ColumnScan& column) {
  const ColumnProfile& profile = column.profile;
  const std::string& name = column.type.name;
  switch (column.type.kind) {
    case TypeKind::kInt2:
    case TypeKind::kInt4:
      if (!HasReason(column, "out of range")) break;
      return {"bigint", "its integers go beyond " + name};
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      if (!HasReason(column, "more characters")) break;
      return {"text",
              "its longest text has " + Count(profile.longest_text, "character", "characters")};
    case TypeKind::kFloat4:
      if (!HasReason(column, "no exact form")) break;
      return {"double precision",
              Count(profile.inexact_floats, "number is", "numbers are") + " another in four bytes"};
    case TypeKind::kNumeric:
      if (!HasReason(column, "digits")) break;
      return {"numeric", "its numbers have more digits than " + name};
    case TypeKind::kTimestamp:
      if (!HasReason(column, "offset would be lost")) break;
      return {"timestamp with time zone",
              Count(profile.zoned_texts, "text names", "texts name") + " a time zone"};
    case TypeKind::kDate:
      if (!HasReason(column, "time of day would be lost") || profile.texts == 0) break;
      return {"timestamp with time zone",
              Count(profile.timestamp_texts + profile.zoned_texts, "text has", "texts have") +
                  " a time of day"};
    case TypeKind::kBool:
      if (!HasReason(column, "neither true nor false") || profile.integers == 0) break;
      return {"", "it holds numbers beside 0 and 1: correct the rows in SQLite"};
    default:
      break;
  }
  return {};
}

}  // namespace

std::vector<Suggestion> SuggestColumn(const ColumnScan& column) {
  std::vector<Suggestion> suggestions;
  if (column.target.empty()) return suggestions;
  SuggestEpoch(column, suggestions);
  if (column.rejected == 0) return suggestions;
  SuggestOnInvalid(column, suggestions);
  const auto [type, evidence] = BetterType(column);
  if (!evidence.empty()) suggestions.push_back({Kind::kType, "type", type, evidence, ""});
  return suggestions;
}

}  // namespace liteferry
