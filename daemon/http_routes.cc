#include "daemon/http_routes.h"

#include "daemon/page.h"
#include "daemon/status_json.h"

namespace liteferry::daemon {
namespace {

HttpReply Readiness(const StatusReport& report) {
  const EngineStatus& status = report.status;
  HttpReply reply;
  reply.body = ToString(status.state);
  if (status.state == State::kFollowing && status.consistent) {
    reply.body += "\n";
    return reply;
  }
  reply.status = 503;
  if (!status.consistent) reply.body += ", not consistent";
  if (!status.reason.empty()) reply.body += ": " + status.reason;
  reply.body += "\n";
  return reply;
}

HttpReply Get(std::string_view path, const HttpHandlers& handlers) {
  if (path == "/livez") return {200, "text/plain; charset=utf-8", "ok\n"};
  if (path == "/readyz") return Readiness(handlers.report());
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8", handlers.metrics()};
  }
  if (path == "/status") {
    return {200, "application/json", StatusJson(handlers.report()) + "\n"};
  }
  if (path == "/") return {200, "text/html; charset=utf-8", std::string(kPageHtml)};
  return {404, "text/plain; charset=utf-8",
          "not found; there are /, /livez, /readyz, /metrics and /status\n"};
}

}  // namespace

HttpReply RouteHttp(std::string_view method, std::string_view target,
                    const HttpHandlers& handlers) {
  if (method != "GET" && method != "HEAD") {
    return {405, "text/plain; charset=utf-8", "this server is read-only\n"};
  }
  try {
    return Get(target.substr(0, target.find_first_of("?#")), handlers);
  } catch (const std::exception&) {
    return {500, "text/plain; charset=utf-8", "internal error\n"};
  }
}

}  // namespace liteferry::daemon
