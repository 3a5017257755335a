// Judges certificates as a client does, and makes those that only others would make.
#pragma once

#include <chrono>
#include <string>

#include "webhook/certificates/issue.h"
#include "webhook/certificates/rotation.h"

namespace plimsoll::webhook::certificates {

inline const std::string kName = "plimsoll.ships.svc";

// Empty if a client that trusts `bundle` takes the first certificate of `served` for `host` at the
// moment; otherwise why not.
std::string refusal(const std::string& served,
                    const std::string& bundle,
                    const std::string& host,
                    std::chrono::sys_seconds at);

// An authority that signs with another algorithm than ours: "RSA", "ED25519".
KeyPair foreign_authority(const char* algorithm,
                          std::chrono::sys_seconds not_before,
                          std::chrono::sys_seconds not_after);

// The key, locked by a passphrase.
std::string encrypted(const std::string& key);

// 90 days, 365 days and so on.
Terms usual_terms();

// What is stored and trusted when all was just set up at the moment.
Stored installed(const Terms& terms, std::chrono::sys_seconds at);

// Number of certificates; 0 if it is no bundle.
std::size_t size_of(const std::string& bundle);

}  // namespace plimsoll::webhook::certificates
