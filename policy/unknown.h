// Why a fact is not known: a closed list of reasons, each of one class that a policy decides about.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace plimsoll::policy {

enum class UnknownReason : std::uint8_t {
  kInvalidReference,
  kFetchNotAllowed,
  kAddressBlocked,
  kDns,
  kConnect,
  kTls,
  kTimeout,
  kUnauthorized,
  kForbidden,
  kNotFound,
  kRateLimited,
  kRegistryError,
  kRegistryVeto,
  kTooLarge,
  kDigestMismatch,
  kUnsupportedDigest,
  kAmbiguousJson,
  kInvalidContent,
  kInconsistentImage,
  kNotAnImage,
  kSchema1,
  kNoMatchingPlatform,
  kUntrustedRealm,
  kUnsupportedAuth,
  kRedirectRefused,
  kNoReport,
  kReportPending,
  kReportStale,
  kReportFailed,
  kReportUnsupported,
  kSignatureInvalid,
  kNoFixInformation,
  kBreakerOpen,
  kOverloaded,
};
inline constexpr std::size_t kUnknownReasons = 34;

// What a policy's `onUnknown` speaks about.
enum class UnknownClass : std::uint8_t {
  kDefinite,  // asking again would not help: the image or the reference is wrong
  kAccess,    // we may not or cannot read it; a node perhaps can
  kOutage,    // nobody answered as they should; asking again may help
  kScan,      // there is no report that counts
};

struct Unknown {
  UnknownReason reason = UnknownReason::kTimeout;
  // For people, may be empty: "503", "MANIFEST_UNKNOWN", "the registry 127.0.0.1:5000 refused the
  // connection". Ours or checked: never a body, a header, or a URL's query of a stranger.
  std::string detail;
};

// A fact is either known, or unknown because of something.
template <class T>
using Fact = std::expected<T, Unknown>;

// "not-found": in metrics, logs and JSON.
std::string_view reason_word(UnknownReason reason);
// "there is no such image in the registry": a clause for people.
std::string_view reason_text(UnknownReason reason);
// What a person can do about it, imperative, one line.
std::string_view reason_remedy(UnknownReason reason);
UnknownClass class_of(UnknownReason reason);
// "definite", "access", "outage", "scan".
std::string_view class_word(UnknownClass unknown_class);

// The clause, and the detail in parentheses where there is one.
std::string unknown_text(const Unknown& unknown);

}  // namespace plimsoll::policy
