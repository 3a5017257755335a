// What a registry asks for with a 401: WWW-Authenticate (RFC 9110 11.6.1).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plimsoll::webhook::registry {

inline constexpr std::size_t kMaxChallengeBytes = 8 * 1024;
inline constexpr std::size_t kMaxChallenges = 4;
inline constexpr std::size_t kMaxChallengeParameters = 10;

struct Challenge {
  std::string scheme;                                           // in lower case: "bearer"
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

  // Empty where there is none of that name.
  std::string_view parameter(std::string_view name) const;
  friend bool operator==(const Challenge&, const Challenge&) = default;
};

// All challenges of all headers, in order; what is beyond the limits or not well-formed ends the
// reading of its header. Never fails.
std::vector<Challenge> parse_challenges(const std::vector<std::string_view>& headers);

}  // namespace plimsoll::webhook::registry
