#include "policy/unknown.h"

#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

constexpr std::size_t kMaxDetailRunes = 160;

struct Row {
  UnknownReason reason;
  UnknownClass unknown_class;
  std::string_view word;
  std::string_view text;
  std::string_view remedy;
};

constexpr std::string_view kAskAgain =
    "try again; if it lasts, see `plimsoll explain` on the image and the state of the registry";
constexpr std::string_view kRebuild = "push the image again with a current tool";
constexpr std::string_view kCredentials =
    "give plimsoll credentials that may read the repository, or correct the reference";
constexpr std::string_view kConfigure =
    "name the registry in the file of --registries, or use another one";
constexpr std::string_view kScan = "scan the image and let its report reach plimsoll";

using Reason = UnknownReason;
using Class = UnknownClass;

// In the order of the enumeration.
constexpr std::array<Row, kUnknownReasons> kRows = {{
    {Reason::kInvalidReference,
     Class::kDefinite,
     "invalid-reference",
     "the reference cannot be pulled by any runtime",
     "correct the reference"},
    {Reason::kFetchNotAllowed,
     Class::kAccess,
     "fetch-not-allowed",
     "plimsoll may not ask this registry",
     kConfigure},
    {Reason::kAddressBlocked,
     Class::kAccess,
     "address-blocked",
     "the registry has an address that plimsoll does not connect to",
     kConfigure},
    {Reason::kDns,
     Class::kOutage,
     "dns",
     "the registry's name could not be resolved",
     "correct the registry's name, or see to the name service"},
    {Reason::kConnect, Class::kOutage, "connect", "the registry could not be reached", kAskAgain},
    {Reason::kTls,
     Class::kOutage,
     "tls",
     "no trusted TLS connection to the registry could be made",
     "see to the registry's certificate, or name its CA in the file of --registries"},
    {Reason::kTimeout, Class::kOutage, "timeout", "the registry did not answer in time", kAskAgain},
    {Reason::kUnauthorized,
     Class::kAccess,
     "unauthorized",
     "the registry asks for credentials that plimsoll does not have, or there is no such "
     "repository",
     kCredentials},
    {Reason::kForbidden,
     Class::kAccess,
     "forbidden",
     "the registry forbids reading it",
     kCredentials},
    {Reason::kNotFound,
     Class::kAccess,
     "not-found",
     "there is no such image in the registry",
     "push the image, or correct the reference"},
    {Reason::kRateLimited,
     Class::kOutage,
     "rate-limited",
     "the registry limits how often it may be asked",
     "give plimsoll credentials with a higher limit, or use a mirror"},
    {Reason::kRegistryError,
     Class::kOutage,
     "registry-error",
     "the registry failed to answer as it should",
     kAskAgain},
    {Reason::kRegistryVeto,
     Class::kDefinite,
     "registry-veto",
     "the registry refuses to serve it, by a policy of its own",
     "see the registry's own policy for what it wants"},
    {Reason::kTooLarge,
     Class::kAccess,
     "too-large",
     "its manifest or configuration is larger than plimsoll reads",
     "make an image with fewer layers and less metadata"},
    {Reason::kDigestMismatch,
     Class::kDefinite,
     "digest-mismatch",
     "the registry served content that does not have the digest it should have",
     "find out who changes the content between the registry and plimsoll"},
    {Reason::kUnsupportedDigest,
     Class::kDefinite,
     "unsupported-digest",
     "its digest is of an algorithm other than sha256 and sha512",
     "refer to it by a sha256 digest"},
    {Reason::kAmbiguousJson,
     Class::kDefinite,
     "ambiguous-json",
     "its metadata can be read in two ways",
     kRebuild},
    {Reason::kInvalidContent,
     Class::kAccess,
     "invalid-content",
     "its metadata is not what the image specification says",
     kRebuild},
    {Reason::kInconsistentImage,
     Class::kDefinite,
     "inconsistent-image",
     "its configuration and its manifest do not belong together",
     kRebuild},
    {Reason::kNotAnImage,
     Class::kAccess,
     "not-an-image",
     "it is not a container image",
     "refer to a container image"},
    {Reason::kSchema1,
     Class::kDefinite,
     "schema1",
     "it has a manifest of the old schema 1, which current runtimes refuse",
     kRebuild},
    {Reason::kNoMatchingPlatform,
     Class::kAccess,
     "no-matching-platform",
     "it does not exist for the platform",
     "build the image for the platform, or select nodes of another one"},
    {Reason::kUntrustedRealm,
     Class::kAccess,
     "untrusted-realm",
     "the registry wants credentials sent to a host that is not trusted with them",
     "name the host under tokenRealms in the file of --registries"},
    {Reason::kUnsupportedAuth,
     Class::kAccess,
     "unsupported-auth",
     "the registry asks for a kind of authentication that plimsoll does not know",
     "offer Basic or Bearer authentication"},
    {Reason::kRedirectRefused,
     Class::kAccess,
     "redirect-refused",
     "the registry redirects to where plimsoll does not follow",
     "see `plimsoll explain` on the image"},
    {Reason::kNoReport, Class::kScan, "no-report", "there is no scan report of it", kScan},
    {Reason::kReportPending, Class::kScan, "report-pending", "its scan has not ended yet", kScan},
    {Reason::kReportStale,
     Class::kScan,
     "report-stale",
     "its scan report is too old",
     "scan the image again"},
    {Reason::kReportFailed, Class::kScan, "report-failed", "its scan failed", kScan},
    {Reason::kReportUnsupported,
     Class::kScan,
     "report-unsupported",
     "the scanner cannot scan it",
     "build the image on a base that the scanner knows"},
    {Reason::kSignatureInvalid,
     Class::kDefinite,
     "signature-invalid",
     "its scan report is not signed as it should be",
     kScan},
    {Reason::kNoFixInformation,
     Class::kScan,
     "no-fix-information",
     "its scan report does not say what can be fixed",
     "use a report format that names fixed versions"},
    {Reason::kBreakerOpen,
     Class::kOutage,
     "breaker-open",
     "the registry failed several times in a row and is left alone for a while",
     kAskAgain},
    {Reason::kOverloaded,
     Class::kOutage,
     "overloaded",
     "too many images are being looked up at once",
     kAskAgain},
}};

const Row& row_of(UnknownReason reason) {
  return kRows[static_cast<std::size_t>(reason)];
}

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].reason) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view reason_word(UnknownReason reason) {
  return row_of(reason).word;
}

std::string_view reason_text(UnknownReason reason) {
  return row_of(reason).text;
}

std::string_view reason_remedy(UnknownReason reason) {
  return row_of(reason).remedy;
}

UnknownClass class_of(UnknownReason reason) {
  return row_of(reason).unknown_class;
}

std::string_view class_word(UnknownClass unknown_class) {
  switch (unknown_class) {
    case UnknownClass::kDefinite:
      return "definite";
    case UnknownClass::kAccess:
      return "access";
    case UnknownClass::kOutage:
      return "outage";
    case UnknownClass::kScan:
      return "scan";
  }
  return "outage";
}

std::string unknown_text(const Unknown& unknown) {
  std::string text(reason_text(unknown.reason));
  if (!unknown.detail.empty()) text += " (" + printable(unknown.detail, kMaxDetailRunes) + ")";
  return text;
}

}  // namespace plimsoll::policy
