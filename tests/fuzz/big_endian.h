#pragma once

#include <cstdint>
#include <string_view>

namespace liteferry::fuzz {

// Up to 8 bytes in network byte order, as two's complement.
inline std::int64_t SignedBig(std::string_view bytes) {
  std::uint64_t word = !bytes.empty() && static_cast<signed char>(bytes[0]) < 0 ? ~0ULL : 0;
  for (const char c : bytes) word = word << 8U | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(word);
}

}  // namespace liteferry::fuzz
