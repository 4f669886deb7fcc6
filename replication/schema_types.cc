#include "replication/schema_types.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "replication/base/text.h"

namespace liteferry {
namespace {

using target::TargetType;
using target::TypeKind;

constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;

struct NamedKind {
  std::string_view name;
  TypeKind kind;
};
// The first name of each kind is the one that is printed.
constexpr std::array<NamedKind, 39> kNames = {{
    {"boolean", TypeKind::kBool},
    {"bool", TypeKind::kBool},
    {"smallint", TypeKind::kInt2},
    {"int2", TypeKind::kInt2},
    {"integer", TypeKind::kInt4},
    {"int", TypeKind::kInt4},
    {"int4", TypeKind::kInt4},
    {"bigint", TypeKind::kInt8},
    {"int8", TypeKind::kInt8},
    {"real", TypeKind::kFloat4},
    {"float4", TypeKind::kFloat4},
    {"double precision", TypeKind::kFloat8},
    {"float8", TypeKind::kFloat8},
    {"float", TypeKind::kFloat8},
    {"numeric", TypeKind::kNumeric},
    {"decimal", TypeKind::kNumeric},
    {"text", TypeKind::kText},
    {"citext", TypeKind::kText},
    {"name", TypeKind::kText},
    {"varchar", TypeKind::kVarchar},
    {"character varying", TypeKind::kVarchar},
    {"char", TypeKind::kChar},
    {"character", TypeKind::kChar},
    {"bpchar", TypeKind::kChar},
    {"bytea", TypeKind::kBytea},
    {"date", TypeKind::kDate},
    {"time", TypeKind::kTime},
    {"time without time zone", TypeKind::kTime},
    {"timestamp", TypeKind::kTimestamp},
    {"timestamp without time zone", TypeKind::kTimestamp},
    {"timestamptz", TypeKind::kTimestampTz},
    {"timestamp with time zone", TypeKind::kTimestampTz},
    {"uuid", TypeKind::kUuid},
    {"json", TypeKind::kJson},
    {"jsonb", TypeKind::kJsonb},
    {"serial", TypeKind::kInt4},
    {"bigserial", TypeKind::kInt8},
    {"serial4", TypeKind::kInt4},
    {"serial8", TypeKind::kInt8},
}};

std::string_view NameOfKind(TypeKind kind) {
  for (const NamedKind& named : kNames) {
    if (named.kind == kind) return named.name;
  }
  return "text";
}

// A declared type taken apart: "NUMERIC (10, 2) UNSIGNED" is its words without the parentheses, and
// the numbers in them.
struct Declared {
  std::string words;  // upper case, single spaces
  std::vector<std::int32_t> numbers;

  bool Has(std::string_view part) const { return words.find(part) != std::string::npos; }
  std::int32_t Number(std::size_t i) const { return i < numbers.size() ? numbers[i] : 0; }
};

Declared TakeApart(std::string_view type) {
  Declared declared;
  bool inside = false;
  bool digits = false;
  for (const char raw : type) {
    const char c = raw >= 'a' && raw <= 'z' ? static_cast<char>(raw - 'a' + 'A') : raw;
    if (c == '(') inside = true;
    if (inside && c >= '0' && c <= '9') {
      if (!digits) declared.numbers.push_back(0);
      std::int32_t& number = declared.numbers.back();
      if (number < 100'000'000) number = number * 10 + (c - '0');
    }
    digits = c >= '0' && c <= '9';
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == ')';
    if (!inside && !space) declared.words.push_back(c);
    if (space && !declared.words.empty() && declared.words.back() != ' ') declared.words += ' ';
    if (c == ')') inside = false;
  }
  if (declared.words.ends_with(' ')) declared.words.pop_back();
  return declared;
}

std::vector<TypeCandidate> One(TypeKind kind, std::int32_t length = 0, std::int32_t scale = 0) {
  return {{MakeType(kind, length, scale), false}};
}

std::vector<TypeCandidate> Integers(const Declared& declared) {
  const bool is_unsigned = declared.Has("UNSIGNED");
  if (declared.Has("TINYINT")) {
    // Frameworks write BOOLEAN so.
    if (declared.Number(0) == 1) {
      return {{MakeType(TypeKind::kBool), true}, {MakeType(TypeKind::kInt2), false}};
    }
    return One(TypeKind::kInt2);
  }
  if (declared.Has("SMALLINT") || declared.Has("INT2")) {
    return One(is_unsigned ? TypeKind::kInt4 : TypeKind::kInt2);
  }
  if (declared.Has("MEDIUMINT") || declared.Has("INT4")) {
    return One(is_unsigned ? TypeKind::kInt8 : TypeKind::kInt4);
  }
  // Whatever it is called, SQLite's integer has 64 bits.
  return One(TypeKind::kInt8);
}

std::vector<TypeCandidate> Characters(const Declared& declared) {
  const std::int32_t length = declared.Number(0);
  if (length <= 0 || length > 10'485'760) return One(TypeKind::kText);
  // Frameworks keep UUIDs so.
  if (!declared.Has("VAR") && (length == 32 || length == 36)) {
    return {{MakeType(TypeKind::kUuid), true}, {MakeType(TypeKind::kVarchar, length), false}};
  }
  return One(TypeKind::kVarchar, length);
}

std::vector<TypeCandidate> Times(const Declared& declared) {
  if (declared.Has("TIMESTAMPTZ") || declared.Has("DATETIMEOFFSET") ||
      (declared.Has("TIMESTAMP") && declared.Has("WITH TIME ZONE"))) {
    return One(TypeKind::kTimestampTz);
  }
  if (declared.Has("DATETIME") || declared.Has("TIMESTAMP")) return One(TypeKind::kTimestamp);
  return One(declared.Has("DATE") ? TypeKind::kDate : TypeKind::kTime);
}

std::vector<TypeCandidate> Numbers(const Declared& declared) {
  const std::int32_t precision = declared.Number(0);
  const std::int32_t scale = declared.Number(1);
  if (precision < 1 || precision > 1000 || scale > precision) return One(TypeKind::kNumeric);
  return One(TypeKind::kNumeric, precision, scale);
}

// In the order of the names, not of the affinities: frameworks mean what they write. "" gives none.
std::vector<TypeCandidate> ByDeclaration(const Declared& declared) {
  const std::string& words = declared.words;
  if (words.empty() || words == "ANY") return {};
  if (declared.Has("BOOL")) return One(TypeKind::kBool);
  if (declared.Has("INTERVAL") || declared.Has("POINT")) return One(TypeKind::kText);
  if (declared.Has("INT")) return Integers(declared);
  if (declared.Has("UUID") || words == "GUID" || words == "UNIQUEIDENTIFIER") {
    return One(TypeKind::kUuid);
  }
  if (declared.Has("CHAR")) return Characters(declared);
  if (declared.Has("TEXT") || declared.Has("CLOB") || declared.Has("STRING")) {
    return One(TypeKind::kText);
  }
  if (declared.Has("BLOB") || declared.Has("BINARY") || declared.Has("BYTEA") || words == "IMAGE") {
    return One(TypeKind::kBytea);
  }
  if (declared.Has("JSONB")) return One(TypeKind::kJsonb);
  if (declared.Has("JSON")) return One(TypeKind::kJson);
  if (declared.Has("DATE") || declared.Has("TIME")) return Times(declared);
  if (declared.Has("REAL") || declared.Has("FLOA") || declared.Has("DOUB")) {
    return One(TypeKind::kFloat8);
  }
  if (declared.Has("NUM") || declared.Has("DEC") || declared.Has("MONEY") ||
      declared.Has("CURRENCY")) {
    return Numbers(declared);
  }
  return {};  // an unknown word: SQLite takes anything there
}

std::string Digest(const ColumnProfile& profile) {
  std::vector<std::string> parts;
  const auto add = [&](std::int64_t count, const char* one, const char* many) {
    if (count == 0) return;
    parts.push_back(GroupDigits(count) + " " + (count == 1 ? one : many));
  };
  add(profile.integers, "integer", "integers");
  add(profile.reals, "real", "reals");
  add(profile.texts, "text", "texts");
  add(profile.blobs, "BLOB", "BLOBs");
  return Join(parts, ", ");
}

// Which unit of time since 1970 the integers of a column look like: 2001 to 2065.
std::string LooksLikeEpoch(const ColumnProfile& profile) {
  if (profile.integers == 0 || profile.texts + profile.blobs > 0) return "";
  constexpr std::array<std::pair<const char*, std::int64_t>, 3> kUnits = {
      {{"s", 1}, {"ms", 1000}, {"us", 1'000'000}}};
  for (const auto& [unit, factor] : kUnits) {
    if (profile.smallest_integer >= 1'000'000'000 * factor &&
        profile.largest_integer <= 3'000'000'000 * factor) {
      return unit;
    }
  }
  return "";
}

bool IsTimeKind(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTime || kind == TypeKind::kTimestamp ||
         kind == TypeKind::kTimestampTz;
}

// What to fall back to, narrowest first.
std::vector<TypeKind> Ladder(TypeKind wanted) {
  using enum TypeKind;
  if (IsTimeKind(wanted)) {
    return {kTimestamp, kTimestampTz, kInt8, kFloat8, kNumeric, kText, kBytea};
  }
  switch (wanted) {
    case kBool:
    case kInt2:
    case kInt4:
    case kInt8:
    case kFloat4:
    case kFloat8:
      return {kInt8, kFloat8, kNumeric, kText, kBytea};
    case kNumeric:
      return {kNumeric, kFloat8, kText, kBytea};
    case kBytea:
      return {kBytea, kText};
    default:
      return {kText, kBytea};
  }
}

// For a column whose declaration says nothing. Numbers in text are not taken for numbers.
TypeKind ByValues(const ColumnProfile& profile) {
  if (profile.values() == 0) return TypeKind::kText;
  if (profile.texts > 0) {
    return ProfileFits(profile, TypeKind::kText) ? TypeKind::kText : TypeKind::kBytea;
  }
  if (profile.blobs > 0) {
    return ProfileFits(profile, TypeKind::kBytea) ? TypeKind::kBytea : TypeKind::kText;
  }
  if (profile.reals == 0) return TypeKind::kInt8;
  return ProfileFits(profile, TypeKind::kFloat8) ? TypeKind::kFloat8 : TypeKind::kText;
}

std::int64_t RejectedBy(const ColumnProfile& profile, TypeKind kind) {
  if (kind == TypeKind::kBytea) return profile.integers + profile.reals;
  return profile.nul_texts + profile.invalid_texts + profile.blobs - profile.text_blobs;
}

TypeChoice FallBack(const TargetType& wanted, std::int64_t misfits, const ColumnProfile& profile) {
  TypeChoice choice;
  choice.reason = GroupDigits(misfits) + " of " + GroupDigits(profile.values()) + " values (" +
                  Digest(profile) + ") " + (misfits == 1 ? "does" : "do") + " not fit " +
                  wanted.name;
  if (profile.nul_texts > 0) {
    choice.reason += "; " + GroupDigits(profile.nul_texts) + " with a NUL character";
  }
  if (profile.invalid_texts > 0) {
    choice.reason += "; " + GroupDigits(profile.invalid_texts) + " not UTF-8";
  }
  const std::string epoch = IsTimeKind(wanted.kind) ? LooksLikeEpoch(profile) : "";
  if (!epoch.empty()) {
    choice.reason += "; they look like times since 1970: with `epoch: " + epoch +
                     "` the column becomes timestamptz";
  }
  for (const TypeKind kind : Ladder(wanted.kind)) {
    if (!ProfileFits(profile, kind)) continue;
    choice.type = MakeType(kind);
    return choice;
  }
  const std::int64_t as_text = RejectedBy(profile, TypeKind::kText);
  const std::int64_t as_bytes = RejectedBy(profile, TypeKind::kBytea);
  choice.type = MakeType(as_text <= as_bytes ? TypeKind::kText : TypeKind::kBytea);
  choice.rejected = std::min(as_text, as_bytes);
  return choice;
}

TypeChoice WithoutSuggestion(const source::SourceColumn& column, const ColumnEvidence* evidence) {
  TypeChoice choice;
  choice.type = MakeType(TypeKind::kText);
  if (evidence == nullptr) {
    choice.reason = column.declared_type.empty()
                        ? "declared without a type"
                        : "declared as " + column.declared_type + ", which says nothing of it";
    return choice;
  }
  choice.type = MakeType(ByValues(evidence->profile));
  choice.rejected = ProfileFits(evidence->profile, choice.type.kind)
                        ? 0
                        : RejectedBy(evidence->profile, choice.type.kind);
  const std::string digest = Digest(evidence->profile);
  choice.reason = (column.declared_type.empty() ? "declared without a type"
                                                : "declared as " + column.declared_type) +
                  std::string(digest.empty() ? "; no values" : "; all values: ") + digest;
  return choice;
}

}  // namespace

Affinity AffinityOf(std::string_view declared_type) {
  const std::string words = TakeApart(declared_type).words;
  const auto has = [&](std::string_view part) { return words.find(part) != std::string::npos; };
  if (has("INT")) return Affinity::kInteger;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return Affinity::kText;
  if (has("BLOB") || words.empty()) return Affinity::kBlob;
  if (has("REAL") || has("FLOA") || has("DOUB")) return Affinity::kReal;
  return Affinity::kNumeric;
}

TargetType MakeType(TypeKind kind, std::int32_t length, std::int32_t scale) {
  TargetType type;
  type.kind = kind;
  type.name = NameOfKind(kind);
  if (length > 0) {
    // As in typmods: numeric packs precision and scale, all add the header's four bytes.
    type.typmod = kind == TypeKind::kNumeric ? ((length << 16) | scale) + 4 : length + 4;
    type.name += "(" + std::to_string(length) +
                 (kind == TypeKind::kNumeric ? "," + std::to_string(scale) : "") + ")";
  }
  type.base_name = type.name;
  return type;
}

TargetType NamedType(std::string_view name) {
  const Declared declared = TakeApart(name);
  const std::string words = ToLowerAscii(declared.words);
  const auto found = std::find_if(kNames.begin(), kNames.end(),
                                  [&](const NamedKind& named) { return named.name == words; });
  TargetType type;
  if (found != kNames.end() && name.find('[') == std::string_view::npos) {
    const bool sized = found->kind == TypeKind::kNumeric || found->kind == TypeKind::kVarchar ||
                       found->kind == TypeKind::kChar;
    const std::int32_t length = found->kind == TypeKind::kChar && declared.numbers.empty()
                                    ? (words == "bpchar" ? 0 : 1)
                                    : declared.Number(0);
    type = MakeType(found->kind, sized ? length : 0, declared.Number(1));
    // Fraction digits.
    if (IsTimeKind(found->kind) && !declared.numbers.empty()) type.typmod = declared.Number(0);
  }
  type.name = type.base_name = std::string(name);
  return type;
}

std::vector<TypeCandidate> SuggestedTypes(const source::SourceColumn& column, bool strict,
                                          const config::ColumnSettings& settings) {
  if (!settings.type.empty()) return {{NamedType(settings.type), false}};
  if (settings.epoch != config::Epoch::kNone) return One(TypeKind::kTimestampTz);
  if (strict && ToLowerAscii(column.declared_type) == "any") return {};
  return ByDeclaration(TakeApart(column.declared_type));
}

bool ProfileFits(const ColumnProfile& profile, TypeKind type) {
  const bool no_blobs = profile.blobs == 0;
  const bool only_texts = no_blobs && profile.integers == 0 && profile.reals == 0;
  switch (type) {
    case TypeKind::kInt8:
      return no_blobs && profile.whole_reals == profile.reals &&
             profile.integer_texts == profile.texts;
    case TypeKind::kFloat8:
      return no_blobs && profile.texts == 0 &&
             (profile.integers == 0 || (profile.smallest_integer >= -kExactInDouble &&
                                        profile.largest_integer <= kExactInDouble));
    case TypeKind::kNumeric:
      return no_blobs && profile.nonfinite_reals == 0 && profile.decimal_texts == profile.texts;
    case TypeKind::kTimestamp:
      return only_texts && profile.date_texts + profile.timestamp_texts == profile.texts;
    case TypeKind::kTimestampTz:
      return only_texts &&
             profile.date_texts + profile.timestamp_texts + profile.zoned_texts == profile.texts;
    case TypeKind::kText:
      return profile.nul_texts == 0 && profile.invalid_texts == 0 &&
             profile.text_blobs == profile.blobs;
    case TypeKind::kBytea:
      return profile.integers == 0 && profile.reals == 0;
    default:
      return false;
  }
}

TypeChoice ChooseType(const source::SourceColumn& column, bool strict,
                      const config::ColumnSettings& settings, const ColumnEvidence* evidence) {
  const std::vector<TypeCandidate> suggested = SuggestedTypes(column, strict, settings);
  if (suggested.empty()) return WithoutSuggestion(column, evidence);
  const auto plain = std::find_if(suggested.begin(), suggested.end(),
                                  [](const TypeCandidate& c) { return !c.needs_evidence; });
  TypeChoice choice;
  if (evidence == nullptr) {
    choice.type = plain->type;
    return choice;
  }
  for (std::size_t i = 0; i < suggested.size(); ++i) {
    if (suggested[i].needs_evidence && evidence->profile.values() == 0) continue;
    if (evidence->misfits[i] > 0 && settings.type.empty()) continue;
    choice.type = suggested[i].type;
    choice.rejected = evidence->misfits[i];
    return choice;
  }
  return FallBack(plain->type,
                  evidence->misfits[static_cast<std::size_t>(plain - suggested.begin())],
                  evidence->profile);
}

}  // namespace liteferry
