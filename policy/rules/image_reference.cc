#include "policy/printable.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for (const Container* container : input.containers) {
    if (container->image.empty() || container->reference) continue;
    Finding& finding = findings.emplace_back();
    finding.container = container;
    finding.subject = image_subject(*container);
    finding.pointer = image_pointer(input.workload, *container);
    finding.found = quoted(container->image);
    finding.limit = "a reference that a container runtime can pull";
    finding.message = describe(*container) + " image " + finding.found +
                      " is not a valid reference: " + std::string(container->reference.error());
  }
}

}  // namespace

constinit const Rule kImageReference = {
    .id = "image-reference",
    .title = "Image references can be pulled",
    .why =
        "The API server accepts any text as an image. A reference that no container runtime can "
        "parse "
        "fails on the node, minutes later, as InvalidImageName.",
    .remedy = "write the image as [HOST[:PORT]/]PATH[:TAG][@DIGEST], the path in lower case",
    .parameters = {},
    .check = check,
};

}  // namespace plimsoll::policy::rules
