#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "replication/mapping.h"
#include "replication/rejections.h"
#include "replication/session.h"
#include "replication/sibling_finder.h"
#include "replication/source/capture.h"
#include "replication/source/changelog.h"
#include "replication/source/row_reader.h"
#include "replication/target/catalog.h"
#include "replication/target/row_loader.h"
#include "replication/verify/compare.h"
#include "tests/harness/pg_cluster.h"
#include "tests/harness/sqlite_fixture.h"
#include "tests/replication/target/random_values.h"

namespace liteferry::testing {

// An SQLite database with capture, and a PostgreSQL database that follows it, without an engine:
// what was logged is applied when the test says so, by the product's own encoder and loader.
class Pair {
 public:
  Pair(const std::string& sqlite_ddl, const std::string& postgres_ddl,
       config::Settings settings = {}, const std::string& journal = "wal")
      : settings_(std::move(settings)), app_(folder_.Path("app.db"), journal) {
    app_.Run(sqlite_ddl);
    url_ = PgCluster::Get().CreateDatabase();
    target::PgConnection::Options options;
    options.url = url_;
    session_.target = std::make_unique<target::PgConnection>(options, stop_);
    session_.target->Exec("SET client_min_messages = warning; " + postgres_ddl);
    session_.source = std::make_unique<source::Database>(
        folder_.Path("app.db"), source::OpenMode::kReadWrite, std::chrono::milliseconds(5000));
    session_.rollback_journal = journal != "wal";
    session_.store = std::make_unique<target::StateStore>(*session_.target, "liteferry");
    Follow();
  }

  AppDatabase& app() { return app_; }
  std::string source_path() const { return folder_.Path("app.db"); }
  const std::string& url() const { return url_; }
  target::PgConnection& pg() { return *session_.target; }
  Session& session() { return session_; }
  const TableMapping& Table(const std::string& name) const {
    for (const TableMapping& table : session_.mapping.tables) {
      if (table.source.name == name) return table;
    }
    throw std::runtime_error("no table " + name);
  }

  // An INSERT of the application.
  void Insert(const std::string& table, const std::vector<Value>& values);

  // Applies everything logged after the position: as the engine does it, in one batch.
  void Apply() {
    source::Transaction snapshot(*session_.source, source::Transaction::Kind::kRead);
    source::Changelog log(*session_.source);
    const auto newest = log.Bounds().newest;
    std::map<int, std::set<PackedKey>> keys;
    std::int64_t mark = session_.stream.applied_mark;
    for (const auto& entry :
         log.Read(session_.stream.applied_seq, newest, 10'000'000, session_.key_widths)) {
      keys[entry.table_no].insert(entry.key);
      mark = entry.mark;
    }
    TargetTransaction transaction(*session_.target);
    for (const auto& [number, changed] : keys) {
      if (const TableMapping* table = session_.Find(number)) ApplyTable(*table, number, changed);
    }
    session_.target->Exec("UPDATE liteferry.stream SET applied_seq = " + std::to_string(newest) +
                          ", applied_mark = " + std::to_string(mark));
    transaction.Commit();
    session_.stream.applied_seq = newest;
    session_.stream.applied_mark = mark;
  }

  verify::TableOutcome Compare(const std::string& name, verify::CompareOptions options = {}) {
    differences.clear();
    options.settle = std::chrono::milliseconds(200);
    source::Database source(folder_.Path("app.db"), source::OpenMode::kReadOnly,
                            std::chrono::milliseconds(5000));
    const TableMapping& table = Table(name);
    const verify::Sides sides{source, *session_.target, "liteferry", stop_,
                              session_.rollback_journal};
    return verify::CompareTable(sides, table, session_.NumberOf(table), options,
                                [&](const verify::Difference& one) { differences.push_back(one); });
  }
  // Kind and key of each, sorted: "different [1]".
  std::vector<std::string> Found() const {
    std::vector<std::string> found;
    for (const auto& one : differences) {
      found.push_back(std::string(verify::ToString(one.kind)) + " " + one.shown);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  std::vector<verify::Difference> differences;

 private:
  void Follow() {
    const auto map = [this] {
      session_.mapping = BuildMapping(source::ReadCatalog(*session_.source),
                                      target::ReadCatalog(*session_.target, "public"), settings_);
    };
    map();
    if (!session_.mapping.problems.empty()) {
      throw std::runtime_error(session_.mapping.problems[0].message);
    }
    for (const TableMapping& table : session_.mapping.tables) {
      session_.captured_tables.push_back(table.source);
      if (table.hidden_rowid) {
        session_.target->Exec("ALTER TABLE " + table.QualifiedTarget() +
                              " ADD COLUMN _liteferry_rowid bigint; CREATE INDEX ON " +
                              table.QualifiedTarget() + " (_liteferry_rowid)");
      }
    }
    map();
    session_.capture = source::Capture(*session_.source).Install(session_.captured_tables);
    for (const source::CapturedTable& table : session_.capture.tables) {
      session_.key_widths.resize(static_cast<std::size_t>(table.number) + 1);
      session_.key_widths.back() = static_cast<int>(Table(table.name).key.size());
    }
    source::Changelog log(*session_.source);
    session_.store->Create();
    session_.stream.incarnation = session_.capture.incarnation;
    session_.stream.phase = target::Phase::kFollowing;
    session_.stream.consistent = true;
    session_.store->InitStream(session_.stream);
    for (const TableMapping& table : session_.mapping.tables) {
      session_.store->PutSourceTable({session_.NumberOf(table), table.source.name,
                                      table.QualifiedTarget(), table.Signature(), 0});
    }
    Apply();
  }

  void ApplyTable(const TableMapping& table, int number, std::set<PackedKey> changed) {
    SiblingFinder siblings(*session_.source, table);
    for (const PackedKey& key : std::set<PackedKey>(changed)) {
      siblings.Find(key, [&](const PackedKey& sibling) { changed.insert(sibling); });
    }
    const target::RowEncoder encoder = table.Encoder();
    target::RowBatch batch(encoder, std::size_t{1} << 20);
    source::RowReader reader(*session_.source, table.source, table.SourceColumns());
    std::vector<Value> row;
    std::vector<target::RejectedRow> rejected;
    std::vector<std::string> cleared;
    for (const PackedKey& key : changed) {
      cleared.push_back(KeyToJson(UnpackKey(key)));
      if (!reader.ReadByKey(key, row)) continue;
      if (const auto why = batch.Add(row, key)) {
        rejected.push_back(DescribeRejection(session_, table, key, *why));
      }
    }
    session_.store->ClearRejected(number, cleared);
    DeleteKeys(*session_.target, table, {changed.begin(), changed.end()});
    if (batch.rows() > 0) {
      target::RowLoader loader(*session_.target);
      auto refused = loader.Load(batch, table.target.schema, table.target.name, false);
      RejectMisprinted(*session_.target, table, batch, refused);
      for (const auto& one : refused) {
        rejected.push_back(DescribeRejection(session_, table, batch.key(one.row), one));
      }
    }
    if (!rejected.empty()) session_.store->AddRejected(rejected);
  }

  config::Settings settings_;
  TempDir folder_;
  AppDatabase app_;
  std::string url_;
  SignalEvent stop_;
  Session session_;
};

}  // namespace liteferry::testing
