// image-size and image-layers: exact limits, in the units in which they are written.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "image_rule_fixture.h"

namespace plimsoll::policy {
namespace {

using tests::facts_of;
using tests::Image;
using tests::kMi;
using tests::layer;
using tests::Pod;
using tests::step;
using tests::unknown_platform;

Image large() {
  Image image({layer(400 * kMi, "base"), layer(510 * kMi, "tools"), layer(2 * kMi, "app")});
  image.config.history = {step("ADD file:0 in /"),
                          step("RUN /bin/sh -c apt-get install build-essential # buildkit"),
                          step("ENV A=b", true),
                          step("COPY /app /app")};
  return image;
}

TEST(ImageSize, SaysSizeLimitLayerAndCost) {
  EXPECT_EQ(Pod(large()).said("image-size", R"("maximum":"500Mi")"),
            "container \"c0\" image registry.test/i0:1 is 912 MiB compressed (linux/amd64), "
            "limit 500 MiB\n"
            "largest layer 510 MiB: RUN apt-get install build-essential; a pull costs up to $0.087 "
            "(0.09 $/GB internet egress)\n");
  const auto findings = Pod(large()).judge("image-size", R"("maximum":"500Mi")");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].subject, "registry.test/i0:1");
  EXPECT_EQ(findings[0].pointer, "/spec/containers/0/image");
  EXPECT_EQ(findings[0].found, "912 MiB");
  EXPECT_EQ(findings[0].limit, "500 MiB");
}

TEST(ImageSize, LimitsAreExact) {
  const struct {
    std::uint64_t bytes;
    const char* maximum;
    const char* found;  // nullptr: nothing is found
  } rows[] = {
      {500 * kMi, "500Mi", nullptr},
      {500 * kMi + 1, "500Mi", "is 524288001 bytes compressed (linux/amd64), limit 500 MiB"},
      {500'000'000, "500M", nullptr},
      {500'000'001, "500M", "is 500000001 bytes compressed (linux/amd64), limit 500 MB"},
      {500 * kMi, "500M", "is 524 MB compressed (linux/amd64), limit 500 MB"},
      {1, "0", "is 1 byte compressed (linux/amd64), limit 0 bytes"},
      {0, "0", nullptr},
      {1024 * kMi, "1Gi", nullptr},
      {1024 * kMi, "1G", "is 1.07 GB compressed (linux/amd64), limit 1 GB"},
      {std::uint64_t{1} << 53U, "8191Ti", "is 8192 TiB compressed (linux/amd64), limit 8191 TiB"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(std::to_string(row.bytes) + " of " + row.maximum);
    const std::string said =
        Pod(Image({layer(row.bytes, "a")}))
            .said("image-size", R"("maximum":")" + std::string(row.maximum) + '"');
    if (row.found == nullptr) {
      EXPECT_EQ(said, "");
    } else {
      EXPECT_NE(said.find(row.found), std::string::npos) << said;
    }
  }
  EXPECT_EQ(Pod(large()).said("image-size", R"("maximum":null)"), "");
  EXPECT_EQ(Pod(large()).said("image-size"), "");
}

TEST(ImageSize, ConfigurationsCount) {
  Image image({layer(499, "a")});
  image.manifest.config_size = 1;
  EXPECT_EQ(Pod(image).said("image-size", R"("maximum":"500")"), "");
  image.manifest.config_size = 2;
  EXPECT_NE(Pod(image).said("image-size", R"("maximum":"500")"), "");
}

TEST(ImageSize, CostsAreJudgedToo) {
  EXPECT_EQ(Pod(large()).said("image-size", R"("costAbove":"0.0870")"), "");
  const std::string dear = Pod(large()).said("image-size", R"("costAbove":"0.05")");
  EXPECT_TRUE(
      dear.starts_with("container \"c0\" image registry.test/i0:1 is 912 MiB compressed "
                       "(linux/amd64): a pull costs up to $0.087, limit $0.05\n"))
      << dear;
  const std::string both =
      Pod(large()).said("image-size", R"("maximum":"500Mi","costAbove":0.05,"pricePerGB":"0.9")");
  EXPECT_NE(both.find("limit 500 MiB, and a pull costs up to $0.87, limit $0.05\n"),
            std::string::npos)
      << both;
  EXPECT_NE(both.find("a pull costs up to $0.87 (0.9 $/GB)\n"), std::string::npos) << both;
  // 10^9 bytes for 9 cents are not above 9 cents; one byte more is.
  const char* limit = R"("costAbove":"0.09")";
  EXPECT_EQ(Pod(Image({layer(1'000'000'000, "a")})).said("image-size", limit), "");
  EXPECT_NE(Pod(Image({layer(1'000'000'001, "a")})).said("image-size", limit), "");
  EXPECT_EQ(Pod(large()).said("image-size", R"("costAbove":"0.01","pricePerGB":null)"), "");
}

TEST(ImageSize, TheWorstPlatformIsNamed) {
  Image small({layer(600 * kMi, "a")});
  Image big({layer(700 * kMi, "b")});
  big.platform = *parse_platform("linux/arm/v7");
  const Pod pod(std::vector{facts_of({small.facts(), big.facts()})});
  EXPECT_TRUE(pod.said("image-size", R"("maximum":"500Mi")")
                  .starts_with("container \"c0\" image registry.test/i0:1 is 700 MiB compressed "
                               "(linux/arm/v7), limit 500 MiB"));
  EXPECT_EQ(pod.judge("image-size", R"("maximum":"500Mi")").size(), 1U);
}

TEST(ImageSize, TheSizeIsJudgedWithoutAConfiguration) {
  PlatformFacts facts = large().facts();
  facts.config = std::unexpected(Unknown{UnknownReason::kTimeout, ""});
  EXPECT_NE(Pod(std::vector{facts_of({facts})})
                .said("image-size", R"("maximum":"500Mi")")
                .find("\nlargest layer 510 MiB; a pull costs"),
            std::string::npos);
}

TEST(ImageSize, NoLayersAreNoWeight) {
  EXPECT_EQ(Pod(Image()).said("image-size", R"("maximum":"0","podMaximum":"0")"), "");
  EXPECT_EQ(Pod(Image()).said("image-layers", R"("maximumLayer":"0","maximumCount":0)"), "");
}

TEST(ImageSize, SharedLayersOfAPodCountOnce) {
  Image first({layer(400 * kMi, "base"), layer(100 * kMi, "one")});
  Image second({layer(400 * kMi, "base"), layer(100 * kMi, "two")});
  second.manifest.digest = "sha256:other";
  second.manifest.config_digest = "sha256:other-config";
  const Pod pod(std::vector{facts_of(first), facts_of(second), facts_of(first)});
  EXPECT_EQ(pod.said("image-size", R"("podMaximum":"600Mi")"), "");
  const auto findings = pod.judge("image-size", R"("podMaximum":"599Mi")");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].container, nullptr);
  EXPECT_EQ(findings[0].subject, "pod");
  EXPECT_EQ(findings[0].pointer, "/spec");
  EXPECT_EQ(findings[0].message,
            "the pod's 2 images are together 600 MiB compressed (linux/amd64), limit 599 MiB");
}

TEST(ImageSize, APodsKnownImagesAreCompared) {
  const Pod pod(std::vector{facts_of(large()),
                            facts_of({unknown_platform(UnknownReason::kTimeout, "linux/amd64")})});
  const auto findings = pod.judge("image-size", R"("podMaximum":"900Mi","maximum":null)");
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_TRUE(findings[0].unknown);
  EXPECT_EQ(findings[1].message,
            "the pod's 1 image is 912 MiB compressed (linux/amd64), limit 900 MiB");
  EXPECT_EQ(findings[1].detail, "images whose size is not known come on top");
}

TEST(ImageLayers, LargeOnesAreNamed) {
  EXPECT_EQ(Pod(large()).said("image-layers"),
            "container \"c0\" image registry.test/i0:1 has a layer of 510 MiB compressed "
            "(linux/amd64), limit 300 MiB\n"
            "layer 2 of 3, sha256:tools: RUN apt-get install build-essential\n");
  EXPECT_EQ(Pod(large()).said("image-layers", R"("maximumLayer":"510Mi")"), "");
  EXPECT_EQ(Pod(large()).said("image-layers", R"("maximumLayer":null)"), "");
  Image unmapped = large();
  unmapped.config.history.pop_back();
  EXPECT_NE(Pod(unmapped).said("image-layers").find("layer 2 of 3, sha256:tools\n"),
            std::string::npos);
}

TEST(ImageLayers, ManyAreCounted) {
  Image image;
  for (int i = 0; i < 40; ++i) image.manifest.layers.push_back(layer(1, std::to_string(i)));
  EXPECT_EQ(Pod(image).said("image-layers"), "");
  image.manifest.layers.push_back(layer(1, "40"));
  EXPECT_EQ(Pod(image).said("image-layers"),
            "container \"c0\" image registry.test/i0:1 has 41 layers (linux/amd64), limit 40\n");
  image.manifest.layers[5].size = 301 * kMi;
  EXPECT_TRUE(Pod(image)
                  .said("image-layers")
                  .starts_with("container \"c0\" image registry.test/i0:1 has a layer of 301 MiB "
                               "compressed (linux/amd64), "
                               "limit 300 MiB, and 41 layers, limit 40\nlayer 6 of 41, sha256:5"));
  EXPECT_EQ(Pod(image).said("image-layers", R"("maximumLayer":null,"maximumCount":null)"), "");
}

TEST(ImageLayers, TheWorstPlatformIsNamed) {
  Image one({layer(301 * kMi, "a")});
  Image other({layer(302 * kMi, "b")});
  other.platform.architecture = "s390x";
  const Pod pod(std::vector{facts_of({one.facts(), other.facts()})});
  EXPECT_EQ(pod.judge("image-layers").size(), 1U);
  EXPECT_NE(pod.said("image-layers").find("302 MiB compressed (linux/s390x)"), std::string::npos);
}

TEST(ImageLayers, AThousandAreJudgedInTime) {
  Image image;
  for (int i = 0; i < 1000; ++i) {
    image.manifest.layers.push_back(layer(kMi, std::to_string(i)));
    image.config.history.push_back(step("RUN make # " + std::to_string(i)));
  }
  for (int i = 0; i < 3096; ++i) image.config.history.push_back(step("ENV A=b", true));
  const Pod pod(std::vector(4, facts_of(image)));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(pod.judge("image-layers").size(), 4U);
  EXPECT_EQ(pod.judge("image-size", R"("maximum":"1Mi","podMaximum":"1Mi")").size(), 5U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace plimsoll::policy
