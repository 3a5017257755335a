#include "webhook/facts/fact_request.h"

#include <utility>

namespace plimsoll::webhook::facts {

FactRequest FactRequest::of(const policy::ImageReference& reference,
                            std::vector<policy::Platform> platforms,
                            policy::FactSet facts,
                            const PodCredentialsPointer& credentials) {
  FactRequest request;
  request.reference = reference.normalised();
  request.repository = registry::Repository::of(reference);
  if (reference.is_pinned()) {
    request.digest = reference.digest;
  } else {
    request.tag = reference.effective_tag();
  }
  request.platforms = std::move(platforms);
  request.facts = facts;
  if (credentials != nullptr) request.identity = credentials->identity(request.repository);
  if (!request.identity.empty()) request.credentials = credentials;
  return request;
}

std::string PodCredentials::identity(const registry::Repository& repository) const {
  std::string identity;
  for (const registry::CredentialEntry* entry :
       keyring.candidates(repository.domain, repository.path)) {
    identity += entry->credential.fingerprint();
  }
  return identity;
}

std::string cache_key(std::string_view reference,
                      const std::vector<policy::Platform>& platforms,
                      std::string_view identity) {
  std::string key(reference);
  for (const policy::Platform& platform : platforms) {
    key += ' ';
    key += platform.os;
    key += '/';
    key += platform.architecture;
    key += '/';
    key += platform.variant;
  }
  if (!identity.empty()) {
    key += " as ";
    key += identity;
  }
  return key;
}

}  // namespace plimsoll::webhook::facts
