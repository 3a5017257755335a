#include <array>

#include "policy/printable.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::size_t kRequired = 0;
constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "required",
     .kind = ParameterKind::kTextList,
     .default_json = "[]",
     .summary = "keys that a label or an annotation of the image must have, with a value"},
}};

FactSet needs(const RuleInput& input, const Container& /*container*/) {
  return input.parameters.list(kRequired).empty() ? kNoFacts : kResolution | kManifest | kConfig;
}

bool has(const ImageFacts& facts, const PlatformFacts& platform, std::string_view key) {
  const std::array<const KeyValues*, 3> places = {
      &(*platform.config)->labels,
      &(*platform.manifest)->annotations,
      facts.resolution ? &facts.resolution->annotations : nullptr};
  for (const KeyValues* pairs : places) {
    if (pairs != nullptr && !find_value(*pairs, key).value_or("").empty()) return true;
  }
  return false;
}

std::vector<std::string_view> missing_in(const RuleInput& input,
                                         const ImageFacts& facts,
                                         const PlatformFacts& platform) {
  std::vector<std::string_view> missing;
  for (const std::string& key : input.parameters.list(kRequired)) {
    if (!has(facts, platform, key)) missing.push_back(key);
  }
  return missing;
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  if (input.parameters.list(kRequired).empty()) return;
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    std::vector<std::string_view> most;
    for (const PlatformFacts& platform : facts.platforms) {
      if (why_unknown(platform, kManifest | kConfig) != nullptr) continue;
      std::vector<std::string_view> missing = missing_in(input, facts, platform);
      if (missing.size() > most.size()) most = std::move(missing);
    }
    if (most.empty()) {
      add_gravest_unknown(input, container, facts, kManifest | kConfig, findings);
      return;
    }
    std::string names;
    for (const std::string_view key : most) names += (names.empty() ? "" : ", ") + printable(key);
    Finding& finding = add_image_finding(input, container, findings);
    finding.found = "without " + names;
    finding.limit = most.size() == 1 ? "with a value for it" : "with a value for each";
    finding.message =
        describe_image(container) + " lacks the label" + (most.size() == 1 ? " " : "s ") + names;
  });
}

}  // namespace

constinit const Rule kImageLabels = {
    .id = "image-labels",
    .title = "Images carry the labels that are asked for",
    .why =
        "A label that names the source or the owner is what leads from a running container back to "
        "those who can mend it. Labels of the configuration count, and annotations of the manifest "
        "and of the index.",
    .remedy = "add the label in the build: LABEL KEY=VALUE, or --label",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
