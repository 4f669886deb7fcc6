#include "replication/cutover/hook.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "replication/base/deadline.h"
#include "replication/cutover/webhook.h"

namespace liteferry::cutover {
namespace {

constexpr std::chrono::minutes kPatience{1};
constexpr std::chrono::milliseconds kPoll{20};

std::vector<std::string> Environment(const HookFacts& facts) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    // Ours hold the target's password.
    if (std::strncmp(*one, "LITEFERRY_", 10) != 0) all.emplace_back(*one);
  }
  all.push_back("LITEFERRY_EVENT=cut_over");
  all.push_back("LITEFERRY_SOURCE_PATH=" + facts.source_path);
  all.push_back("LITEFERRY_TARGET=" + facts.target);
  all.push_back("LITEFERRY_POSITION=" + std::to_string(facts.position));
  all.push_back("LITEFERRY_WRITE_PAUSE_SECONDS=" + std::to_string(facts.write_pause_seconds));
  return all;
}

// Starts it in a process group of its own, so that all of it can be ended; 0 or an errno.
int Start(const std::string& command, std::vector<std::string>& environment, pid_t& pid) {
  std::vector<char*> variables;
  for (std::string& one : environment) variables.push_back(one.data());
  variables.push_back(nullptr);
  std::string shell = "/bin/sh";
  std::string flag = "-c";
  std::string text = command;
  char* arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error =
      posix_spawn(&pid, shell.c_str(), &actions, &attributes, arguments, variables.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

std::string RunHook(const std::string& on_ready, const HookFacts& facts, const SignalEvent& stop) {
  if (IsWebhook(on_ready)) return PostWebhook(on_ready, facts, stop);
  std::vector<std::string> environment = Environment(facts);
  pid_t pid = 0;
  if (const int error = Start(on_ready, environment, pid); error != 0) {
    return std::string("cannot start it: ") + std::strerror(error);
  }
  const Deadline deadline = Deadline::In(kPatience);
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (deadline.Passed() || stop.IsSet()) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return "it did not end within a minute and was killed";
    }
    WaitFor(-1, 0, stop, nullptr, Deadline::In(kPoll));
  }
  if (WIFSIGNALED(status)) return "it ended by signal " + std::to_string(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? ""
                                  : "it ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace liteferry::cutover
