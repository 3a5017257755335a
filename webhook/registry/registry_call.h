// What the client's parts hand to each other: for the sources of this folder only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "webhook/registry/registry_client.h"

namespace plimsoll::webhook::registry {

// What is asked of a repository, wherever it is served.
struct RegistryClient::Call {
  std::string_view operation;
  std::string_view method = "GET";
  std::string below;  // the repository: "manifests/latest"
  std::string accept;
  std::uint64_t limit = 0;
  unsigned redirects = 0;
  net::BodySink sink;
};

// The way in that a credential opens.
struct RegistryClient::Permit {
  std::string authorization;  // empty: none
  bool cached_token = false;
  bool withheld = false;  // there are credentials, and the realm is not trusted with them
  TokenRequest token;
};

}  // namespace plimsoll::webhook::registry
