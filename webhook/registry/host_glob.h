// Hosts in references and in credentials, and the kubelet's way to match one with the other.
#pragma once

#include <string_view>

namespace plimsoll::webhook::registry {

struct HostAndPort {
  std::string_view host;  // with the brackets of an IPv6 address
  std::string_view port;  // empty: none
};

HostAndPort split_host(std::string_view text);

// Label by label: as many labels on both sides, each matched as a shell pattern (`*`, `?`,
// `[a-z]`, `[!a-z]`). Case-sensitive. kubernetes pkg/credentialprovider/keyring.go, URLsMatch.
bool host_matches(std::string_view pattern, std::string_view host);

}  // namespace plimsoll::webhook::registry
