// The built-in policy says exactly what users were promised.
#include "webhook/policy_sources/default_policy.h"

#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "policy/policy_document.h"
#include "webhook/policy_sources/policy_loader.h"

namespace plimsoll::webhook::policy_sources {
namespace {

using policy::Action;

TEST(DefaultPolicy, HasThePromisedRulesAndActions) {
  const auto policies = load_policies({}, false);
  ASSERT_TRUE(policies.has_value()) << policies.error().front();
  ASSERT_EQ(policies->policies.size(), 1U);
  const policy::HygienePolicy& policy = policies->policies.front();
  EXPECT_EQ(policy.name, "default");
  std::map<std::string_view, Action> actions;
  for (const policy::RuleSetting& setting : policy.rules) {
    actions[setting.rule->id] = setting.action;
  }
  const std::map<std::string_view, Action> promised = {{"image-reference", Action::kWarn},
                                                       {"image-tag", Action::kWarn},
                                                       {"liveness-probe", Action::kWarn},
                                                       {"readiness-probe", Action::kWarn},
                                                       {"resources", Action::kWarn},
                                                       {"secret-env", Action::kWarn},
                                                       {"image-environment", Action::kAudit},
                                                       {"image-pull-policy", Action::kAudit},
                                                       {"probe-quality", Action::kAudit}};
  EXPECT_EQ(actions, promised);
  ASSERT_EQ(policy.exclude.size(), 1U);
  EXPECT_EQ(policy.exclude[0].namespaces, std::vector<std::string>{"kube-*"});
  EXPECT_TRUE(policy.exceptions.empty());
  EXPECT_FALSE(policy.deny_existing);
  EXPECT_EQ(policy.controller_created, policy::ControllerCreated::kWarn);
}

TEST(DefaultPolicy, ExplainsEachRuleInAComment) {
  const std::string_view text = default_policy_yaml();
  const auto policies = load_policies({});
  ASSERT_TRUE(policies.has_value());
  for (const policy::RuleSetting& setting : policies->policies.front().rules) {
    const std::size_t at = text.find("\n    " + std::string(setting.rule->id) + ":");
    ASSERT_NE(at, std::string_view::npos) << setting.rule->id;
    const std::size_t line = text.rfind('\n', at - 1);
    EXPECT_TRUE(text.substr(line + 1).starts_with("    # ")) << setting.rule->id;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::policy_sources
