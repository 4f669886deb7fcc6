#pragma once

#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace liteferry::metrics {

// One line of the text format 0.0.4 that holds a value.
struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct Exposition {
  std::vector<std::string> families;  // in the order of their TYPE lines
  std::map<std::string, std::string> types;
  std::map<std::string, std::string> help;
  std::vector<Sample> samples;

  // The value of exactly these labels, nothing when there is no such series.
  std::optional<double> Value(const std::string& name,
                              const std::map<std::string, std::string>& labels = {}) const {
    for (const Sample& sample : samples) {
      if (sample.name == name && sample.labels == labels) return sample.value;
    }
    return std::nullopt;
  }
};

// A parser of the text format that forgives nothing: throws std::runtime_error with the line on any
// departure, on a sample outside its family, and on a series that appears twice.
class ExpositionParser {
 public:
  static Exposition Parse(const std::string& text) {
    ExpositionParser parser;
    if (!text.empty() && text.back() != '\n') throw std::runtime_error("no line feed at the end");
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t end = text.find('\n', at);
      parser.Line(text.substr(at, end - at));
      at = end + 1;
    }
    return parser.result_;
  }

 private:
  void Line(const std::string& line) {
    line_ = line;
    at_ = 0;
    if (line.starts_with("# HELP ")) {
      at_ = 7;
      const std::string name = Name();
      Expect(' ');
      if (!result_.help.emplace(name, line.substr(at_)).second) Fail("second HELP");
    } else if (line.starts_with("# TYPE ")) {
      at_ = 7;
      family_ = Name();
      Expect(' ');
      type_ = line.substr(at_);
      if (type_ != "counter" && type_ != "gauge" && type_ != "histogram") Fail("unknown type");
      if (!result_.types.emplace(family_, type_).second) Fail("second TYPE");
      if (!result_.help.contains(family_)) Fail("TYPE without HELP");
      result_.families.push_back(family_);
    } else {
      ReadSample();
    }
  }

  void ReadSample() {
    Sample sample;
    sample.name = Name();
    if (at_ < line_.size() && line_[at_] == '{') Labels(sample);
    Expect(' ');
    const std::string number = line_.substr(at_);
    std::size_t used = 0;
    try {
      sample.value = std::stod(number, &used);
    } catch (const std::exception&) {
      Fail("not a number");
    }
    if (used != number.size()) Fail("text after the number");
    const std::string suffix =
        sample.name.starts_with(family_) ? sample.name.substr(family_.size()) : "?";
    const bool histogram_part = suffix == "_bucket" || suffix == "_sum" || suffix == "_count";
    if (type_ == "histogram" ? !histogram_part : !suffix.empty()) Fail("outside its family");
    if ((suffix == "_bucket") != sample.labels.contains("le")) Fail("le where it does not belong");
    std::string key = sample.name;
    for (const auto& [name, value] : sample.labels) key += '\0' + name + '\0' + value;
    if (!seen_.insert(key).second) Fail("series appears twice");
    result_.samples.push_back(sample);
  }

  void Labels(Sample& sample) {
    Expect('{');
    for (bool first = true; at_ < line_.size() && line_[at_] != '}'; first = false) {
      if (!first) Expect(',');
      const std::string name = Name();
      Expect('=');
      Expect('"');
      std::string value;
      while (at_ < line_.size() && line_[at_] != '"') {
        char c = line_[at_++];
        if (c == '\\') {
          c = at_ < line_.size() ? line_[at_++] : '?';
          if (c == 'n') {
            c = '\n';
          } else if (c != '\\' && c != '"') {
            Fail("unknown escape");
          }
        }
        value += c;
      }
      Expect('"');
      if (!sample.labels.emplace(name, value).second) Fail("label appears twice");
    }
    Expect('}');
  }

  std::string Name() {
    const std::size_t start = at_;
    const auto fits = [&](char c) {
      return c == '_' || std::isalpha(static_cast<unsigned char>(c)) != 0 ||
             (at_ > start && std::isdigit(static_cast<unsigned char>(c)) != 0);
    };
    while (at_ < line_.size() && fits(line_[at_])) ++at_;
    if (at_ == start) Fail("no name");
    return line_.substr(start, at_ - start);
  }

  void Expect(char c) {
    if (at_ >= line_.size() || line_[at_] != c) Fail(std::string("expected ") + c);
    ++at_;
  }

  [[noreturn]] void Fail(const std::string& why) const {
    throw std::runtime_error(why + " at " + std::to_string(at_) + ": " + line_);
  }

  Exposition result_;
  std::set<std::string> seen_;
  std::string family_;
  std::string type_;
  std::string line_;
  std::size_t at_ = 0;
};

}  // namespace liteferry::metrics
