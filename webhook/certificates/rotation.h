// Decides what to do next about the authority and the serving certificate, from what is stored and
// trusted: a pure function that may be asked again after a crash at any point.
//
// An authority is renewed in steps, each of which is in the Secret before the next begins: the next
// authority is stored beside the current one and joins the bundle; once every caBundle was seen to
// hold it, that time is stored; when all API servers must have seen it, it takes over and signs a
// new serving certificate. The old authority stays in the bundle until it expires, since no
// certificate outlives the authority that it is under: whoever still serves an old one is trusted.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policy/result.h"
#include "webhook/certificates/stored.h"

namespace plimsoll::webhook::certificates {

inline constexpr std::size_t kMaxEarlierAuthorities = 8;   // that a bundle keeps
inline constexpr std::chrono::seconds kMostUntilLook{60};  // clocks jump: nobody sleeps for days
inline constexpr std::chrono::seconds kLeastUntilLook{1};
inline constexpr std::chrono::seconds kLeastLife{10};  // of a certificate

struct Terms {
  std::vector<std::string> dns_names;  // 1 to 64
  std::string authority_name;          // 1 to 64 characters
  std::chrono::seconds authority_life = std::chrono::days(365);
  std::chrono::seconds serving_life = std::chrono::days(90);
  std::chrono::seconds backdate = std::chrono::hours(1);  // at most half of a life
  // How long every caBundle must have held an authority before it is used.
  std::chrono::seconds trust_delay{60};
};

// What the API server is told to trust: the caBundle of every webhook entry as PEM text, read
// before anything is written. No entries: it is not known. An entry without a caBundle is an empty
// text.
struct Trusted {
  std::vector<std::string> bundles;
};

struct Step {
  enum class Kind : std::uint8_t {
    kNothing,      // all is in order
    kWriteSecret,  // `data` must be stored, then `bundle` published
    kWait,         // a renewal of the authority is on its way
  };
  Kind kind = Kind::kNothing;
  std::map<std::string, std::string> data;  // all of the Secret's keys; only for kWriteSecret
  std::string bundle;                       // always: what every caBundle has to be, as PEM text
  std::chrono::seconds until_look{0};       // 1 s to 60 s
  std::string reason;                       // one line, for logs and Events; never a secret
};

// Due is what has used two thirds of its life, or begins more than 5 minutes from now. Whatever is
// missing or cannot be used is replaced at once. If only the current authority's key is lost while
// the serving certificate is good, the authority is renewed as if it were due. An authority whose
// time is over is replaced without waiting for trust, by the next one where there is one already.
// Nothing else promotes while it is not known what is trusted. Fails on terms that cannot be met,
// and if OpenSSL does.
policy::Result<Step> plan(const Stored& stored,
                          const Trusted& trusted,
                          const Terms& terms,
                          std::chrono::sys_seconds now);

}  // namespace plimsoll::webhook::certificates
