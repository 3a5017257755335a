// Which facts of which image are wanted, on whose behalf.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policy/image_facts.h"
#include "policy/image_reference.h"
#include "webhook/registry/registries.h"

namespace plimsoll::webhook::facts {

// The credentials of a pod. Never changed once made.
struct PodCredentials {
  registry::Keyring keyring;
  // Whose answers may be shared for this repository: "" where the pod has no credential for it.
  std::string identity(const registry::Repository& repository) const;
};
using PodCredentialsPointer = std::shared_ptr<const PodCredentials>;

// Owns its texts: it outlives the review that it comes from.
struct FactRequest {
  std::string reference;  // normalised
  registry::Repository repository;
  std::string tag;     // empty where it is pinned
  std::string digest;  // empty where it is not
  std::vector<policy::Platform> platforms;
  policy::FactSet facts = policy::kNoFacts;

  PodCredentialsPointer credentials;  // nullptr: none that concern this repository
  std::string identity;               // of those credentials

  static FactRequest of(const policy::ImageReference& reference,
                        std::vector<policy::Platform> platforms,
                        policy::FactSet facts,
                        const PodCredentialsPointer& credentials = nullptr);
  // What is pulled: the digest or the tag.
  const std::string& pulled() const { return digest.empty() ? tag : digest; }
};

// Tells the facts of one image from those of another: reference, platforms, and as whom it was
// asked for. What one pod's credentials have shown is not shown to others.
std::string cache_key(std::string_view reference,
                      const std::vector<policy::Platform>& platforms,
                      std::string_view identity);

}  // namespace plimsoll::webhook::facts
