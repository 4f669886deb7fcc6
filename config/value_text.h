#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace liteferry::config {

// The text forms of configuration values. Each Parse gives nothing when the text is not of its form
// or does not fit; each Text gives the shortest form that Parse reads back as the same value.

std::string_view Trim(std::string_view text);
// Cut at commas, each part trimmed; an empty text is an empty list.
std::vector<std::string> SplitList(std::string_view text);

std::optional<std::int64_t> ParseInteger(std::string_view text);

// true, yes, on, 1 and false, no, off, 0, in any case.
std::optional<bool> ParseBool(std::string_view text);

// 200ms, 5s, 24h, 7d, 1h30m: whole numbers with d, h, m, s, ms, from large to small; or 0.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
std::string DurationText(std::chrono::milliseconds duration);

// Plain bytes, or a whole number with B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB
// (powers of 1024; Ki, Mi, Gi, Ti are the same).
std::optional<std::int64_t> ParseSize(std::string_view text);
std::string SizeText(std::int64_t bytes);

// File permissions in octal, 0600 or 600.
std::optional<std::uint32_t> ParseMode(std::string_view text);
std::string ModeText(std::uint32_t mode);

}  // namespace liteferry::config
