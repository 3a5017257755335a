#include "policy/engine.h"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "policy/policy_document.h"
#include "tests/support/parsed_workload.h"

namespace plimsoll::policy {
namespace {

using tests::ParsedWorkload;
using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds kNow = std::chrono::sys_days(2026y / 11 / 23);

std::string deployment(const std::string& containers, const std::string& metadata = "{}") {
  return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":)" + metadata +
         R"(,"spec":{"replicas":1,"template":{"spec":{"containers":)" + containers + "}}}}";
}

HygienePolicy policy_from(const std::string& spec, const std::string& name = "p") {
  const std::string text =
      R"({"apiVersion":"plimsoll.dev/v1alpha1","kind":"HygienePolicy","metadata":{"name":")" +
      name + R"("},"spec":)" + spec + "}";
  json::Parser parser;
  json::Element root;
  EXPECT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << text;
  auto policy = parse_policy(root);
  EXPECT_TRUE(policy) << (policy ? "" : policy.error()[0].pointer + policy.error()[0].message);
  return policy ? *policy : HygienePolicy{};
}

PolicySet policies_from(const std::string& spec) {
  return make_policy_set({policy_from(spec)}, "");
}

struct Outcome {
  Verdict verdict;
  std::string findings;  // "rule/container/subject action [existing] [exception] [capped]\n"
};

Outcome outcome_of(const Decision& decision) {
  Outcome outcome{decision.verdict, ""};
  for (const JudgedFinding& judged : decision.findings) {
    outcome.findings += std::string(judged.rule->id) + "/";
    outcome.findings +=
        judged.finding.container ? std::string(judged.finding.container->name) : "-";
    outcome.findings +=
        "/" + judged.finding.subject + " " + std::string(action_word(judged.action));
    if (judged.existing) outcome.findings += " existing";
    if (judged.exception != nullptr) outcome.findings += " excepted";
    if (judged.controller_capped) outcome.findings += " controller";
    if (judged.mode_capped) outcome.findings += " mode";
    outcome.findings += "\n";
  }
  return outcome;
}

constexpr const char* kEnforceTags = R"({"rules":{"image-tag":{"action":"enforce"}}})";

TEST(Engine, FindsEveryContainer) {
  const PolicySet policies = policies_from(kEnforceTags);
  const ParsedWorkload workload(deployment(
      R"([{"name":"a","image":"x"},{"name":"b","image":"y:1"},{"name":"c","image":"z"}])"));
  Review review;
  review.object = workload.get();
  const Outcome outcome = outcome_of(evaluate(policies, review, {}, {}, kNow));
  EXPECT_EQ(outcome.verdict, Verdict::kDeny);
  EXPECT_EQ(outcome.findings,
            "image-tag/a/docker.io/library/x:latest enforce\n"
            "image-tag/c/docker.io/library/z:latest enforce\n");
}

TEST(Engine, ModeCapsEveryAction) {
  const PolicySet policies = policies_from(kEnforceTags);
  const ParsedWorkload workload(deployment(R"([{"name":"a","image":"x"}])"));
  Review review;
  review.object = workload.get();
  const struct {
    Mode mode;
    Verdict verdict;
    const char* action;
  } rows[] = {{Mode::kEnforce, Verdict::kDeny, "enforce\n"},
              {Mode::kWarn, Verdict::kWarn, "warn mode\n"},
              {Mode::kAudit, Verdict::kAllow, "audit mode\n"}};
  for (const auto& row : rows) {
    const Outcome outcome = outcome_of(evaluate(policies, review, {}, {.mode = row.mode}, kNow));
    EXPECT_EQ(outcome.verdict, row.verdict);
    EXPECT_EQ(outcome.findings,
              std::string("image-tag/a/docker.io/library/x:latest ") + row.action);
  }
}

struct UpdateRow {
  const char* what;
  const char* old_containers;
  const char* new_containers;
  Verdict verdict;
};

TEST(Engine, OnUpdateOnlyNewFindingsDeny) {
  const PolicySet policies = policies_from(kEnforceTags);
  const UpdateRow rows[] = {
      {"unchanged",
       R"([{"name":"a","image":"x"}])",
       R"([{"name":"a","image":"x"}])",
       Verdict::kWarn},
      {"written otherwise",
       R"([{"name":"a","image":"x"}])",
       R"([{"name":"a","image":"docker.io/library/x:latest"}])",
       Verdict::kWarn},
      {"moved in the list",
       R"([{"name":"b","image":"y:1"},{"name":"a","image":"x"}])",
       R"([{"name":"a","image":"x"},{"name":"b","image":"y:1"}])",
       Verdict::kWarn},
      {"another bad image",
       R"([{"name":"a","image":"x"}])",
       R"([{"name":"a","image":"y"}])",
       Verdict::kDeny},
      {"renamed", R"([{"name":"a","image":"x"}])", R"([{"name":"b","image":"x"}])", Verdict::kDeny},
      {"swapped",
       R"([{"name":"a","image":"x"},{"name":"b","image":"y"}])",
       R"([{"name":"a","image":"y"},{"name":"b","image":"x"}])",
       Verdict::kDeny},
      {"one more",
       R"([{"name":"a","image":"x"}])",
       R"([{"name":"a","image":"x"},{"name":"b","image":"x"}])",
       Verdict::kDeny},
      {"nameless, same place", R"([{"image":"x"}])", R"([{"image":"x"}])", Verdict::kWarn},
      {"nameless, other place",
       R"([{"image":"x"}])",
       R"([{"image":"y:1"},{"image":"x"}])",
       Verdict::kDeny},
      {"mended",
       R"([{"name":"a","image":"x"}])",
       R"([{"name":"a","image":"x:1"}])",
       Verdict::kAllow},
  };
  for (const UpdateRow& row : rows) {
    SCOPED_TRACE(row.what);
    const ParsedWorkload before(deployment(row.old_containers));
    const ParsedWorkload after(deployment(row.new_containers));
    Review review;
    review.operation = Operation::kUpdate;
    review.object = after.get();
    review.old_object = before.get();
    EXPECT_EQ(evaluate(policies, review, {}, {}, kNow).verdict, row.verdict);
  }
}

TEST(Engine, ExistingFindingsKeepTheirActionWhereThePolicySaysSo) {
  const PolicySet policies =
      policies_from(R"({"rules":{"image-tag":{"action":"enforce"}},"existingViolations":"deny"})");
  const ParsedWorkload workload(deployment(R"([{"name":"a","image":"x"}])"));
  Review review;
  review.operation = Operation::kUpdate;
  review.object = workload.get();
  review.old_object = workload.get();
  const Outcome outcome = outcome_of(evaluate(policies, review, {}, {}, kNow));
  EXPECT_EQ(outcome.verdict, Verdict::kDeny);
  EXPECT_EQ(outcome.findings, "image-tag/a/docker.io/library/x:latest enforce existing\n");
}

TEST(Engine, AnUnreadableOldObjectHasNoFindingsAndIsSaid) {
  const PolicySet policies = policies_from(kEnforceTags);
  const ParsedWorkload workload(deployment(R"([{"name":"a","image":"x"}])"));
  Review review;
  review.operation = Operation::kUpdate;
  review.object = workload.get();
  review.old_unreadable = true;
  const Decision decision = evaluate(policies, review, {}, {}, kNow);
  EXPECT_EQ(decision.verdict, Verdict::kDeny);
  EXPECT_TRUE(decision.old_unreadable);
}

TEST(Engine, ResourcesExistAlreadyUnlessTheyGotWorse) {
  const PolicySet policies = policies_from(
      R"({"rules":{"resources":{"action":"enforce","requests":[],"limits":["memory"],
          "maximum":{"memory":"1Gi"}}}})");
  const auto with = [](const char* memory) {
    return deployment(std::string(R"([{"name":"a","resources":{"limits":{"memory":")") + memory +
                      R"("}}}])");
  };
  const ParsedWorkload two(with("2Gi"));
  const ParsedWorkload three(with("3Gi"));
  Review review;
  review.operation = Operation::kUpdate;
  review.object = two.get();
  review.old_object = three.get();
  EXPECT_EQ(evaluate(policies, review, {}, {}, kNow).verdict, Verdict::kWarn);
  review.object = three.get();
  review.old_object = two.get();
  EXPECT_EQ(evaluate(policies, review, {}, {}, kNow).verdict, Verdict::kDeny);
}

TEST(Engine, WhatAControllerCreatesWasJudgedAtItsTemplate) {
  const ParsedWorkload workload(deployment(R"([{"name":"a","image":"x"}])"));
  Review review;
  review.object = workload.get();
  const struct {
    const char* setting;
    const char* user;
    Operation operation;
    Verdict verdict;
  } rows[] = {
      {"warn",
       "system:serviceaccount:kube-system:replicaset-controller",
       Operation::kCreate,
       Verdict::kWarn},
      {"warn", "system:kube-controller-manager", Operation::kCreate, Verdict::kWarn},
      {"enforce",
       "system:serviceaccount:kube-system:job-controller",
       Operation::kCreate,
       Verdict::kDeny},
      {"skip",
       "system:serviceaccount:kube-system:daemon-set-controller",
       Operation::kCreate,
       Verdict::kAllow},
      {"warn",
       "system:serviceaccount:kube-system:replicaset-controller",
       Operation::kUpdate,
       Verdict::kDeny},
      {"warn",
       "system:serviceaccount:default:replicaset-controller",
       Operation::kCreate,
       Verdict::kDeny},
      {"skip", "alice", Operation::kCreate, Verdict::kDeny},
      {"warn", "", Operation::kCreate, Verdict::kDeny},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(row.setting) + " " + row.user);
    const PolicySet policies =
        policies_from(std::string(R"({"rules":{"image-tag":{"action":"enforce"}},
                                      "controllerCreated":")") +
                      row.setting + "\"}");
    review.user = row.user;
    review.operation = row.operation;
    const Decision decision = evaluate(policies, review, {}, {}, kNow);
    EXPECT_EQ(decision.verdict, row.verdict);
    if (row.verdict == Verdict::kWarn) EXPECT_TRUE(decision.findings[0].controller_capped);
    EXPECT_EQ(decision.controller_skipped, row.verdict == Verdict::kAllow);
  }
}

std::string with_exception(const std::string& expires) {
  return R"({"rules":{"image-tag":{"action":"enforce"}},"exceptions":[{"rules":["image-tag"],
     "match":{"names":["legacy"]},"owner":"team-a","reason":"r","expires":")" +
         expires + "\"}]}";
}

TEST(Engine, AnExceptionHoldsThroughItsLastDay) {
  const ParsedWorkload workload(
      deployment(R"([{"name":"a","image":"x"}])", R"({"name":"legacy"})"));
  Review review;
  review.object = workload.get();
  const PolicySet policies = policies_from(with_exception("2026-11-23"));
  const auto last_second = std::chrono::sys_days(2026y / 11 / 24) - 1s;
  const Decision held = evaluate(policies, review, {}, {}, last_second);
  EXPECT_EQ(held.verdict, Verdict::kAllow);
  EXPECT_EQ(outcome_of(held).findings, "image-tag/a/docker.io/library/x:latest audit excepted\n");
  EXPECT_TRUE(held.expired.empty());

  const Decision over = evaluate(policies, review, {}, {}, last_second + 1s);
  EXPECT_EQ(over.verdict, Verdict::kDeny);
  ASSERT_EQ(over.expired.size(), 1U);
  EXPECT_EQ(over.expired[0].exception->owner, "team-a");
}

TEST(Engine, OnePolicysExceptionNeverWeakensAnother) {
  const ParsedWorkload workload(
      deployment(R"([{"name":"a","image":"x"}])", R"({"name":"legacy"})"));
  Review review;
  review.object = workload.get();
  PolicySet policies;
  policies.policies.push_back(policy_from(with_exception("2027-01-31"), "lenient"));
  policies.policies.push_back(policy_from(R"({"rules":{"image-tag":{"action":"warn"}}})", "other"));
  const Decision decision = evaluate(policies, review, {}, {}, kNow);
  EXPECT_EQ(decision.verdict, Verdict::kWarn);
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].exception, nullptr);
  EXPECT_EQ(decision.findings[0].policies, (std::vector<std::string_view>{"other", "lenient"}));
}

TEST(Engine, EqualFindingsOfSeveralPoliciesAreOne) {
  const ParsedWorkload workload(
      deployment(R"([{"name":"a","image":"x"},{"name":"b","image":"y"}])"));
  Review review;
  review.object = workload.get();
  PolicySet policies;
  policies.policies.push_back(policy_from(R"({"rules":{"image-tag":{"action":"audit"}}})", "one"));
  policies.policies.push_back(policy_from(
      R"({"match":{"images":["x"]},"rules":{"image-tag":{"action":"enforce"}}})", "two"));
  policies.policies.push_back(policy_from(R"({"rules":{"image-tag":{"action":"warn"}}})", "three"));
  const Outcome outcome = outcome_of(evaluate(policies, review, {}, {}, kNow));
  EXPECT_EQ(outcome.findings,
            "image-tag/a/docker.io/library/x:latest enforce\n"
            "image-tag/b/docker.io/library/y:latest warn\n");
}

TEST(Engine, NothingSelectedMeansNothingJudged) {
  const PolicySet policies = policies_from(
      R"({"match":{"namespaces":["prod"]},"rules":{"replicas":{"action":"enforce"}}})");
  const ParsedWorkload workload(deployment(R"([{"name":"a","image":"x"}])"));
  Review review;
  review.object = workload.get();
  review.name_space = "dev";
  EXPECT_EQ(evaluate(policies, review, {}, {}, kNow).verdict, Verdict::kAllow);
  review.name_space = "prod";
  EXPECT_EQ(evaluate(policies, review, {}, {}, kNow).verdict, Verdict::kDeny);
}

}  // namespace
}  // namespace plimsoll::policy
