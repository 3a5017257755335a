// How long what was found counts.
#pragma once

#include <chrono>

#include "policy/unknown.h"

namespace plimsoll::webhook::facts {

// A tag's digest: used without a question, used while it is asked again, used where nobody answers.
inline constexpr std::chrono::seconds kTagFresh{60};
inline constexpr std::chrono::seconds kTagRevalidate{600};
inline constexpr std::chrono::seconds kTagStale{86'400};
inline constexpr std::chrono::seconds kAccessProof{600};

// How long a failure is believed; 0: not at all. At most a minute for anything that may pass.
std::chrono::seconds lifetime_of(policy::UnknownReason reason);

}  // namespace plimsoll::webhook::facts
