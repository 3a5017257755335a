// Makes the authority that signs serving certificates, and serving certificates under it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "policy/result.h"
#include "webhook/net/tls.h"

namespace plimsoll::webhook::certificates {

using KeyPair = net::PemPair;  // one certificate and its key, in PKCS#8, as PEM text

inline constexpr std::size_t kMaxDnsNames = 64;  // of one serving certificate

// ECDSA P-256, self-signed, for signing certificates and revocation lists only, with no authority
// below it.
policy::Result<KeyPair> make_authority(const std::string& common_name,
                                       std::chrono::sys_seconds not_before,
                                       std::chrono::sys_seconds not_after);

// ECDSA P-256, for TLS servers of these names only. Refuses names that are none in DNS, an end
// after the authority's own, and an authority that may not or cannot sign.
policy::Result<KeyPair> issue_serving(const KeyPair& authority,
                                      const std::vector<std::string>& dns_names,
                                      std::chrono::sys_seconds not_before,
                                      std::chrono::sys_seconds not_after);

}  // namespace plimsoll::webhook::certificates
