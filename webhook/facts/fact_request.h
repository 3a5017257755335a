// Which facts of which image are wanted, on whose behalf.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policy/image_facts.h"
#include "policy/image_reference.h"
#include "webhook/registry/registries.h"

namespace plimsoll::webhook::facts {

// Owns its texts: it outlives the review that it comes from.
struct FactRequest {
  std::string reference;  // normalised
  registry::Repository repository;
  std::string tag;     // empty where it is pinned
  std::string digest;  // empty where it is not
  std::vector<policy::Platform> platforms;
  policy::FactSet facts = policy::kNoFacts;

  static FactRequest of(const policy::ImageReference& reference,
                        std::vector<policy::Platform> platforms,
                        policy::FactSet facts);
  // What is pulled: the digest or the tag.
  const std::string& pulled() const { return digest.empty() ? tag : digest; }
};

// Tells the facts of one image from those of another: reference and platforms.
std::string cache_key(std::string_view reference, const std::vector<policy::Platform>& platforms);

}  // namespace plimsoll::webhook::facts
