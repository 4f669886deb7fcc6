#include "daemon/http_routes.h"

#include <fmt/format.h>

#include <random>

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

// The page's own script and style carry a number that is new with each answer; whatever else might
// get into it does not run. It may ask its own server, and nothing else.
HttpReply Page() {
  static constexpr std::string_view kPlace = "@NONCE@";
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 4; ++i) nonce += fmt::format("{:08x}", random());
  HttpReply reply{200, "text/html; charset=utf-8", std::string(kPageHtml)};
  for (std::size_t at = 0; (at = reply.body.find(kPlace, at)) != std::string::npos;) {
    reply.body.replace(at, kPlace.size(), nonce);
  }
  const std::string ours = "'nonce-" + nonce + "'";
  reply.content_policy = "default-src 'none'; style-src " + ours + "; script-src " + ours +
                         "; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri "
                         "'none'; form-action 'none'";
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
  if (path == "/") return Page();
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
    if (handlers.failed) handlers.failed(false);
    return {500, "text/plain; charset=utf-8", "internal error\n"};
  }
}

}  // namespace liteferry::daemon
