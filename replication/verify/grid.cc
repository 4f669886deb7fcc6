#include "replication/verify/grid.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "replication/base/error.h"
#include "replication/base/text.h"
#include "replication/target/key_writing.h"
#include "replication/target/pg_connection.h"
#include "replication/target/pg_error.h"
#include "replication/target/sql.h"

namespace liteferry::verify {
namespace {

// Texts are asked for in messages of about this size.
constexpr std::size_t kAskBytes = std::size_t{4} << 20;

__extension__ using Wide = unsigned __int128;

struct Secret {
  std::array<std::uint64_t, 4> words;
  Secret() {
    std::random_device random;
    for (std::uint64_t& word : words) word = (std::uint64_t{random()} << 32 | random()) | 1;
  }
};

std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t Load(const char* from, std::size_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, bytes);
  return word;
}

// Two lanes of multiply-and-fold over 16 bytes a step, each under words of its own.
class Hasher {
 public:
  void Add(std::string_view bytes) {
    const Secret& secret = Key();
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    a_ = Fold(a_ ^ left, secret.words[0]);
    b_ = Fold(b_ ^ (left + 1), secret.words[3]);
    while (left > 0) {
      const std::size_t first = std::min<std::size_t>(left, 8);
      const std::uint64_t low = Load(at, first);
      const std::size_t second = std::min<std::size_t>(left - first, 8);
      const std::uint64_t high = Load(at + first, second);
      a_ = Fold(a_ ^ low ^ secret.words[1], high ^ secret.words[2]) + (a_ << 23 | a_ >> 41);
      b_ = Fold(b_ ^ high ^ secret.words[0], low ^ secret.words[3]) + (b_ << 29 | b_ >> 35);
      at += first + second;
      left -= first + second;
    }
  }
  Digest Take() const {
    const Secret& secret = Key();
    return {Fold(a_ ^ secret.words[2], b_ ^ secret.words[1]) ^ a_,
            Fold(b_ ^ secret.words[3], a_ ^ secret.words[0]) ^ b_};
  }

 private:
  static const Secret& Key() {
    static const Secret secret;
    return secret;
  }

  std::uint64_t a_ = 0x9e3779b97f4a7c15ULL;
  std::uint64_t b_ = 0xd1b54a32d192ed03ULL;
};

void AppendSize(std::string& out, std::size_t size) {
  const auto word = static_cast<std::uint32_t>(size);
  char bytes[sizeof word];
  std::memcpy(bytes, &word, sizeof word);
  out.append(bytes, sizeof bytes);
}

void AppendKeyPart(std::string& out, Form form, std::string_view text) {
  out.push_back(form == Form::kNull ? 'n' : 'v');
  if (form == Form::kNull) return;
  AppendSize(out, text.size());
  out.append(text);
}

// A field of COPY's text format without its escapes.
void Unescape(std::string_view field, std::string& out) {
  std::size_t from = 0;
  for (;;) {
    const std::size_t slash = field.find('\\', from);
    out.append(field.substr(from, slash == std::string_view::npos ? slash : slash - from));
    if (slash == std::string_view::npos || slash + 1 >= field.size()) return;
    switch (field[slash + 1]) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'v':
        out.push_back('\v');
        break;
      default:
        out.push_back(field[slash + 1]);
    }
    from = slash + 2;
  }
}

std::vector<std::optional<std::string>> AskOnce(target::PgConnection& connection,
                                                const std::string& type,
                                                const std::vector<std::string_view>& texts) {
  // format() prints by the output function, which a cast to text need not do (inet).
  const target::PgResult found = connection.Exec(
      "SAVEPOINT liteferry_ask; SELECT format('%s', u.x::" + type + ") FROM unnest(" +
      QuoteLiteral(ArrayLiteral(texts)) + "::text[]) WITH ORDINALITY AS u(x, n) ORDER BY u.n");
  connection.ExecLater("RELEASE SAVEPOINT liteferry_ask");
  Require(static_cast<std::size_t>(found.rows()) == texts.size(), "the server lost a form");
  std::vector<std::optional<std::string>> forms;
  for (int i = 0; i < found.rows(); ++i) {
    forms.push_back(found.IsNull(i, 0) ? std::nullopt : std::optional(found.Text(i, 0)));
  }
  return forms;
}

}  // namespace

Digest DigestOf(std::string_view bytes) {
  Hasher hasher;
  hasher.Add(bytes);
  return hasher.Take();
}

Grid::Grid(const TableMapping& table) : table_(table), in_key_(table.columns.size(), false) {
  for (const std::size_t position : table.key) in_key_[position] = true;
}

void Grid::AddExpected(Row row) {
  Require(row.size() == columns(), "a row of the source has another number of columns");
  for (std::size_t i = 0; i < row.size(); ++i) {
    const ColumnPair& pair = table_.columns[i];
    Cell cell;
    cell.at = text_.size();
    cell.form = ExpectedForm(row[i], pair.target.type, pair.options, text_);
    if (cell.form == Form::kNull && pair.target.not_null) cell.form = Form::kUnfit;
    const bool value = cell.form == Form::kText || cell.form == Form::kAsk;
    if (value && in_key_[i] && !target::IsUsualKey(row[i], pair.target.type, pair.options)) {
      cell.form = Form::kUnfit;
    }
    cell.size = static_cast<std::uint32_t>(text_.size() - cell.at);
    ask_ = ask_ || cell.form == Form::kAsk;
    cells_.push_back(cell);
  }
  ++rows_;
}

void Grid::AddObserved(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    const std::size_t tab = line.find('\t');
    std::string_view field = line.substr(0, tab);
    more = tab != std::string_view::npos;
    if (more) line.remove_prefix(tab + 1);
    Require(count < columns(), "a row of the target has too many columns");
    Cell cell;
    cell.at = text_.size();
    if (field != "\\N") {
      cell.form = Form::kText;
      if (field.find('\\') != std::string_view::npos) {
        scratch_.clear();
        Unescape(field, scratch_);
        field = scratch_;
      }
      ObservedForm(table_.columns[count].target.type, field, text_);
    }
    cell.size = static_cast<std::uint32_t>(text_.size() - cell.at);
    cells_.push_back(cell);
  }
  Require(count == columns(), "a row of the target has too few columns");
  ++rows_;
}

void Grid::Resolve(target::PgConnection& connection) {
  if (!ask_) return;
  for (std::size_t column = 0; column < columns(); ++column) {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < rows_; ++row) {
      if (form(row, column) == Form::kAsk) rows.push_back(row);
    }
    if (rows.empty()) continue;
    std::vector<std::string_view> texts;
    for (const std::size_t row : rows) texts.push_back(text(row, column));
    const target::TargetType& type = table_.columns[column].target.type;
    const auto forms = AskForms(connection, type.base_name, texts);
    const bool printed_key = in_key_[column] && target::IsKnownByPrint(type);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Cell& cell = cells_[rows[i] * columns() + column];
      const bool held = forms[i] && (!printed_key || *forms[i] == text(rows[i], column));
      cell.form = held ? Form::kText : Form::kUnfit;
      cell.at = text_.size();
      cell.size = static_cast<std::uint32_t>(forms[i] ? forms[i]->size() : 0);
      if (forms[i]) text_.append(*forms[i]);
    }
  }
  ask_ = false;
}

void Grid::Clear() {
  rows_ = 0;
  cells_.clear();
  text_.clear();
  ask_ = false;
  constexpr std::size_t kKept = std::size_t{32} << 20;
  if (text_.capacity() > kKept) text_.shrink_to_fit();
}

std::string_view Grid::text(std::size_t row, std::size_t column) const {
  const Cell& one = cell(row, column);
  return std::string_view(text_).substr(one.at, one.size);
}

bool Grid::Unfit(std::size_t row) const {
  for (std::size_t i = 0; i < columns(); ++i) {
    if (form(row, i) == Form::kUnfit) return true;
  }
  return false;
}

std::string Grid::Key(std::size_t row) const {
  std::string key;
  for (const std::size_t position : table_.key) {
    if (form(row, position) == Form::kUnfit) return "";
    AppendKeyPart(key, form(row, position), text(row, position));
  }
  return key;
}

Digest Grid::RowDigest(std::size_t row) const {
  Hasher hasher;
  for (std::size_t i = 0; i < columns(); ++i) {
    const char tag = static_cast<char>(form(row, i));
    hasher.Add(std::string_view(&tag, 1));
    hasher.Add(text(row, i));
  }
  return hasher.Take();
}

std::vector<Digest> Grid::CellDigests(std::size_t row) const {
  std::vector<Digest> digests;
  for (std::size_t i = 0; i < columns(); ++i) {
    const char tag = static_cast<char>(form(row, i));
    Hasher hasher;
    hasher.Add(std::string_view(&tag, 1));
    hasher.Add(text(row, i));
    digests.push_back(hasher.Take());
  }
  return digests;
}

bool SameRow(const Grid& a, std::size_t row_a, const Grid& b, std::size_t row_b) {
  for (std::size_t i = 0; i < a.columns(); ++i) {
    if (a.form(row_a, i) != b.form(row_b, i) || a.text(row_a, i) != b.text(row_b, i)) return false;
  }
  return true;
}

std::string KeyForm(const TableMapping& table, Row key, bool& ask) {
  std::string out;
  std::string text;
  for (std::size_t i = 0; i < key.size() && i < table.key.size(); ++i) {
    const ColumnPair& pair = table.columns[table.key[i]];
    text.clear();
    const Form form = ExpectedForm(key[i], pair.target.type, pair.options, text);
    if (form == Form::kUnfit || (form == Form::kNull && pair.target.not_null)) return "";
    if (form != Form::kNull && !target::IsUsualKey(key[i], pair.target.type, pair.options)) {
      return "";
    }
    ask = ask || form == Form::kAsk;
    AppendKeyPart(out, form, text);
  }
  return out;
}

std::vector<std::optional<std::string>> SplitKey(std::string_view key_form) {
  std::vector<std::optional<std::string>> parts;
  while (!key_form.empty()) {
    const bool null = key_form[0] == 'n';
    key_form.remove_prefix(1);
    if (null) {
      parts.emplace_back();
      continue;
    }
    std::uint32_t size = 0;
    std::memcpy(&size, key_form.data(), sizeof size);
    parts.emplace_back(std::string(key_form.substr(sizeof size, size)));
    key_form.remove_prefix(sizeof size + size);
  }
  return parts;
}

void BeginReading(target::PgConnection& connection) { connection.ExecLater(sql::kVerifyBeginSql); }

std::vector<std::optional<std::string>> AskForms(target::PgConnection& connection,
                                                 const std::string& type,
                                                 const std::vector<std::string_view>& texts) {
  std::vector<std::optional<std::string>> forms;
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size() + 4;
  try {
    if (bytes <= kAskBytes || texts.size() == 1) return AskOnce(connection, type, texts);
  } catch (const Error& error) {
    // Input functions have syntax errors of their own (tsvector: 42601).
    if (connection.broken() || !target::BlamesRow(error, true)) throw;
    connection.Exec("ROLLBACK TO SAVEPOINT liteferry_ask; RELEASE SAVEPOINT liteferry_ask");
    if (texts.size() == 1) return {std::nullopt};
  }
  // Too much for one message, or one of them is refused: halves.
  const auto middle = texts.begin() + static_cast<std::ptrdiff_t>(texts.size() / 2);
  forms = AskForms(connection, type, {texts.begin(), middle});
  for (auto& form : AskForms(connection, type, {middle, texts.end()})) {
    forms.push_back(std::move(form));
  }
  return forms;
}

std::string ColumnList(const TableMapping& table) {
  std::vector<std::string> names;
  for (const ColumnPair& pair : table.columns)
    names.push_back("t." + QuoteIdentifier(pair.target.name));
  return Join(names, ", ");
}

void ResolveAlone(Grid& grid, target::PgConnection& connection) {
  if (grid.resolved()) return;
  BeginReading(connection);
  grid.Resolve(connection);
  connection.Rollback();
}

bool HasIntegerKey(const TableMapping& table) {
  using target::TypeKind;
  if (table.key.size() != 1) return false;
  const TypeKind kind = table.columns[table.key[0]].target.type.kind;
  const bool integer =
      kind == TypeKind::kInt2 || kind == TypeKind::kInt4 || kind == TypeKind::kInt8;
  return integer && (table.hidden_rowid || table.source.integer_primary_key >= 0);
}

std::string ArrayLiteral(const std::vector<std::string_view>& elements) {
  std::string out = "{";
  for (const std::string_view element : elements) {
    out += out.size() > 1 ? ",\"" : "\"";
    for (const char c : element) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  return out + "}";
}

}  // namespace liteferry::verify
