#include <array>

#include "policy/rules/rule_table.h"

namespace plimsoll::policy {
namespace {

// In report order. Explicit, because a static library drops objects that only register themselves.
constexpr std::array<const Rule*, 27> kRules = {
    &rules::kImageReference, &rules::kImageTag,        &rules::kImageDigest,
    &rules::kImageRegistry,  &rules::kImagePullPolicy, &rules::kImageEnvironment,
    &rules::kVersionLabel,   &rules::kImageExists,     &rules::kImageSize,
    &rules::kImageLayers,    &rules::kLayerHygiene,    &rules::kImageScan,
    &rules::kImagePackages,  &rules::kImageUser,       &rules::kImageSecrets,
    &rules::kBaseImage,      &rules::kImageAge,        &rules::kImageLabels,
    &rules::kImagePlatforms, &rules::kLivenessProbe,   &rules::kReadinessProbe,
    &rules::kHealthCheck,    &rules::kProbeQuality,    &rules::kResources,
    &rules::kSecretEnv,      &rules::kRunAsRoot,       &rules::kReplicas,
};

}  // namespace

std::span<const Rule* const> all_rules() {
  return kRules;
}

const Rule* find_rule(std::string_view id) {
  for (const Rule* rule : kRules) {
    if (rule->id == id) return rule;
  }
  return nullptr;
}

std::string_view action_word(Action action) {
  switch (action) {
    case Action::kOff:
      return "off";
    case Action::kAudit:
      return "audit";
    case Action::kWarn:
      return "warn";
    case Action::kEnforce:
      return "enforce";
  }
  return "off";
}

}  // namespace plimsoll::policy
