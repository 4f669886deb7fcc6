#include "replication/session.h"

#include "config/url.h"
#include "metrics/engine_probe.h"
#include "replication/base/error.h"

namespace liteferry {

const TableMapping* Session::Find(int table_no) const {
  for (const source::CapturedTable& captured : capture.tables) {
    if (captured.number != table_no) continue;
    for (const TableMapping& table : mapping.tables) {
      if (table.source.name == captured.name) return &table;
    }
  }
  return nullptr;
}

std::optional<int> Session::FindNumber(const TableMapping& table) const {
  for (const source::CapturedTable& captured : capture.tables) {
    if (captured.name == table.source.name) return captured.number;
  }
  return std::nullopt;
}

int Session::NumberOf(const TableMapping& table) const {
  if (const auto number = FindNumber(table)) return *number;
  throw Error(Disposition::kBug, Component::kCapture,
              "table " + table.source.name + " is not captured");
}

void Session::Doubt(EngineContext& context, int table_no, const std::string& why) {
  suspects[table_no] = {why, ++context.doubts};
}

std::unique_ptr<target::PgConnection> ConnectTarget(const config::Settings& settings,
                                                    const SignalEvent& stop,
                                                    const std::string& application_name) {
  std::string problem;
  const auto url = config::ReadTargetUrl(settings, problem);
  if (!url) {
    throw Error(Disposition::kRetry, Component::kTarget, problem).Exit(ExitCode::kConfig);
  }
  target::PgConnection::Options options;
  options.url = *url;
  options.application_name = application_name;
  options.connect_timeout = settings.target.connect_timeout;
  options.statement_timeout = std::chrono::minutes(5);
  return std::make_unique<target::PgConnection>(options, stop);
}

void MeasureLocks(const EngineContext& context, source::Database& database) {
  database.SetLockObserver([&probe = context.probe](std::chrono::duration<double> held) {
    probe.SourceLockHeld(held.count());
  });
}

TargetTransaction::TargetTransaction(target::PgConnection& connection) : connection_(connection) {
  connection_.Begin();
}

TargetTransaction::~TargetTransaction() {
  if (open_) connection_.Rollback();
}

void TargetTransaction::Commit() {
  open_ = false;
  connection_.Commit();
}

}  // namespace liteferry
