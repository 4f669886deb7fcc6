// What capture costs the application: its statements without triggers, with ours, and with triggers
// that log the whole row as JSON, as other tools do; as ratios to "without", taken within the same
// round, median over the rounds. docs/OVERHEAD.md has figures and the method.
//
//   capture_cost [--rounds N] [--scale PERCENT] [--folder DIR] [--json FILE]
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "replication/source/capture.h"
#include "replication/source/catalog.h"
#include "replication/source/sqlite_handle.h"

namespace liteferry {
namespace {

enum class Variant : std::uint8_t { kNone, kOurs, kJson };
constexpr std::array<const char*, 3> kVariants = {"none", "liteferry", "json image"};

struct Options {
  int rounds = 7;
  int scale = 100;  // percent of the rows
  std::string folder;
  std::string json;
};

struct Closer {
  void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
};
struct Finalizer {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalizer>;

// The application's connection.
class App {
 public:
  explicit App(const std::string& path) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open(path.c_str(), &handle);
    handle_.reset(handle);
    if (code != SQLITE_OK) throw std::runtime_error("cannot open " + path);
  }
  void Run(const std::string& sql) {
    if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      throw std::runtime_error(std::string(sqlite3_errmsg(handle_.get())) + " in " + sql);
    }
  }
  Statement Prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(handle_.get()));
    }
    return Statement(statement);
  }
  void Step(sqlite3_stmt* statement) {
    while (sqlite3_step(statement) == SQLITE_ROW) {
    }
    if (sqlite3_reset(statement) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(handle_.get()));
    }
  }

 private:
  std::unique_ptr<sqlite3, Closer> handle_;
};

// A table c0 INTEGER PRIMARY KEY, c1 TEXT UNIQUE, c2 INT and further columns of text.
struct Shape {
  int columns = 4;
  int bytes = 12;  // of each text
};
constexpr Shape kNarrow{4, 12};
constexpr Shape kWide{20, 59};

std::string CreateTable(const Shape& shape) {
  std::string sql = "CREATE TABLE t(c0 INTEGER PRIMARY KEY, c1 TEXT UNIQUE, c2 INT";
  for (int i = 3; i < shape.columns; ++i) sql += ", c" + std::to_string(i) + " TEXT";
  return sql + ")";
}

// Rows first, first+1, …, made by SQLite itself so that little else is measured.
std::string InsertMany(const Shape& shape, int first, int count) {
  std::string sql = "WITH RECURSIVE n(i) AS (SELECT " + std::to_string(first) +
                    " UNION ALL SELECT i+1 FROM n WHERE i < " + std::to_string(first + count - 1) +
                    ") INSERT INTO t SELECT i, printf('user%08x', i*2654435761 & 4294967295), i";
  const std::string text(static_cast<std::size_t>(shape.bytes), 'p');
  for (int i = 3; i < shape.columns; ++i) sql += ", '" + text + "'";
  return sql + " FROM n";
}

std::string InsertOne(const Shape& shape) {
  std::string sql = "INSERT INTO t VALUES(?1, printf('user%08x', ?1*2654435761 & 4294967295), ?1";
  const std::string text(static_cast<std::size_t>(shape.bytes), 'p');
  for (int i = 3; i < shape.columns; ++i) sql += ", '" + text + "'";
  return sql + ")";
}

std::string JsonTriggers(const Shape& shape) {
  const auto row = [&](const std::string& prefix) {
    std::string object = "json_object(";
    for (int i = 0; i < shape.columns; ++i) {
      const std::string column = "c" + std::to_string(i);
      object += (i > 0 ? ",'" : "'") + column + "'," + prefix + column;
    }
    return object + ")";
  };
  const auto trigger = [](const std::string& event, const std::string& what) {
    return "CREATE TRIGGER log_" + event + " AFTER " + event +
           " ON t BEGIN INSERT INTO log(tbl, op, old, new) VALUES('t','" + event + "'," + what +
           "); END;";
  };
  return "CREATE TABLE log(seq INTEGER PRIMARY KEY, tbl, op, old, new);" +
         trigger("INSERT", "NULL," + row("NEW.")) +
         trigger("UPDATE", row("OLD.") + "," + row("NEW.")) +
         trigger("DELETE", row("OLD.") + ",NULL");
}

struct Workload {
  const char* name;
  Shape shape;
  const char* synchronous;
  int rows;     // there before
  int changes;  // measured
  std::function<void(App&, const Workload&)> run;
};

void OneByOne(App& app, const Workload& work, const std::string& sql, int first) {
  const Statement statement = app.Prepare(sql);
  for (int i = 0; i < work.changes; ++i) {
    sqlite3_bind_int(statement.get(), 1, first + i);
    app.Step(statement.get());
  }
}

void PreparedEachTime(App& app, const Workload& work) {
  for (int i = 0; i < work.changes; ++i) {
    const Statement statement = app.Prepare("UPDATE t SET c2 = c2 + 1 WHERE c0 = ?1");
    sqlite3_bind_int(statement.get(), 1, 1 + i % work.rows);
    app.Step(statement.get());
  }
}

std::vector<Workload> Workloads() {
  const auto insert_each = [](App& app, const Workload& w) {
    OneByOne(app, w, InsertOne(w.shape), w.rows + 1);
  };
  const auto update_each = [](App& app, const Workload& w) {
    OneByOne(app, w, "UPDATE t SET c2 = c2 + 1 WHERE c0 = ?1", 1);
  };
  const auto delete_each = [](App& app, const Workload& w) {
    OneByOne(app, w, "DELETE FROM t WHERE c0 = ?1", 1);
  };
  // Many statements in one transaction, each for one row.
  const auto together = [](const auto& each) {
    return [each](App& app, const Workload& w) {
      app.Run("BEGIN");
      each(app, w);
      app.Run("COMMIT");
    };
  };
  const auto one_statement = [](App& app, const Workload&) { app.Run("UPDATE t SET c2 = c2 + 1"); };
  return {{"insert, one a transaction", kNarrow, "NORMAL", 2000, 15000, insert_each},
          {"update, one a transaction", kNarrow, "NORMAL", 15000, 15000, update_each},
          {"delete, one a transaction", kNarrow, "NORMAL", 15000, 15000, delete_each},
          {"update, prepared each time", kNarrow, "NORMAL", 15000, 15000, PreparedEachTime},
          {"insert wide, one a transaction", kWide, "NORMAL", 2000, 8000, insert_each},
          {"insert, one a transaction, FULL", kNarrow, "FULL", 2000, 1500, insert_each},
          {"update, one a transaction, FULL", kNarrow, "FULL", 2000, 1500, update_each},
          {"bulk insert", kNarrow, "NORMAL", 2000, 100000, together(insert_each)},
          {"bulk update", kNarrow, "NORMAL", 100000, 100000, together(update_each)},
          {"bulk delete", kNarrow, "NORMAL", 100000, 100000, together(delete_each)},
          {"bulk insert wide", kWide, "NORMAL", 2000, 40000, together(insert_each)},
          {"bulk update wide", kWide, "NORMAL", 40000, 40000, together(update_each)},
          {"bulk delete wide", kWide, "NORMAL", 40000, 40000, together(delete_each)},
          {"update of all rows, one statement", kNarrow, "NORMAL", 100000, 100000, one_statement}};
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Sample {
  double seconds = 0;    // CPU, or with FULL of the wall: there the disk is what one waits for
  double wal_bytes = 0;  // written
};

void RemoveDatabase(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
}

Sample Measure(const Workload& work, Variant variant, const std::string& path) {
  RemoveDatabase(path);
  App app(path);
  app.Run("PRAGMA journal_mode=WAL; PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=0");
  app.Run("PRAGMA synchronous=OFF; " + CreateTable(work.shape) + "; " +
          InsertMany(work.shape, 1, work.rows));
  if (variant == Variant::kJson) app.Run(JsonTriggers(work.shape));
  if (variant == Variant::kOurs) {
    source::Database database(path, source::OpenMode::kReadWrite, std::chrono::seconds(1));
    source::Capture(database).Install(source::ReadCatalog(database).tables);
  }
  app.Run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous=" + std::string(work.synchronous));
  const bool full = std::string(work.synchronous) == "FULL";
  const auto now = full ? WallSeconds : CpuSeconds;
  const double begin = now();
  work.run(app, work);
  const double seconds = now() - begin;
  return {seconds, static_cast<double>(std::filesystem::file_size(path + "-wal"))};
}

struct Summary {
  double median = 0;
  double low = 0;
  double high = 0;
};

Summary Summarize(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.front(), values.back()};
}

// [variant][round]
using Rounds = std::array<std::vector<Sample>, 3>;

nlohmann::json Report(const Workload& work, const Rounds& rounds) {
  nlohmann::json entry = {{"workload", work.name}, {"changes", work.changes}};
  std::vector<double> base;
  for (const Sample& sample : rounds[0]) base.push_back(sample.seconds * 1e6 / work.changes);
  entry["us_per_row_without"] = Summarize(base).median;
  std::printf("%-34s %9.2f", work.name, Summarize(base).median);
  for (std::size_t v = 1; v < rounds.size(); ++v) {
    std::vector<double> ratios;
    for (std::size_t r = 0; r < rounds[v].size(); ++r) {
      ratios.push_back(rounds[v][r].seconds / rounds[0][r].seconds);
    }
    const Summary time = Summarize(ratios);
    const double wal = rounds[v][0].wal_bytes / rounds[0][0].wal_bytes;
    entry[kVariants[v]] = {
        {"time", time.median}, {"low", time.low}, {"high", time.high}, {"wal", wal}};
    std::printf("   %5.2f (%.2f-%.2f) wal %4.2f", time.median, time.low, time.high, wal);
  }
  std::printf("\n");
  std::fflush(stdout);
  return entry;
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--rounds") options.rounds = std::stoi(argv[i + 1]);
    if (name == "--scale") options.scale = std::stoi(argv[i + 1]);
    if (name == "--folder") options.folder = argv[i + 1];
    if (name == "--json") options.json = argv[i + 1];
  }
  if (options.folder.empty()) options.folder = std::filesystem::temp_directory_path();
  return options;
}

void Run(const Options& options) {
  std::string path = options.folder + "/capture_cost_XXXXXX";
  const int file = ::mkstemp(path.data());
  if (file < 0) throw std::runtime_error("cannot write to " + options.folder);
  ::close(file);
  std::printf("%-34s %9s   %-26s   %s\n", "ratio to no triggers", "us/row", "liteferry",
              "json image");
  nlohmann::json report = nlohmann::json::array();
  std::mt19937 shuffle(1);
  for (Workload& work : Workloads()) {
    work.rows = std::max(10, work.rows * options.scale / 100);
    work.changes = std::max(10, work.changes * options.scale / 100);
    Rounds rounds;
    for (int round = 0; round < options.rounds; ++round) {
      std::array<Variant, 3> order = {Variant::kNone, Variant::kOurs, Variant::kJson};
      std::shuffle(order.begin(), order.end(), shuffle);
      for (const Variant variant : order) {
        rounds.at(static_cast<std::size_t>(variant)).push_back(Measure(work, variant, path));
      }
    }
    report.push_back(Report(work, rounds));
  }
  RemoveDatabase(path);
  if (options.json.empty()) return;
  std::ofstream out(options.json);
  out << nlohmann::json{{"sqlite", sqlite3_libversion()},
                        {"rounds", options.rounds},
                        {"scale_percent", options.scale},
                        {"workloads", report}}
             .dump(2)
      << "\n";
}

}  // namespace
}  // namespace liteferry

int main(int argc, char** argv) {
  try {
    liteferry::Run(liteferry::Parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "capture_cost: " << error.what() << "\n";
    return 1;
  }
}
