#pragma once

#include <string_view>

namespace liteferry::target {

// Whether PostgreSQL's json, or jsonb, will take `text`, as its own parser sees it (RFC 8259
// without extensions; jsonb also refuses \u0000 and surrogates that are no pair, which json keeps
// as they stand). The converter leaves this to the server; it is here for those who must know
// beforehand. `text` is valid UTF-8 without NUL. The limits of size and depth are the server's, and
// not judged. Pure.
bool IsJson(std::string_view text, bool jsonb);

}  // namespace liteferry::target
