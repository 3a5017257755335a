// Finds whose review this is without parsing it: in a prefix, in broken or endlessly deep JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace plimsoll::webhook::admission {

inline constexpr std::size_t kMaxUidBytes = 253;

struct ScannedReview {
  std::string uid;          // printable ASCII, 1 to kMaxUidBytes
  std::string api_version;  // as found before the uid; empty: not yet
};

// Looks for the member `uid` of the top-level member `request`, and for the top-level `apiVersion`.
// Linear, without recursion, without judging the JSON. Nothing where there is no uid that an API
// server could have sent.
std::optional<ScannedReview> scan_review(std::string_view body);

}  // namespace plimsoll::webhook::admission
