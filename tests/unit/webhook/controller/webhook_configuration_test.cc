#include "webhook/controller/webhook_configuration.h"

#include <functional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "webhook/net/base64.h"

namespace plimsoll::webhook::controller {
namespace {

using Json = nlohmann::json;

constexpr const char* kWanted = R"(
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: plimsoll}
webhooks:
  - name: pods.plimsoll.dev
    clientConfig: {service: {name: plimsoll, namespace: ns, path: /validate}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    sideEffects: None
    admissionReviewVersions: [v1]
)";

// As the API server stores it: with its defaults.
Json live() {
  return Json::parse(R"({"metadata":{"name":"plimsoll","resourceVersion":"7"},"webhooks":[{
    "name":"pods.plimsoll.dev","failurePolicy":"Fail","matchPolicy":"Equivalent","timeoutSeconds":10,
    "clientConfig":{"caBundle":"YQ==","service":{"name":"plimsoll","namespace":"ns","path":"/validate","port":443}},
    "rules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"],"scope":"*"}],
    "sideEffects":"None","admissionReviewVersions":["v1"],"namespaceSelector":{},"objectSelector":{}}]})");
}

Comparison compared(const Json& object, const std::optional<std::string>& bundle) {
  const auto wanted = WantedConfiguration::parse("w.yaml", kWanted);
  EXPECT_TRUE(wanted) << (wanted ? "" : wanted.error().message);
  auto comparison = Comparison::of(*wanted, object.dump(), bundle);
  EXPECT_TRUE(comparison);
  return *comparison;
}

TEST(WebhookConfiguration, AsInstalledNeedsNothing) {
  const Comparison same = compared(live(), "a");
  EXPECT_FALSE(same.differs);
  EXPECT_FALSE(same.bundle_differs);
  EXPECT_EQ(same.patch, "");
  EXPECT_EQ(same.trusted, std::vector<std::string>{"a"});
  EXPECT_EQ(compared(live(), std::nullopt).patch, "");
}

TEST(WebhookConfiguration, EmptyMembersOfSelectorsAreNoDifference) {
  const std::string wanted = std::string(kWanted) +
                             "    objectSelector: {matchLabels: {}, matchExpressions: []}\n"
                             "    namespaceSelector: {matchExpressions: [{key: k, operator: "
                             "Exists, values: []}]}\n";
  Json stored = live();
  stored["webhooks"][0]["namespaceSelector"] =
      Json::parse(R"({"matchExpressions":[{"key":"k","operator":"Exists"}]})");
  const auto parsed = WantedConfiguration::parse("w.yaml", wanted);
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto same = Comparison::of(*parsed, stored.dump(), "a");
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->differs);
  EXPECT_EQ(same->patch, "");
}

TEST(WebhookConfiguration, GetsTheBundleAndNothingElse) {
  const Comparison other = compared(live(), "b");
  EXPECT_FALSE(other.differs);
  EXPECT_TRUE(other.bundle_differs);
  const Json patch = Json::parse(other.patch);
  EXPECT_EQ(patch["metadata"]["resourceVersion"], "7");
  EXPECT_EQ(patch["webhooks"][0]["clientConfig"]["caBundle"], "Yg==");
}

TEST(WebhookConfiguration, IsPutRightWhateverWasChanged) {
  const std::vector<std::pair<std::string, std::function<void(Json&)>>> rows = {
      {".failurePolicy", [](Json& hook) { hook["failurePolicy"] = "Ignore"; }},
      {".timeoutSeconds", [](Json& hook) { hook["timeoutSeconds"] = 1; }},
      {".matchConditions",
       [](Json& hook) {
         hook["matchConditions"] = Json::array({{{"name", "n"}, {"expression", "false"}}});
       }},
      {".namespaceSelector",
       [](Json& hook) { hook["namespaceSelector"] = {{"matchLabels", {{"a", "b"}}}}; }},
      {".objectSelector",
       [](Json& hook) { hook["objectSelector"] = {{"matchLabels", {{"a", "b"}}}}; }},
      {".rules", [](Json& hook) { hook["rules"] = Json::array(); }},
      {".rules", [](Json& hook) { hook["rules"][0]["scope"] = "Cluster"; }},
      {".clientConfig", [](Json& hook) { hook["clientConfig"]["service"]["port"] = 8443; }},
      {".clientConfig", [](Json& hook) { hook["clientConfig"]["url"] = "https://elsewhere"; }},
      {".sideEffects", [](Json& hook) { hook["sideEffects"] = "NoneOnDryRun"; }},
      {".name", [](Json& hook) { hook["name"] = "x.plimsoll.dev"; }},
      {".extra", [](Json& hook) { hook["extra"] = 1; }},
  };
  for (const auto& [place, change] : rows) {
    Json object = live();
    change(object["webhooks"][0]);
    const Comparison comparison = compared(object, "a");
    EXPECT_TRUE(comparison.differs) << place;
    EXPECT_NE(comparison.what.find(place), std::string::npos) << comparison.what;
    const Json patch = Json::parse(comparison.patch);
    EXPECT_EQ(patch["webhooks"], live()["webhooks"]) << place;
  }
  Json more = live();
  more["webhooks"].push_back(more["webhooks"][0]);
  EXPECT_TRUE(compared(more, "a").differs);
  Json fewer = live();
  fewer["webhooks"] = Json::array();
  EXPECT_EQ(Json::parse(compared(fewer, "a").patch)["webhooks"].size(), 1U);
}

TEST(WebhookConfiguration, IsLeftAloneWhereItSaysSo) {
  Json object = live();
  object["metadata"]["annotations"] = {{"plimsoll.dev/unmanaged", "true"}};
  object["webhooks"][0]["failurePolicy"] = "Ignore";
  const Comparison comparison = compared(object, "b");
  EXPECT_TRUE(comparison.is_unmanaged);
  EXPECT_EQ(comparison.patch, "");
}

TEST(WebhookConfiguration, OfAnotherRevisionIsOnlyTrusted) {
  std::string text = kWanted;
  text.replace(text.find("{name: plimsoll}"),
               std::string_view("{name: plimsoll}").size(),
               "{name: plimsoll, annotations: {plimsoll.dev/revision: r1}}");
  const auto wanted = WantedConfiguration::parse("w.yaml", text);
  ASSERT_TRUE(wanted) << wanted.error().message;
  const std::vector<std::pair<std::string, bool>> rows = {{"r1", false}, {"r2", true}, {"", false}};
  for (const auto& [revision, is_other] : rows) {
    Json object = live();
    if (!revision.empty()) {
      object["metadata"]["annotations"] = {{"plimsoll.dev/revision", revision}};
    }
    object["webhooks"][0]["timeoutSeconds"] = 3;
    const auto comparison = Comparison::of(*wanted, object.dump(), "new");
    ASSERT_TRUE(comparison);
    EXPECT_EQ(comparison->is_other_revision, is_other) << revision;
    EXPECT_EQ(comparison->differs, !is_other) << revision;
    const Json hook = Json::parse(comparison->patch)["webhooks"][0];
    EXPECT_EQ(hook["timeoutSeconds"], is_other ? 3 : 10) << revision;
    EXPECT_EQ(hook["clientConfig"]["caBundle"], "bmV3") << revision;
  }
}

TEST(WebhookConfiguration, ThatCannotBeReadIsAnError) {
  const auto wanted = WantedConfiguration::parse("w.yaml", kWanted);
  ASSERT_TRUE(wanted);
  for (const char* text :
       {"", "[]", "{", R"({"webhooks":5})", R"({"webhooks":[5]})", R"({"metadata":5})"}) {
    EXPECT_FALSE(Comparison::of(*wanted, text, "a")) << text;
  }
  for (const char* text :
       {"",
        "5",
        "kind: Pod",
        "kind: ValidatingWebhookConfiguration",
        "kind: ValidatingWebhookConfiguration\nmetadata: {name: a}\nwebhooks: []",
        "kind: ValidatingWebhookConfiguration\nmetadata: {name: a}\nwebhooks: [{name: b}]",
        "a: ["}) {
    const auto parsed = WantedConfiguration::parse("w.yaml", text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_TRUE(parsed.error().message.starts_with("w.yaml")) << parsed.error().message;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::controller
