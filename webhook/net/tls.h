// Serving certificates as TLS contexts: TLS 1.2 and 1.3 with forward secrecy, full handshakes only.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "policy/result.h"

namespace plimsoll::webhook::net {

inline constexpr std::size_t kMaxPemBytes = 64 * 1024;  // of a certificate chain or a key
inline constexpr unsigned kMaxKeyUpdates = 32;          // of one connection, then it is closed

struct PemPair {
  std::string certificate;  // the leaf first, then its chain
  std::string key;
};

// A context for serving, never changed once made: a new pair makes a new one. Connections keep the
// one that they began with.
struct TlsContext {
  struct Native;
  std::unique_ptr<Native> native;  // Asio's context; see tls_native.h
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  std::string fingerprint;  // SHA-256 of the pair's PEM text, in hex

  TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();
};

// Refuses what cannot be parsed, a key that does not fit the certificate, and a chain whose
// certificates do not follow from each other. Validity in time is reported, not judged: an expired
// certificate is still better than none.
policy::Result<std::shared_ptr<const TlsContext>> make_server_tls(const PemPair& pair);

// A P-256 key and a certificate for localhost, 127.0.0.1 and ::1 that is its own issuer: for trying
// things out. Valid from an hour ago for `days`; a negative number makes an expired one.
policy::Result<PemPair> make_self_signed(int days = 7);

}  // namespace plimsoll::webhook::net
