#pragma once

// spdlog, for whoever writes to a logger. Included instead of spdlog's own header because that has
// every such file compile the whole of fmt's formatting, half of what the file takes to compile.
#include <spdlog/spdlog.h>

#if FMT_VERSION >= 90000 && FMT_VERSION < 100000 && !defined(FMT_HEADER_ONLY)
// libfmt has this function; version 9 only fails to declare so.
namespace fmt::detail {
extern template void vformat_to<char>(buffer<char>&, basic_string_view<char>,
                                      basic_format_args<FMT_BUFFER_CONTEXT(char)>, locale_ref);
}
#endif
