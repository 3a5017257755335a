// What a registry's failing answer means.
#pragma once

#include <string_view>

#include "policy/unknown.h"
#include "webhook/net/fetch.h"

namespace plimsoll::webhook::registry {

// Of a request that brought no answer.
policy::Unknown unknown_of(const net::FetchError& error);

// Of an answer that is not 200. The detail is the status and, where it is one, the error's code of
// the distribution specification; no other text of the registry.
policy::Unknown unknown_of(const net::FetchAnswer& answer);

// Failures that count against a registry: nobody there, or broken.
bool is_outage(policy::UnknownReason reason);

// Retry-After in seconds, at most an hour; 0: there is none that we understand.
std::chrono::seconds retry_after(const net::FetchAnswer& answer);

}  // namespace plimsoll::webhook::registry
