// Days, times and durations as documents write them and as people read them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace plimsoll::policy {

// "2027-01-31", and a day that exists.
std::optional<std::chrono::sys_days> parse_date(std::string_view text);
// "2027-01-31".
std::string date_text(std::chrono::sys_days day);

// RFC 3339: "2026-08-20T05:58:00.123Z", "2026-08-20T07:58:00+02:00"; a space may stand for the T.
// Fractions of a second are dropped. Nothing for years before 1 and after 9999.
std::optional<std::chrono::sys_seconds> parse_time(std::string_view text);
// "2026-08-20T05:58:00Z".
std::string time_text(std::chrono::sys_seconds time);

// "30d", "168h", "1d12h", "90m", "45s": positive, at most 100 years. As Go's durations, with days.
std::optional<std::chrono::seconds> parse_time_span(std::string_view text);
// "22 days", "3 hours", "1 minute": the largest unit that fits, rounded down.
std::string time_span_text(std::chrono::seconds span);

}  // namespace plimsoll::policy
