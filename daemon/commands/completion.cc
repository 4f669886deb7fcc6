#include "daemon/completion.h"

#include <ostream>

#include "daemon/commands/commands.h"

namespace liteferry::daemon {
namespace {

ExitCode Run(const Invocation& invocation, Console& console) {
  console.out << CompletionScript(invocation.argument, Commands());
  return ExitCode::kOk;
}

}  // namespace

CommandSpec CompletionSpec() {
  CommandSpec spec;
  spec.name = "completion";
  spec.summary = "a completion script for a shell";
  spec.example =
      "source <(liteferry completion bash)\n"
      "liteferry completion zsh > \"${fpath[1]}/_liteferry\"\n"
      "liteferry completion fish > ~/.config/fish/completions/liteferry.fish";
  spec.argument = {"SHELL", {"bash", "zsh", "fish"}};
  spec.run = Run;
  return spec;
}

}  // namespace liteferry::daemon
