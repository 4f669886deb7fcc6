#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "replication/base/spill_buffer.h"
#include "replication/verify/run.h"

namespace liteferry::daemon {

// What a comparison found, for people and as JSON. The differing keys are kept complete for JSON
// (beyond some memory in a temporary file), for people the first of each table. Keys, no values.
// RunVerify calls Add() from its jobs, one at a time; the rest is for one thread.
class VerifyReport {
 public:
  explicit VerifyReport(bool json) : json_(json) {}

  void Add(const std::string& table, const verify::Difference& difference);
  void WriteText(const verify::RunResult& result, std::ostream& out) const;
  void WriteJson(const verify::RunResult& result, bool daemon_running, std::ostream& out) const;

 private:
  static constexpr int kShownPerTable = 20;

  const bool json_;
  SpillBuffer lines_{std::size_t{1} << 20};  // JSON objects with commas between
  std::map<std::string, std::string> shown_;
  std::map<std::string, int> count_;
};

// "12 345 678 of about 20 000 000 rows, 3 of 10 tables, 0 differences".
std::string DescribeRun(const verify::RunProgress& progress);

}  // namespace liteferry::daemon
