#include "policy/image_base.h"

#include <gtest/gtest.h>

namespace plimsoll::policy {
namespace {

constexpr const char* kName = "org.opencontainers.image.base.name";
constexpr const char* kDigest = "org.opencontainers.image.base.digest";

bool built_on(std::vector<std::string> image, std::vector<std::string> base) {
  ImageConfig of_image;
  ImageConfig of_base;
  of_image.diff_ids = std::move(image);
  of_base.diff_ids = std::move(base);
  return is_built_on(of_image, of_base);
}

TEST(ImageBase, IsProvenByTheFirstLayers) {
  EXPECT_TRUE(built_on({"a", "b", "c"}, {"a", "b"}));
  EXPECT_TRUE(built_on({"a", "b"}, {"a"}));
  EXPECT_FALSE(built_on({"a", "b"}, {"a", "b"}));  // the same, not built on it
  EXPECT_FALSE(built_on({"a"}, {"a", "b"}));
  EXPECT_FALSE(built_on({"a", "b", "c"}, {"b"}));
  EXPECT_FALSE(built_on({"a", "b", "c"}, {"a", "c"}));
  EXPECT_FALSE(built_on({"a"}, {}));
  EXPECT_FALSE(built_on({}, {}));
}

TEST(ImageBase, IsClaimedByTheNearestThatSaysSo) {
  Manifest manifest;
  Resolution resolution;
  ImageConfig config;
  EXPECT_TRUE(base_claims(manifest, &resolution, config).empty());

  config.labels = {{kName, "debian:12"}, {kDigest, "sha256:1"}};
  auto claims = base_claims(manifest, &resolution, config);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].name, "debian:12");
  EXPECT_EQ(claims[0].digest, "sha256:1");
  EXPECT_EQ(claims[0].source, "label");

  resolution.annotations = {{kDigest, "sha256:2"}};
  claims = base_claims(manifest, &resolution, config);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].name, "");
  EXPECT_EQ(claims[0].digest, "sha256:2");
  EXPECT_EQ(claims[0].source, "annotation");
  EXPECT_EQ(base_claims(manifest, nullptr, config)[0].source, "label");

  manifest.annotations = {{kName, "alpine:3"}};
  claims = base_claims(manifest, &resolution, config);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].name, "alpine:3");
}

}  // namespace
}  // namespace plimsoll::policy
