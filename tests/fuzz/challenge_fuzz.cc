// What registries send in WWW-Authenticate, URLs in it, credentials files and --registries files.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "webhook/net/url.h"
#include "webhook/registry/challenge.h"
#include "webhook/registry/registries.h"

namespace registry = plimsoll::webhook::registry;
namespace net = plimsoll::webhook::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto challenges = registry::parse_challenges({text, text});
  if (challenges.size() > registry::kMaxChallenges) std::abort();
  static const net::Url base = *net::parse_url("https://registry.test/v2/a/blobs/x");
  for (const registry::Challenge& challenge : challenges) {
    if (challenge.parameters.size() > registry::kMaxChallengeParameters) std::abort();
    net::parse_url(challenge.parameter("realm"));
  }
  const auto location = net::resolve_location(base, text);
  if (location && location->target.find_first_of("\r\n ") != std::string::npos) std::abort();
  for (const auto source :
       {registry::CredentialSource::kOwn, registry::CredentialSource::kPullSecret}) {
    const auto keyring = registry::Keyring::read(text, source);
    if (keyring) keyring->candidates("registry.test:5000", "team/app");
  }
  registry::parse_registry_config("r.yaml", text);
  return 0;
}
