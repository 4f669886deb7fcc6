#include <type_traits>
#include <utility>

#include "config/checks.h"
#include "config/options.h"

namespace liteferry::config {
namespace {

template <class T>
OptionValue ToValue(const T& stored) {
  if constexpr (std::is_enum_v<T> || (std::is_integral_v<T> && !std::is_same_v<T, bool>)) {
    return static_cast<std::int64_t>(stored);
  } else if constexpr (std::is_same_v<T, Milliseconds>) {
    return std::int64_t{stored.count()};
  } else {
    return stored;
  }
}

template <class T>
void FromValue(const OptionValue& value, T& stored) {
  if constexpr (std::is_enum_v<T> || (std::is_integral_v<T> && !std::is_same_v<T, bool>)) {
    stored = static_cast<T>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, Milliseconds>) {
    stored = Milliseconds(std::get<std::int64_t>(value));
  } else {
    stored = std::get<T>(value);
  }
}

template <auto kSection, auto kMember>
Option<Settings> In(OptionSpec spec) {
  return {std::move(spec),
          [](const Settings& settings) { return ToValue(settings.*kSection.*kMember); },
          [](Settings& settings, const OptionValue& value) {
            FromValue(value, settings.*kSection.*kMember);
          }};
}

template <class Owner, auto kMember>
Option<Owner> Of(OptionSpec spec) {
  return {std::move(spec), [](const Owner& owner) { return ToValue(owner.*kMember); },
          [](Owner& owner, const OptionValue& value) { FromValue(value, owner.*kMember); }};
}

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;

using S = Settings;
using enum OptionType;

// A table, not logic.
// NOLINTNEXTLINE(readability-function-size)
const std::vector<Option<Settings>>& OptionTable() {
  static const std::vector<Option<Settings>> table = {
      In<&S::source, &S::Source::path>({.key = "source.path",
                                        .description = "The SQLite database file. Required.",
                                        .valid = IsFilePath,
                                        .allowed = "the path of a file, not a URL",
                                        .example = "/data/app.db",
                                        .flag = "--source"}),
      In<&S::source, &S::Source::busy_timeout>(
          {.key = "source.busy_timeout",
           .type = kDuration,
           .description =
               "How long to wait while the application holds the database locked, before giving "
               "way and trying again later.",
           .max = kHour,
           .zero = "do not wait"}),
      In<&S::source, &S::Source::exclude>(
          {.key = "source.exclude",
           .type = kList,
           .description =
               "Tables not to replicate, as shell patterns (`*`, `?`, `[abc]`). Wins over "
               "source.include. Tables of SQLite, Litestream and liteferry never are.",
           .valid = IsNamePattern,
           .allowed = "shell patterns, none of them empty, each [ closed"}),
      In<&S::source, &S::Source::include>(
          {.key = "source.include",
           .type = kList,
           .description = "Replicate only tables that match one of these shell patterns.",
           .zero = "all tables",
           .valid = IsNamePattern,
           .allowed = "shell patterns, none of them empty, each [ closed"}),

      In<&S::target, &S::Target::url>(
          {.key = "target.url",
           .type = kUrl,
           .description =
               "The PostgreSQL database: a URL of libpq or SQLAlchemy, or a keyword string "
               "(host=… dbname=…). This or target.url_file is required; without both, the "
               "environment's DATABASE_URL is used when it is a PostgreSQL URL.",
           .example = "postgresql://app@orders-rw:5432/app",
           .flag = "--target",
           .secret = true}),
      In<&S::target, &S::Target::url_file>(
          {.key = "target.url_file",
           .description =
               "A file whose first line is the URL. It is read again at each connect, so a "
               "rotated password needs no restart.",
           .valid = IsFilePath,
           .allowed = "the path of a file that holds the URL, not a URL",
           .example = "/run/secrets/postgresql/uri"}),
      In<&S::target, &S::Target::schema>(
          {.key = "target.schema",
           .description = "The PostgreSQL schema with the application's tables.",
           .valid = IsSchemaName,
           .allowed = "a schema's name of at most 63 bytes, not one of PostgreSQL's own"}),
      In<&S::target, &S::Target::state_schema>(
          {.key = "target.state_schema",
           .description =
               "The PostgreSQL schema for liteferry's own tables. `liteferry cleanup` drops it "
               "with all that is in it.",
           .valid = IsStateSchemaName,
           .allowed =
               "a schema's name of at most 63 bytes, neither public nor one of PostgreSQL's own"}),
      In<&S::target, &S::Target::create_tables>(
          {.key = "target.create_tables",
           .type = kChoice,
           .description =
               "Whether liteferry creates the application's tables: auto creates them when none "
               "of them exists yet, never expects them all, always creates those that are missing.",
           .choices = {"auto", "never", "always"}}),
      In<&S::target, &S::Target::existing_rows>(
          {.key = "target.existing_rows",
           .type = kChoice,
           .description =
               "What to do when, before the first copy, a target table has rows that SQLite does "
               "not have in equal form: refuse halts and names the table, replace deletes the "
               "table's rows.",
           .choices = {"refuse", "replace"}}),
      In<&S::target, &S::Target::connect_timeout>(
          {.key = "target.connect_timeout",
           .type = kDuration,
           .description = "How long an attempt to connect may take.",
           .min = 100,
           .max = 600 * kSecond}),
      In<&S::target, &S::Target::durability>(
          {.key = "target.durability",
           .type = kChoice,
           .description =
               "When a change counts as confirmed, so that it may leave the changelog and a "
               "cutover "
               "may rely on it: local when the primary has committed it, sync when its COMMIT also "
               "waited for a synchronous standby, standby when target.confirm_url shows it.",
           .choices = {"local", "sync", "standby"}}),
      In<&S::target, &S::Target::confirm_url>(
          {.key = "target.confirm_url",
           .type = kUrl,
           .description =
               "A standby of the target, for target.durability: standby; with CloudNativePG the "
               "service that ends in -ro. This or target.confirm_url_file.",
           .example = "postgresql://app@orders-ro:5432/app",
           .secret = true}),
      In<&S::target, &S::Target::confirm_url_file>(
          {.key = "target.confirm_url_file",
           .description = "A file whose first line is that URL, read again at each connect.",
           .valid = IsFilePath,
           .allowed = "the path of a file that holds the URL, not a URL",
           .example = "/run/secrets/postgresql/ro-uri"}),

      In<&S::copy, &S::Copy::jobs>(
          {.key = "copy.jobs",
           .type = kInteger,
           .description =
               "Connections to PostgreSQL that load rows in parallel during the first copy.",
           .unit = "connections",
           .min = 1,
           .max = 64}),
      In<&S::copy, &S::Copy::chunk_rows>({.key = "copy.chunk_rows",
                                          .type = kInteger,
                                          .description = "Rows that are copied in one transaction.",
                                          .unit = "rows",
                                          .min = 1,
                                          .max = 10'000'000}),

      In<&S::apply, &S::Apply::max_batch_changes>(
          {.key = "apply.max_batch_changes",
           .type = kInteger,
           .description =
               "Changes that are applied in one PostgreSQL transaction at most. A larger backlog "
               "is applied in several, and the status says `consistent: false` meanwhile.",
           .unit = "changes",
           .min = 1,
           .max = 10'000'000}),
      In<&S::apply, &S::Apply::on_rewind>(
          {.key = "apply.on_rewind",
           .type = kChoice,
           .description =
               "What to do when a side went back in time and the kept changes do not bridge the "
               "gap (SQLite restored from a backup, PostgreSQL restored or failed over): halt says "
               "so and waits for `liteferry resume --reconcile`; reconcile compares both sides "
               "without being asked, also when the wrong file lies at source.path.",
           .choices = {"halt", "reconcile"}}),

      In<&S::changelog, &S::Changelog::retention>(
          {.key = "changelog.retention",
           .type = kDuration,
           .description =
               "How long changes are kept in SQLite after they were applied, so that they can be "
               "replayed when PostgreSQL loses its last commits in a fail-over.",
           .max = 3650 * 24 * kHour,
           .zero = "only until they are applied"}),
      In<&S::changelog, &S::Changelog::max_size>(
          {.key = "changelog.max_size",
           .type = kSize,
           .description =
               "Above this size applied changes are removed before their retention ends. Changes "
               "that are not applied yet are kept; see changelog.when_full.",
           .min = kMebibyte,
           .max = kMebibyte << 24}),
      In<&S::changelog, &S::Changelog::when_full>(
          {.key = "changelog.when_full",
           .type = kChoice,
           .description =
               "What to do when changes that are not applied yet pass changelog.max_size. They lie "
               "in the application's own database file, and a full disk stops the application. "
               "release takes the triggers away and pauses, as `liteferry pause "
               "--release-capture` does: the file grows no more, and after `liteferry resume` "
               "every table is compared. keep goes on capturing and says so, until the disk has "
               "less than changelog.max_size left; then it does as release does.",
           .choices = {"keep", "release"}}),

      In<&S::verify, &S::Verify::schedule>(
          {.key = "verify.schedule",
           .description =
               "How often to compare both databases completely: this long after the last "
               "comparison ended. It takes a quarter of one processor at most.",
           .zero = "only on demand",
           .valid = IsInterval,
           .allowed = "a duration such as 6h or 7d, from 1s to 365d, or `off`",
           .empty_word = "off",
           .example = "24h"}),

      In<&S::cutover, &S::Cutover::max_pause>(
          {.key = "cutover.max_pause",
           .type = kDuration,
           .description =
               "How long the application's writes may wait during cutover. When that is not "
               "enough, everything is rolled back and the application goes on with SQLite.",
           .min = 100,
           .max = 600 * kSecond}),
      In<&S::cutover, &S::Cutover::on_shutdown>(
          {.key = "cutover.on_shutdown",
           .type = kBool,
           .description =
               "Cut over when the daemon is asked to stop, once everything is applied: for a "
               "deployment whose next start uses PostgreSQL."}),
      In<&S::cutover, &S::Cutover::verify_max_age>(
          {.key = "cutover.verify_max_age",
           .type = kDuration,
           .description =
               "How old the last full comparison without a difference may be when the cutover "
               "begins. What was written since is compared again in any case.",
           .min = 60 * kSecond,
           .max = 365 * 86400 * kSecond}),
      In<&S::cutover, &S::Cutover::on_ready>(
          {.key = "cutover.on_ready",
           .description =
               "What the daemon does once the source is fenced and the application may start on "
               "PostgreSQL: runs this shell command, or posts to this http or https URL. See "
               "docs/CUTOVER.md for what either is told.",
           .zero = "nothing is run",
           .secret = true}),

      In<&S::http, &S::Http::listen>(
          {.key = "http.listen",
           .description = "Where the read-only HTTP server (metrics, health, status) listens.",
           .zero = "no HTTP server",
           .valid = IsListenAddress,
           .allowed = "host:port, :port for all interfaces, or off",
           .empty_word = "off"}),

      In<&S::socket, &S::Socket::path>(
          {.key = "socket.path",
           .description = "The unix socket on which the commands talk to the daemon.",
           .valid = IsFilePath,
           .allowed = "a path",
           .default_text = "<source.path>-liteferry.sock",
           .example = "/run/liteferry/liteferry.sock",
           .flag = "--socket"}),
      In<&S::socket, &S::Socket::mode>(
          {.key = "socket.mode",
           .type = kMode,
           .description =
               "The socket's permissions. Who may write to it may pause, cut over and clean up."}),

      In<&S::log, &S::Log::level>({.key = "log.level",
                                   .type = kChoice,
                                   .description = "The least severe messages that are logged.",
                                   .choices = {"debug", "info", "warn", "error"},
                                   .flag = "--log-level"}),
      In<&S::log, &S::Log::format>(
          {.key = "log.format",
           .type = kChoice,
           .description =
               "The form of log messages: auto is text on a terminal and json otherwise.",
           .choices = {"auto", "text", "json"},
           .flag = "--log-format"}),
  };
  return table;
}

using Column = ColumnSettings;

}  // namespace

std::span<const Option<Settings>> Options() { return OptionTable(); }

std::span<const Option<TableSettings>> TableOptions() {
  static const std::vector<Option<TableSettings>> table = {
      Of<TableSettings, &TableSettings::target>(
          {.key = "target",
           .description = "The PostgreSQL table's name, where it is not the same; "
                          "`other_schema.name` for one that is not in target.schema.",
           .default_text = "same name",
           .example = "customer"}),
  };
  return table;
}

std::span<const Option<ColumnSettings>> ColumnOptions() {
  static const std::vector<Option<ColumnSettings>> table = {
      Of<Column, &Column::target>(
          {.key = "target",
           .description = "The PostgreSQL column's name, where it is not the same.",
           .default_text = "same name",
           .example = "created_at"}),
      Of<Column, &Column::type>(
          {.key = "type",
           .description = "The PostgreSQL type to use where liteferry creates the table.",
           .default_text = "derived from the SQLite type",
           .example = "timestamptz"}),
      Of<Column, &Column::on_invalid>(
          {.key = "on_invalid",
           .type = kChoice,
           .description =
               "What to do with a value that PostgreSQL cannot hold: reject records the row "
               "in rejected_row and leaves it out, null stores NULL instead, strip_nul "
               "removes NUL characters from text and rejects everything else.",
           .choices = {"reject", "null", "strip_nul"}}),
      Of<Column, &Column::epoch>(
          {.key = "epoch",
           .type = kChoice,
           .description = "The unit of numbers in a column that is a date or time in PostgreSQL: "
                          "seconds, milliseconds or microseconds since 1970, or Julian day numbers "
                          "as SQLite's julianday() gives. With none, a number is not accepted "
                          "there.",
           .choices = {"none", "s", "ms", "us", "julian"}}),
  };
  return table;
}

}  // namespace liteferry::config
