#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace liteferry::config {

using Milliseconds = std::chrono::milliseconds;

enum class OnInvalid : std::uint8_t { kReject, kNull, kStripNul };
enum class Epoch : std::uint8_t { kNone, kSeconds, kMilliseconds, kMicroseconds, kJulian };
enum class CreateTables : std::uint8_t { kAuto, kNever, kAlways };
enum class ExistingRows : std::uint8_t { kRefuse, kReplace };
enum class Durability : std::uint8_t { kLocal, kSync, kStandby };
enum class OnRewind : std::uint8_t { kHalt, kReconcile };
enum class WhenFull : std::uint8_t { kKeep, kRelease };
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kAuto, kText, kJson };

// tables.<name>.columns.<name>. Empty strings mean "as found".
struct ColumnSettings {
  std::string target;
  std::string type;
  OnInvalid on_invalid = OnInvalid::kReject;
  Epoch epoch = Epoch::kNone;
};

// tables.<name>.
struct TableSettings {
  std::string target;
  std::map<std::string, ColumnSettings> columns;
};

// Everything that can be configured, with its defaults. What each key means, its unit and its range
// stand once, in config/options.cc, which parses, prints and documents them.
struct Settings {
  struct Source {
    std::string path;
    Milliseconds busy_timeout{5000};
    std::vector<std::string> exclude;
    std::vector<std::string> include;
  } source;

  struct Target {
    std::string url;       // a libpq URI, SQLAlchemy's forms already translated; holds secrets
    std::string url_file;  // read again at each connect, so that a rotated password is picked up
    std::string schema = "public";
    std::string state_schema = "liteferry";
    CreateTables create_tables = CreateTables::kAuto;
    ExistingRows existing_rows = ExistingRows::kRefuse;
    Milliseconds connect_timeout{5000};
    Durability durability = Durability::kLocal;
    std::string confirm_url;  // of a standby, as url; holds secrets
    std::string confirm_url_file;
  } target;

  std::map<std::string, TableSettings> tables;

  struct Copy {
    int jobs = 2;
    std::int64_t chunk_rows = 20'000;
  } copy;

  struct Apply {
    std::int64_t max_batch_changes = 20'000;
    OnRewind on_rewind = OnRewind::kHalt;
  } apply;

  struct Changelog {
    Milliseconds retention{std::chrono::hours(24)};
    std::int64_t max_size = std::int64_t{512} << 20;  // bytes
    WhenFull when_full = WhenFull::kKeep;
  } changelog;

  struct Verify {
    std::string schedule;  // a duration between two comparisons; empty for none
  } verify;

  struct Cutover {
    Milliseconds max_pause{3000};
    bool on_shutdown = false;
    Milliseconds verify_max_age{24 * 3600 * 1000};
    std::string on_ready;  // a shell command or a URL, may hold secrets; empty for none
  } cutover;

  struct Http {
    std::string listen = "127.0.0.1:9809";
  } http;

  struct Socket {
    std::string path;  // empty: <source.path>-liteferry.sock
    std::uint32_t mode = 0600;
  } socket;

  struct Log {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kAuto;
  } log;
};

// The socket path in force: socket.path, or its default beside the database.
std::string SocketPath(const Settings& settings);

}  // namespace liteferry::config
