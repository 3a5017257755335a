// What is read out of an image's configuration once, when it becomes known, instead of in each
// review.
#pragma once

#include <memory>
#include <vector>

#include "policy/image_facts.h"
#include "policy/image_secrets.h"
#include "policy/image_waste.h"

namespace plimsoll::policy {

struct ImageInsights {
  std::vector<BakedSecret> secrets;
  std::vector<WasteSign> waste;
};

std::shared_ptr<const ImageInsights> insights_of(const Manifest& manifest,
                                                 const ImageConfig& config);

// Those that came with the facts, or made now. Manifest and configuration must be known.
std::shared_ptr<const ImageInsights> insights_of(const PlatformFacts& platform);

}  // namespace plimsoll::policy
