#include "policy/image_insights.h"

namespace plimsoll::policy {

std::shared_ptr<const ImageInsights> insights_of(const Manifest& manifest,
                                                 const ImageConfig& config) {
  return std::make_shared<const ImageInsights>(
      ImageInsights{find_baked_secrets(config), find_waste(manifest, &config)});
}

std::shared_ptr<const ImageInsights> insights_of(const PlatformFacts& platform) {
  if (platform.insights != nullptr) return platform.insights;
  return insights_of(**platform.manifest, **platform.config);
}

}  // namespace plimsoll::policy
