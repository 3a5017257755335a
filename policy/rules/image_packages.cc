#include <array>
#include <utility>

#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::size_t kMaximum = 0;
constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "maximum",
     .kind = ParameterKind::kCount,
     .default_json = "400",
     .summary = "of installed packages, as the scan report counts them"},
}};

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kResolution | kScan;
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const auto maximum = input.parameters.count(kMaximum);
  if (!maximum) return;
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    if (!facts.resolution) {
      return add_unknown(input, container, nullptr, facts.resolution.error(), findings);
    }
    if (!facts.scan) return add_unknown(input, container, nullptr, facts.scan.error(), findings);
    if (const auto why = why_not_scanned(**facts.scan)) {
      return add_unknown(input, container, nullptr, *why, findings);
    }
    const auto& packages = (*facts.scan)->packages;
    if (!packages) {
      const Unknown why{UnknownReason::kNoReport, "the report does not count packages"};
      return add_unknown(input, container, nullptr, why, findings);
    }
    if (!std::cmp_greater(*packages, *maximum)) return;
    Finding& finding = add_image_finding(input, container, findings);
    finding.found = std::to_string(*packages) + " packages";
    finding.limit = std::to_string(*maximum);
    finding.message =
        describe_image(container) + " has " + finding.found + ", limit " + finding.limit;
  });
}

}  // namespace

constinit const Rule kImagePackages = {
    .id = "image-packages",
    .title = "Images hold few packages",
    .why =
        "Every package is something to update and something to attack. An image that holds an "
        "application and what it needs rarely holds hundreds. The number comes from the scan "
        "report; without one it is not known.",
    .remedy = "use a smaller base image, and install without recommended packages",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
