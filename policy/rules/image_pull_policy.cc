#include <array>
#include <cstddef>

#include "policy/pattern.h"
#include "policy/printable.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

enum : std::size_t { kRequire, kMutable };

constexpr std::array<std::string_view, 2> kRequirements = {"fresh", "Always"};

constexpr std::array<Parameter, 2> kParameters = {{
    {.name = "require",
     .kind = ParameterKind::kChoice,
     .default_json = R"("fresh")",
     .summary = "fresh: Always where the tag is mutable, anything where it is fixed or a digest; "
                "Always: always",
     .choices = kRequirements},
    {.name = "mutable",
     .kind = ParameterKind::kGlobList,
     .default_json = R"(["latest"])",
     .summary = "tags (globs) that are moved from image to image"},
}};

// The API server fills in Always for the tag latest, even with a digest behind it, and for neither
// tag nor digest; IfNotPresent otherwise.
std::string_view effective_policy(const Container& container) {
  if (!container.pull_policy.empty()) return container.pull_policy;
  const ImageReference& reference = *container.reference;
  const bool latest =
      reference.tag == "latest" || (reference.tag.empty() && !reference.is_pinned());
  return latest ? "Always" : "IfNotPresent";
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const bool always = input.parameters.text(kRequire) == "Always";
  const auto& mutable_tags = input.parameters.list(kMutable);
  for (const Container* container : input.containers) {
    if (!container->reference) continue;
    const std::string_view policy = effective_policy(*container);
    if (policy == "Always") continue;
    const ImageReference& reference = *container->reference;
    const bool moves =
        !reference.is_pinned() && any_glob_matches(mutable_tags, reference.effective_tag());
    if (!always && !moves) continue;
    const bool volume = container->container_class == ContainerClass::kImageVolume;
    Finding& finding = findings.emplace_back();
    finding.container = container;
    finding.subject = image_subject(*container);
    finding.pointer =
        pointer_to(input.workload, *container, volume ? "/image/pullPolicy" : "/imagePullPolicy");
    finding.found = printable(policy);
    finding.limit = "Always";
    finding.message = describe_image(*container) + " has the pull policy " + finding.found;
    finding.message +=
        always ? "; the policy requires Always"
               : "; its tag " + quoted(reference.effective_tag()) + " moves, so that needs Always";
  }
}

}  // namespace

constinit const Rule kImagePullPolicy = {
    .id = "image-pull-policy",
    .title = "Mutable tags are pulled afresh",
    .why =
        "With IfNotPresent a node keeps the image that it once pulled under a moving tag: pods of "
        "one workload "
        "run different code, depending on the node.",
    .remedy = "set the pull policy to Always, or use a fixed tag or a digest",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
