// What of the stored text can be used at a moment, and what is wrong with the rest.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "webhook/certificates/certificate_text.h"
#include "webhook/certificates/issue.h"
#include "webhook/certificates/stored.h"

namespace plimsoll::webhook::certificates {

// A clock that is behind by so much is taken for right.
inline constexpr std::chrono::minutes kClockTolerance{5};

// Larger ones are not taken: with all that a bundle may hold, it stays under its limit.
inline constexpr std::size_t kMaxAuthorityBytes = 6 * 1024;

struct Authority {
  KeyPair pair;  // the key is empty where it is lost
  CertificateText text;
};

struct Holdings {
  // Not expired. Without its key only while the serving certificate under it is good, so that there
  // is time to hand over to another.
  std::optional<Authority> current;
  std::optional<Authority> next;   // with its key, and not expired
  std::vector<Authority> earlier;  // all others that have not expired, without keys
  std::optional<std::chrono::sys_seconds> next_since;  // every caBundle was seen to hold `next`
  std::optional<CertificateText> serving;  // under `current`, fit to be served, not expired

  // Why there is none; clauses.
  std::string current_fault;
  std::string next_fault;  // empty too if none is stored
  std::string serving_fault;
  std::string bundle_fault;  // why not all of ca.crt was taken; empty if it was

  bool has_expired = false;  // some authority of ca.crt
};

Holdings assess(const Stored& stored,
                const std::vector<std::string>& dns_names,
                std::chrono::sys_seconds now);

}  // namespace plimsoll::webhook::certificates
