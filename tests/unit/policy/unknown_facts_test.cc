// What the rules say when facts are missing: never that all is well.
#include <string>

#include <gtest/gtest.h>

#include "image_rule_fixture.h"

namespace plimsoll::policy {
namespace {

using tests::facts_of;
using tests::Image;
using tests::kMi;
using tests::kNow;
using tests::layer;
using tests::Pod;
using tests::unknown_platform;

struct FactRule {
  const char* id;
  const char* parameters;  // under which `faulty()` is found
};

constexpr FactRule kRules[] = {
    {"image-size", R"("maximum":"1Mi")"},
    {"image-layers", R"("maximumLayer":"1Mi")"},
    {"layer-hygiene", ""},
    {"image-user", ""},
    {"health-check", R"("accept":["probe","image"])"},
    {"image-secrets", ""},
    {"base-image", R"("allow":["debian:12"],"evidence":["claim"])"},
    {"image-age", R"("maximum":"1d")"},
    {"image-labels", R"("required":["team"])"},
};

// Every rule above finds something in it.
Image faulty() {
  Image image({layer(5 * kMi, "a"), layer(5 * kMi, "a")});
  image.config.user = "root";
  image.config.env = {{"DB_PASSWORD", "hunter2"}};
  return image;
}

Image fine() {
  Image image({layer(5, "a")});
  image.config.health_check = ImageHealthCheck::kPresent;
  image.config.created = kNow;
  image.config.labels = {{"team", "a"}, {"org.opencontainers.image.base.name", "debian:12"}};
  return image;
}

TEST(UnknownFacts, AreFindingsOfEveryRule) {
  const std::vector<Platform> platforms = {*parse_platform("linux/amd64"),
                                           *parse_platform("linux/arm64")};
  for (std::size_t i = 0; i < kUnknownReasons; ++i) {
    const auto reason = static_cast<UnknownReason>(i);
    const Pod pod(std::vector{ImageFacts::unknown(platforms, {reason, "why"})});
    auto rules = std::vector<FactRule>(std::begin(kRules), std::end(kRules));
    rules.insert(rules.end(),
                 {{"image-exists", ""},
                  {"image-scan", ""},
                  {"image-packages", ""},
                  {"image-platforms", ""}});
    for (const FactRule& rule : rules) {
      SCOPED_TRACE(std::string(rule.id) + " " + std::string(reason_word(reason)));
      const auto findings = pod.judge(rule.id, rule.parameters);
      ASSERT_EQ(findings.size(), 1U);
      ASSERT_TRUE(findings[0].unknown);
      EXPECT_EQ(findings[0].unknown->reason, reason);
      EXPECT_EQ(findings[0].subject, "registry.test/i0:1");
      EXPECT_EQ(findings[0].remedy, reason_remedy(reason));
      EXPECT_NE(findings[0].message.find("(why)"), std::string::npos);
      EXPECT_FALSE(findings[0].in_grace);
    }
  }
}

TEST(UnknownFacts, AreToldAlikeByAllRules) {
  const Pod pod(
      std::vector{facts_of({unknown_platform(UnknownReason::kNoMatchingPlatform, "linux/arm64")})});
  for (const FactRule& rule : kRules) {
    EXPECT_EQ(pod.said(rule.id, rule.parameters), pod.said("image-exists")) << rule.id;
  }
  EXPECT_NE(pod.said("image-exists").find(" (linux/arm64) is not known well enough: "),
            std::string::npos);
}

TEST(UnknownFacts, DoNotHideWhatIsFoundOnAnotherPlatform) {
  for (const bool first : {true, false}) {
    std::vector<PlatformFacts> platforms = {faulty().facts()};
    platforms.insert(first ? platforms.begin() : platforms.end(),
                     unknown_platform(UnknownReason::kTimeout));
    const Pod pod(std::vector{facts_of(platforms)});
    for (const FactRule& rule : kRules) {
      const auto findings = pod.judge(rule.id, rule.parameters);
      ASSERT_EQ(findings.size(), 1U) << rule.id;
      EXPECT_FALSE(findings[0].unknown) << rule.id;
    }
  }
}

TEST(UnknownFacts, AreToldWhereTheOtherPlatformIsFine) {
  const Pod pod(std::vector{facts_of({fine().facts(), unknown_platform(UnknownReason::kTimeout)})});
  for (const FactRule& rule : kRules) {
    const auto findings = pod.judge(rule.id, rule.parameters);
    ASSERT_EQ(findings.size(), 1U) << rule.id;
    EXPECT_TRUE(findings[0].unknown) << rule.id;
  }
  const Pod known(fine());
  for (const FactRule& rule : kRules)
    EXPECT_EQ(known.said(rule.id, rule.parameters), "") << rule.id;
}

TEST(UnknownFacts, TheGravestReasonIsTold) {
  const Pod pod(std::vector{facts_of({unknown_platform(UnknownReason::kTimeout, "linux/amd64"),
                                      unknown_platform(UnknownReason::kDigestMismatch),
                                      unknown_platform(UnknownReason::kForbidden)})});
  for (const FactRule& rule : kRules) {
    const auto findings = pod.judge(rule.id, rule.parameters);
    ASSERT_EQ(findings.size(), 1U) << rule.id;
    EXPECT_EQ(findings[0].unknown->reason, UnknownReason::kDigestMismatch) << rule.id;
  }
  EXPECT_EQ(pod.judge("image-exists")[0].unknown->reason, UnknownReason::kDigestMismatch);
}

// A configuration without its manifest: some rules can do with that, none may fall over it.
TEST(UnknownFacts, HalfAPlatformIsNotReliedUpon) {
  PlatformFacts facts = faulty().facts();
  facts.manifest = std::unexpected(Unknown{UnknownReason::kRegistryError, ""});
  const Pod pod(std::vector{facts_of({facts})});
  for (const FactRule& rule : kRules) {
    EXPECT_EQ(pod.judge(rule.id, rule.parameters).size(), 1U) << rule.id;
  }
}

TEST(UnknownFacts, WhatNobodyLookedUpIsNotJudged) {
  const Pod pod(1, "", "");
  for (const FactRule& rule : kRules) EXPECT_EQ(pod.said(rule.id, rule.parameters), "") << rule.id;
}

TEST(UnknownFacts, AnImageThatIsThereIsThere) {
  EXPECT_EQ(Pod(fine()).said("image-exists"), "");
  PlatformFacts facts = fine().facts();
  facts.config = std::unexpected(Unknown{UnknownReason::kTimeout, ""});
  EXPECT_EQ(Pod(std::vector{facts_of({facts})}).said("image-exists"), "");
}

}  // namespace
}  // namespace plimsoll::policy
