#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "daemon/status_report.h"

namespace liteferry::daemon {

// What the pages are made from. Called on the io_context's thread; must not block.
struct HttpHandlers {
  std::function<StatusReport()> report;  // with its history
  std::function<std::string()> metrics;
  // Something went wrong on this side; told whether waiting may heal it. May be empty.
  std::function<void(bool transient)> failed;
};

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  // What a browser may load and run because of this answer: nothing, unless it is the page.
  std::string content_policy = "default-src 'none'; frame-ancestors 'none'";
};

// The whole surface, read-only: /, /livez, /readyz, /metrics and /status, for GET and HEAD (the
// body of a HEAD reply is cut by the caller). `target` is the path with its query, which is
// ignored. Never throws.
HttpReply RouteHttp(std::string_view method, std::string_view target, const HttpHandlers& handlers);

}  // namespace liteferry::daemon
