#include "policy/match.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/parsed_workload.h"

namespace plimsoll::policy {
namespace {

using tests::ParsedWorkload;

constexpr std::string_view kDeployment = R"({"apiVersion":"apps/v1","kind":"Deployment",
  "metadata":{"name":"web-1","labels":{"app":"web","tier":"front"}},
  "spec":{"template":{"spec":{"containers":[
    {"name":"a","image":"registry.corp.example/a:1"},
    {"name":"b","image":"quay.io/vendor/b:1"},
    {"name":"c","image":"NOT A REFERENCE"}]}}}})";

class MatchTest : public testing::Test {
 protected:
  MatchTest() : workload_(kDeployment) {
    review_.object = workload_.get();
    review_.name_space = "prod-eu";
  }

  std::string selected(const HygienePolicy& policy) {
    std::vector<const Container*> containers;
    select_containers(policy, review_, *workload_, containers);
    std::string names;
    for (const Container* container : containers) names += container->name;
    return names;
  }

  ParsedWorkload workload_;
  Review review_;
};

TEST_F(MatchTest, AnEmptyMatchIsEverything) {
  EXPECT_TRUE(matches_object(Match{}, review_));
  EXPECT_EQ(selected(HygienePolicy{}), "abc");
}

TEST_F(MatchTest, FieldsAreAndedValuesOred) {
  Match match;
  match.namespaces = {"dev-*", "prod-*"};
  EXPECT_TRUE(matches_object(match, review_));
  match.names = {"api-*", "web-*"};
  EXPECT_TRUE(matches_object(match, review_));
  match.kinds = {{.group = std::nullopt, .kind = "StatefulSet"}};
  EXPECT_FALSE(matches_object(match, review_));
  match.kinds.push_back({.group = "apps", .kind = "Deployment"});
  EXPECT_TRUE(matches_object(match, review_));
  match.kinds.back().group = "other";
  EXPECT_FALSE(matches_object(match, review_));
}

TEST_F(MatchTest, LabelSelectorsFollowTheApi) {
  const struct {
    LabelRequirement requirement;
    bool matches;
  } rows[] = {
      {{"app", LabelOperator::kIn, {"api", "web"}}, true},
      {{"app", LabelOperator::kIn, {"api"}}, false},
      {{"app", LabelOperator::kNotIn, {"web"}}, false},
      {{"missing", LabelOperator::kNotIn, {"web"}}, true},
      {{"app", LabelOperator::kExists, {}}, true},
      {{"missing", LabelOperator::kExists, {}}, false},
      {{"missing", LabelOperator::kDoesNotExist, {}}, true},
      {{"app", LabelOperator::kDoesNotExist, {}}, false},
  };
  for (const auto& row : rows) {
    Match match;
    match.label_selector = LabelSelector{{row.requirement}};
    EXPECT_EQ(matches_object(match, review_), row.matches) << row.requirement.key;
  }
}

TEST_F(MatchTest, ANamespaceSelectorNeedsTheLabels) {
  Match match;
  match.namespace_selector = LabelSelector{{{"tier", LabelOperator::kIn, {"gold"}}}};
  EXPECT_FALSE(matches_object(match, review_));
  const std::array<Label, 1> gold = {{{"tier", "gold"}}};
  review_.namespace_labels = gold;
  EXPECT_TRUE(matches_object(match, review_));
  const std::array<Label, 1> lead = {{{"tier", "lead"}}};
  review_.namespace_labels = lead;
  EXPECT_FALSE(matches_object(match, review_));
}

TEST_F(MatchTest, ImagesSelectContainers) {
  HygienePolicy policy;
  policy.match.images = {"registry.corp.example/*"};
  EXPECT_EQ(selected(policy), "a");
  policy.match.images = {"NOT*"};  // unparsable: by the raw text
  EXPECT_EQ(selected(policy), "c");
}

TEST_F(MatchTest, ExclusionsWithImagesExcludeContainersOnly) {
  HygienePolicy policy;
  policy.exclude.emplace_back().images = {"quay.io/vendor/*"};
  EXPECT_EQ(selected(policy), "ac");
  policy.exclude[0].namespaces = {"dev"};  // joined by AND
  EXPECT_EQ(selected(policy), "abc");
  policy.exclude.emplace_back().namespaces = {"prod-*"};  // entries joined by OR
  EXPECT_EQ(selected(policy), "");
}

TEST_F(MatchTest, AnExceptionForImagesNeverCoversThePodAsAWhole) {
  const Rule rule{.id = "x", .title = "", .why = "", .remedy = "", .parameters = {}};
  const Rule other{.id = "y", .title = "", .why = "", .remedy = "", .parameters = {}};
  Exception exception;
  exception.rules = {&rule};
  Finding about_pod;
  Finding about_b;
  about_b.container = &workload_->containers[1];
  EXPECT_TRUE(covers(exception, rule, about_pod, review_));
  EXPECT_FALSE(covers(exception, other, about_pod, review_));
  exception.match.images = {"quay.io/*"};
  EXPECT_FALSE(covers(exception, rule, about_pod, review_));
  EXPECT_TRUE(covers(exception, rule, about_b, review_));
}

}  // namespace
}  // namespace plimsoll::policy
