// What certificates in PEM text say, whose they are, and bundles of them; safe on hostile text.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace plimsoll::webhook::certificates {

inline constexpr std::size_t kMaxBundleBytes = 64 * 1024;
inline constexpr std::size_t kMaxBundleCertificates = 32;
inline constexpr std::size_t kMaxDnsNameBytes = 253;  // RFC 1035, section 2.3.4
inline constexpr std::size_t kMaxDnsLabelBytes = 63;  // between two dots

// Labels of letters, digits and inner hyphens (RFC 1123); the first may be "*".
bool is_dns_name(std::string_view name);

struct CertificateText {
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  bool is_authority = false;
  bool is_for_servers = false;         // by its extended key usage, or for want of one
  std::vector<std::string> dns_names;  // in lower case, as far as they are names at all
  std::string subject_key_id;          // in hex; empty where there is none
};

// All of these take one certificate or key in one PEM block. An error's message is a clause for use
// after the name of what was read: "it is cut short".

policy::Result<CertificateText> read_certificate(std::string_view certificate);

// An error unless the key is the certificate's.
policy::Result<void> check_key(std::string_view certificate, std::string_view key);

// An error unless `authority` may sign certificates and has signed this one. Says nothing of times.
policy::Result<void> check_issuer(std::string_view certificate, std::string_view authority);

// The certificates of a bundle, one PEM block each, written as OpenSSL writes them: two are the
// same certificate if their texts are equal. Anything else than certificates and blanks is an
// error, as is a bundle without any. At most 64 KiB and 32 certificates.
policy::Result<std::vector<std::string>> split_bundle(std::string_view bundle);

// Like `split_bundle`, but takes what can be read, up to the same limits, and passes over the rest.
std::vector<std::string> salvage_bundle(std::string_view bundle);

std::string join_bundle(const std::vector<std::string>& certificates);

}  // namespace plimsoll::webhook::certificates
