#include "policy/image_reference.h"

#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace plimsoll::policy {
namespace {

using Json = nlohmann::json;

// What a container runtime's parser accepts although nothing can be pulled by it: refused here.
const std::set<std::string>& refused_although_accepted() {
  static const std::set<std::string> kRefused = {
      "a.b_c/d",                              // an underscore in the host
      "example.com:0/app",                    // port 0
      "example.com:99999999/app",             // a port beyond 65535
      "[1::2::3]/app",                        // two gaps in an IPv6 address
      "[fd0012345678901234567890]:5000/app",  // a group of more than four digits
  };
  return kRefused;
}

std::string field(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found == row.end() ? std::string() : found->get<std::string>();
}

std::string path_of(const ImageReference& reference) {
  return (reference.library ? "library/" : "") + std::string(reference.path);
}

TEST(ImageReference, AgreesWithAContainerRuntimesParserOnEveryRow) {
  std::ifstream file(PLIMSOLL_VECTORS);
  ASSERT_TRUE(file) << PLIMSOLL_VECTORS;
  std::string line;
  int rows = 0;
  int refused = 0;
  while (std::getline(file, line)) {
    if (line.empty()) continue;
    const Json row = Json::parse(line);
    const std::string in = row["in"].get<std::string>();
    SCOPED_TRACE(in);
    ++rows;
    const auto reference = parse_image_reference(in);
    if (refused_although_accepted().contains(in)) {
      EXPECT_FALSE(row.contains("error")) << "the runtime refuses it, too";
      EXPECT_FALSE(reference);
      ++refused;
      continue;
    }
    ASSERT_EQ(!reference.has_value(), row.contains("error"))
        << (reference ? "accepted" : reference.error());
    if (!reference) {
      EXPECT_FALSE(reference.error().empty());
      continue;
    }
    EXPECT_EQ(reference->domain, field(row, "domain"));
    EXPECT_EQ(path_of(*reference), field(row, "path"));
    EXPECT_EQ(reference->tag, field(row, "tag"));
    EXPECT_EQ(reference->digest, field(row, "digest"));
    EXPECT_EQ(reference->normalised(), field(row, "effective"));
  }
  EXPECT_EQ(rows, 164);
  EXPECT_EQ(refused, 5);
}

TEST(ImageReference, HostKeyIsOneForEveryWayToWriteAHost) {
  const struct {
    const char* in;
    const char* key;
  } rows[] = {
      {"ubuntu", "docker.io"},
      {"DOCKER.IO/ubuntu", "docker.io"},
      {"docker.io:443/library/ubuntu", "docker.io"},
      {"index.docker.io:443/ubuntu", "docker.io"},
      {"registry-1.docker.io/library/ubuntu", "docker.io"},
      {"registry.hub.docker.com/library/ubuntu", "docker.io"},
      {"Registry.Corp.Example:5000/team/app:1", "registry.corp.example:5000"},
      {"registry.corp.example:443/team/app:1", "registry.corp.example"},
      {"[2001:DB8::1]/app", "[2001:db8:0:0:0:0:0:1]"},
      {"[2001:0db8:0:0::1]:443/app", "[2001:db8:0:0:0:0:0:1]"},
      {"localhost/app", "localhost"},
      {"docker.io.evil.example/app", "docker.io.evil.example"},
      {"registry.example:4430/app", "registry.example:4430"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.in);
    const auto reference = parse_image_reference(row.in);
    ASSERT_TRUE(reference) << reference.error();
    EXPECT_EQ(reference->host_key(), row.key);
  }
}

TEST(ImageReference, RefusesInvalidIpv6) {
  for (const char* host : {"[]",
                           "[:]",
                           "[:::]",
                           "[1:2:3:4:5:6:7]",
                           "[1:2:3:4:5:6:7:8:9]",
                           "[1:2:3:4:5:6:7:8::]",
                           "[12345::]",
                           "[1:]",
                           "[:1]"}) {
    EXPECT_FALSE(parse_image_reference(std::string(host) + "/app")) << host;
  }
  for (const char* host : {"[::]", "[::1]", "[1::]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]"}) {
    EXPECT_TRUE(parse_image_reference(std::string(host) + "/app")) << host;
  }
}

TEST(ImageReference, RefusesMoreThanTheLimit) {
  EXPECT_FALSE(parse_image_reference(std::string(kMaxReferenceBytes + 1, 'a')));
  EXPECT_FALSE(parse_image_reference(std::string(5 * 1024, 'a') + ":1"));
}

TEST(ImageReference, NormalisedReadsBackAsItself) {
  for (const char* in : {"nginx",
                         "nginx:1.2",
                         "a/b",
                         "quay.io/a/b:c",
                         "[::1]:5000/x",
                         "localhost:5000/a@sha256:"
                         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}) {
    const auto once = parse_image_reference(in);
    ASSERT_TRUE(once) << in;
    const std::string normalised = once->normalised();
    const auto twice = parse_image_reference(normalised);
    ASSERT_TRUE(twice) << normalised;
    EXPECT_EQ(twice->normalised(), normalised);
  }
}

}  // namespace
}  // namespace plimsoll::policy
