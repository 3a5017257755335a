// base-image: what counts as evidence of what an image was built on.
#include <string>

#include <gtest/gtest.h>

#include "image_rule_fixture.h"

namespace plimsoll::policy {
namespace {

using tests::facts_of;
using tests::Image;
using tests::Pod;

const std::string kImage = "container \"c0\" image registry.test/i0:1 ";
constexpr const char* kAllowDebian = R"("allow":["debian:12","registry.test/base/*"])";

Image built_on(std::vector<std::string> diff_ids) {
  Image image;
  image.config.diff_ids = std::move(diff_ids);
  return image;
}

std::string said(const Image& image, const Image& base, const std::string& parameters) {
  Pod pod(image);
  pod.compare_with("docker.io/library/debian:12", facts_of(base));
  return pod.said("base-image", parameters);
}

TEST(BaseImage, ProofsAreLayers) {
  const Image base = built_on({"a", "b"});
  EXPECT_EQ(said(built_on({"a", "b", "c"}), base, kAllowDebian), "");
  EXPECT_EQ(said(built_on({"a", "b"}), base, kAllowDebian), "");
  for (const auto& layers :
       {std::vector<std::string>{"a"}, {"b", "a", "c"}, {"a", "x", "b"}, {"x"}}) {
    EXPECT_EQ(said(built_on(layers), base, kAllowDebian),
              "container \"c0\" image registry.test/i0:1: nothing shows what it was built on\n");
  }
  EXPECT_NE(said(built_on({"a"}), built_on({}), kAllowDebian), "");
  EXPECT_EQ(said(built_on({"x"}), base, ""), "");  // nothing is demanded
}

TEST(BaseImage, ClaimsAreNames) {
  const struct {
    const char* name;
    const char* parameters;
    const char* found;  // "": nothing is found
  } rows[] = {
      {"debian:12", kAllowDebian, ""},
      {"docker.io/library/debian:12", kAllowDebian, ""},
      {"registry.test/base/java:21", kAllowDebian, ""},
      {"docker.io/library/ubuntu:22.04",
       kAllowDebian,
       "is built on docker.io/library/ubuntu:22.04 (claimed by a label), which is not an allowed "
       "base\n"},
      {"registry.test.evil/base/java",
       kAllowDebian,
       "is built on registry.test.evil/base/java (claimed by a label), which is not an allowed "
       "base\n"},
      {"Not A Reference\n",
       kAllowDebian,
       "is built on Not A Reference\\u{a} (claimed by a label), which is not an allowed base\n"},
      {"debian:12",
       R"("allow":["debian:12"],"evidence":["proof"])",
       "is built on debian:12 (claimed by a label), which its layers do not prove\n"},
      {"debian:12", R"("allow":["debian:12"],"evidence":["claim"])", ""},
  };
  for (const auto& row : rows) {
    Image image = built_on({"x"});
    image.config.labels = {{"org.opencontainers.image.base.name", row.name}};
    const std::string found = row.found;
    EXPECT_EQ(said(image, built_on({"a"}), row.parameters), found.empty() ? "" : kImage + found);
  }
}

TEST(BaseImage, ComparesWithWhatThePolicyNamesExactly) {
  const auto compared = [](const std::string& parameters) {
    const tests::SetRule set("base-image", parameters);
    std::string text;
    for (const std::string& reference : set.rule().compared(set.parameters()))
      text += reference + " ";
    return text;
  };
  EXPECT_EQ(compared(R"("allow":["debian:12","alpine","registry.test/base/*","r.test/x?y"])"),
            "docker.io/library/debian:12 docker.io/library/alpine:latest ");
  EXPECT_EQ(compared(R"("allow":["debian:12"],"evidence":["claim"])"), "");
  EXPECT_EQ(compared(""), "");
}

TEST(BaseImage, ABaseThatIsNotKnownProvesNothingEitherWay) {
  Pod pod(built_on({"x"}));
  const std::vector<Platform> platforms = {*parse_platform("linux/amd64")};
  pod.compare_with("docker.io/library/debian:12",
                   ImageFacts::unknown(platforms, {UnknownReason::kTimeout, ""}));
  auto findings = pod.judge("base-image", kAllowDebian);
  ASSERT_EQ(findings.size(), 1U);
  ASSERT_TRUE(findings[0].unknown);
  EXPECT_EQ(findings[0].unknown->reason, UnknownReason::kTimeout);
  EXPECT_EQ(findings[0].unknown->detail, "base image docker.io/library/debian:12");
  pod.compare_with("docker.io/library/alpine:3", facts_of(built_on({"x"})));
  EXPECT_TRUE(pod.judge("base-image", R"("allow":["debian:12","alpine:3"])").empty());

  // Nobody looked it up.
  findings = Pod(built_on({"x"})).judge("base-image", kAllowDebian);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(findings[0].unknown);

  // What is not there is no image's base.
  Pod gone(built_on({"x"}));
  gone.compare_with("docker.io/library/debian:12",
                    ImageFacts::unknown(platforms, {UnknownReason::kNotFound, ""}));
  findings = gone.judge("base-image", kAllowDebian);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_FALSE(findings[0].unknown);
}

}  // namespace
}  // namespace plimsoll::policy
