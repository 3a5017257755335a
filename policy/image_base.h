// What an image was built on: proven by its layers, or claimed by its annotations and labels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/image_facts.h"

namespace plimsoll::policy {

struct BaseClaim {
  std::string name;         // as claimed, "docker.io/library/debian:12"; may be empty
  std::string digest;       // may be empty
  std::string_view source;  // "annotation", "label"
};

// org.opencontainers.image.base.name and .base.digest: of the manifest, of the index, of the
// configuration's labels, the first that has either. Nothing where nobody claims anything.
std::vector<BaseClaim> base_claims(const Manifest& manifest,
                                   const Resolution* resolution,
                                   const ImageConfig& config);

// True if the diff-ids of `base` are the first of `image`, at least one, and not all of them.
bool is_built_on(const ImageConfig& image, const ImageConfig& base);

}  // namespace plimsoll::policy
