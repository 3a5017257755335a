#include "webhook/admission/reviewer.h"

#include <functional>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/webhook/admission/endpoint.h"

namespace plimsoll::webhook::admission {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Review = nlohmann::ordered_json;

AdmissionOptions lenient() {
  AdmissionOptions options;
  options.allow_malformed = true;
  options.allow_over_limit = true;
  options.allow_late = true;
  return options;
}

AdmissionOptions audit() {
  AdmissionOptions options;
  options.evaluation.mode = policy::Mode::kAudit;
  return options;
}

Review with(Review review, std::string_view member, const Json& value) {
  review["request"][std::string(member)] = value;
  return review;
}

Review without(Review review, const std::string& member) {
  review["request"].erase(member);
  return review;
}

Review of_kind(Review review, std::string_view group, std::string_view kind) {
  review["request"]["kind"] = Json{{"group", group}, {"version", "v1"}, {"kind", kind}};
  return review;
}

// A review whose object is this text.
std::string around(const std::string& object) {
  std::string text = review_of("OBJECT").dump();
  return text.replace(text.find("\"OBJECT\""), 8, object);
}

TEST(Reviewer, AnswersByOperationSubresourceAndKind) {
  const Json bad = bad_pod();
  const Json ephemeral = {
      {"kind", "Pod"}, {"spec", {{"ephemeralContainers", Json::array({container_of("busybox")})}}}};
  const struct {
    std::string_view what;
    Review review;
    std::string_view expected;
  } rows[] = {
      {"a good pod", review_of(good_pod()), "allow"},
      {"a bad pod", review_of(bad), "deny 403"},
      {"a bad pod, dry run", with(review_of(bad), "dryRun", true), "deny 403"},
      {"updated from a good one", review_of(bad, "UPDATE", good_pod()), "deny 403"},
      {"updated from a bad one", review_of(bad, "UPDATE", bad), "allow + warning"},
      {"updated from nothing", review_of(bad, "UPDATE"), "deny 403"},
      {"DELETE", review_of(nullptr, "DELETE", bad), "allow"},
      {"DELETE with an object", review_of(bad, "DELETE", bad), "allow"},
      {"CONNECT",
       of_kind(review_of(Json{{"kind", "PodExecOptions"}}, "CONNECT"), "", "PodExecOptions"),
       "allow"},
      {"an unknown operation", review_of(bad, "MOVE"), "allow"},
      {"status", with(review_of(bad, "UPDATE", bad), "subResource", "status"), "allow"},
      {"scale",
       of_kind(with(review_of(Json{{"kind", "Scale"}}, "UPDATE"), "subResource", "scale"),
               "autoscaling",
               "Scale"),
       "allow"},
      {"eviction",
       of_kind(with(review_of(Json{{"kind", "Eviction"}}), "subResource", "eviction"),
               "policy",
               "Eviction"),
       "allow"},
      {"an ephemeral container",
       with(review_of(ephemeral, "UPDATE", good_pod()), "subResource", "ephemeralcontainers"),
       "deny 403"},
      {"a kind without pods",
       of_kind(review_of(Json{{"kind", "Widget"}}), "example.com", "Widget"),
       "allow + warning"},
      {"a Service is no Knative Service",
       of_kind(review_of(bad), "", "Service"),
       "allow + warning"},
      {"an object of another kind", of_kind(review_of(bad), "apps", "Deployment"), "deny 400"},
      {"an object without a kind", review_of(Json{{"spec", bad["spec"]}}), "deny 403"},
      {"no object on CREATE", review_of(nullptr), "deny 400"},
      {"no object on UPDATE", review_of(nullptr, "UPDATE", bad), "deny 400"},
      {"no member object at all", without(review_of(bad), "object"), "deny 400"},
      {"no members of oldObject, dryRun, userInfo, name and namespace",
       without(without(without(without(without(review_of(bad), "oldObject"), "dryRun"), "userInfo"),
                       "name"),
               "namespace"),
       "deny 403"},
      {"no operation", without(review_of(bad), "operation"), "deny 400"},
      {"no resource", without(review_of(bad), "resource"), "deny 400"},
      {"no kind", without(review_of(bad), "kind"), "deny 400"},
      {"no spec", review_of(Json{{"kind", "Pod"}}), "allow"},
      {"containers that are a text",
       review_of(Json{{"kind", "Pod"}, {"spec", {{"containers", "x"}}}}),
       "deny 400"},
      {"metadata that is a number", review_of(Json{{"kind", "Pod"}, {"metadata", 5}}), "deny 400"},
      {"a spec that is null", review_of(Json{{"kind", "Pod"}, {"spec", nullptr}}), "allow"},
  };
  Endpoint endpoint;
  for (const auto& row : rows) {
    const net::Answer answer = endpoint.post(row.review.dump());
    EXPECT_EQ(summary_of(answer), row.expected) << row.what << ": " << answer.body;
    EXPECT_FALSE(answer.close) << row.what;
  }
}

TEST(Reviewer, LimitsAndFaultsAreVerdictsAsConfigured) {
  const std::string deep =
      around(R"({"kind":"Pod","x":)" + std::string(5000, '[') + std::string(5000, ']') + "}");
  const struct {
    std::string_view what;
    std::string body;
    std::string_view strict;
  } rows[] = {
      {"no operation", without(review_of(good_pod()), "operation").dump(), "deny 400"},
      {"no object", review_of(nullptr).dump(), "deny 400"},
      {"a wrong type", around(R"({"kind":"Pod","spec":[]})"), "deny 400"},
      {"another kind", around(R"({"kind":"Job"})"), "deny 400"},
      {"1e400", around(R"({"kind":"Pod","x":1e400})"), "deny 400"},
      {"2^64", around(R"({"kind":"Pod","x":18446744073709551616})"), "deny 400"},
      {"01", around(R"({"kind":"Pod","x":01})"), "deny 400"},
      {"too deep", deep, "deny 413"},
      {"too many containers",
       review_of(pod_with(Json(1025, container_of("a:1")))).dump(),
       "deny 413"},
  };
  Endpoint strict;
  Endpoint loose(lenient());
  Endpoint watching(audit());
  for (const auto& row : rows) {
    EXPECT_EQ(summary_of(strict.post(row.body)), row.strict) << row.what;
    for (Endpoint* endpoint : {&loose, &watching}) {
      const Json response = Endpoint::response_in(endpoint->post(row.body));
      EXPECT_EQ(response["allowed"], true) << row.what;
      ASSERT_EQ(response.value("warnings", Json::array()).size(), 1U) << row.what;
      EXPECT_TRUE(response["auditAnnotations"].contains("error")) << row.what;
      EXPECT_EQ(response["auditAnnotations"]["decision"], "allow") << row.what;
    }
  }
}

// A review of a HygieneException with these specs; nothing: there is no such object.
std::string of_exception(const char* operation, const std::string& spec, const std::string& old) {
  const auto object = [](const std::string& with) {
    const std::string head = R"({"apiVersion":"plimsoll.dev/v1alpha1","kind":"HygieneException",)"
                             R"("metadata":{"name":"e","namespace":"shop"},"spec":)";
    return with.empty() ? "null" : head + with + "}";
  };
  Review review = of_kind(review_of("OBJECT", operation), "plimsoll.dev", "HygieneException");
  review["request"]["name"] = "e";
  review["request"]["oldObject"] = "OLD";
  std::string text = review.dump();
  text.replace(text.find("\"OBJECT\""), 8, object(spec));
  return text.replace(text.find("\"OLD\""), 5, object(old));
}

TEST(Reviewer, RefusesOwnKindsThatNobodyCouldRead) {
  const std::string good =
      R"({"rules":["image-tag"],"owner":"o","reason":"r","expires":"2999-01-01"})";
  const std::string large = R"({"x":100000000000000000000})";
  const std::string deep = R"({"x":)" + std::string(5000, '[') + std::string(5000, ']') + "}";
  const std::string wrong = R"({"rules":["imag-tag"]})";
  const std::tuple<const char*, std::string, const char*, const char*> rows[] = {
      {"a number",
       of_exception("CREATE", large, ""),
       "deny 422",
       "cannot be read: spec.x: a number"},
      {"depth", of_exception("CREATE", deep, ""), "deny 422", "cannot be read: spec: nested"},
      {"made unreadable", of_exception("UPDATE", deep, good), "deny 422", "e is wrong: cannot be"},
      {"from bad to worse", of_exception("UPDATE", deep, large), "deny 422", "cannot be read"},
      {"labels of what was stored so", of_exception("UPDATE", deep, deep), "allow", ""},
      {"put right", of_exception("UPDATE", good, large), "allow + warning", ""},
      {"put wrong", of_exception("UPDATE", wrong, large), "deny 422", "imag-tag"},
      {"deleted", of_exception("DELETE", "", large), "allow", ""},
  };
  Endpoint strict;
  Endpoint loose(lenient());
  Endpoint watching(audit());
  for (const auto& [what, body, expected, says] : rows) {
    for (Endpoint* endpoint : {&strict, &loose, &watching}) {
      const net::Answer answer = endpoint->post(body);
      EXPECT_EQ(summary_of(answer), expected) << what << ": " << answer.body;
      EXPECT_THAT(answer.body, HasSubstr(says)) << what;
    }
  }
}

TEST(Reviewer, ABodyThatIsNoReviewIsAnHttpError) {
  const std::string good = review_of(good_pod()).dump();
  const std::string bodies[] = {
      "",
      " ",
      "hello",
      good.substr(0, good.size() - 1),
      good + "x",
      good + good,
      "\xEF\xBB\xBF" + std::string("{"),
      "[]",
      "null",
      "{}",
      around("\"\xC0\xAF\""),
      around("\"\xED\xA0\x80\""),
      around("\"\xFF\""),
      around(R"("\ud800")"),
      around("{'a':1}"),
      around("{\"a\":1,}"),
      around(std::string("\"a\0b\"", 5)),
  };
  Endpoint endpoint;
  for (const std::string& body : bodies) {
    const net::Answer answer = endpoint.post(body);
    EXPECT_EQ(answer.status, 400U) << body << ": " << answer.body;
    EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
    EXPECT_FALSE(answer.close) << "the whole body has been read";
    EXPECT_LT(answer.body.size(), 200U) << "nothing of the body is repeated";
  }
}

TEST(Reviewer, EchoesVersionAndUid) {
  Endpoint endpoint;
  for (const char* version : {"admission.k8s.io/v1", "admission.k8s.io/v1beta1"}) {
    for (const std::string& uid : {std::string("1"),
                                   std::string("not/a:uuid"),
                                   std::string("quote\"back\\slash"),
                                   std::string(253, 'x')}) {
      Review review = with(review_of(good_pod()), "uid", uid);
      review["apiVersion"] = version;
      const net::Answer answer = endpoint.post(review.dump());
      ASSERT_EQ(answer.status, 200U) << answer.body;
      const Json json = Json::parse(answer.body);
      EXPECT_EQ(json["apiVersion"], version);
      EXPECT_EQ(json["kind"], "AdmissionReview");
      EXPECT_EQ(json["response"]["uid"], uid);
    }
  }
}

TEST(Reviewer, TheLastOfRepeatedKeysCounts) {
  Endpoint endpoint;
  const std::string good = R"("containers":[{"image":"a:1"}])";
  const std::string bad = R"("containers":[{"image":"a:latest"}])";
  EXPECT_EQ(
      summary_of(endpoint.post(around(R"({"kind":"Pod","spec":{)" + good + "," + bad + "}}"))),
      "deny 403");
  EXPECT_EQ(
      summary_of(endpoint.post(around(R"({"kind":"Pod","spec":{)" + bad + "," + good + "}}"))),
      "allow");
  EXPECT_EQ(summary_of(endpoint.post(
                around(R"({"kind":"Pod","spec":{"CONTAINERS":[{"image":"a:latest"}]}})"))),
            "allow");
}

TEST(Reviewer, SaysThatTheOldObjectCouldNotBeRead) {
  Endpoint endpoint;
  const Json many = pod_with(Json(2000, container_of("nginx:latest")));
  for (const Json& old : {Json(5), Json("x"), Json::array(), many}) {
    const Json response = endpoint.ask(review_of(bad_pod(), "UPDATE", old));
    EXPECT_EQ(response["allowed"], false);
    EXPECT_THAT(response["warnings"].dump(), HasSubstr("before could not be read"));
  }
  const Json allowed = endpoint.ask(review_of(good_pod(), "UPDATE", Json(5)));
  EXPECT_EQ(allowed["allowed"], true);
  EXPECT_THAT(allowed["warnings"].dump(), HasSubstr("before could not be read"));
}

TEST(Reviewer, ModesCapWhatIsSaid) {
  AdmissionOptions warning;
  warning.evaluation.mode = policy::Mode::kWarn;
  Endpoint warn(warning);
  const Json warned = warn.ask(review_of(bad_pod()));
  EXPECT_EQ(warned["allowed"], true);
  EXPECT_EQ(warned["warnings"].size(), 1U);
  EXPECT_EQ(warned["auditAnnotations"]["mode"], "warn");

  Endpoint watch(audit());
  const Json watched = watch.ask(review_of(bad_pod()));
  EXPECT_EQ(watched["allowed"], true);
  EXPECT_FALSE(watched.contains("warnings"));
  EXPECT_EQ(watched["auditAnnotations"]["rules"], "image-tag (audit)");
  EXPECT_EQ(watched["auditAnnotations"]["policy-revision"], "rev1");

  Endpoint enforce;
  EXPECT_FALSE(enforce.ask(review_of(good_pod())).contains("auditAnnotations"));
}

TEST(Reviewer, ExemptionsCannotBeForged) {
  Endpoint endpoint;
  Json mirror = bad_pod();
  mirror["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "x";
  Json owned = bad_pod();
  owned["metadata"]["ownerReferences"] =
      Json::array({{{"kind", "DaemonSet"}, {"name", "kube-proxy"}, {"controller", true}}});
  Json deleted = bad_pod();
  deleted["metadata"]["deletionTimestamp"] = "2026-11-23T00:00:00Z";
  for (const Json& object : {mirror, owned, deleted}) {
    EXPECT_EQ(endpoint.ask(review_of(object))["allowed"], false) << object;
  }
  Review controller = review_of(bad_pod());
  controller["request"]["userInfo"]["username"] =
      "system:serviceaccount:kube-system:replicaset-controller";
  EXPECT_EQ(summary_of(endpoint.post(controller.dump())), "allow + warning");
  controller["request"]["userInfo"]["username"] =
      "system:serviceaccount:shop:replicaset-controller";
  EXPECT_EQ(summary_of(endpoint.post(controller.dump())), "deny 403");
}

TEST(Reviewer, TheSameReviewGetsTheSameAnswer) {
  Endpoint endpoint;
  const std::string body = review_of(bad_pod()).dump();
  EXPECT_EQ(endpoint.post(body).body, endpoint.post(body).body);
}

TEST(Reviewer, NoTextOfARequestBecomesALabel) {
  Endpoint endpoint;
  Review review = review_of(bad_pod());
  for (const char* member : {"name", "namespace", "operation", "subResource"}) {
    endpoint.post(with(review, member, "needle").dump());
  }
  review["request"]["userInfo"]["username"] = "needle";
  review["request"]["uid"] = "needle";
  endpoint.post(review.dump());
  endpoint.post(of_kind(review, "needle", "Needle").dump());
  endpoint.post(around(R"({"kind":"needle"})"));
  endpoint.post(
      around(R"({"kind":"Pod","spec":{"containers":[{"name":"needle","image":"needle"}]}})"));
  endpoint.post(around(R"({"kind":"Pod","spec":"needle"})"));
  const std::string text = endpoint.metrics.text();
  EXPECT_THAT(text, Not(HasSubstr("eedle")));
  EXPECT_THAT(text, HasSubstr("plimsoll_"));
}

// What a scan of a prefix answers, for each limit.
TEST(Reviewer, RefusesWithoutParsing) {
  using Limit = Reviewer::Limit;
  const struct {
    Limit limit;
    int code;
  } rows[] = {{Limit::kTooLarge, 413},
              {Limit::kTooDeep, 413},
              {Limit::kTooMany, 413},
              {Limit::kBudget, 413},
              {Limit::kLate, 503},
              {Limit::kMalformed, 400}};
  const std::string whole = review_of(good_pod()).dump();
  const std::string prefix = whole.substr(0, 160);
  ASSERT_THAT(prefix, HasSubstr(kTestUid));
  Endpoint strict;
  Endpoint loose(lenient());
  for (const auto& row : rows) {
    net::Answer answer;
    ASSERT_TRUE(strict.reviewer.refuse(prefix, row.limit, "because", answer));
    const Json denied = Endpoint::response_in(answer);
    EXPECT_EQ(denied["uid"], kTestUid);
    EXPECT_EQ(denied["status"]["code"], row.code);
    EXPECT_THAT(denied["status"]["message"].dump(), HasSubstr("because"));
    ASSERT_TRUE(loose.reviewer.refuse(prefix, row.limit, "because", answer));
    const Json allowed = Endpoint::response_in(answer);
    EXPECT_EQ(allowed["allowed"], true);
    EXPECT_THAT(allowed["warnings"][0].dump(), HasSubstr("because"));
  }
  net::Answer answer;
  EXPECT_FALSE(strict.reviewer.refuse("{}", Limit::kTooLarge, "because", answer));
}

TEST(Reviewer, AnswersAVerdictInTheVersionThatWasAsked) {
  Endpoint endpoint;
  const auto version_for = [&endpoint](const std::string& prefix) {
    net::Answer answer;
    EXPECT_TRUE(endpoint.reviewer.refuse(prefix, Reviewer::Limit::kTooLarge, "w", answer));
    return Json::parse(answer.body)["apiVersion"].get<std::string>();
  };
  EXPECT_EQ(version_for(R"({"apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"u"}})"),
            "admission.k8s.io/v1beta1");
  EXPECT_EQ(version_for(R"({"apiVersion":"admission.k8s.io/v1","request":{"uid":"u"}})"),
            "admission.k8s.io/v1");
  EXPECT_EQ(version_for(R"({"apiVersion":"<script>","request":{"uid":"u"}})"),
            "admission.k8s.io/v1");
}

}  // namespace
}  // namespace plimsoll::webhook::admission
