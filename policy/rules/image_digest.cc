#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for (const Container* container : input.containers) {
    if (!container->reference || container->reference->is_pinned()) continue;
    Finding& finding = findings.emplace_back();
    finding.container = container;
    finding.subject = image_subject(*container);
    finding.pointer = image_pointer(input.workload, *container);
    finding.found = "no digest";
    finding.limit = "a digest";
    finding.message = describe_image(*container) + " is not pinned by a digest";
  }
}

}  // namespace

constinit const Rule kImageDigest = {
    .id = "image-digest",
    .title = "Images are pinned by digest",
    .why =
        "Only a digest guarantees that what was checked is what runs: a tag can be moved between "
        "the check "
        "and the pull.",
    .remedy =
        "append @sha256:... of the image, as `docker buildx imagetools inspect` or `crane digest` "
        "prints it",
    .parameters = {},
    .check = check,
};

}  // namespace plimsoll::policy::rules
