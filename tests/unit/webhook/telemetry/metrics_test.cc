#include "webhook/telemetry/metrics.h"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plimsoll::webhook::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, CountsReviewsByFixedLabels) {
  Metrics metrics;
  const auto* deployment = policy::find_workload_kind("apps/v1", "Deployment");
  metrics.count_review({.operation = policy::Operation::kUpdate,
                        .kind = deployment,
                        .result = Result::kDeny,
                        .dry_run = true},
                       0.002);
  metrics.count_review({.result = Result::kIgnored}, 0.001);
  const std::string text = metrics.text();
  EXPECT_THAT(text,
              HasSubstr("plimsoll_reviews_total{dry_run=\"true\",kind=\"Deployment\","
                        "operation=\"UPDATE\",result=\"deny\"} 1"));
  EXPECT_THAT(text,
              HasSubstr("plimsoll_reviews_total{dry_run=\"false\",kind=\"other\","
                        "operation=\"other\",result=\"ignored\"} 1"));
  EXPECT_THAT(text, HasSubstr("plimsoll_review_duration_seconds_count 2"));
}

TEST(Metrics, CountsFindingsByRuleActionAndResult) {
  Metrics metrics;
  policy::JudgedFinding finding;
  finding.rule = policy::find_rule("image-tag");
  finding.policy_action = policy::Action::kEnforce;
  const auto* knative = policy::find_workload_kind("serving.knative.dev/v1", "Service");
  for (int i = 0; i < 3; ++i) metrics.count_finding(finding, FindingResult::kExisting, knative);
  EXPECT_THAT(
      metrics.text(),
      HasSubstr("plimsoll_findings_total{action=\"enforce\",kind=\"Service.serving.knative.dev\","
                "result=\"existing\",rule=\"image-tag\"} 3"));
}

TEST(Metrics, ShowsOnlyWhatHappened) {
  Metrics metrics;
  EXPECT_THAT(metrics.text(), Not(HasSubstr("plimsoll_reviews_total{")));
  metrics.count_shed(ShedReason::kMemory);
  metrics.count_refused_request(415);
  metrics.count_refused_request(418);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("plimsoll_shed_total{reason=\"memory\"} 1"));
  EXPECT_THAT(text, HasSubstr("plimsoll_refused_requests_total{code=\"415\"} 1"));
  EXPECT_THAT(text, HasSubstr("plimsoll_refused_requests_total{code=\"other\"} 1"));
}

TEST(Metrics, AsksForWatchedValuesWhenSomebodyLooks) {
  Metrics metrics;
  double value = 1;
  metrics.watch(Metrics::Type::kGauge, "level", "How high.", [&value] { return value; });
  EXPECT_THAT(metrics.text(), HasSubstr("plimsoll_level 1"));
  value = 2.5;
  EXPECT_THAT(metrics.text(), HasSubstr("# TYPE plimsoll_level gauge\nplimsoll_level 2.5"));
}

TEST(Metrics, CountsFromManyThreads) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 1000; ++i) metrics.count_review({.result = Result::kAllow}, 0.0001);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.text(), HasSubstr("result=\"allow\"} 4000"));
}

}  // namespace
}  // namespace plimsoll::webhook::telemetry
