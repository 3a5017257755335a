#include <array>

#include "policy/image_insights.h"
#include "policy/pattern.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::size_t kAllow = 0;
constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "allow",
     .kind = ParameterKind::kGlobList,
     .default_json = "[]",
     .summary = "names (globs) of variables, labels and arguments that are no secrets"},
}};

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kConfig;
}

// True if it found something.
bool judge(const RuleInput& input,
           const Container& container,
           const ImageInsights& insights,
           std::vector<Finding>& findings) {
  constexpr std::size_t kShown = 10;
  std::size_t count = 0;
  std::string detail;
  std::string first;
  for (const BakedSecret& secret : insights.secrets) {
    const bool allowed =
        !secret.name.empty() && any_glob_matches(input.parameters.list(kAllow), secret.name);
    if (allowed) continue;
    if (++count == 1) first = secret.place;
    if (count > kShown) continue;
    detail += (count > 1 ? "\n" : "") + secret.place + ": " + secret.what;
  }
  if (count == 0) return false;
  if (count > kShown) detail += "\nand " + std::to_string(count - kShown) + " more";
  Finding& finding = add_image_finding(input, container, findings);
  finding.found = std::to_string(count) + (count == 1 ? " secret" : " secrets");
  finding.limit = "none";
  finding.message = describe_image(container) + " carries " + finding.found +
                    " in its configuration, limit none: " + first + (count > 1 ? ", ..." : "");
  finding.detail = std::move(detail);
  return true;
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  judge_platforms(
      input,
      kManifest | kConfig,
      findings,
      [&](const Container& container, const ImageFacts&, const PlatformFacts& platform) {
        return judge(input, container, *insights_of(platform), findings);
      });
}

}  // namespace

constinit const Rule kImageSecrets = {
    .id = "image-secrets",
    .title = "No secrets are baked into images",
    .why =
        "Whoever can pull an image can read its environment, its labels and the arguments of every "
        "build step, for as long as the image exists. Values are never shown here.",
    .remedy = "rotate the secret; pass it at run time, and to builds by RUN --mount=type=secret",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
