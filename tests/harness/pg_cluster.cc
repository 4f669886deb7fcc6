#include "tests/harness/pg_cluster.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>
#include <vector>

#include "replication/base/unique_fd.h"

namespace liteferry::testing {
namespace {

namespace fs = std::filesystem;
using Command = std::vector<std::string>;

std::string NewestInstalled() {
  fs::path newest;
  int version = 0;
  const fs::path base = "/usr/lib/postgresql";
  if (!fs::exists(base)) throw std::runtime_error("no PostgreSQL under " + base.string());
  for (const auto& entry : fs::directory_iterator(base)) {
    const int found = std::atoi(entry.path().filename().c_str());
    if (found > version && fs::exists(entry.path() / "bin" / "initdb")) {
      version = found;
      newest = entry.path() / "bin";
    }
  }
  if (version == 0) throw std::runtime_error("no PostgreSQL server under " + base.string());
  return newest;
}

std::string BinFolder() {
  const char* chosen = std::getenv("LITEFERRY_TEST_PG_BIN");
  return chosen != nullptr && *chosen != '\0' ? chosen : NewestInstalled();
}

Command AsServerUser(Command command) {
  if (::geteuid() == 0) {
    const Command prefix = {"runuser", "-u", "postgres", "--"};
    command.insert(command.begin(), prefix.begin(), prefix.end());
  }
  return command;
}

pid_t Spawn(const Command& command, int input, int output, bool own_group) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  if (own_group) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int failed =
      ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + command[0]);
  return pid;
}

void WaitForEnd(pid_t pid, const Command& command) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) return;
  std::string line;
  for (const std::string& argument : command) line += argument + " ";
  throw std::runtime_error("failed: " + line);
}

void Run(const Command& command) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  WaitForEnd(Spawn(command, null.get(), null.get(), false), command);
}

std::string Capture(const Command& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const pid_t pid = Spawn(command, null.get(), writer.get(), false);
  writer.Reset();
  std::string output;
  std::vector<char> piece(65536);
  for (ssize_t got = 0; (got = ::read(reader.get(), piece.data(), piece.size())) > 0;) {
    output.append(piece.data(), static_cast<std::size_t>(got));
  }
  WaitForEnd(pid, command);
  return output;
}

void Query(const std::string& url, const std::string& sql) {
  PGconn* connection = PQconnectdb(url.c_str());
  PGresult* result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  const std::string reason = PQerrorMessage(connection);
  PQclear(result);
  PQfinish(connection);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(sql + ": " + reason);
  }
}

}  // namespace

struct PgCluster::State {
  std::string bin;
  std::string folder;
  UniqueFd life;  // its end ends the guard's wait
  pid_t guard = -1;
  int databases = 0;

  std::string Data() const { return folder + "/data"; }
  Command PgCtl(const std::string& verb) const {
    return AsServerUser({bin + "/pg_ctl", "-D", Data(), "-s", "-w", "-t", "60", verb});
  }

  void MakeFolder() {
    std::string name = "/tmp/lfpg-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
    folder = name;
    if (::geteuid() == 0) Run({"chown", "postgres", folder});
  }

  // The guard is a program of its own, so that it outlives an abort or a kill -9 of this one; in
  // its own process group, so that Ctrl-C does not end it.
  void StartGuard() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const UniqueFd reader(ends[0]);
    life = UniqueFd(ends[1]);
    std::string stop;
    for (const std::string& word : AsServerUser({bin + "/pg_ctl", "-D", Data(), "-s", "-w"})) {
      stop += "'" + word + "' ";
    }
    const std::string script = "read -r line; [ ! -f " + Data() + "/postmaster.pid ] || " + stop +
                               "-m immediate stop; rm -rf " + folder;
    guard = Spawn({"sh", "-c", script}, reader.get(), -1, true);
  }
};

PgCluster& PgCluster::Get() {
  static PgCluster cluster;
  return cluster;
}

PgCluster::PgCluster() : state_(std::make_unique<State>()) {
  state_->bin = BinFolder();
  state_->MakeFolder();
  state_->StartGuard();
  Run(AsServerUser({state_->bin + "/initdb", "-D", state_->Data(), "--no-sync", "-U", "postgres",
                    "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"}));
  Start();
  Query(SuperuserUrl(), "CREATE ROLE app LOGIN");
}

PgCluster::~PgCluster() {
  state_->life.Reset();
  int status = 0;
  ::waitpid(state_->guard, &status, 0);
}

void PgCluster::Start() {
  Command command = state_->PgCtl("start");
  command.insert(command.end(), {"-l", state_->folder + "/log", "-o",
                                 "-c fsync=off -c full_page_writes=off -c max_connections=50"
                                 " -c listen_addresses='' -c unix_socket_directories=" +
                                     state_->folder});
  Run(command);
}

void PgCluster::Stop(const std::string& mode) {
  Command command = state_->PgCtl("stop");
  command.insert(command.end(), {"-m", mode});
  Run(command);
}

std::string PgCluster::CreateDatabase() {
  const std::string name = "lf_" + std::to_string(++state_->databases);
  Query(SuperuserUrl(), "CREATE DATABASE " + name + " OWNER app");
  return "postgresql://app@/" + name + "?host=" + state_->folder;
}

std::string PgCluster::SuperuserUrl(const std::string& database) {
  return "postgresql://postgres@/" + database + "?host=" + state_->folder;
}

std::string PgCluster::PgDump(const std::string& url, bool schema_only) {
  Command command = {state_->bin + "/pg_dump", "--dbname=" + url};
  if (schema_only) command.emplace_back("--schema-only");
  return Capture(command);
}

std::string PgCluster::SocketPath() const { return state_->folder + "/.s.PGSQL.5432"; }
const std::string& PgCluster::bin() const { return state_->bin; }

}  // namespace liteferry::testing
