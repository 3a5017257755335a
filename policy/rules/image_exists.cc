#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kResolution | kManifest;
}

// Only what is not known is found: that it is known is all that this rule wants.
void check(const RuleInput& input, std::vector<Finding>& findings) {
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    if (!facts.resolution) {
      return add_unknown(input, container, nullptr, facts.resolution.error(), findings);
    }
    add_gravest_unknown(input, container, facts, kManifest, findings);
  });
}

}  // namespace

constinit const Rule kImageExists = {
    .id = "image-exists",
    .title = "Images exist and can be read",
    .why =
        "An image that is not there leaves its pods waiting, and that shows only after the rollout "
        "has begun. What cannot be read is decided by onUnknown, by the class of the reason.",
    .remedy = "push the image, or correct the reference",
    .parameters = {},
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
