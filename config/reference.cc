#include <sstream>

#include "config/print.h"

namespace liteferry::config {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Configuration

Every key can stand in a YAML file (`-c`, `--config` or `LITEFERRY_CONFIG`) and, but for those below
`tables`, in an environment variable; the most common ones have a flag. A flag beats the environment,
the environment beats the file. Enough to start: `source.path` and `target.url`.

`liteferry config print` shows what is in force and where each value came from, without secrets. This
text is made by `liteferry config reference`.

- All problems are reported at once. An unknown key, or an unknown variable that begins with
  `LITEFERRY_`, is an error that names the nearest known one. Variables that Kubernetes sets for a
  Service named liteferry (`LITEFERRY_SERVICE_HOST`, `LITEFERRY_PORT_…`) are ignored, and so is a
  variable that is empty.
- In values of the file `${NAME}` is replaced by the environment variable, `${NAME:-default}` by the
  default when the variable is not set or empty, `$$` by a `$`. That happens after the file was
  parsed, so no character of a password can break it. A variable that is not set and has no default
  is an error. Names of keys, tables and columns are not expanded.
- Durations: `200ms`, `5s`, `1h30m`, `7d`. Sizes: plain bytes, `512MiB` (1024²), `1GB` (1000³).
  Lists: `[a, b]` in the file, `a,b` in the environment. Switches: `true` or `false`.

## Target URLs

`target.url`, and the first line of `target.url_file`, may be

- a URI of libpq: `postgresql://user@host:5432/database?sslmode=require`, also with `postgres://`;
- the same with a driver as SQLAlchemy writes it, `postgresql+asyncpg://…`, or with `jdbc:` before it.
  The driver is cut off, asyncpg's `ssl` becomes `sslmode`, and parameters that only concern a driver
  or its pool (such as `prepared_statement_cache_size`) are dropped;
- a keyword string of libpq: `host=orders-rw dbname=app user=app`.

Any other parameter that libpq does not know is an error. Special characters in user and password are
percent-encoded: `@` is `%40`, `/` is `%2F`, `%` is `%25`. A URL given by a flag or the environment
replaces both keys of the file. `DATABASE_URL` is only used when neither key is given anywhere.
)";

constexpr std::string_view kSampleIntroduction =
    R"(# Configuration of liteferry. Every key stands here with its default, or with an example where it has
# none, switched off by the # before it. Needed are source.path and target.url or target.url_file.
# ${NAME} and ${NAME:-default} in values are taken from the environment; $$ is a $.
# A flag beats the environment, the environment beats this file. A key's variable is LITEFERRY_,
# section, key: LITEFERRY_COPY_JOBS; tables are set here only.
)";

// "`0`: do not wait." What zero or nothing means; empty where that is obvious.
std::string ZeroText(const OptionSpec& spec) {
  if (spec.zero.empty()) return {};
  std::string word = "Empty";
  if (!spec.empty_word.empty()) word = "`" + std::string(spec.empty_word) + "`";
  if (spec.type == OptionType::kDuration || spec.type == OptionType::kSize) word = "`0`";
  return " " + word + ": " + std::string(spec.zero) + ".";
}

template <class Owner>
bool IsEmptyDefault(const Option<Owner>& option) {
  const OptionValue value = option.get(Owner{});
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && text->empty();
}

// The default as a table cell.
template <class Owner>
std::string DefaultCell(const Option<Owner>& option) {
  const OptionSpec& spec = option.spec;
  if (!spec.default_text.empty()) {
    // Angle brackets would be taken for HTML.
    const bool code = spec.default_text.find('<') != std::string_view::npos;
    return (code ? "`" : "") + std::string(spec.default_text) + (code ? "`" : "");
  }
  if (IsEmptyDefault(option) && spec.empty_word.empty()) return "none";
  return "`" + YamlValue(spec, option.get(Owner{})) + "`";
}

// Choices read better as code.
std::string AllowedCell(const OptionSpec& spec) {
  if (spec.type != OptionType::kChoice) return AllowedText(spec);
  std::string text;
  for (const std::string_view choice : spec.choices) {
    text += (text.empty() ? "`" : ", `") + std::string(choice) + "`";
  }
  return text;
}

void PrintSectionReference(const std::string& section, std::ostream& out) {
  out << "\n## " << section << "\n\n"
      << "| Key | Default | Allowed | Environment, flag | Meaning |\n|---|---|---|---|---|\n";
  for (const Option<Settings>& option : Options()) {
    const OptionSpec& spec = option.spec;
    if (SectionOf(spec.key) != section) continue;
    out << "| `" << spec.key << "` | " << DefaultCell(option) << " | " << AllowedCell(spec)
        << " | `" << EnvironmentName(spec.key) << "`";
    if (!spec.flag.empty()) out << ", `" << spec.flag << "`";
    out << " | " << spec.description << ZeroText(spec) << (spec.secret ? " Secret." : "") << " |\n";
  }
}

template <class Owner>
void PrintTableRows(std::span<const Option<Owner>> options, std::string_view prefix,
                    std::ostream& out) {
  for (const Option<Owner>& option : options) {
    out << "| `" << prefix << option.spec.key << "` | " << DefaultCell(option) << " | "
        << AllowedCell(option.spec) << " | " << option.spec.description << " |\n";
  }
}

// Comment lines of at most 100 columns.
void PrintComment(const std::string& text, const std::string& indent, std::ostream& out) {
  constexpr std::size_t kWidth = 100;
  std::istringstream words(text);
  std::string line = indent + "#";
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kWidth) {
      out << line << "\n";
      line = indent + "#";
    }
    line += " " + word;
  }
  out << line << "\n";
}

// A key with its comment, switched off.
template <class Owner>
void PrintSampleKey(const Option<Owner>& option, const std::string& indent, std::ostream& out) {
  const OptionSpec& spec = option.spec;
  const bool is_empty = IsEmptyDefault(option);
  PrintComment(std::string(spec.description) + ZeroText(spec), indent, out);
  std::string facts;
  if (spec.type != OptionType::kText || spec.valid != nullptr) {
    facts = "Allowed: " + AllowedText(spec) + ". ";
  }
  if (is_empty && !spec.default_text.empty()) {
    facts += "Default: " + std::string(spec.default_text) + ".";
  } else if (is_empty && !spec.empty_word.empty()) {
    facts += "Default: " + std::string(spec.empty_word) + ".";
  }
  if (!facts.empty()) PrintComment(facts, indent, out);
  out << indent << "#" << LeafOf(spec.key) << ": "
      << YamlValue(spec, is_empty ? OptionValue(std::string(spec.example)) : option.get(Owner{}))
      << "\n";
}

}  // namespace

void PrintReference(std::ostream& out) {
  out << kIntroduction;
  for (const std::string& section : Sections()) PrintSectionReference(section, out);
  out << "\n## tables\n\n"
      << "Exceptions by table and column, named as in SQLite. Only in the file.\n\n"
      << "| Key | Default | Allowed | Meaning |\n|---|---|---|---|\n";
  PrintTableRows(TableOptions(), "tables.<name>.", out);
  PrintTableRows(ColumnOptions(), "tables.<name>.columns.<name>.", out);
}

void PrintSample(std::ostream& out) {
  out << kSampleIntroduction;
  for (const std::string& section : Sections()) {
    out << "\n" << section << ":\n";
    for (const Option<Settings>& option : Options()) {
      if (SectionOf(option.spec.key) != section) continue;
      PrintSampleKey(option, "  ", out);
    }
  }
  out << "\n# Exceptions by table and column, named as in SQLite.\ntables:\n  #customers:\n";
  for (const auto& option : TableOptions()) PrintSampleKey(option, "    ", out);
  out << "    #columns:\n      #created:\n";
  for (const auto& option : ColumnOptions()) PrintSampleKey(option, "        ", out);
}

}  // namespace liteferry::config
