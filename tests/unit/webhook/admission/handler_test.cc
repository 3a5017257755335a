#include "webhook/admission/handler.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/webhook/admission/endpoint.h"

namespace plimsoll::webhook::admission {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::uint64_t kMebibyte = 1u << 20;

struct Planned {
  net::Plan plan;
  net::Answer answer;
};

Planned plan_of(Endpoint& endpoint, const net::RequestHead& head) {
  Planned planned;
  planned.plan = endpoint.handler.plan(head, planned.answer);
  return planned;
}

TEST(Handler, RefusesByTheHeadAlone) {
  struct Row {
    std::string_view method;
    std::string_view path;
    std::string_view type;
    std::string_view encoding;
    unsigned status;  // 0: the body is wanted
  };
  const Row rows[] = {
      {"POST", "/validate", "application/json", "", 0},
      {"POST", "/validate", "application/json; charset=utf-8", "", 0},
      {"POST", "/validate", "application/json;charset=UTF-8", "", 0},
      {"POST", "/validate", "application/json ; x=y", "", 0},
      {"POST", "/validate", "Application/JSON", "", 0},
      {"POST", "/validate", "", "", 415},
      {"POST", "/validate", "text/plain", "", 415},
      {"POST", "/validate", "application/jsonx", "", 415},
      {"POST", "/validate", "application/json-patch+json", "", 415},
      {"POST", "/validate", "text/plain; application/json", "", 415},
      {"POST", "/validate", "application/x-www-form-urlencoded", "", 415},
      {"POST", "/validate", "application/json", "gzip", 415},
      {"POST", "/validate", "application/json", "identity", 415},
      {"GET", "/validate", "application/json", "", 405},
      {"PUT", "/validate", "application/json", "", 405},
      {"HEAD", "/validate", "", "", 405},
      {"OPTIONS", "/validate", "", "", 405},
      {"post", "/validate", "application/json", "", 405},
      {"POST", "/", "application/json", "", 404},
      {"POST", "", "application/json", "", 404},
      {"POST", "*", "application/json", "", 404},
      {"POST", "/validate/", "application/json", "", 404},
      {"POST", "//validate", "application/json", "", 404},
      {"POST", "/./validate", "application/json", "", 404},
      {"POST", "/x/../validate", "application/json", "", 404},
      {"POST", "/%76alidate", "application/json", "", 404},
      {"POST", "/validate%2F", "application/json", "", 404},
      {"POST", "/Validate", "application/json", "", 404},
      {"POST", "/mutate", "application/json", "", 404},
      {"GET", "/metrics", "", "", 404},
      {"GET", "/readyz", "", "", 404},
  };
  Endpoint endpoint;
  for (const Row& row : rows) {
    net::RequestHead head = Endpoint::head_of(10);
    head.method = row.method;
    head.path = row.path;
    head.content_type = row.type;
    head.has_content_type = !row.type.empty();
    head.content_encoding = row.encoding;
    const Planned planned = plan_of(endpoint, head);
    const std::string what =
        std::string(row.method) + " " + std::string(row.path) + " " + std::string(row.type);
    EXPECT_EQ(planned.plan.answered, row.status != 0) << what;
    if (!planned.plan.answered) {
      endpoint.handler.done(planned.plan);
      continue;
    }
    EXPECT_EQ(planned.answer.status, row.status) << what;
    EXPECT_EQ(planned.answer.allow, row.status == 405 ? "POST" : "") << what;
    EXPECT_FALSE(planned.answer.retry_after) << what;
  }
  EXPECT_EQ(endpoint.handler.in_flight(), 0U);
  EXPECT_EQ(endpoint.handler.budget().used(), 0U);
}

TEST(Handler, GivesTheBodyTheTimeOfTheQueryAtMostTenSeconds) {
  Endpoint endpoint;
  const struct {
    std::string_view query;
    std::chrono::milliseconds body;
    std::chrono::milliseconds answer;
  } rows[] = {
      {"", 10s, 9s},
      {"timeout=5s", 5s, 4s},
      {"timeout=30s", 10s, 29s},
      {"timeout=1s", 1s, 300ms},
      {"timeout=nonsense", 10s, 9s},
  };
  for (const auto& row : rows) {
    net::RequestHead head = Endpoint::head_of(10);
    head.query = row.query;
    const Planned planned = plan_of(endpoint, head);
    EXPECT_EQ(planned.plan.body_by - head.received, row.body) << row.query;
    EXPECT_EQ(endpoint.handler.answer_by(head) - head.received, row.answer) << row.query;
    endpoint.handler.done(planned.plan);
  }
}

void expect_shed(const Planned& planned) {
  EXPECT_TRUE(planned.plan.answered);
  EXPECT_EQ(planned.answer.status, 503U);
  EXPECT_TRUE(planned.answer.retry_after);
  EXPECT_TRUE(planned.answer.close);
}

TEST(Handler, ShedsBeyondTheRequestsInFlight) {
  AdmissionOptions options;
  options.max_in_flight = 3;
  Endpoint endpoint(options);
  std::vector<net::Plan> plans;
  for (int i = 0; i < 3; ++i) {
    const Planned planned = plan_of(endpoint, Endpoint::head_of(10));
    ASSERT_FALSE(planned.plan.answered);
    plans.push_back(planned.plan);
  }
  expect_shed(plan_of(endpoint, Endpoint::head_of(10)));
  EXPECT_EQ(endpoint.handler.in_flight(), 3U);
  for (const net::Plan& plan : plans) endpoint.handler.done(plan);
  EXPECT_EQ(endpoint.handler.in_flight(), 0U);
  EXPECT_EQ(summary_of(endpoint.post(review_of(good_pod()).dump())), "allow");
}

TEST(Handler, ChargesTheLengthBeforeTheBodyIsRead) {
  AdmissionOptions options;
  options.max_body = 8 * kMebibyte;
  options.body_budget = 20 * kMebibyte;
  Endpoint endpoint(options);
  const Planned first = plan_of(endpoint, Endpoint::head_of(8 * kMebibyte));
  EXPECT_EQ(endpoint.handler.budget().used(), 8 * kMebibyte);
  net::RequestHead chunked = Endpoint::head_of(0);
  chunked.content_length = std::nullopt;  // may become as long as allowed
  const Planned second = plan_of(endpoint, chunked);
  EXPECT_EQ(endpoint.handler.budget().used(), 16 * kMebibyte);
  expect_shed(plan_of(endpoint, Endpoint::head_of(5 * kMebibyte)));
  EXPECT_EQ(endpoint.handler.budget().used(), 16 * kMebibyte);
  // What is too long costs nothing: it is not read.
  const Planned huge = plan_of(endpoint, Endpoint::head_of(~std::uint64_t{0}));
  EXPECT_FALSE(huge.plan.answered);
  EXPECT_EQ(huge.plan.body_limit, 8 * kMebibyte);
  EXPECT_EQ(endpoint.handler.budget().used(), 16 * kMebibyte);
  for (const Planned* planned : {&first, &second, &huge}) endpoint.handler.done(planned->plan);
  EXPECT_EQ(endpoint.handler.budget().used(), 0U);
  EXPECT_EQ(endpoint.handler.in_flight(), 0U);
}

// A review with an array of `count` values that nobody reads.
std::string review_with_values(std::size_t count) {
  std::string text = review_of("OBJECT").dump();
  std::string object = R"({"kind":"Pod","x":[1)";
  for (std::size_t i = 1; i < count; ++i) object += ",1";
  return text.replace(text.find("\"OBJECT\""), 8, object + "]}");
}

TEST(Handler, WhatParsingWouldCostIsAVerdictWhereItCanNeverBeHad) {
  AdmissionOptions options;
  options.max_body = kMebibyte;
  options.body_budget = kMebibyte;
  Endpoint strict(options);
  options.allow_over_limit = true;
  Endpoint loose(options);
  const std::string bomb = review_with_values(100'000);
  ASSERT_LT(bomb.size(), kMebibyte);
  const net::Answer answer = strict.post(bomb);
  EXPECT_EQ(summary_of(answer), "deny 413");
  EXPECT_THAT(answer.body, HasSubstr("memory"));
  EXPECT_EQ(summary_of(loose.post(bomb)), "allow + warning");
  EXPECT_EQ(summary_of(strict.post(review_with_values(10'000))), "allow");
  // Nobody to answer.
  EXPECT_EQ(summary_of(strict.post("[" + bomb + "]")), "HTTP 413");
}

TEST(Handler, WhatParsingWouldCostIsShedWhereOthersHaveIt) {
  AdmissionOptions options;
  options.max_body = kMebibyte;
  options.body_budget = 2 * kMebibyte;
  Endpoint endpoint(options);
  std::string body = review_with_values(90'000);
  const Planned other = plan_of(endpoint, Endpoint::head_of(kMebibyte));
  Planned planned = plan_of(endpoint, Endpoint::head_of(body.size()));
  ASSERT_FALSE(planned.plan.answered);
  body.reserve(body.size() + net::kBodyPadding);
  NoWakes wakes;
  endpoint.handler.answer(
      Endpoint::head_of(body.size()), planned.plan, body, planned.answer, wakes);
  EXPECT_EQ(planned.answer.status, 503U);
  EXPECT_TRUE(planned.answer.retry_after);
  EXPECT_TRUE(planned.answer.close);
  endpoint.handler.done(planned.plan);
  endpoint.handler.done(other.plan);
  EXPECT_EQ(summary_of(endpoint.post(body)), "allow");
}

TEST(Handler, ALargeBodyIsFreedBeforeItsChargeIsGivenBack) {
  Endpoint endpoint;
  for (const std::size_t bytes : {std::size_t{100}, std::size_t{3 * kMebibyte}}) {
    std::string body = review_of(Json{{"kind", "Pod"}, {"x", std::string(bytes, 'x')}}).dump();
    body.reserve(body.size() + net::kBodyPadding);
    const net::RequestHead head = Endpoint::head_of(body.size());
    Planned planned = plan_of(endpoint, head);
    NoWakes wakes;
    endpoint.handler.answer(head, planned.plan, body, planned.answer, wakes);
    EXPECT_EQ(summary_of(planned.answer), "allow");
    EXPECT_LE(body.capacity(), kMebibyte);
    EXPECT_EQ(body.empty(), bytes > kMebibyte) << "a small one is kept for the next request";
    endpoint.handler.done(planned.plan);
  }
}

TEST(Handler, TooLargeIsAVerdictForTheUidInThePrefix) {
  Endpoint strict;
  const std::string prefix = review_of(good_pod()).dump().substr(0, 200);
  net::Answer answer;
  strict.handler.too_large(Endpoint::head_of(~std::uint64_t{0}), prefix, answer);
  EXPECT_EQ(summary_of(answer), "deny 413");
  EXPECT_TRUE(answer.close);
  EXPECT_THAT(answer.body, HasSubstr("32 MiB"));

  AdmissionOptions audit;
  audit.evaluation.mode = policy::Mode::kAudit;
  Endpoint watching(audit);
  answer.reset();
  watching.handler.too_large(Endpoint::head_of(~std::uint64_t{0}), prefix, answer);
  EXPECT_EQ(summary_of(answer), "allow + warning");
  EXPECT_TRUE(answer.close);

  answer.reset();
  strict.handler.too_large(Endpoint::head_of(~std::uint64_t{0}), "xxxxxxxx", answer);
  EXPECT_EQ(answer.status, 413U);
  EXPECT_TRUE(answer.close);
}

TEST(Handler, TooLateIsAVerdict) {
  Endpoint strict;
  AdmissionOptions options;
  options.allow_late = true;
  Endpoint loose(options);
  const std::string body = review_of(good_pod()).dump();
  net::Answer answer;
  strict.handler.too_late(Endpoint::head_of(body.size()), body, answer);
  EXPECT_EQ(summary_of(answer), "deny 503");
  loose.handler.too_late(Endpoint::head_of(body.size()), body, answer);
  EXPECT_EQ(summary_of(answer), "allow + warning");
  strict.handler.too_late(Endpoint::head_of(5), "xxxxx", answer);
  EXPECT_EQ(answer.status, 503U);
}

TEST(Handler, BodiesOverAMebibyteShareAThread) {
  Endpoint endpoint;
  EXPECT_FALSE(endpoint.handler.is_large(0));
  EXPECT_FALSE(endpoint.handler.is_large(kMebibyte));
  EXPECT_TRUE(endpoint.handler.is_large(kMebibyte + 1));
}

}  // namespace
}  // namespace plimsoll::webhook::admission
