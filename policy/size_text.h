// Sizes and prices as people read them, never rounded to the wrong side of a limit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "policy/quantity.h"

namespace plimsoll::policy {

enum class SizeUnits : std::uint8_t { kBinary, kDecimal };  // MiB or MB

// kDecimal where the text of a limit is in decimal units ("950M", "2e9"), else kBinary ("500Mi",
// and plain numbers).
SizeUnits units_of(std::string_view written);

// "912 MiB", "1.5 GiB", "950 MB", "17 bytes": whole, or three significant digits.
std::string size_text(std::uint64_t bytes, SizeUnits units);

// A limit in its own units, exact: "500 MiB", "950 MB", "1.5 GiB".
std::string limit_text(std::string_view written, Quantity value);

// `bytes` above `limit`, in the limit's units with as many digits as it takes to look larger than
// the limit: "500.01 MiB" above "500 MiB"; bytes where nothing else will do.
std::string size_above(std::uint64_t bytes, std::string_view written, Quantity limit);

// True if bytes > limit, exactly.
bool exceeds(std::uint64_t bytes, Quantity limit);

// What a pull of `bytes` costs; `price` per 10^9 bytes. Less than a billionth is rounded up, so
// that comparisons with limits are exact; beyond all measure it stays at the largest.
Quantity pull_cost(std::uint64_t bytes, Quantity price_per_gb);

// "$0.086", "$1.25": rounded up, two significant digits below one.
std::string cost_text(Quantity cost);

}  // namespace plimsoll::policy
