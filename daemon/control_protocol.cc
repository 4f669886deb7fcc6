#include "daemon/control_protocol.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "replication/base/error.h"

namespace liteferry::daemon {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Success(const Json& result) { return Dump({{"ok", true}, {"result", result}}); }

std::string Answer(const std::string& command, const ControlHandlers& handlers) {
  if (command == "ping") return Success({{"pid", getpid()}});
  if (command == "version") return Success({{"version", LITEFERRY_VERSION}});
  if (command == "status") return "{\"ok\":true,\"result\":" + handlers.status_json() + "}";
  if (command == "pause" || command == "pause-release") {
    handlers.pause(command != "pause");
    return Success(Json::object());
  }
  if (command == "resume" || command == "resume-reconcile") {
    handlers.resume(command != "resume");
    return Success(Json::object());
  }
  if (command == "cutover" || command == "cutover-abort") {
    handlers.cutover(command != "cutover");
    return Success(Json::object());
  }
  return ControlFailure(
      "there is no command '" + command.substr(0, 40) + "'",
      "The commands are ping, version, status, pause, pause-release, resume, resume-reconcile, "
      "cutover and cutover-abort.",
      static_cast<int>(ExitCode::kUsage));
}

}  // namespace

std::string ControlFailure(std::string_view error, std::string_view hint, int exit_code) {
  return Dump({{"ok", false}, {"error", error}, {"hint", hint}, {"exit_code", exit_code}});
}

std::string AnswerControlRequest(std::string_view line, const ControlHandlers& handlers) {
  try {
    const Json request = Json::parse(line, nullptr, false);
    if (request.is_object() && request.contains("command") && request["command"].is_string()) {
      return Answer(request["command"].get<std::string>(), handlers);
    }
    return ControlFailure("the request is not a JSON object with a command",
                          "Send a line like {\"command\":\"status\"}.",
                          static_cast<int>(ExitCode::kUsage));
  } catch (const Error& error) {
    return ControlFailure(error.message(), error.hint(), static_cast<int>(error.exit_code()));
  } catch (const std::exception& fault) {
    return ControlFailure(fault.what(), "", static_cast<int>(ExitCode::kBug));
  }
}

}  // namespace liteferry::daemon
