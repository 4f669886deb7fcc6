// The current time in SQLite's ways of asking for it, as a default needs it.
#include <algorithm>
#include <array>
#include <utility>

#include "replication/base/text.h"
#include "replication/schema_expression_internal.h"

namespace liteferry::internal {

using source::Expr;
using source::ExprKind;
using target::TypeKind;

namespace {

constexpr const char* kDateFormat = "YYYY-MM-DD";
constexpr const char* kTimeFormat = "HH24:MI:SS";

// to_char()'s pattern for strftime()'s; "" when there is none.
std::string ToCharFormat(const std::string& format) {
  static constexpr std::array<std::pair<char, const char*>, 12> kFields = {{{'Y', "YYYY"},
                                                                            {'m', "MM"},
                                                                            {'d', "DD"},
                                                                            {'H', "HH24"},
                                                                            {'M', "MI"},
                                                                            {'S', "SS"},
                                                                            {'f', "SS.MS"},
                                                                            {'j', "DDD"},
                                                                            {'F', "YYYY-MM-DD"},
                                                                            {'T', "HH24:MI:SS"},
                                                                            {'R', "HH24:MI"},
                                                                            {'y', "YY"}}};
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    if (c == '%') {
      const char field = ++i < format.size() ? format[i] : '\0';
      const auto* found = std::find_if(kFields.begin(), kFields.end(),
                                       [&](const auto& pair) { return pair.first == field; });
      if (found == kFields.end()) return "";
      out += found->second;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      out += std::string("\"") + c + "\"";
    } else if (c == '"' || c == '\\') {
      return "";
    } else {
      out += c;
    }
  }
  return out;
}

// "+7 days" as " + interval '7 days'"; "" when it is none.
std::string Interval(const std::string& modifier) {
  if (modifier.size() < 3 || (modifier[0] != '+' && modifier[0] != '-')) return "";
  const std::size_t end = modifier.find_first_not_of("0123456789", 1);
  if (end == std::string::npos || end == 1 || end > 10 || modifier[end] != ' ') return "";
  const std::string unit = ToLowerAscii(modifier.substr(end + 1));
  for (const std::string_view known : {"second", "minute", "hour", "day", "month", "year"}) {
    if (unit != known && unit != std::string(known) + "s") continue;
    return " " + modifier.substr(0, 1) + " interval '" + modifier.substr(1, end - 1) + " " + unit +
           "'";
  }
  return "";
}

SqlExpr MakeNow(std::string format) {
  SqlExpr now = MakeSql("now()", kPrecAtom, SqlKind::kNow);
  now.format = std::move(format);
  return now;
}

// Characters of the time as text.
int Width(const SqlExpr& now) {
  const std::string& format = now.format;
  const auto quotes = std::count(format.begin(), format.end(), '"');
  const int hours = format.find("HH24") == std::string::npos ? 0 : 2;       // two digits
  const int milliseconds = format.find("MS") == std::string::npos ? 0 : 1;  // three digits
  return static_cast<int>(format.size()) - static_cast<int>(quotes) - hours + milliseconds;
}

SqlExpr UtcNow(const SqlExpr& now) {
  const std::string base = now.local ? "localtimestamp" : "now() AT TIME ZONE 'UTC'";
  if (now.interval.empty()) {
    return MakeSql(base, now.local ? kPrecAtom : kPrecAtTimeZone, SqlKind::kTime);
  }
  return MakeSql((now.local ? base : "(" + base + ")") + now.interval, kPrecSum, SqlKind::kTime);
}

}  // namespace

std::optional<SqlExpr> Translator::Now(const Expr& expr) {
  if (expr.kind == ExprKind::kCurrent) {
    if (expr.text == "DATE") return MakeNow(kDateFormat);
    if (expr.text == "TIME") return MakeNow(kTimeFormat);
    return MakeNow(std::string(kDateFormat) + " " + kTimeFormat);
  }
  const std::string& name = expr.text;
  const bool has_format = name == "strftime";
  const bool known = has_format || name == "datetime" || name == "date" || name == "time" ||
                     name == "unixepoch" || name == "julianday";
  if (!known) return std::nullopt;
  std::vector<std::string> words;
  for (const Expr& part : expr.parts) {
    const bool text =
        part.kind == ExprKind::kString || (part.kind == ExprKind::kName && part.quoted);
    if (!text) Untranslatable("dates and times are calculated differently");
    words.push_back(part.text);
  }
  if (has_format && words.empty()) Untranslatable("strftime() without a format");
  SqlExpr now = MakeNow("");
  bool subsecond = false;
  for (std::size_t i = has_format ? 1 : 0; i < words.size(); ++i) {
    const std::string word = ToLowerAscii(words[i]);
    const bool first = i == (has_format ? 1U : 0U);
    if (first && word == "now") continue;
    if (first && word != "subsec" && word != "subsecond") {
      Untranslatable("dates and times other than now");
    }
    const std::string interval = Interval(words[i]);
    if (word == "localtime") {
      now.local = true;
    } else if (word == "subsec" || word == "subsecond") {
      subsecond = true;
    } else if (!interval.empty()) {
      now.interval += interval;
    } else if (word != "utc") {
      Untranslatable("the modifier '" + words[i] + "'");
    }
  }
  const std::string seconds =
      "extract(epoch FROM " + (now.interval.empty() ? "now()" : "now()" + now.interval) + ")";
  if (name == "unixepoch" || (has_format && words[0] == "%s")) {
    if (subsecond) {
      return MakeSql(seconds + "::double precision", kPrecCast, SqlKind::kFloat);
    }
    return MakeSql("floor(" + seconds + ")::bigint", kPrecCast, SqlKind::kInt);
  }
  if (name == "julianday") {
    return MakeSql("(" + seconds + " / 86400 + 2440587.5)::double precision", kPrecCast,
                   SqlKind::kFloat);
  }
  const std::string time = subsecond ? "HH24:MI:SS.MS" : kTimeFormat;
  if (name == "date") now.format = kDateFormat;
  if (name == "time") now.format = time;
  if (name == "datetime") now.format = std::string(kDateFormat) + " " + time;
  if (has_format) now.format = ToCharFormat(words[0]);
  if (now.format.empty()) Untranslatable("the format '" + words[0] + "'");
  return now;
}

SqlExpr Translator::CoerceNow(const SqlExpr& now, const ExpressionColumn& column) const {
  const bool has_date = now.format.find("YYYY") != std::string::npos;
  const bool has_time = now.format.find("HH24") != std::string::npos;
  const SqlExpr utc = UtcNow(now);
  switch (column.type.kind) {
    case TypeKind::kTimestamp:
      if (!has_date) break;
      if (has_time) return utc;
      return MakeSql("date_trunc('day', " + utc.sql + ")", kPrecAtom, SqlKind::kTime);
    case TypeKind::kTimestampTz:
      if (!has_date) break;
      if (!has_time) return MakeSql("date_trunc('day', now(), 'UTC')", kPrecAtom, SqlKind::kTime);
      if (now.interval.empty()) return MakeSql("now()", kPrecAtom, SqlKind::kTime);
      return MakeSql("now()" + now.interval, kPrecSum, SqlKind::kTime);
    case TypeKind::kDate:
      if (!has_date) break;
      return MakeSql(Wrap(utc, kPrecCast) + "::date", kPrecCast, SqlKind::kTime);
    case TypeKind::kTime:
      if (!has_time) break;
      return MakeSql(Wrap(utc, kPrecCast) + "::time", kPrecCast, SqlKind::kTime);
    default:
      if (KindOf(column.type.kind) != SqlKind::kText) break;
      if (const int limit = target::LengthLimit(column.type); limit > 0 && limit < Width(now)) {
        Untranslatable("it is longer than " + column.type.name + " holds");
      }
      return AsText(now);
  }
  Untranslatable("the current time as text is no " + column.type.name);
}

}  // namespace liteferry::internal
