#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace spdlog {
class logger;
}

// The form of log messages
//
// A message is `event=NAME` and then `key=value` pairs, separated by single spaces:
//
//   event=copy_started table=notes rows=5000
//   event=target_lost reason="server closed the connection" attempt=3
//
// NAME and keys are of [a-z0-9_]; names of events are stable, people search and alert by them. A
// value with a space, a quote or nothing in it stands in double quotes, with \" and \\ inside;
// LogValue() does it. Free text may follow the pairs. Never a row's value, never a secret.
//
// As text: `2026-11-22T18:37:00.123Z info  copy_started table=notes rows=5000`. As JSON, one object
// per line: ts, level, event ("message" when there is none), message (what follows the event), and
// every pair as a field of its own, numbers as numbers; a pair named like one of the four is only
// in message.
namespace liteferry::daemon {

class Terminal;

// A value as it may stand after `key=`.
std::string LogValue(std::string_view value);

// One line for one message, without its line feed. Pure; for any bytes the JSON is valid.
std::string FormatLogText(std::chrono::system_clock::time_point at, std::string_view level,
                          std::string_view message);
std::string FormatLogJson(std::chrono::system_clock::time_point at, std::string_view level,
                          std::string_view message);

// A logger that writes to `terminal`, which must outlive it. kAuto is text on a terminal, else
// JSON. Thread-safe.
std::shared_ptr<spdlog::logger> MakeLogger(Terminal& terminal, config::LogLevel level,
                                           config::LogFormat format);

}  // namespace liteferry::daemon
