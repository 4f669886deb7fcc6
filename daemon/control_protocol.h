#pragma once

#include <string>
#include <string_view>

#include "daemon/control_socket.h"

namespace liteferry::daemon {

// Answers one request line with one answer line, without line feeds. Never throws. Pure but for
// `handlers`.
std::string AnswerControlRequest(std::string_view line, const ControlHandlers& handlers);

// The answer to what is not a request at all.
std::string ControlFailure(std::string_view error, std::string_view hint, int exit_code);

}  // namespace liteferry::daemon
