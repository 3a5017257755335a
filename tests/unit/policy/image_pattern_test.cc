#include <string>

#include <gtest/gtest.h>

#include "policy/image_reference.h"

namespace plimsoll::policy {
namespace {

TEST(ImagePattern, IsNormalisedLikeAReference) {
  const struct {
    const char* in;
    const char* out;
  } rows[] = {
      {"*", "*"},
      {"openpolicyagent/*", "docker.io/openpolicyagent/*"},
      {"nginx", "docker.io/library/nginx"},
      {"nginx:1.*", "docker.io/library/nginx:1.*"},
      {"docker.io/nginx", "docker.io/library/nginx"},
      {"docker.io/*", "docker.io/*"},
      {"index.docker.io/library/*", "docker.io/library/*"},
      {"registry-1.docker.io:443/a/*", "docker.io/a/*"},
      {"quay.io", "quay.io/*"},
      {"quay.io/vendor/*", "quay.io/vendor/*"},
      {"QUAY.io/vendor/*", "quay.io/vendor/*"},
      {"registry.corp:5000", "registry.corp:5000/*"},
      {"registry.corp:443/*", "registry.corp/*"},
      {"localhost:5000", "localhost:5000/*"},
      {"*.corp.example/team/*", "*.corp.example/team/*"},
      {"*/base", "*/base"},
  };
  for (const auto& row : rows) EXPECT_EQ(normalised_image_pattern(row.in), row.out) << row.in;
}

TEST(ImagePattern, MatchesWhatIsPulled) {
  const std::string digest =
      "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  const struct {
    const char* pattern;
    std::string image;
    bool matches;
  } rows[] = {
      {"nginx", "nginx", true},
      {"nginx", "docker.io/library/nginx:1.27", true},
      {"nginx", "docker.io/library/nginx:1.27@" + digest, true},
      {"nginx:1.*", "nginx:1.27", true},
      {"nginx:1.*", "nginx:2.0", false},
      {"nginx:latest", "nginx", true},
      {"nginx:latest", "nginx@" + digest, false},
      {"nginx", "quay.io/library/nginx", false},
      {"registry.corp.example/*", "registry.corp.example/a/b:1", true},
      {"registry.corp.example/*", "registry.corp.example.evil.example/a:1", false},
      {"registry.corp.example/*", "REGISTRY.corp.example:443/a:1", true},
      {"docker.io/*", "registry-1.docker.io/library/ubuntu:1", true},
      {"docker.io/*", "localhost/ubuntu", false},
      {"*/team/*", "registry.corp.example/team/app:1", true},
      {"quay.io/vendor/app@sha256:*", "quay.io/vendor/app@" + digest, true},
      {"quay.io/vendor/app@sha256:*", "quay.io/vendor/app:1", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(row.pattern) + " against " + row.image);
    const auto reference = parse_image_reference(row.image);
    ASSERT_TRUE(reference);
    EXPECT_EQ(image_pattern_matches(normalised_image_pattern(row.pattern), *reference),
              row.matches);
  }
}

}  // namespace
}  // namespace plimsoll::policy
