#include "daemon/logging.h"

#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/terminal.h"
#include "replication/base/log.h"
#include "replication/base/text.h"

namespace liteferry::daemon {
namespace {

bool IsKeyCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

struct Pair {
  std::string_view key;
  std::string value;
  bool quoted = false;
};

// Takes `key=value` and the space after it off the front of `text`; nothing when it is something
// else.
std::optional<Pair> TakePair(std::string_view& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  Pair pair;
  pair.key = text.substr(0, equals);
  if (!std::all_of(pair.key.begin(), pair.key.end(), IsKeyCharacter)) return std::nullopt;
  std::size_t at = equals + 1;
  if (at < text.size() && text[at] == '"') {
    pair.quoted = true;
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      pair.value += text[at];
    }
    if (at == text.size()) return std::nullopt;  // no closing quote
    ++at;
    if (at < text.size() && text[at] != ' ') return std::nullopt;
  } else {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    pair.value = text.substr(at, end - at);
    at = end;
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return pair;
}

// "" when the message does not begin with one.
std::string TakeEvent(std::string_view& message) {
  if (!message.starts_with("event=")) return "";
  std::string_view rest = message;
  const std::optional<Pair> pair = TakePair(rest);
  if (!pair || pair->value.empty() ||
      !std::all_of(pair->value.begin(), pair->value.end(), IsKeyCharacter)) {
    return "";
  }
  message = rest;
  return pair->value;
}

nlohmann::json FieldValue(const Pair& pair) {
  const char* const end = pair.value.data() + pair.value.size();
  if (!pair.quoted && !pair.value.empty()) {
    std::int64_t integer = 0;
    auto read = std::from_chars(pair.value.data(), end, integer);
    if (read.ec == std::errc() && read.ptr == end) return integer;
    double real = 0;
    const auto real_read = std::from_chars(pair.value.data(), end, real, std::chars_format::fixed);
    if (real_read.ec == std::errc() && real_read.ptr == end && real - real == 0) return real;
  }
  return pair.value;
}

class TerminalSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  TerminalSink(Terminal& terminal, bool json) : terminal_(terminal), json_(json) {}

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    static constexpr std::array<std::string_view, 7> kLevels = {"trace", "debug",    "info", "warn",
                                                                "error", "critical", "off"};
    const std::string_view level = kLevels.at(static_cast<std::size_t>(msg.level));
    const std::string_view message(msg.payload.data(), msg.payload.size());
    terminal_.WriteLine(json_ ? FormatLogJson(msg.time, level, message)
                              : FormatLogText(msg.time, level, message));
  }
  void flush_() override {}

  Terminal& terminal_;
  const bool json_;
};

spdlog::level::level_enum SpdlogLevel(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kDebug:
      return spdlog::level::debug;
    case config::LogLevel::kInfo:
      return spdlog::level::info;
    case config::LogLevel::kWarn:
      return spdlog::level::warn;
    case config::LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

std::string LogValue(std::string_view value) {
  const bool plain =
      !value.empty() && value.find_first_of(" \"\\\n\r\t=") == std::string_view::npos;
  if (plain) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string FormatLogText(std::chrono::system_clock::time_point at, std::string_view level,
                          std::string_view message) {
  std::string line = FormatTimestamp(at) + ' ' + std::string(level);
  line.append(level.size() < 5 ? 6 - level.size() : 1, ' ');
  const std::string event = TakeEvent(message);
  if (!event.empty()) line += event + ' ';
  line += Printable(message);
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string FormatLogJson(std::chrono::system_clock::time_point at, std::string_view level,
                          std::string_view message) {
  nlohmann::ordered_json line;
  line["ts"] = FormatTimestamp(at);
  line["level"] = level;
  const std::string event = TakeEvent(message);
  line["event"] = event.empty() ? "message" : event;
  line["message"] = message;
  while (!event.empty() && !message.empty()) {
    const std::optional<Pair> pair = TakePair(message);
    if (!pair) break;
    const std::string key(pair->key);
    if (!line.contains(key)) line[key] = FieldValue(*pair);
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::shared_ptr<spdlog::logger> MakeLogger(Terminal& terminal, config::LogLevel level,
                                           config::LogFormat format) {
  const bool json = format == config::LogFormat::kJson ||
                    (format == config::LogFormat::kAuto && !terminal.is_terminal());
  auto log =
      std::make_shared<spdlog::logger>("liteferry", std::make_shared<TerminalSink>(terminal, json));
  log->set_level(SpdlogLevel(level));
  return log;
}

}  // namespace liteferry::daemon
