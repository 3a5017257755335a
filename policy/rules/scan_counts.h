// What remains of a verdict's counts once the ignored vulnerabilities are taken off.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "policy/parameters.h"
#include "policy/scan_verdict.h"

namespace plimsoll::policy::rules {

inline constexpr std::size_t kCeilings = 4;  // critical, high, medium, low

struct RemainingCounts {
  std::array<std::uint64_t, kCeilings> total{};    // by Severity
  std::array<std::uint64_t, kCeilings> fixable{};  // 0 where the report does not say
  std::vector<const Vulnerability*> listed;        // those that are not ignored, the worst first
  // Lines about what was ignored, what no longer is, and what could not be; each begins with '\n'.
  std::string note;
};

// An entry ignores what has its id, or has it as an alias; case does not matter. On the day after
// `expires` (UTC) it no longer does. Each vulnerability is taken off once.
RemainingCounts remaining_counts(const ScanVerdict& verdict,
                                 std::span<const IgnoredId> ignored,
                                 std::chrono::sys_seconds now);

}  // namespace plimsoll::policy::rules
