#include "webhook/facts/lifetimes.h"

namespace plimsoll::webhook::facts {

std::chrono::seconds lifetime_of(policy::UnknownReason reason) {
  using policy::UnknownReason;
  constexpr std::chrono::seconds kBriefly{5};
  constexpr std::chrono::seconds kForAWhile{30};
  constexpr std::chrono::seconds kMinute{60};
  constexpr std::chrono::seconds kMinutes{300};
  switch (reason) {
    case UnknownReason::kDigestMismatch:
    case UnknownReason::kOverloaded:
    case UnknownReason::kBreakerOpen:
      return std::chrono::seconds(0);
    case UnknownReason::kNotFound:
    case UnknownReason::kUnauthorized:
    case UnknownReason::kNoMatchingPlatform:
      return kForAWhile;
    case UnknownReason::kRegistryVeto:
    case UnknownReason::kFetchNotAllowed:
      return kMinute;
    case UnknownReason::kForbidden:
    case UnknownReason::kNotAnImage:
    case UnknownReason::kSchema1:
    case UnknownReason::kAmbiguousJson:
    case UnknownReason::kInvalidContent:
    case UnknownReason::kInconsistentImage:
    case UnknownReason::kUnsupportedDigest:
    case UnknownReason::kTooLarge:
    case UnknownReason::kInvalidReference:
      return kMinutes;
    default:
      return kBriefly;
  }
}

}  // namespace plimsoll::webhook::facts
