#include <algorithm>
#include <array>

#include "policy/printable.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::size_t kRequired = 0;
constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "required",
     .kind = ParameterKind::kPlatformList,
     .default_json = R"(["linux/amd64"])",
     .summary = "for which the image must exist, like linux/amd64 or linux/arm/v7"},
}};

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kResolution | kConfig;
}

// What the image exists for; nothing where that is not known.
Fact<std::vector<Platform>> offered(const ImageFacts& facts) {
  if (!facts.resolution) return std::unexpected(facts.resolution.error());
  std::vector<Platform> platforms;
  if (facts.resolution->is_index) {
    for (const OfferedPlatform& offer : facts.resolution->platforms) {
      platforms.push_back(offer.platform);
    }
    return platforms;
  }
  // One manifest is for one platform: asked about others, its configuration is the same.
  for (const PlatformFacts& platform : facts.platforms) {
    if (!platform.config) continue;
    platforms.push_back((*platform.config)->platform);
    return platforms;
  }
  return std::unexpected(facts.platforms.front().config.error());
}

std::string list_of(const std::vector<Platform>& platforms) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(platforms.size(), kShown); ++i) {
    text += (i > 0 ? ", " : "") + printable(platform_text(platforms[i]), 64);
  }
  if (platforms.size() > kShown) text += ", ...";
  return text.empty() ? "nothing" : text;
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    const auto platforms = offered(facts);
    if (!platforms) return add_unknown(input, container, nullptr, platforms.error(), findings);
    std::string missing;
    for (const std::string& word : input.parameters.list(kRequired)) {
      const auto wanted = parse_platform(word);
      const bool there =
          wanted && std::ranges::any_of(*platforms, [&wanted](const Platform& platform) {
            return platform_distance(*wanted, platform).has_value();
          });
      if (!there) missing += (missing.empty() ? "" : ", ") + printable(word);
    }
    if (missing.empty()) return;
    Finding& finding = add_image_finding(input, container, findings);
    finding.found = list_of(*platforms);
    finding.limit = missing;
    finding.message = describe_image(container) + " does not exist for " + missing +
                      "; it is there for " + finding.found;
  });
}

}  // namespace

constinit const Rule kImagePlatforms = {
    .id = "image-platforms",
    .title = "Images exist for the platforms of the cluster",
    .why =
        "A pod that lands on a node of another architecture than its image never starts, and that "
        "shows only there.",
    .remedy = "build and push the image for these platforms, too",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
