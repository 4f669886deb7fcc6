#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "config/settings.h"

namespace liteferry::config {

// Valid settings with every option of the table set at random, texts full of characters that YAML
// and the expansion of variables care about. No secrets.
class RandomSettings {
 public:
  explicit RandomSettings(std::uint64_t seed) : random_(seed) {}

  Settings Make() {
    Settings settings;
    for (const auto& option : Options()) Fill(option, settings);
    // The URL's two forms exclude each other.
    (random_() % 2 == 0 ? settings.target.url : settings.target.url_file).clear();
    for (std::size_t n = random_() % 4; n > 0; --n) {
      TableSettings& table = settings.tables[Text()];
      for (const auto& option : TableOptions()) Fill(option, table);
      for (std::size_t m = random_() % 4; m > 0; --m) {
        ColumnSettings& column = table.columns[Text()];
        for (const auto& option : ColumnOptions()) Fill(option, column);
      }
    }
    return settings;
  }

  std::string Text() {
    static const std::vector<std::string> pieces = {
        "a",    "B",    "0",    "$",   "${X}", "$$", "#",   " #",  ":", ": ", "\"", "'",
        "\\",   "\n",   "\t",   "-",   "- ",   "? ", "*",   "&x",  "!", "%",  "@",  "`",
        "{",    "}",    "[a",   "]",   ",",    "|",  ">",   "~",   "é", "漢", "\r", "\x1b",
        "\x7f", "null", "true", "off", "1e3",  "=",  "...", "---", " "};
    std::string text = "x";
    // Words that YAML takes for something else must survive alone, too.
    if (random_() % 4 == 0) text.clear();
    for (std::size_t n = 1 + random_() % 8; n > 0; --n) text += pieces[random_() % pieces.size()];
    return text;
  }

 private:
  template <class Owner>
  void Fill(const Option<Owner>& option, Owner& owner) {
    if (random_() % 3 == 0) return;
    option.set(owner, Value(option.spec));
  }

  OptionValue Value(const OptionSpec& spec) {
    switch (spec.type) {
      case OptionType::kText:
        return ValidText(spec);
      case OptionType::kUrl:
        return std::string("postgresql://us%24er$${x}#@h:5432/d%20b?application_name=a'b");
      case OptionType::kList: {
        std::vector<std::string> items;
        for (std::size_t n = random_() % 4; n > 0; --n) items.push_back(ValidText(spec));
        return items;
      }
      case OptionType::kBool:
        return random_() % 2 == 0;
      case OptionType::kMode:
        return static_cast<std::int64_t>(random_() % 01000);
      case OptionType::kChoice:
        return static_cast<std::int64_t>(random_() % spec.choices.size());
      case OptionType::kInteger:
      case OptionType::kSize:
      case OptionType::kDuration:
        break;
    }
    return std::uniform_int_distribution<std::int64_t>(spec.min, spec.max)(random_);
  }

  std::string ValidText(const OptionSpec& spec) {
    if (spec.key == "http.listen") return "[::1]:" + std::to_string(random_() % 65536);
    if (spec.key == "verify.schedule") return std::to_string(1 + random_() % 59) + "h";
    while (true) {
      std::string text = Text();
      if (spec.valid == nullptr || spec.valid(text)) return text;
    }
  }

  std::mt19937_64 random_;
};

template <class Owner>
void ExpectSameOptions(std::span<const Option<Owner>> options, const Owner& a, const Owner& b) {
  for (const Option<Owner>& option : options)
    EXPECT_EQ(option.get(a), option.get(b)) << option.spec.key;
}

inline void ExpectSame(const Settings& a, const Settings& b) {
  ExpectSameOptions(Options(), a, b);
  ASSERT_EQ(a.tables.size(), b.tables.size());
  for (auto i = a.tables.begin(), j = b.tables.begin(); i != a.tables.end(); ++i, ++j) {
    EXPECT_EQ(i->first, j->first);
    ExpectSameOptions(TableOptions(), i->second, j->second);
    const auto& columns = j->second.columns;
    ASSERT_EQ(i->second.columns.size(), columns.size());
    for (auto k = i->second.columns.begin(), l = columns.begin(); l != columns.end(); ++k, ++l) {
      EXPECT_EQ(k->first, l->first);
      ExpectSameOptions(ColumnOptions(), k->second, l->second);
    }
  }
}

}  // namespace liteferry::config
