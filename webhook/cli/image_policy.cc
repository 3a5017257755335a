#include "webhook/cli/image_policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policy/engine.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::Match;

bool is_about_images(const policy::Rule& rule) {
  return rule.id.starts_with("image-") || rule.id == "base-image" || rule.id == "layer-hygiene";
}

// Whatever is not about images is taken as matched.
Match images_of(const Match& match) {
  Match images;
  images.images = match.images;
  return images;
}

policy::PolicySet for_images(const policy::PolicySet& policies) {
  policy::PolicySet set = policies;
  for (policy::HygienePolicy& policy : set.policies) {
    policy.match = images_of(policy.match);
    std::erase_if(policy.exclude, [](const Match& match) { return match.images.empty(); });
    std::erase_if(policy.exceptions, [](const policy::Exception& exception) {
      return exception.match.images.empty();
    });
    std::erase_if(policy.rules, [](const policy::RuleSetting& setting) {
      return !is_about_images(*setting.rule);
    });
    for (policy::Exception& exception : policy.exceptions) {
      exception.match = images_of(exception.match);
    }
  }
  return set;
}

}  // namespace

PolicyVerdict judge_image(const policy::PolicySet& policies,
                          const std::string& reference,
                          ImageSource& source,
                          std::shared_ptr<const policy::ImageFacts> facts,
                          std::chrono::sys_seconds now) {
  const policy::PolicySet set = for_images(policies);
  std::array<policy::Container, 1> containers;
  containers[0].name = "image";
  containers[0].image = reference;
  containers[0].reference = policy::parse_image_reference(reference);
  policy::Workload workload;
  workload.api_version = "v1";
  workload.kind = "Pod";
  workload.containers = containers;
  policy::Review review;
  review.object = &workload;
  const policy::FactNeeds needs = policy::facts_needed(set, review, {});
  std::vector<policy::Platform> platforms;
  for (const policy::PlatformFacts& platform : facts->platforms) {
    platforms.push_back(platform.platform);
  }
  std::vector<policy::ComparedImage> compared;
  for (const std::string& base : needs.compared) {
    const auto parsed = policy::parse_image_reference(base);
    if (!parsed) continue;
    const policy::FactSet wanted = policy::kManifest | policy::kConfig;
    compared.push_back({base, source.look_up(*parsed, platforms, wanted)});
  }
  const std::array<std::shared_ptr<const policy::ImageFacts>, 1> known = {std::move(facts)};
  const policy::Decision decision = policy::evaluate(set, review, {known, compared}, {}, now);
  PolicyVerdict verdict{decision.verdict, {}};
  for (const policy::JudgedFinding& judged : decision.findings) {
    const char* word = judged.action == policy::Action::kEnforce ? "deny"
                       : judged.action == policy::Action::kWarn  ? "warn"
                                                                 : "audit";
    verdict.lines.push_back(std::string(word) + " " + std::string(judged.rule->id) + ": " +
                            policy::finding_text(judged));
  }
  return verdict;
}

}  // namespace plimsoll::webhook::cli
