// Makes ECDSA P-256 keys with X.509 certificates over them; every certificate of ours comes from
// here.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "policy/result.h"
#include "webhook/net/tls.h"

namespace plimsoll::webhook::net {

inline constexpr std::size_t kMaxCommonName = 64;  // bytes; RFC 5280, appendix A

struct CertificateExtension {
  const char* name;   // "keyUsage", as in OpenSSL's x509v3_config(5)
  std::string value;  // "critical,keyCertSign,cRLSign"
};

struct CertificateTerms {
  std::string common_name;  // 1 to 64 characters
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  std::vector<CertificateExtension> extensions;  // written by us: the values are not escaped
};

// A new key and its certificate, signed by `issuer`, or by the key itself where that is null. The
// serial is random, of 128 bits; the identifier of the key goes in before the extensions, that of
// the issuer's key behind them. An issuer whose key does not belong to it is refused; whether it is
// an authority, and for how long, is for the caller to judge.
policy::Result<PemPair> make_certificate(const CertificateTerms& terms,
                                         const PemPair* issuer = nullptr);

}  // namespace plimsoll::webhook::net
