// The policy document: what is understood, and what each mistake is answered with.
#include "policy/policy_document.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace plimsoll::policy {
namespace {

using Outcome = std::expected<HygienePolicy, std::vector<Problem>>;

Outcome parse(const std::string& text) {
  json::Parser parser;
  json::Element element;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(element) != simdjson::SUCCESS) {
    return std::unexpected(std::vector<Problem>{{"", false, "TEST INPUT IS NOT JSON"}});
  }
  return parse_policy(element);
}

std::string with_spec(std::string_view spec) {
  return std::string(R"({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "HygienePolicy",)") +
         R"("metadata": {"name": "p"}, "spec": )" + std::string(spec) + "}";
}

constexpr std::string_view kRules = R"("rules": {"image-tag": {"action": "warn"}})";

TEST(PolicyDocument, ReadsEveryField) {
  const auto policy = parse(with_spec(R"({
    "match": {"namespaces": ["prod-*"],
              "namespaceSelector": {"matchLabels": {"tier": "gold"},
                                    "matchExpressions": [{"key": "a/b", "operator": "NotIn",
                                                          "values": ["x", ""]}]},
              "kinds": ["Deployment", "apps/StatefulSet"], "names": ["web-*"],
              "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
              "images": ["openpolicyagent/*"]},
    "exclude": [{"namespaces": ["prod-sandbox"]}, {"images": ["quay.io/vendor/*"]}],
    "rules": {"readiness-probe": {"action": "warn"},
              "liveness-probe": {"action": false},
              "image-tag": {"action": "enforce", "mutable": ["latest", "main"],
                            "onUnknown": {"scan": "deny"}}},
    "exceptions": [{"rules": ["image-tag"], "match": {"names": ["legacy"]}, "owner": "team-a",
                    "reason": "split planned", "expires": "2027-01-31"}],
    "existingViolations": "deny", "controllerCreated": "skip",
    "onUnknown": {"definite": "warn", "access": "off", "outage": "audit", "scan": false}})"));
  ASSERT_TRUE(policy.has_value()) << policy.error().front().pointer << ": "
                                  << policy.error().front().message;
  EXPECT_EQ(policy->name, "p");
  EXPECT_EQ(policy->match.namespaces, std::vector<std::string>{"prod-*"});
  ASSERT_TRUE(policy->match.namespace_selector.has_value());
  ASSERT_EQ(policy->match.namespace_selector->requirements.size(), 2U);
  EXPECT_EQ(policy->match.namespace_selector->requirements[1].op, LabelOperator::kNotIn);
  ASSERT_EQ(policy->match.kinds.size(), 2U);
  EXPECT_FALSE(policy->match.kinds[0].group.has_value());
  EXPECT_EQ(policy->match.kinds[1].group, "apps");
  EXPECT_EQ(policy->match.images, std::vector<std::string>{"docker.io/openpolicyagent/*"});
  EXPECT_EQ(policy->exclude.size(), 2U);
  ASSERT_EQ(policy->rules.size(), 2U);  // in table order, without what is off
  EXPECT_EQ(policy->rules[0].rule->id, "image-tag");
  EXPECT_EQ(policy->rules[0].action, Action::kEnforce);
  ASSERT_TRUE(policy->rules[0].on_unknown.has_value());
  EXPECT_EQ(policy->rules[0].on_unknown->scan, Action::kEnforce);
  EXPECT_EQ(policy->rules[0].on_unknown->access, Action::kWarn);
  EXPECT_EQ(policy->rules[0].parameters.list(0), (std::vector<std::string>{"latest", "main"}));
  EXPECT_EQ(policy->rules[1].rule->id, "readiness-probe");
  ASSERT_EQ(policy->exceptions.size(), 1U);
  using namespace std::chrono_literals;
  EXPECT_EQ(policy->exceptions[0].expires, std::chrono::sys_days(2027y / 1 / 31));
  EXPECT_TRUE(policy->deny_existing);
  EXPECT_EQ(policy->controller_created, ControllerCreated::kSkip);
  EXPECT_EQ(policy->on_unknown.definite, Action::kWarn);
  EXPECT_EQ(policy->on_unknown.access, Action::kOff);
  EXPECT_EQ(policy->on_unknown.scan, Action::kOff);
}

TEST(PolicyDocument, DefaultsOfWhatIsLeftOut) {
  const auto policy = parse(with_spec("{" + std::string(kRules) + "}"));
  ASSERT_TRUE(policy.has_value());
  EXPECT_FALSE(policy->deny_existing);
  EXPECT_EQ(policy->controller_created, ControllerCreated::kWarn);
  EXPECT_EQ(policy->on_unknown.definite, Action::kEnforce);
  EXPECT_EQ(policy->on_unknown.outage, Action::kWarn);
  EXPECT_TRUE(policy->match.namespaces.empty());
  EXPECT_EQ(policy->rules[0].parameters.list(0), std::vector<std::string>{"latest"});
}

TEST(PolicyDocument, ExceptionsCountTheirLastDay) {
  Exception exception;
  using namespace std::chrono_literals;
  exception.expires = std::chrono::sys_days(2027y / 1 / 31);
  EXPECT_FALSE(exception.expired(std::chrono::sys_days(2027y / 1 / 31) + 86399s));
  EXPECT_TRUE(exception.expired(std::chrono::sys_days(2027y / 2 / 1)));
}

struct Bad {
  std::string_view spec;  // below "spec", with a good rule where it names none
  std::string_view pointer;
  bool at_key;
  std::string_view message;  // a part of it
};

class BadSpec : public ::testing::TestWithParam<Bad> {};

TEST_P(BadSpec, IsRefusedWithPlaceAndReason) {
  const Bad& bad = GetParam();
  std::string spec(bad.spec);
  if (spec.find("\"rules\": {") == std::string::npos) {
    spec = "{" + std::string(kRules) + ", " + spec + "}";
  } else {
    spec = "{" + spec + "}";
  }
  const auto policy = parse(with_spec(spec));
  ASSERT_FALSE(policy.has_value());
  ASSERT_EQ(policy.error().size(), 1U) << policy.error().at(1).message;
  const Problem& problem = policy.error().front();
  EXPECT_EQ(problem.pointer, "/spec" + std::string(bad.pointer));
  EXPECT_EQ(problem.at_key, bad.at_key);
  EXPECT_NE(problem.message.find(bad.message), std::string::npos) << problem.message;
}

INSTANTIATE_TEST_SUITE_P(
    Keys,
    BadSpec,
    ::testing::Values(
        Bad{R"("mach": {})", "/mach", true, R"(unknown key "mach"; did you mean "match"?)"},
        Bad{R"("zzzzzzzz": 1)", "/zzzzzzzz", true, "known here: match, exclude, rules"},
        Bad{R"("match": {"namespace": ["a"]})",
            "/match/namespace",
            true,
            R"(did you mean "namespaces"?)"},
        Bad{R"("match": {}, "match": {})", "/match", true, "here twice"},
        Bad{R"("exceptions": [{"rules": ["image-tag"], "match": {"names": ["a"]}, "owner": "o",)"
            R"("reason": "r"}])",
            "/exceptions/0",
            false,
            R"(the key "expires" is missing)"}));

INSTANTIATE_TEST_SUITE_P(
    Rules,
    BadSpec,
    ::testing::Values(
        Bad{R"("rules": {})", "/rules", false, "names no rule"},
        Bad{R"("rules": {"image-tags": {"action": "warn"}})",
            "/rules/image-tags",
            true,
            R"(unknown rule "image-tags"; did you mean "image-tag"?)"},
        Bad{R"("rules": {"quite-different": {"action": "warn"}})",
            "/rules/quite-different",
            true,
            "plimsoll policy rules"},
        Bad{R"("rules": {"image-tag": "enforce"})",
            "/rules/image-tag",
            false,
            "write {action: enforce}"},
        Bad{R"("rules": {"image-tag": false})", "/rules/image-tag", false, "write {action: off}"},
        Bad{R"("rules": {"image-tag": null})", "/rules/image-tag", false, "must be an object"},
        Bad{R"("rules": {"image-tag": {"mutable": []}})",
            "/rules/image-tag",
            false,
            R"(the key "action" is missing: "enforce", "warn", "audit" or "off")"},
        Bad{R"("rules": {"image-tag": {"action": "enforced"}})",
            "/rules/image-tag/action",
            false,
            R"(not "enforced"; did you mean "enforce"?)"},
        Bad{R"("rules": {"image-tag": {"action": true}})",
            "/rules/image-tag/action",
            false,
            "YAML reads a plain on or yes as true"},
        Bad{R"("rules": {"image-tag": {"action": 1}})",
            "/rules/image-tag/action",
            false,
            R"(must be "enforce", "warn", "audit" or "off", not)"},
        Bad{R"("rules": {"image-tag": {"action": "warn", "mutabel": []}})",
            "/rules/image-tag/mutabel",
            true,
            R"(did you mean "mutable"?)"},
        Bad{R"("rules": {"image-tag": {"action": "warn", "mutable": "latest"}})",
            "/rules/image-tag/mutable",
            false,
            "must be a list, not a string"},
        Bad{R"("rules": {"image-tag": {"action": "warn", "mutable": [1.5]}})",
            "/rules/image-tag/mutable/0",
            false,
            "put it in quotes"},
        Bad{R"("rules": {"image-tag": {"action": "warn", "mutable": ["a", "a"]}})",
            "/rules/image-tag/mutable/1",
            false,
            R"("a" is here twice)"},
        Bad{R"("rules": {"image-tag": {"action": "warn", "requireSemver": "yes"}})",
            "/rules/image-tag/requireSemver",
            false,
            "must be true or false"},
        Bad{R"("rules": {"replicas": {"action": "warn", "minimum": 1.5}})",
            "/rules/replicas/minimum",
            false,
            "a whole number"},
        Bad{R"("rules": {"replicas": {"action": "warn", "minimum": -1}})",
            "/rules/replicas/minimum",
            false,
            "must be at least"},
        Bad{R"("rules": {"image-pull-policy": {"action": "warn", "require": "always"}})",
            "/rules/image-pull-policy/require",
            false,
            R"(did you mean "Always"?)"}));

INSTANTIATE_TEST_SUITE_P(
    Contradictions,
    BadSpec,
    ::testing::Values(
        Bad{R"("rules": {"image-registry": {"action": "warn", "allow": ["a.example/*"],)"
            R"( "deny": ["b.example/*", "a.example/*"]}})",
            "/rules/image-registry/deny/1",
            false,
            "both in allow and in deny"},
        Bad{R"("rules": {"image-registry": {"action": "warn", "allow": ["https://a.example"]}})",
            "/rules/image-registry/allow/0",
            false,
            "has a scheme"},
        Bad{R"("rules": {"resources": {"action": "warn", "minimum": {"cpu": "2"},)"
            R"( "maximum": {"cpu": "500m"}}})",
            "/rules/resources/minimum/cpu",
            false,
            "is above its maximum (500m)"},
        Bad{R"("rules": {"resources": {"action": "warn", "minimum": {"cpu": "lots"}}})",
            "/rules/resources/minimum/cpu",
            false,
            R"(not a quantity: "lots")"},
        Bad{R"("rules": {"resources": {"action": "warn", "maximum": {"cpu": -1}}})",
            "/rules/resources/maximum/cpu",
            false,
            "not a quantity"},
        Bad{R"("rules": {"resources": {"action": "warn", "ratio": {"cpu": 0.5}}})",
            "/rules/resources/ratio/cpu",
            false,
            "below 1"}));

INSTANTIATE_TEST_SUITE_P(
    Match,
    BadSpec,
    ::testing::Values(
        Bad{R"("match": null)", "/match", false, "must be an object"},
        Bad{R"("match": {"namespaces": []})", "/match/namespaces", false, "an empty list"},
        Bad{R"("match": {"namespaces": ["Prod"]})",
            "/match/namespaces/0",
            false,
            "can match no namespace"},
        Bad{R"("match": {"kinds": ["deployments"]})", "/match/kinds/0", false, "is not a kind"},
        Bad{R"("match": {"kinds": ["v1/Pod"]})",
            "/match/kinds/0",
            false,
            R"(the core group has no name; write "Pod")"},
        Bad{R"("match": {"kinds": ["apps/v1/Deployment"]})",
            "/match/kinds/0",
            false,
            "without the version"},
        Bad{R"("match": {"images": ["a b"]})", "/match/images/0", false, "has blanks"},
        Bad{R"("match": {"labelSelector": {"matchLabels": {"a": 1}}})",
            "/match/labelSelector/matchLabels/a",
            false,
            "put it in quotes"},
        Bad{R"("match": {"labelSelector": {"matchLabels": {"a b": "c"}}})",
            "/match/labelSelector/matchLabels/a b",
            true,
            "not a label key"},
        Bad{R"("match": {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}})",
            "/match/labelSelector/matchExpressions/0",
            false,
            "need values"},
        Bad{R"("match": {"labelSelector": {"matchExpressions":)"
            R"( [{"key": "a", "operator": "Exists", "values": ["x"]}]}})",
            "/match/labelSelector/matchExpressions/0",
            false,
            "take no values"},
        Bad{R"("match": {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "in"}]}})",
            "/match/labelSelector/matchExpressions/0/operator",
            false,
            R"(did you mean "In"?)"},
        Bad{R"("exclude": {"namespaces": ["a"]})", "/exclude", false, "must be a list"},
        Bad{R"("exclude": [{}])", "/exclude/0", false, "selects everything"}));

INSTANTIATE_TEST_SUITE_P(
    Exceptions,
    BadSpec,
    ::testing::Values(
        Bad{R"("exceptions": [{"rules": [], "match": {"names": ["a"]}, "owner": "o",)"
            R"( "reason": "r", "expires": "2027-01-31"}])",
            "/exceptions/0/rules",
            false,
            "an empty list"},
        Bad{R"("exceptions": [{"rules": ["image-tga"], "match": {"names": ["a"]}, "owner": "o",)"
            R"( "reason": "r", "expires": "2027-01-31"}])",
            "/exceptions/0/rules/0",
            false,
            R"(did you mean "image-tag"?)"},
        Bad{R"("exceptions": [{"rules": ["image-tag"], "match": {}, "owner": "o",)"
            R"( "reason": "r", "expires": "2027-01-31"}])",
            "/exceptions/0/match",
            false,
            "selects everything"},
        Bad{R"("exceptions": [{"rules": ["image-tag"], "match": {"names": ["a"]}, "owner": "",)"
            R"( "reason": "r", "expires": "2027-01-31"}])",
            "/exceptions/0/owner",
            false,
            "must not be empty"},
        Bad{R"("exceptions": [{"rules": ["image-tag"], "match": {"names": ["a"]}, "owner": "o",)"
            R"( "reason": "r", "expires": "2027-02-29"}])",
            "/exceptions/0/expires",
            false,
            "a day that exists"},
        Bad{R"("exceptions": [{"rules": ["image-tag"], "match": {"names": ["a"]}, "owner": "o",)"
            R"( "reason": "r", "expires": "31.01.2027"}])",
            "/exceptions/0/expires",
            false,
            "written like 2027-01-31"},
        Bad{R"("existingViolations": "enforce")",
            "/existingViolations",
            false,
            R"(must be "warn" or "deny")"},
        Bad{R"("controllerCreated": "deny")",
            "/controllerCreated",
            false,
            R"("warn", "enforce" or "skip")"},
        Bad{R"("onUnknown": {"scan": "enforce"})",
            "/onUnknown/scan",
            false,
            R"("deny", "warn", "audit" or "off")"}));

TEST(PolicyDocument, TheFrameIsChecked) {
  const auto policy = parse(R"({"apiVersion": "plimsoll.dev/v1", "kind": "HygienePolcy",
    "metadata": {"name": "Has Blanks"}, "spc": {}})");
  ASSERT_FALSE(policy.has_value());
  std::vector<std::string> places;
  for (const Problem& problem : policy.error()) places.push_back(problem.pointer);
  EXPECT_EQ(places,
            (std::vector<std::string>{"/apiVersion", "/kind", "/metadata/name", "/spc", ""}));
  EXPECT_NE(policy.error()[3].message.find(R"(did you mean "spec"?)"), std::string::npos);
  EXPECT_FALSE(parse("[]").has_value());
  EXPECT_FALSE(parse("null").has_value());
}

TEST(PolicyDocument, AllProblemsAtOnceUpToALimit) {
  std::string rules = R"("image-tag": {"action": "warn"})";
  for (int i = 0; i < 200; ++i) rules += ", \"x" + std::to_string(i) + R"(": {})";
  const auto policy = parse(with_spec("{\"rules\": {" + rules + "}}"));
  ASSERT_FALSE(policy.has_value());
  ASSERT_EQ(policy.error().size(), 101U);
  EXPECT_EQ(policy.error().back().message, "and 100 more problems");
}

TEST(PolicyDocument, ListsAndTextsAreLimited) {
  std::string names = "\"a\"";
  for (int i = 0; i < 256; ++i) names += ", \"n" + std::to_string(i) + '"';
  const auto many =
      parse(with_spec("{" + std::string(kRules) + R"(, "match": {"names": [)" + names + "]}}"));
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().front().pointer, "/spec/match/names/256");
  const auto text = parse(with_spec("{" + std::string(kRules) + R"(, "match": {"names": [")" +
                                    std::string(1025, 'a') + "\"]}}"));
  ASSERT_FALSE(text.has_value());
  EXPECT_NE(text.error().front().message.find("1024"), std::string::npos);
}

TEST(PolicyDocument, EveryDefaultParses) {
  for (const Rule* rule : all_rules()) {
    const Parameters defaults = default_parameters(*rule);
    const auto parsed = parse_parameters(*rule, "{}");
    EXPECT_TRUE(parsed.has_value()) << rule->id;
  }
}

TEST(PolicyDocument, ParametersAlone) {
  const Rule* rule = find_rule("image-tag");
  ASSERT_NE(rule, nullptr);
  const auto good = parse_parameters(*rule, R"({"mutable": ["edge"]})");
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(good->list(0), std::vector<std::string>{"edge"});
  EXPECT_FALSE(parse_parameters(*rule, R"({"action": "warn"})").has_value());
  EXPECT_FALSE(parse_parameters(*rule, "{").has_value());
}

}  // namespace
}  // namespace plimsoll::policy
