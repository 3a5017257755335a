#include "webhook/admission/response.h"

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/printable.h"
#include "tests/unit/webhook/admission/endpoint.h"

namespace plimsoll::webhook::admission {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::size_t kRunesOfAllWarnings = 4096;  // beyond them, the API server cuts

Json written(const Response& response) {
  std::string out = "what was here before";
  write_response(response, out);
  Json json = Json::parse(out, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << out;
  return json;
}

TEST(Response, APlainAllowSaysNothingElse) {
  Response response;
  response.api_version = "admission.k8s.io/v1beta1";
  response.uid = "u";
  std::string out;
  write_response(response, out);
  EXPECT_EQ(out,
            R"({"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview",)"
            R"("response":{"uid":"u","allowed":true}})");
}

TEST(Response, EscapesWhatJsonDemands) {
  std::string every;
  for (char c = 1; c != 127; ++c) every += c;
  every += '\0';
  every += "\x7F\xC3\xA4\xF0\x9F\x98\x80</script>";
  Response response;
  response.uid = every;
  response.allowed = false;
  response.message = every;
  response.causes = {{every, every, every}};
  response.warnings = {every};
  const Json json = written(response);
  EXPECT_EQ(json["response"]["uid"], every);
  EXPECT_EQ(json["response"]["status"]["message"], every);
  EXPECT_EQ(json["response"]["status"]["details"]["causes"][0]["field"], every);
  EXPECT_EQ(json["response"]["warnings"][0], every);
}

TEST(Response, CodesStayBetween400And599) {
  for (const unsigned code : {0U, 200U, 399U, 400U, 403U, 599U, 600U, 1000U, ~0U}) {
    Response response;
    response.allowed = false;
    response.code = code;
    EXPECT_EQ(written(response)["response"]["status"]["code"], std::clamp(code, 400U, 599U));
  }
}

TEST(Response, AnAllowHasNoStatus) {
  Response response;
  response.message = "not to be seen";
  response.warnings = {"w"};
  const Json json = written(response)["response"];
  EXPECT_FALSE(json.contains("status"));
  EXPECT_THAT(json["warnings"], SizeIs(1));
}

TEST(Response, AnnotationsAreAtMostAKibibyteOfPrintableText) {
  std::string wide;
  std::string bidi;
  for (int i = 0; i < 3000; ++i) wide += "\xF0\x9F\x98\x80", bidi += "\xE2\x80\xAE";
  for (const std::string& value : {std::string(kMaxAnnotationBytes, 'x'),
                                   std::string(100'000, 'x'),
                                   wide,
                                   "xy" + wide,
                                   bidi,
                                   std::string(5000, '\n'),
                                   std::string(5000, '\xFF')}) {
    Response response;
    response.annotations = {{"rules", value}};
    const std::string text = written(response)["response"]["auditAnnotations"]["rules"];
    EXPECT_LE(text.size(), kMaxAnnotationBytes);
    EXPECT_GE(text.size(), kMaxAnnotationBytes - 16);
    EXPECT_EQ(policy::printable(text, text.size()), text);
  }
}

policy::JudgedFinding finding_of(std::string_view rule, policy::Action action) {
  policy::JudgedFinding judged;
  judged.rule = policy::find_rule(rule);
  EXPECT_NE(judged.rule, nullptr) << rule;
  judged.action = action;
  judged.policy_action = action;
  judged.finding.message = "found";
  return judged;
}

TEST(Response, TheRulesAreNamedOnceEach) {
  policy::Decision decision;
  for (int container = 0; container < 1000; ++container) {
    decision.findings.push_back(finding_of("image-tag", policy::Action::kEnforce));
    decision.findings.push_back(finding_of("resources", policy::Action::kEnforce));
  }
  policy::JudgedFinding warned = finding_of("image-tag", policy::Action::kWarn);
  warned.existing = true;
  decision.findings.push_back(warned);
  decision.findings.push_back(finding_of("replicas", policy::Action::kAudit));
  decision.verdict = policy::Verdict::kDeny;
  const Json json = written(response_of(decision, policy::Mode::kEnforce, "r"))["response"];
  EXPECT_EQ(json["auditAnnotations"]["rules"],
            "image-tag (enforce), resources (enforce), replicas (audit)");
  EXPECT_THAT(first_of_each_rule(decision), SizeIs(3));
}

TEST(Response, EveryRuleFitsIntoTheAnnotation) {
  policy::Decision decision;
  for (const policy::Rule* rule : policy::all_rules()) {
    policy::JudgedFinding judged = finding_of(rule->id, policy::Action::kWarn);
    judged.existing = true;
    decision.findings.push_back(judged);
  }
  const Json json = written(response_of(decision, policy::Mode::kEnforce, "r"))["response"];
  const std::string text = json["auditAnnotations"]["rules"];
  EXPECT_THAT(text, HasSubstr(std::string(policy::all_rules().back()->id) + " (warn, existing)"));
}

TEST(Response, NamesOwnerAndExpiryOfAnException) {
  policy::Exception exception;
  exception.owner = "team-a";
  exception.expires = std::chrono::sys_days(std::chrono::year(2027) / 1 / 31);
  policy::Decision decision;
  policy::JudgedFinding judged = finding_of("image-tag", policy::Action::kAudit);
  judged.exception = &exception;
  decision.findings.push_back(judged);
  const Json json = written(response_of(decision, policy::Mode::kEnforce, "r"))["response"];
  EXPECT_EQ(json["allowed"], true);
  EXPECT_FALSE(json.contains("warnings"));
  EXPECT_EQ(json["auditAnnotations"]["exceptions"], "image-tag: team-a until 2027-01-31");
  EXPECT_EQ(json["auditAnnotations"]["rules"], "image-tag (audit, excepted)");
}

// Whatever objects hold: each answer is one that an API server takes.
class AnswerLimits : public ::testing::TestWithParam<std::string> {};

TEST_P(AnswerLimits, AreKept) {
  AdmissionOptions options;
  options.evaluation.mode = GetParam() == "audit"  ? policy::Mode::kAudit
                            : GetParam() == "warn" ? policy::Mode::kWarn
                                                   : policy::Mode::kEnforce;
  std::string rules;
  for (const policy::Rule* rule : policy::all_rules()) {
    rules += (rules.empty() ? "\"" : ",\"") + std::string(rule->id) + R"(":{"action":"enforce"})";
  }
  Endpoint endpoint(options, R"({"rules":{)" + rules + "}}");
  const std::string hostile = "x\n\xE2\x80\xAE\xE2\x80\xA8\xE2\x80\x8B\t\"\\<\xF0\x9F\x98\x80";
  for (const std::size_t count : {0U, 1U, 9U, 10U, 11U, 300U, 1024U}) {
    Json containers = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      containers.push_back(container_of(hostile + std::to_string(i), hostile));
    }
    for (const Json& old : {Json(nullptr), Json(5), good_pod()}) {
      const Json response = endpoint.ask(review_of(pod_with(containers), "UPDATE", old));
      ASSERT_TRUE(response["allowed"].is_boolean()) << response;
      EXPECT_FALSE(response.contains("patch"));
      EXPECT_FALSE(response.contains("patchType"));
      EXPECT_EQ(response["uid"], kTestUid);
      std::size_t runes = 0;
      const std::vector<std::string> warnings =
          response.value("warnings", std::vector<std::string>());
      EXPECT_LE(warnings.size(), policy::kMaxWarnings + 1);
      for (const std::string& warning : warnings) {
        EXPECT_LE(policy::rune_count(warning), policy::kMaxWarningRunes) << warning;
        EXPECT_EQ(policy::printable(warning, 10'000), warning);
        runes += policy::rune_count(warning);
      }
      EXPECT_LE(runes, kRunesOfAllWarnings);
      EXPECT_EQ(std::set(warnings.begin(), warnings.end()).size(), warnings.size());
      for (const auto& [key, value] : response.value("auditAnnotations", Json::object()).items()) {
        EXPECT_LE(key.size(), 63U);
        EXPECT_EQ(key.find('/'), std::string::npos);
        EXPECT_LE(value.get_ref<const std::string&>().size(), kMaxAnnotationBytes);
      }
      if (response["allowed"] == true) {
        EXPECT_FALSE(response.contains("status"));
        continue;
      }
      EXPECT_EQ(GetParam(), "enforce");
      const Json& status = response["status"];
      EXPECT_EQ(status["status"], "Failure");
      EXPECT_EQ(status["code"], 403);
      EXPECT_EQ(status["reason"], "Forbidden");
      const std::string message = status["message"];
      EXPECT_FALSE(message.empty());
      EXPECT_LE(message.size(), policy::kMaxMessageBytes);
      EXPECT_EQ(policy::printable_lines(message, message.size()), message);
      EXPECT_LE(status["details"]["causes"].size(), policy::kMaxCauses);
      EXPECT_FALSE(status["details"].contains("retryAfterSeconds"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, AnswerLimits, ::testing::Values("enforce", "warn", "audit"));

}  // namespace
}  // namespace plimsoll::webhook::admission
