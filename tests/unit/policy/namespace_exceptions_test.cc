#include "policy/namespace_exceptions.h"

#include <string>

#include <gtest/gtest.h>

#include "policy/dates.h"
#include "policy/policy_document.h"

namespace plimsoll::policy {
namespace {

constexpr const char* kPolicy =
    R"({"apiVersion":"plimsoll.dev/v1alpha1","kind":"HygienePolicy","metadata":{"name":"p"},"spec":{
    "rules":{"image-tag":{"action":"enforce"},"image-digest":{"action":"warn"}},
    "namespaceExceptions":{"rules":["image-tag"],"longest":"30d","namespaces":["team-*"]}}})";

std::string exception_text(const std::string& spec, const std::string& name_space = "team-a") {
  return R"({"apiVersion":"plimsoll.dev/v1alpha1","kind":"HygieneException","metadata":{"name":"e",)"
         R"("creationTimestamp":"2026-11-01T12:00:00Z","namespace":")" +
         name_space + R"("},"spec":{"owner":"o","reason":"r",)" + spec + "}}";
}

template <class Parse>
auto parsed(const std::string& text, Parse parse) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(text);
  EXPECT_EQ(parser.parse(padded).get(root), simdjson::SUCCESS) << text;
  return parse(root);
}

ExceptionAnswer answered(const std::string& spec, const std::string& name_space = "team-a") {
  const auto policy = parsed(kPolicy, &parse_policy);
  const auto wanted = parsed(exception_text(spec, name_space), &parse_namespace_exception);
  EXPECT_TRUE(policy);
  EXPECT_TRUE(wanted) << (wanted ? "" : wanted.error()[0].message);
  if (!policy || !wanted) return {};
  return answer_exception(*policy, *wanted, *parse_time("2026-11-10T00:00:00Z"));
}

TEST(NamespaceExceptions, AreTakenToTheDay) {
  EXPECT_TRUE(answered(R"("rules":["image-tag"],"expires":"2026-12-01")").taken);
  const ExceptionAnswer late = answered(R"("rules":["image-tag"],"expires":"2026-12-02")");
  EXPECT_FALSE(late.taken);
  EXPECT_NE(late.refused.find("2026-12-01"), std::string::npos) << late.refused;
}

TEST(NamespaceExceptions, AreRefusedForWhatThePolicyKeeps) {
  const ExceptionAnswer other = answered(R"("rules":["image-digest"],"expires":"2026-11-20")");
  EXPECT_FALSE(other.taken);
  EXPECT_NE(other.refused.find("image-digest"), std::string::npos) << other.refused;
  const ExceptionAnswer both =
      answered(R"("rules":["image-tag","image-digest"],"expires":"2026-11-20")");
  ASSERT_TRUE(both.taken);
  EXPECT_EQ(both.taken->rules.size(), 1U);
  EXPECT_NE(both.refused.find("image-digest"), std::string::npos) << both.refused;
  EXPECT_FALSE(answered(R"("rules":["image-tag"],"expires":"2026-11-20")", "shop").taken);
}

TEST(NamespaceExceptions, HaveNothingToDoWithOtherPolicies) {
  for (const char* spec : {R"("rules":["image-size"],"expires":"2026-11-20")",
                           R"("rules":["image-tag"],"policies":["q"],"expires":"2026-11-20")"}) {
    const ExceptionAnswer answer = answered(spec);
    EXPECT_FALSE(answer.taken) << spec;
    EXPECT_EQ(answer.refused, "") << spec;
  }
}

TEST(ExceptionDocument, IsForItsOwnNamespaceAlone) {
  const std::string base = R"("rules":["image-tag"],"expires":"2026-11-20",)";
  for (const char* match :
       {R"("match":{"namespaces":["x"]})", R"("match":{"namespaceSelector":{}})"}) {
    const auto wanted = parsed(exception_text(base + match), &parse_namespace_exception);
    ASSERT_FALSE(wanted) << match;
    EXPECT_NE(wanted.error()[0].message.find("its own namespace"), std::string::npos);
  }
  const auto plain =
      parsed(exception_text(base + R"("match":{"names":["a"]})"), &parse_namespace_exception);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->exception.match.namespaces, std::vector<std::string>{"team-a"});
}

TEST(ExceptionDocument, SaysWhatIsMissing) {
  for (const char* spec : {R"("rules":["image-tag"])",
                           R"("expires":"2026-11-20")",
                           R"("rules":["image-tga"],"expires":"2026-11-20")",
                           R"("rules":["image-tag"],"expires":"tomorrow")",
                           R"("rules":["image-tag"],"expires":"2026-11-20","extra":1)"}) {
    EXPECT_FALSE(parsed(exception_text(spec), &parse_namespace_exception)) << spec;
  }
}

}  // namespace
}  // namespace plimsoll::policy
