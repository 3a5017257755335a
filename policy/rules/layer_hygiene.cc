#include <algorithm>
#include <array>

#include "policy/image_insights.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::size_t kChecked = 0;
constexpr std::size_t kProofOnly = 1;
constexpr std::array<Parameter, 2> kParameters = {{
    {.name = "checks",
     .kind = ParameterKind::kChoiceList,
     .default_json =
         R"(["build-tools","package-cache","removed-later","copied-twice","repeated-layer","uncompressed","remote-add"])",
     .summary = "which signs of waste count",
     .choices = kWasteWords},
    {.name = "proofOnly",
     .kind = ParameterKind::kFlag,
     .default_json = "false",
     .summary = "only what manifest and configuration prove; hints do not count"},
}};

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kManifest | kConfig;
}

// The signs that the policy wants to hear of.
std::vector<WasteSign> signs_of(const RuleInput& input, const PlatformFacts& platform) {
  const std::vector<std::string>& checks = input.parameters.list(kChecked);
  const bool proof_only = input.parameters.flag(kProofOnly);
  const std::shared_ptr<const ImageInsights> insights = insights_of(platform);
  std::vector<WasteSign> signs;
  for (const WasteSign& sign : insights->waste) {
    const bool wanted = std::ranges::find(checks, waste_word(sign.kind)) != checks.end();
    if (wanted && (!proof_only || sign.proof)) signs.push_back(sign);
  }
  return signs;
}

void add(const RuleInput& input,
         const Container& container,
         const std::vector<WasteSign>& signs,
         std::vector<Finding>& findings) {
  constexpr std::size_t kShown = 8;
  std::string detail;
  for (std::size_t i = 0; i < std::min(signs.size(), kShown); ++i) {
    const WasteSign& sign = signs[i];
    detail += std::string(i > 0 ? "\n" : "") + (sign.proof ? "proof: " : "hint: ") + sign.text +
              "; " + sign.advice;
  }
  if (signs.size() > kShown) detail += "\nand " + std::to_string(signs.size() - kShown) + " more";
  const auto proofs = std::ranges::count(signs, true, &WasteSign::proof);
  Finding& finding = add_image_finding(input, container, findings);
  finding.found =
      std::to_string(signs.size()) + (signs.size() == 1 ? " sign of waste" : " signs of waste");
  finding.limit = "none";
  finding.message = describe_image(container) + " shows " + finding.found + " (" +
                    std::to_string(proofs) + " proven), limit none";
  finding.detail = std::move(detail);
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    std::vector<WasteSign> most;
    for (const PlatformFacts& platform : facts.platforms) {
      if (why_unknown(platform, kManifest | kConfig) != nullptr) continue;
      std::vector<WasteSign> signs = signs_of(input, platform);
      if (signs.size() > most.size()) most = std::move(signs);
    }
    if (!most.empty()) return add(input, container, most, findings);
    add_gravest_unknown(input, container, facts, kManifest | kConfig, findings);
  });
}

}  // namespace

constinit const Rule kLayerHygiene = {
    .id = "layer-hygiene",
    .title = "Layers carry nothing that is not needed",
    .why =
        "Compilers, package lists and files that a later layer removes are pulled by every node "
        "and "
        "never used, and what is not there cannot be attacked. Manifest, history and configuration "
        "prove some of it and only hint at the rest; `plimsoll image --layers` looks inside.",
    .remedy = "clean up in the RUN that made the mess, and build in a stage of its own",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
