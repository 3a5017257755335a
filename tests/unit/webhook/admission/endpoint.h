// The admission endpoint without a network: heads and bodies in, answers out.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "policy/json.h"
#include "policy/policy_document.h"
#include "webhook/admission/handler.h"
#include "webhook/admission/reviewer.h"

namespace plimsoll::webhook::admission {

using Json = nlohmann::json;

inline constexpr std::string_view kTestUid = "705ab4f5-6393-11e8-b7cc-42010a800002";

inline std::shared_ptr<const policy::PolicySet> policies_from(const std::string& spec) {
  const std::string text =
      R"({"apiVersion":"plimsoll.dev/v1alpha1","kind":"HygienePolicy","metadata":{"name":"p"},)"
      R"("spec":)" +
      spec + "}";
  policy::json::Parser parser;
  policy::json::Element root;
  EXPECT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << text;
  auto policy = policy::parse_policy(root);
  EXPECT_TRUE(policy) << (policy ? "" : policy.error()[0].pointer + policy.error()[0].message);
  std::vector<policy::HygienePolicy> policies;
  if (policy) policies.push_back(std::move(*policy));
  return std::make_shared<policy::PolicySet>(policy::make_policy_set(std::move(policies), "rev1"));
}

inline Json pod_with(Json containers) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", "p"}, {"namespace", "shop"}}},
          {"spec", {{"containers", std::move(containers)}}}};
}

inline Json container_of(std::string_view image, std::string_view name = "web") {
  return {{"name", name}, {"image", image}};
}

inline Json good_pod() {
  return pod_with(Json::array({container_of("nginx:1.27.3")}));
}

inline Json bad_pod() {
  return pod_with(Json::array({container_of("nginx:latest")}));
}

// A review as an API server sends it: the request's uid first.
inline nlohmann::ordered_json review_of(const Json& object,
                                        std::string_view operation = "CREATE",
                                        const Json& old_object = nullptr) {
  nlohmann::ordered_json request;
  request["uid"] = kTestUid;
  request["kind"] = Json{{"group", ""}, {"version", "v1"}, {"kind", "Pod"}};
  request["resource"] = Json{{"group", ""}, {"version", "v1"}, {"resource", "pods"}};
  request["name"] = "p";
  request["namespace"] = "shop";
  request["operation"] = operation;
  request["userInfo"] = Json{{"username", "alice"}};
  request["object"] = object;
  request["oldObject"] = old_object;
  request["dryRun"] = false;
  nlohmann::ordered_json review;
  review["kind"] = "AdmissionReview";
  review["apiVersion"] = "admission.k8s.io/v1";
  review["request"] = std::move(request);
  return review;
}

// For answers that never have to wait.
struct NoWakes final : net::WakeSource {
  net::Wake wake() override {
    ADD_FAILURE() << "nothing is waited for";
    return [] {};
  }
};

struct Endpoint {
  explicit Endpoint(AdmissionOptions given = {},
                    const std::string& spec = R"({"rules":{"image-tag":{"action":"enforce"}}})")
      : options(std::move(given)), policies(policies_from(spec)) {}

  static net::RequestHead head_of(std::uint64_t length) {
    net::RequestHead head;
    head.method = "POST";
    head.target = kPath;
    head.path = kPath;
    head.has_content_type = true;
    head.content_type = "application/json";
    head.content_length = length;
    head.received = net::Clock::now();
    return head;
  }

  // The whole way of a request whose body is read.
  net::Answer post(std::string body) {
    body.reserve(body.size() + net::kBodyPadding);
    const net::RequestHead head = head_of(body.size());
    net::Answer answer;
    net::Plan plan = handler.plan(head, answer);
    if (plan.answered) return answer;
    NoWakes wakes;
    const auto pending = handler.answer(head, plan, body, answer, wakes);
    EXPECT_EQ(pending, nullptr);
    handler.done(plan);
    EXPECT_EQ(handler.in_flight(), 0U);
    EXPECT_EQ(handler.budget().used(), 0U);
    return answer;
  }

  // The response to a review, or an object with the HTTP status where there is none.
  Json ask(const nlohmann::ordered_json& review) { return response_in(post(review.dump())); }

  static Json response_in(const net::Answer& answer) {
    if (answer.status != 200) return {{"http", answer.status}, {"text", answer.body}};
    return Json::parse(answer.body)["response"];
  }

  AdmissionOptions options;
  net::Snapshot<policy::PolicySet> policies;
  telemetry::Log log{telemetry::LogLevel::kError};
  telemetry::Metrics metrics;
  Reviewer reviewer{options, policies, nullptr, {}, log, metrics};
  AdmissionHandler handler{options, reviewer, metrics};
};

// "allow", "allow + warning", "deny 403", "HTTP 415".
inline std::string summary_of(const net::Answer& answer) {
  if (answer.status != 200) return "HTTP " + std::to_string(answer.status);
  const Json response = Json::parse(answer.body)["response"];
  if (response["allowed"] == true) {
    return response.contains("warnings") ? "allow + warning" : "allow";
  }
  return "deny " + std::to_string(response["status"]["code"].template get<int>());
}

}  // namespace plimsoll::webhook::admission
