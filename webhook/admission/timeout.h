// The deadline of a review, from the `timeout` that the API server puts into the query.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace plimsoll::webhook::admission {

// The API server rounds its timeout up to whole seconds and has spent some of it already.
inline constexpr std::chrono::milliseconds kReserve{1000};
inline constexpr std::chrono::milliseconds kLeastTime{300};
inline constexpr std::chrono::milliseconds kDefaultTimeout{10'000};
inline constexpr std::chrono::milliseconds kLeastTimeout{1'000};
inline constexpr std::chrono::milliseconds kMostTimeout{30'000};

// A Go duration without a sign ("10s", "1m30s", "1500ms"; pkg.go.dev/time#ParseDuration).
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The first `timeout` of a query, a Go duration ("10s", "1m30s", "1500ms"), within 1 and 30
// seconds; kDefaultTimeout where there is none or it makes no sense. Never an error.
std::chrono::milliseconds timeout_of_query(std::string_view query);

// What is left of it for us: less the reserve, at least kLeastTime.
std::chrono::milliseconds time_to_answer(std::chrono::milliseconds timeout);

}  // namespace plimsoll::webhook::admission
