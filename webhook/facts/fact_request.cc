#include "webhook/facts/fact_request.h"

#include <utility>

namespace plimsoll::webhook::facts {

FactRequest FactRequest::of(const policy::ImageReference& reference,
                            std::vector<policy::Platform> platforms,
                            policy::FactSet facts) {
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
  return request;
}

std::string cache_key(std::string_view reference, const std::vector<policy::Platform>& platforms) {
  std::string key(reference);
  for (const policy::Platform& platform : platforms) {
    key += ' ';
    key += platform.os;
    key += '/';
    key += platform.architecture;
    key += '/';
    key += platform.variant;
  }
  return key;
}

}  // namespace plimsoll::webhook::facts
