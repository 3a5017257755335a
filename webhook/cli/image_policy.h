// What policies say of an image by itself, without a workload around it.
#pragma once

#include <chrono>

#include "policy/policy_set.h"
#include "webhook/cli/image_report.h"
#include "webhook/cli/image_source.h"

namespace plimsoll::webhook::cli {

// The rules about images (image-*, base-image, layer-hygiene), as for a container that runs it,
// wherever the policies apply: their matches count for images alone.
PolicyVerdict judge_image(const policy::PolicySet& policies,
                          const std::string& reference,
                          ImageSource& source,
                          std::shared_ptr<const policy::ImageFacts> facts,
                          std::chrono::sys_seconds now);

}  // namespace plimsoll::webhook::cli
