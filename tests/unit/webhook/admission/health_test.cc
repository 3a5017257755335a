#include "webhook/admission/health.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plimsoll::webhook::admission {
namespace {

using ::testing::HasSubstr;

struct Health {
  net::Answer ask(std::string_view path, std::string_view method = "GET") {
    net::RequestHead head;
    head.method = method;
    head.target = path;
    head.path = path;
    net::Answer answer;
    EXPECT_TRUE(handler.plan(head, answer).answered);
    return answer;
  }

  Readiness readiness{true, "policies: fine\n"};
  telemetry::Metrics metrics;
  HealthHandler handler{[this] { return readiness; }, metrics};
};

TEST(Health, LivesWhileItAnswers) {
  Health health;
  health.readiness.ready = false;
  EXPECT_EQ(health.ask("/livez").status, 200U);
  EXPECT_EQ(health.ask("/livez", "HEAD").status, 200U);
}

TEST(Health, ReadinessComesWithItsReasons) {
  Health health;
  EXPECT_EQ(health.ask("/readyz").status, 200U);
  EXPECT_EQ(health.ask("/readyz").body, "policies: fine\n");
  health.readiness = {false, "draining\n"};
  EXPECT_EQ(health.ask("/readyz").status, 503U);
  EXPECT_EQ(health.ask("/readyz").body, "draining\n");
  EXPECT_FALSE(health.ask("/readyz").retry_after);
}

TEST(Health, MetricsAreInThePrometheusTextFormat) {
  Health health;
  health.metrics.count_review({}, 0.001);
  const net::Answer answer = health.ask("/metrics");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer.body, HasSubstr("# TYPE plimsoll_"));
}

TEST(Health, KnowsThreePathsAndTwoMethods) {
  Health health;
  for (const std::string_view path :
       {"/", "/healthz", "/readyz/", "//livez", "/debug/pprof", "/validate", "/metrics.json", ""}) {
    EXPECT_EQ(health.ask(path).status, 404U) << path;
  }
  for (const std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "TRACE"}) {
    const net::Answer answer = health.ask("/livez", method);
    EXPECT_EQ(answer.status, 405U) << method;
    EXPECT_EQ(answer.allow, "GET, HEAD");
  }
}

}  // namespace
}  // namespace plimsoll::webhook::admission
