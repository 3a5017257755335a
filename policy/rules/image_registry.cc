#include <algorithm>
#include <array>
#include <cstddef>

#include "policy/pattern.h"
#include "policy/printable.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

enum : std::size_t { kAllow, kDeny };

constexpr std::array<Parameter, 2> kParameters = {{
    {.name = "allow",
     .kind = ParameterKind::kImagePatternList,
     .default_json = "[]",
     .summary = "images (patterns over normalised references) that may be used; empty: all"},
    {.name = "deny",
     .kind = ParameterKind::kImagePatternList,
     .default_json = "[]",
     .summary = "images that may not be used, even if `allow` lists them"},
}};

const std::string* first_match(const std::vector<std::string>& patterns,
                               const ImageReference& reference) {
  const auto matches = [&reference](const std::string& pattern) {
    return image_pattern_matches(pattern, reference);
  };
  const auto found = std::ranges::find_if(patterns, matches);
  return found == patterns.end() ? nullptr : &*found;
}

std::string listed(const std::vector<std::string>& patterns) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(patterns.size(), kShown); ++i) {
    if (i > 0) text += ", ";
    text += patterns[i];
  }
  if (patterns.size() > kShown)
    text += ", and " + std::to_string(patterns.size() - kShown) + " more";
  return text;
}

void add(const RuleInput& input,
         const Container& container,
         std::string why,
         std::string limit,
         std::vector<Finding>& findings) {
  Finding& finding = findings.emplace_back();
  finding.container = &container;
  finding.subject = image_subject(container);
  finding.pointer = image_pointer(input.workload, container);
  finding.found = container.reference ? container.reference->host_key() : "an invalid reference";
  finding.message = describe_image(container) + std::move(why);
  finding.limit = std::move(limit);
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const auto& allow = input.parameters.list(kAllow);
  const auto& deny = input.parameters.list(kDeny);
  if (allow.empty() && deny.empty()) return;
  const auto allowed = [&allow] {
    return allow.empty() ? "not denied" : "one of " + listed(allow);
  };
  for (const Container* container : input.containers) {
    if (container->image.empty()) continue;
    if (!container->reference) {
      add(input,
          *container,
          " names no registry: it is not a valid reference",
          allowed(),
          findings);
      continue;
    }
    const std::string* denied = first_match(deny, *container->reference);
    if (denied != nullptr) {
      add(input,
          *container,
          " is on the list of denied images (" + *denied + ")",
          "not " + *denied,
          findings);
    } else if (!allow.empty() && first_match(allow, *container->reference) == nullptr) {
      const std::string why = " is not on the list of allowed images (" + listed(allow) + ")";
      add(input, *container, why, allowed(), findings);
    }
  }
}

}  // namespace

constinit const Rule kImageRegistry = {
    .id = "image-registry",
    .title = "Images come from known registries",
    .why =
        "An image from an unknown place has not been built, scanned or kept by anybody here. Hosts "
        "are compared "
        "as parts of the parsed reference, all names of Docker Hub as one.",
    .remedy = "push the image to an allowed registry and name it there",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
