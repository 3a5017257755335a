#include "policy/policy_set.h"

#include <algorithm>
#include <utility>

namespace plimsoll::policy {

PolicySet make_policy_set(std::vector<HygienePolicy> policies, std::string revision) {
  PolicySet set{std::move(policies), std::move(revision)};
  set.needs_namespace_labels = std::ranges::any_of(
      set.policies, [](const HygienePolicy& policy) { return policy.needs_namespace_labels(); });
  set.needs_facts = std::ranges::any_of(set.policies, [](const HygienePolicy& policy) {
    return std::ranges::any_of(
        policy.rules, [](const RuleSetting& setting) { return setting.rule->needs != nullptr; });
  });
  return set;
}

bool HygienePolicy::needs_namespace_labels() const {
  const auto needs = [](const Match& m) { return m.namespace_selector.has_value(); };
  return needs(match) || std::ranges::any_of(exclude, needs) ||
         std::ranges::any_of(exceptions, [&](const Exception& e) { return needs(e.match); });
}

}  // namespace plimsoll::policy
